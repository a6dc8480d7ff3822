#include "doctor_mounts_internal.h"
#include "grantfs/client/home.h"
#include "grantfs/mount/running.h"
#include "grantfs/util/text.h"
#include "mount_worker_internal.h"

namespace grantfs {
namespace {

using Level = Finding::Level;
using State = RunningMount::State;
constexpr char kCheck[] = "mount";

std::string Words(const RunningMount& mount) {
  return "process " + std::to_string(mount.worker) + " (grantfs " + mount.worker_program +
         ") serves it, under process " + std::to_string(mount.supervisor) + " (grantfs " + mount.program +
         ")";
}

Finding OfServed(const RunningMount& mount, const std::string& point) {
  if (mount.worker_program != GRANTFS_VERSION)
    return {Level::kNote, kCheck, point + ": " + Words(mount) + "; this program is grantfs " GRANTFS_VERSION,
            "grantfs mount --upgrade " + point};
  return {Level::kGood, kCheck, point + ": " + Words(mount), ""};
}

Finding Of(const RunningMount& mount) {
  const std::string point = Printable(mount.point);
  const std::string anew = "grantfs umount " + point + ", then mount again";
  switch (mount.state) {
    case State::kServes:
      return OfServed(mount, point);
    case State::kStarts:
      return {
          Level::kWarning, kCheck, point + ": no worker serves now; who reads waits for one",
          "grantfs doctor again; if it stays so, see the log of process " + std::to_string(mount.supervisor)};
    case State::kRefuses:
      return {Level::kFailure, kCheck,
              point + ": workers end again and again, and every read fails meanwhile",
              "see the log of process " + std::to_string(mount.supervisor) +
                  "; with another version installed, grantfs mount --upgrade " + point};
    case State::kNoOrders:
      return {Level::kNote, kCheck,
              point + ": it is served, but by a process that does not say how it stands", anew};
    case State::kSilent:
      return {Level::kFailure, kCheck, point + ": its process does not answer; it may be stopped",
              "let it go on (kill -CONT), or umount --lazy " + point + ", then mount again"};
    case State::kDead:
      return {Level::kFailure, kCheck, point + ": nobody serves it any more, and every read fails", anew};
  }
  std::abort();
}

}  // namespace

std::vector<Finding> LookAtMounts(const std::string& directory) {
  const auto home = OpenMachineHome(directory);
  const auto identity = home ? home->LoadIdentity() : Result<PrivateIdentity>(home.error());
  if (!identity) return {};  // said elsewhere, or of no machine
  std::vector<Finding> findings;
  bool any = false;
  for (const RunningMount& mount : FindRunningMounts(ControlDirectory())) {
    const bool own = mount.identity == identity->Id().Hex();
    any |= own;
    if (!own && !mount.identity.empty()) continue;
    Finding finding = Of(mount);
    // Whose it was nobody says.
    if (!own && finding.level == Level::kFailure) finding.level = Level::kWarning;
    findings.push_back(std::move(finding));
  }
  if (!any)
    findings.push_back(
        {Level::kNote, kCheck, "no mount shows the secrets of this home now", "grantfs mount"});
  return findings;
}

}  // namespace grantfs
