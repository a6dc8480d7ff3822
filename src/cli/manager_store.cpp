#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>
#include <string>

#include "grantfs/log/log.h"
#include "grantfs/util/text.h"
#include "manager_store_internal.h"
#include "notify_internal.h"

namespace grantfs {
namespace {

constexpr int kFirstPassed = 3;  // SD_LISTEN_FDS_START
constexpr unsigned long long kMostPassed = 64;
constexpr std::size_t kMaxPassedNameBytes = 255;
constexpr unsigned long long kHighestProcess = 0x7fffffff;

/// Nobody whom this process starts shall take them for its own.
std::optional<std::string> TakeVariable(const char* name) {
  const char* const value = std::getenv(name);
  std::optional<std::string> taken;
  if (value != nullptr) taken = value;
  ::unsetenv(name);
  return taken;
}

Error Malformed(const char* where, const char* variable) { return {Code::kInvalid, where, 0, variable}; }

}  // namespace

Result<std::vector<StoredDescriptor>> TakePassedDescriptors() {
  const auto process = TakeVariable("LISTEN_PID");
  const auto count = TakeVariable("LISTEN_FDS");
  const auto names = TakeVariable("LISTEN_FDNAMES");
  if (!process || !count) return std::vector<StoredDescriptor>();
  unsigned long long whose = 0;
  unsigned long long number = 0;
  if (!ParseNumber(*process, kHighestProcess, &whose))
    return Malformed("is no process's number; a service manager sets it, so unset it", "LISTEN_PID");
  if (whose != static_cast<unsigned long long>(::getpid())) {
    Log(LogLevel::kWarning, "the service manager passed descriptors to process " + *process +
                                ", not to this one: they are left alone (have it start this program itself, "
                                "or a script that uses exec)");
    return std::vector<StoredDescriptor>();
  }
  if (!ParseNumber(*count, kMostPassed, &number))
    return Malformed("is no number up to 64; a service manager sets it, so unset it", "LISTEN_FDS");
  const std::string all_names = names.value_or(std::string(number > 0 ? number - 1 : 0, ':'));
  const auto each = Split(all_names, ':');
  if (number > 0 && each.size() != number)
    return Malformed("does not name each descriptor once; a service manager sets it, so unset it",
                     "LISTEN_FDNAMES");
  std::vector<StoredDescriptor> passed;
  for (unsigned long long i = 0; i < number; ++i) {
    const int fd = kFirstPassed + static_cast<int>(i);
    if (each[i].size() > kMaxPassedNameBytes)
      return Malformed("has a name of more than 255 bytes; a service manager sets it, so unset it",
                       "LISTEN_FDNAMES");
    if (::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
      return Malformed("counts descriptors that are not open; a service manager sets it, so unset it",
                       "LISTEN_FDS");
    passed.push_back({std::string(each[i]), UniqueFd(fd)});
  }
  return passed;
}

Result<DescriptorStore> ManagerStore() {
  DescriptorStore store;
  store.kept = GRANTFS_TRY(TakePassedDescriptors());
  store.remove = [](std::string_view name) { NotifyManager("FDSTOREREMOVE=1\nFDNAME=" + std::string(name)); };
  if (std::getenv("NOTIFY_SOCKET") == nullptr) return store;
  // It shall not wake for every request of the kernel; the mount's end is told to it.
  store.put = [](std::string_view name, int fd) {
    return NotifyManager("FDSTORE=1\nFDPOLL=0\nFDNAME=" + std::string(name), fd);
  };
  return store;
}

}  // namespace grantfs
