#include "grantfs/mount/running.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <set>

#include "grantfs/util/text.h"
#include "mount/base/channel_internal.h"
#include "mount/base/mount_point_internal.h"
#include "mount/base/mount_table_internal.h"
#include "mount/supervisor/control_internal.h"

namespace grantfs {

namespace {

constexpr int kPatienceMs = 3000;
constexpr std::size_t kMaxVersionBytes = 64;
using State = RunningMount::State;

pid_t ProcessIn(std::string_view text) {
  unsigned long long number = 0;
  return ParseNumber(text, 0x7fffffff, &number) ? static_cast<pid_t>(number) : 0;
}

std::string VersionIn(std::string_view text) { return Printable(text.substr(0, kMaxVersionBytes)); }

/// One that has no such process, or does not answer.
State StateUnasked(const std::string& point) {
  switch (IsServed(point)) {
    case Served::kYes:
      return State::kNoOrders;
    case Served::kNo:
      return State::kDead;
    case Served::kSilent:
      break;
  }
  return State::kSilent;
}

RunningMount Ask(const std::string& directory, const std::string& point) {
  RunningMount mount;
  mount.point = point;
  const auto connection = ConnectToMount(directory, point);
  if (!connection) {
    mount.state = connection.error().code == Code::kNotFound ? StateUnasked(point) : State::kSilent;
    return mount;
  }
  pollfd watched{connection->get(), POLLIN, 0};
  const bool heard = SendMessage(connection->get(), kStateOrder) && poll(&watched, 1, kPatienceMs) == 1;
  const auto answer = heard ? ReceiveMessage(connection->get()) : std::nullopt;
  mount.state = !heard ? State::kSilent : State::kNoOrders;  // of a program that does not know the order
  if (answer && answer->kind == kStateAnswer) ReadMountState(answer->text, &mount);
  return mount;
}

}  // namespace

std::string WriteMountState(const RunningMount& mount) {
  return std::to_string(static_cast<int>(mount.state)) + "\n" + mount.identity + "\n" +
         std::to_string(mount.supervisor) + "\n" + mount.program + "\n" + std::to_string(mount.worker) +
         "\n" + mount.worker_program;
}

void ReadMountState(std::string_view text, RunningMount* mount) {
  const auto lines = Split(text, '\n');
  unsigned long long state = 0;
  if (lines.size() != 6 || !ParseNumber(lines[0], static_cast<int>(State::kRefuses), &state)) return;
  mount->state = static_cast<State>(state);
  mount->identity = lines[1];
  mount->supervisor = ProcessIn(lines[2]);
  mount->program = VersionIn(lines[3]);
  mount->worker = ProcessIn(lines[4]);
  mount->worker_program = VersionIn(lines[5]);
}

std::vector<RunningMount> FindRunningMounts(const std::string& control_directory) {
  std::vector<RunningMount> found;
  std::set<std::string> devices;  // a bind mount is the same one
  for (const MountEntry& entry : AllMounts()) {
    if (entry.type != kFilesystemType || entry.source != kSecretsSource || entry.root != "/") continue;
    if (MounterOf(entry) != geteuid() || !devices.insert(entry.device).second) continue;
    found.push_back(Ask(control_directory, entry.point));
  }
  return found;
}

}  // namespace grantfs
