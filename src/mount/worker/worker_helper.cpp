#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <utility>

#include "mount/base/channel_internal.h"
#include "mount/base/helper_process_internal.h"
#include "mount/base/privileges_internal.h"
#include "mount/worker/worker_helper_internal.h"

namespace grantfs {

namespace {

constexpr int kFirstOwn = 3;
constexpr int kAboveOwn = 256;

/// Moves them to the lowest numbers and closes all that is above.
std::vector<int> KeepOnly(std::vector<UniqueFd> sockets) {
  std::vector<int> own;
  for (const UniqueFd& socket : sockets) own.push_back(fcntl(socket.get(), F_DUPFD_CLOEXEC, kAboveOwn));
  for (std::size_t i = 0; i < own.size(); ++i) own[i] = dup2(own[i], kFirstOwn + static_cast<int>(i));
  for (UniqueFd& socket : sockets) (void)socket.Release();  // closed with the rest
  syscall(SYS_close_range, kFirstOwn + static_cast<unsigned>(own.size()), ~0U, 0);
  return own;
}

}  // namespace

Result<std::vector<UniqueFd>> StartWorkerHelper(const WorkerHelper& helper,
                                                const std::function<void(const std::vector<int>&)>& serve) {
  std::vector<UniqueFd> ours;
  std::vector<UniqueFd> theirs;
  for (std::size_t i = 0; i < helper.channels; ++i) {
    auto [one, other] = GRANTFS_TRY(MakeChannel());
    ours.push_back(std::move(one));
    theirs.push_back(std::move(other));
  }
  GRANTFS_TRY(ForkSilent([&] {
    const std::vector<int> own = KeepOnly(std::move(theirs));
    prctl(PR_SET_NAME, helper.name, 0, 0, 0);
    if (DropPrivileges(helper.user, helper.group, helper.look_at_processes)) serve(own);
  }));
  return ours;
}

}  // namespace grantfs
