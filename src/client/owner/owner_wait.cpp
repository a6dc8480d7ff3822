#include <algorithm>
#include <chrono>

#include "grantfs/api/machine.h"
#include "owner_base_internal.h"

namespace grantfs {
namespace {

// The vault answers a wait of its own before this.
constexpr std::chrono::milliseconds kPatience{10'000};

}  // namespace

Delivery OwnerBase::WaitFor(const Hash& machine, std::uint64_t change, std::chrono::milliseconds wait) {
  api::PresenceRequest request;
  request.machine = machine;
  request.change = change;
  Delivery delivery;
  // The vault waits as long as it lets itself be asked to, so that a longer wait is asked for in pieces.
  for (auto left = std::max(wait, std::chrono::milliseconds(0));;) {
    const auto piece = std::min(left, std::chrono::milliseconds(api::kMaxPresenceWaitMs));
    left -= piece;
    request.wait_ms = static_cast<int>(piece.count());
    VaultConnection::CallOptions call;
    call.deadline = piece + kPatience;
    const auto presence = vault_->Ask<api::PresenceResponse>(api::kPresence, request, call);
    if (!presence) return delivery;
    delivery.last_seen = presence->last_seen;
    if (presence->acknowledged >= change) {
      delivery.state = Delivery::State::kAcknowledged;
    } else {
      delivery.state = presence->online ? Delivery::State::kPending : Delivery::State::kOffline;
    }
    if (delivery.state != Delivery::State::kPending || left.count() == 0) return delivery;
  }
}

EnvironmentDelivery OwnerBase::WaitForGroup(const std::string& environment, std::uint64_t number,
                                            std::uint64_t change, std::chrono::milliseconds wait) {
  if (change == 0 || !keeper_->RefreshMachines()) return {};
  const auto group = keeper_->RefreshGroup(environment, number);
  if (!group) return {};
  return WaitForMachines("@" + group->name(), group->MemberNumbers(keeper_->machines()), change, wait);
}

// Each is asked about until the time is over; about those that are left then nothing is known.
EnvironmentDelivery OwnerBase::WaitForMachines(const std::string& what,
                                               const std::vector<std::uint64_t>& machines,
                                               std::uint64_t change, std::chrono::milliseconds wait) {
  EnvironmentDelivery delivery;
  delivery.environment = what;
  delivery.known = true;
  delivery.machines = machines.size();
  const auto until = std::chrono::steady_clock::now() + wait;
  for (const std::uint64_t number : machines) {
    const auto machine = keeper_->machines().machines().find(number);
    if (machine == keeper_->machines().machines().end()) continue;
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    if (left.count() < 0) break;
    const Delivery one = WaitFor(machine->second.identity.Id(), change, left);
    if (one.state == Delivery::State::kAcknowledged) {
      ++delivery.followed;
    } else {
      delivery.pending += one.state == Delivery::State::kPending ? 1 : 0;
      if (delivery.behind.size() < 100) delivery.behind.push_back({machine->second.identity.name, one});
    }
  }
  return delivery;
}

}  // namespace grantfs
