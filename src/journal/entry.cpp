#include "grantfs/journal/entry.h"

#include <algorithm>
#include <charconv>
#include <iterator>

#include "grantfs/json/json.h"
#include "grantfs/util/text.h"

namespace grantfs {
namespace {

constexpr std::int64_t kMostNumber = std::int64_t{1} << 53;
constexpr std::int64_t kMostSecret = (std::int64_t{1} << 38) - 1;
constexpr std::int64_t kMostVersion = (std::int64_t{1} << 24) - 1;

/// Of nearly every path, all that stands in JSON as it is.
bool IsPlain(const std::string& path) {
  return path.size() <= kMaxJournalPathBytes && std::all_of(path.begin(), path.end(), [](char c) {
           return c >= ' ' && c <= '~' && c != '"' && c != '\\';
         });
}

void AddPath(std::string* text, const std::string& path) {
  if (IsPlain(path))
    text->append("\"").append(path).append("\"");
  else
    text->append(Json(Printable(path.substr(0, kMaxJournalPathBytes))).Dump());
}

void AddNumber(std::string* text, std::string_view name, std::uint64_t number) {
  char digits[20];
  text->append(name).append(digits, std::to_chars(digits, std::end(digits), number).ptr);
}

bool IsOpenId(const std::string& text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-'; });
}

JournalCaller ParseCaller(const Json& json, JsonReader* entry) {
  JsonReader in(json, "caller");
  const auto small = [&](const char* name) {
    return static_cast<std::uint32_t>(in.Number(name, 0, 0xffffffff));
  };
  JournalCaller caller;
  caller.pid = small("pid");
  caller.uid = small("uid");
  caller.gid = small("gid");
  caller.executable = in.String("executable", kMaxJournalPathBytes * 3);
  caller.cgroup = in.String("cgroup", kMaxJournalPathBytes * 3);
  if (const Status good = in.Finish(); !good) entry->Fail(good.error().where, "caller");
  return caller;
}

Bytes SignedContext(const Hash& vault, std::string_view journal, std::uint64_t sequence, const Hash& head) {
  std::uint8_t number[8];
  for (int i = 0; i < 8; ++i) number[i] = static_cast<std::uint8_t>(sequence >> (8 * i));
  return EncodeContext({AsBytes("grantfs-journal"), vault.View(), AsBytes(journal), number, head.View()});
}

}  // namespace

// By hand: it stands between a program and its secret, a thousand times a second.
void JournalEntry::AppendUnchained(std::string* text) const {
  AddNumber(text, ",\"time\":", static_cast<std::uint64_t>(time_ms));
  text->append(",\"open\":\"").append(open);
  AddNumber(text, "\",\"secret\":", secret);
  AddNumber(text, ",\"version\":", version);
  text->append(",\"record\":\"").append(record);
  AddNumber(text, "\",\"caller\":{\"pid\":", caller.pid);
  AddNumber(text, ",\"uid\":", caller.uid);
  AddNumber(text, ",\"gid\":", caller.gid);
  text->append(",\"executable\":");
  AddPath(text, caller.executable);
  text->append(",\"cgroup\":");
  AddPath(text, caller.cgroup);
  text->append("}");
  if (aggregate()) {
    AddNumber(text, ",\"count\":", count);
    AddNumber(text, ",\"last\":", static_cast<std::uint64_t>(last_ms));
  }
  text->append("}");
}

std::string ChainedText(std::uint64_t sequence, const Hash& previous, std::string_view unchained) {
  std::string text;
  text.reserve(unchained.size() + 128);
  AddNumber(&text, "{\"sequence\":", sequence);
  text.append(",\"previous\":\"").append(previous.Hex()).append("\"").append(unchained);
  return text;
}

std::string JournalEntry::Text() const {
  std::string unchained;
  unchained.reserve(512);
  AppendUnchained(&unchained);
  return ChainedText(sequence, previous, unchained);
}

Result<JournalEntry> JournalEntry::Parse(std::string_view text) {
  const Json json = GRANTFS_TRY(ParseJson(text, {.max_bytes = kMaxJournalEntryBytes}));
  JsonReader in(json, "entry");
  JournalEntry entry;
  entry.sequence = static_cast<std::uint64_t>(in.Number("sequence", 1, kMostNumber));
  const auto previous = Hash::FromHex(in.String("previous", 64));
  if (previous)
    entry.previous = *previous;
  else
    in.Fail("is no hash", "previous");
  entry.time_ms = in.Number("time", 0, kMostNumber);
  entry.open = in.String("open", 64, 1);
  if (!IsOpenId(entry.open)) in.Fail("an open's id has 1..64 of [0-9a-z-]", "open");
  entry.secret = static_cast<std::uint64_t>(in.Number("secret", 1, kMostSecret));
  entry.version = static_cast<std::uint32_t>(in.Number("version", 1, kMostVersion));
  entry.record = in.String("record", 16);
  if (entry.record != kRecordEach && entry.record != kRecordSync && !entry.aggregate())
    in.Fail("is each, sync or aggregate", "record");
  entry.caller = ParseCaller(in.Object("caller"), &in);
  if (entry.aggregate()) {
    entry.count = static_cast<std::uint64_t>(in.Number("count", 1, kMostNumber));
    entry.last_ms = in.Number("last", 0, kMostNumber);
  }
  GRANTFS_CHECK(in.Finish());
  return entry;
}

Hash JournalHash(std::string_view entry) { return Blake2b256({AsBytes(entry)}); }

Signature SignJournal(const SigningKey& key, const Hash& vault, std::string_view journal,
                      std::uint64_t sequence, const Hash& head) {
  return key.Sign(SignedContext(vault, journal, sequence, head));
}

bool VerifyJournal(const VerifyKey& key, const Hash& vault, std::string_view journal, std::uint64_t sequence,
                   const Hash& head, const Signature& signature) {
  return Verify(key, SignedContext(vault, journal, sequence, head), signature);
}

}  // namespace grantfs
