#include "grantfs/api/watch.h"

#include "fields_internal.h"

namespace grantfs::api {
namespace {

constexpr ChangeKind kAllChanges[] = {ChangeKind::kGrant, ChangeKind::kRevoke,      ChangeKind::kVersion,
                                      ChangeKind::kVault, ChangeKind::kEnvironment, ChangeKind::kMachine,
                                      ChangeKind::kFreeze};

Result<ChangeKind> ParseChange(std::string_view text) {
  for (const auto kind : kAllChanges) {
    if (text == ChangeKindName(kind)) return kind;
  }
  return Error{Code::kInvalid, "the kind of change is not known"};
}

const char* KindName(WatchKind kind) {
  switch (kind) {
    case WatchKind::kHello:
      return "hello";
    case WatchKind::kChange:
      return "change";
    case WatchKind::kBeat:
      return "beat";
  }
  std::abort();
}

Result<WatchKind> ParseKind(std::string_view text) {
  for (const auto kind : {WatchKind::kHello, WatchKind::kChange, WatchKind::kBeat}) {
    if (text == KindName(kind)) return kind;
  }
  return Error{Code::kInvalid, "a watch's line is a hello, a change or a beat"};
}

void ReadChange(JsonReader& in, WatchLine& line) {
  line.what = Taken(in, "what", ParseChange(in.String("what", 16)));
  line.secret = static_cast<std::uint64_t>(
      in.OptionalNumber("secret", 1, static_cast<std::int64_t>(kMaxSecretNumber), 0));
  line.environment = in.OptionalString("environment", kMaxNameBytes);
  line.more = in.OptionalBool("more", false);
  if (!line.environment.empty() && !CheckEnvironmentName(line.environment)) {
    in.Fail("is no environment's name", "environment");
  }
}

}  // namespace

const char* ChangeKindName(ChangeKind kind) {
  switch (kind) {
    case ChangeKind::kGrant:
      return "grant";
    case ChangeKind::kRevoke:
      return "revoke";
    case ChangeKind::kVersion:
      return "version";
    case ChangeKind::kVault:
      return "vault";
    case ChangeKind::kEnvironment:
      return "environment";
    case ChangeKind::kMachine:
      return "machine";
    case ChangeKind::kFreeze:
      return "freeze";
  }
  std::abort();
}

Json WatchLine::ToJson() const {
  Json json = Json::Object({{"type", KindName(kind)}, {"change", change}});
  if (kind == WatchKind::kHello) json.Set("heads", WriteVaultHead(vault_head));
  if (kind == WatchKind::kBeat) json.Set("time", time);
  if (kind != WatchKind::kChange) return json;
  json.Set("what", ChangeKindName(what));
  if (secret != 0) json.Set("secret", secret);
  if (!environment.empty()) json.Set("environment", environment);
  if (more) json.Set("more", true);
  return json;
}

Result<WatchLine> WatchLine::FromJson(const Json& json) {
  JsonReader in(json, "watch");
  WatchLine line;
  line.kind = Taken(in, "type", ParseKind(in.String("type", 16)));
  line.change = ReadCount(in, "change");
  if (line.kind == WatchKind::kHello) line.vault_head = ReadVaultHead(in);
  if (line.kind == WatchKind::kBeat) line.time = ReadTime(in, "time");
  if (line.kind == WatchKind::kChange) ReadChange(in, line);
  GRANTFS_CHECK(in.Finish());
  return line;
}

std::string WatchLine::Text() const { return ToJson().Dump() + "\n"; }

Result<WatchLine> WatchLine::Parse(std::string_view line) {
  const Json json = GRANTFS_TRY(ParseJson(line, {.max_bytes = kMaxWatchLineBytes, .max_items = 100}));
  return FromJson(json);
}

}  // namespace grantfs::api
