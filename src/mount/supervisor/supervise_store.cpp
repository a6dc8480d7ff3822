#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "grantfs/util/clock.h"
#include "mount/supervisor/supervisor_internal.h"

// A service manager keeps what must outlive this process too, and gives it to the next one: readers wait for
// that one as they wait for the next worker. It is taken back before a mount is ended in order.

namespace grantfs {

namespace {

// So many supervisors in a row ended before a worker of theirs served: what they took over is to blame.
constexpr std::uint32_t kMostVainTakeovers = 20;

bool IsOurs(const std::string& name) {
  return std::find(std::begin(kStoredNames), std::end(kStoredNames), name) != std::end(kStoredNames);
}

}  // namespace

/// Goes on with the mount of a supervisor that was killed.
///
/// @return false if there is none, or none that can be gone on with: that one is given up.
bool Supervisor::TakeStored() {
  if (options_.store == nullptr || options_.store->kept.empty()) return false;
  std::vector<StoredDescriptor> stored = std::exchange(options_.store->kept, {});
  std::erase_if(stored, [this](const StoredDescriptor& one) {
    if (IsOurs(one.name)) return false;
    Log(LogLevel::kWarning, "the service manager gave a descriptor that is none of a mount's: " + one.name);
    options_.store->remove(one.name);
    return true;
  });
  if (stored.empty()) return false;
  const auto record = RecordAmong(stored);
  const Status taken = [&]() -> Status {
    if (!record) return record.error();
    // Where the directory is not made yet, nothing is mounted on it.
    const auto canonical = CanonicalMountPoint(options_.mount_point);
    const std::string& point = canonical ? *canonical : options_.mount_point;
    return TakeChecked(GRANTFS_TRY(CheckStored(*record, point, options_, std::move(stored))));
  }();
  if (taken) return true;
  Log(LogLevel::kWarning, "the mount that the service manager kept is given up, and a new one is made: " +
                              Describe(taken.error()));
  ForgetStored();
  slots_.reset();
  // Whoever waits there is told so when the last descriptor is closed.
  if (record) UnmountFuse({UniqueFd(), record->point, record->id, record->device}, true);
  return false;
}

Status Supervisor::TakeChecked(StoredMount stored) {
  slots_ = GRANTFS_TRY(Slots::Map(stored.requests.get()));
  MountShared& shared = slots_->shared();
  if (shared.vain_takeovers >= kMostVainTakeovers)
    return Error{Code::kIo, "grantfs ended again and again before it could go on with it", 0, {}};
  ++shared.vain_takeovers;
  ++shared.taken_over;
  shared.last_taken_over = SystemClock().WallSeconds();
  shared.supervisor = getpid();
  point_ = stored.mounted.point;
  mounted_ = std::move(stored.mounted);
  slots_fd_ = std::move(stored.requests);
  kept_fd_ = std::move(stored.kept);
  took_over_ = promote_ = true;
  TakeOrders();
  return {};
}

/// The mount is made: whatever ends this process from now on, the next one goes on with it.
void Supervisor::Store() {
  if (options_.store == nullptr || !options_.store->put) return;
  const auto record = SealRecord(mounted_, options_, slots_fd_.get(), kept_fd_.get());
  const auto& put = options_.store->put;
  if (record && put(kStoredFuse, mounted_.fuse.get()) && put(kStoredRequests, slots_fd_.get()) &&
      put(kStoredKept, kept_fd_.get()) && put(kStoredRecord, record->get())) {
    slots_->shared().stored = 1;
    return;
  }
  Log(LogLevel::kWarning, "the mount ends with this process: the service manager cannot be told to keep it");
  ForgetStored();
}

void Supervisor::ForgetStored() {
  if (options_.store == nullptr || !options_.store->put) return;
  for (const char* name : kStoredNames) options_.store->remove(name);
  if (slots_) slots_->shared().stored = 0;
}

}  // namespace grantfs
