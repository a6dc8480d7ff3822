#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "grantfs/util/text.h"
#include "mount/callers/owners_internal.h"

namespace grantfs {

namespace {

constexpr unsigned long long kMaxId = 0xfffffffe;  // the last one means "unchanged"
constexpr std::size_t kMaxEntryBytes = std::size_t{1} << 20;

/// Calls one of the getXXnam_r functions with a buffer that is large enough.
template <typename Entry, typename Call>
bool Resolve(const std::string& name, Entry* entry, std::vector<char>* buffer, Call call) {
  for (buffer->resize(1024); buffer->size() <= kMaxEntryBytes; buffer->resize(buffer->size() * 4)) {
    Entry* found = nullptr;
    const int error = call(name.c_str(), entry, buffer->data(), buffer->size(), &found);
    if (error != ERANGE) return error == 0 && found != nullptr;
  }
  return false;
}

std::optional<uid_t> UserId(const std::string& name) {
  if (unsigned long long number = 0; ParseNumber(name, kMaxId, &number)) return static_cast<uid_t>(number);
  passwd entry{};
  std::vector<char> buffer;
  if (!Resolve(name, &entry, &buffer, getpwnam_r)) return std::nullopt;
  return entry.pw_uid;
}

std::optional<gid_t> GroupId(const std::string& name) {
  if (unsigned long long number = 0; ParseNumber(name, kMaxId, &number)) return static_cast<gid_t>(number);
  group entry{};
  std::vector<char> buffer;
  if (!Resolve(name, &entry, &buffer, getgrnam_r)) return std::nullopt;
  return entry.gr_gid;
}

}  // namespace

Owners SystemOwners() { return {geteuid(), getegid(), UserId, GroupId}; }

}  // namespace grantfs
