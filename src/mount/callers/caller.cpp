#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <string_view>

#include "grantfs/util/text.h"
#include "grantfs/util/unique_fd.h"
#include "mount/callers/account_internal.h"
#include "mount/callers/caller_internal.h"
#include "mount/callers/executable_internal.h"

namespace grantfs {

namespace {

constexpr std::size_t kMaxProcBytes = std::size_t{1} << 20;  // a status with 65536 groups

/// A file in procfs, "" if it cannot be read.
std::string ReadProc(const std::string& path) {
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  char piece[8192];
  ssize_t size = 0;
  while (fd && text.size() < kMaxProcBytes && (size = read(fd.get(), piece, sizeof piece)) > 0) {
    text.append(piece, static_cast<std::size_t>(size));
  }
  return text;
}

/// The rest of the line that begins with `key`, "" if there is none.
std::string_view LineAfter(std::string_view text, std::string_view key) {
  for (std::string_view line : Split(text, '\n')) {
    if (line.starts_with(key)) return line.substr(key.size());
  }
  return {};
}

std::string ReadLink(const std::string& path) {
  char target[PATH_MAX];
  const ssize_t size = readlink(path.c_str(), target, sizeof target);
  return {target, size > 0 ? static_cast<std::size_t>(size) : 0};
}

std::vector<std::uint32_t> Numbers(std::string_view text, char separator) {
  std::vector<std::uint32_t> numbers;
  for (std::string_view part : Split(text, separator)) {
    unsigned long long number = 0;
    if (ParseNumber(part, 0xffffffff, &number)) numbers.push_back(static_cast<std::uint32_t>(number));
  }
  return numbers;
}

/// When the thread began, in ticks since the boot, "" if there is none: with its id it names one thread. The
/// 22nd field of proc(5)'s stat; the second may hold anything, in parentheses.
std::string StartOf(const std::string& directory) {
  const std::string stat = ReadProc(directory + "/stat");
  const std::size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos) return "";
  const auto fields = Split(std::string_view(stat).substr(name_end), ' ');
  return fields.size() > 20 ? std::string(fields[20]) : "";
}

bool SameNamespace(const std::string& directory, const std::string& proc, const char* name) {
  struct stat theirs {};
  struct stat ours {};
  return stat((directory + "/ns/" + name).c_str(), &theirs) == 0 &&
         stat((proc + "/self/ns/" + name).c_str(), &ours) == 0 && theirs.st_ino == ours.st_ino &&
         theirs.st_dev == ours.st_dev;
}

void LookAtStatus(const std::string& directory, ProcessFacts* facts) {
  const std::string status = ReadProc(directory + "/status");
  unsigned long long group = 0;
  if (ParseNumber(LineAfter(status, "Tgid:\t"), 0xffffffff, &group))
    facts->caller.pid = static_cast<std::uint32_t>(group);
  facts->groups = Numbers(LineAfter(status, "Groups:\t"), ' ');
  const auto uids = Numbers(LineAfter(status, "Uid:\t"), '\t');
  const auto gids = Numbers(LineAfter(status, "Gid:\t"), '\t');
  if (uids.size() == 4) facts->file_uid = uids[3];
  if (gids.size() == 4) facts->file_gid = gids[3];
  const std::string_view capabilities = LineAfter(status, "CapEff:\t");
  std::from_chars(capabilities.data(), capabilities.data() + capabilities.size(), facts->capabilities, 16);
}

void LookAtExecutable(const std::string& directory, const WantedFacts& wanted, ProcessFacts* facts) {
  facts->caller.executable = ReadLink(directory + "/exe");
  facts->executables.resize(wanted.executables.size());
  // In another user namespace the link may lead to whatever the process likes.
  if (!facts->same_user_namespace) return;
  for (std::size_t i = 0; i < wanted.executables.size(); ++i) {
    facts->executables[i] =
        CompareExecutable(directory + "/exe", facts->caller.executable, wanted.executables[i]);
  }
}

}  // namespace

ProcessFacts LookUpProcess(std::uint32_t thread, std::uint32_t uid, std::uint32_t gid,
                           const WantedFacts& wanted, const std::string& proc) {
  ProcessFacts facts;
  facts.caller = {.pid = thread, .uid = uid, .gid = gid, .executable = {}, .cgroup = {}};
  facts.executables.resize(wanted.executables.size());
  if (thread == 0 || !wanted.any()) return facts;
  const std::string directory = proc + "/" + std::to_string(thread);
  const bool decides = wanted.groups || wanted.executable || wanted.cgroup || wanted.rights;
  if (!decides && wanted.executables.empty() && proc == kProc) {
    facts.caller = LookUpAccount(thread, uid, gid);
    return facts;
  }
  const std::string start = decides ? StartOf(directory) : "";
  if (wanted.account || wanted.groups || wanted.rights) LookAtStatus(directory, &facts);
  if (wanted.executable || wanted.rights || !wanted.executables.empty())
    facts.same_user_namespace = SameNamespace(directory, proc, "user");
  if (wanted.account || wanted.executable || !wanted.executables.empty())
    LookAtExecutable(directory, wanted, &facts);
  if (wanted.account || wanted.cgroup)
    facts.caller.cgroup = LineAfter(ReadProc(directory + "/cgroup"), "0::");
  if (wanted.rights) {
    facts.same_pid_namespace = SameNamespace(directory, proc, "pid");
    facts.same_mount_namespace = SameNamespace(directory, proc, "mnt");
  }
  facts.seen = decides && !start.empty() && StartOf(directory) == start;
  return facts;
}

}  // namespace grantfs
