#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>

#include "export_state_internal.h"
#include "grantfs/util/bytes.h"
#include "grantfs/util/file.h"

namespace grantfs {
namespace {

constexpr char kFormat[] = "grantfs-audit-export";
constexpr std::size_t kMaxStateBytes = 64 * 1024;
constexpr std::int64_t kMost = std::int64_t{1} << 62;

}  // namespace

Json ExportState::ToJson() const {
  Json json = Json::Object({{"format", kFormat},
                            {"level", 1},
                            {"vault", vault},
                            {"target", target},
                            {"kind", format},
                            {"filter", filter}});
  if (since_ms) json.Set("since_ms", *since_ms);
  if (until_ms) json.Set("until_ms", *until_ms);
  json.Set("next", next);
  if (inode != 0) json.Set("device", device).Set("inode", inode).Set("length", length);
  return json;
}

Result<ExportState> ExportState::FromJson(const Json& json) {
  JsonReader in(json, "state");
  ExportState state;
  if (in.String("format", 64) != kFormat) in.Fail("is not that of an export", "format");
  in.Number("level", 1, 1);
  state.vault = in.String("vault", 64);
  state.target = in.String("target", 8192);
  state.format = in.String("kind", 16);
  state.filter = in.Object("filter");
  if (in.Has("since_ms")) state.since_ms = in.Number("since_ms", 0, kMost);
  if (in.Has("until_ms")) state.until_ms = in.Number("until_ms", 0, kMost);
  state.next = static_cast<std::uint64_t>(in.Number("next", 0, kMost));
  state.device = static_cast<std::uint64_t>(in.OptionalNumber("device", 0, kMost, 0));
  state.inode = static_cast<std::uint64_t>(in.OptionalNumber("inode", 0, kMost, 0));
  state.length = static_cast<std::uint64_t>(in.OptionalNumber("length", 0, kMost, 0));
  GRANTFS_CHECK(in.Finish());
  return state;
}

Result<ExportStateFile> ExportStateFile::Open(const std::string& path) {
  const std::string beside = path + ".lock";
  UniqueFd lock(::open(beside.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock) return Error{errno == ENOENT ? Code::kNotFound : Code::kIo, "cannot be made", errno, beside};
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0)
    return Error{Code::kConflict, "another export is running with this state: stop it first", 0, path};
  return ExportStateFile(path, std::move(lock));
}

Result<std::optional<ExportState>> ExportStateFile::Read() const {
  if (!PathExists(path_)) return std::optional<ExportState>();
  const auto bytes = GRANTFS_TRY(ReadFile(path_, kMaxStateBytes));
  const auto json = ParseJson(ToText(bytes));
  if (json) {
    if (auto state = ExportState::FromJson(*json)) return std::optional(std::move(*state));
  }
  return Error{Code::kInvalid, "is not the state of an export; name another file with --state", 0, path_};
}

Status ExportStateFile::Write(const ExportState& state) const {
  return WriteFileAtomic(path_, AsBytes(state.ToJson().DumpPretty() + "\n"), 0600);
}

}  // namespace grantfs
