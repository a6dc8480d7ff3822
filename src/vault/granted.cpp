#include "granted_internal.h"

namespace grantfs {
namespace {

/// Takes candidates in their order.
class Choice {
 public:
  explicit Choice(std::int64_t now) : now_(now) {}
  /// @return whether it is found, and no more need be looked at.
  bool Offer(GrantedBy by) {
    const bool stands = by.expires == 0 || now_ < by.expires;
    if (stands || !chosen_) chosen_ = std::move(by);
    return stands;
  }
  std::optional<GrantedBy> Take() { return std::move(chosen_); }

 private:
  std::int64_t now_;
  std::optional<GrantedBy> chosen_;
};

}  // namespace

Result<std::optional<GrantedBy>> FindGrantedBy(StoreReader& reader, const VaultCaller& machine,
                                               const StoredSecret& secret, std::int64_t now) {
  Choice choice(now);
  const auto own = GRANTFS_TRY(reader.FindGrant(secret.number, GranteeKind::kMachine, machine.machine));
  if (own && own->grantee == machine.id &&
      choice.Offer({GranteeKind::kMachine, own->number, {}, own->label, own->expires}))
    return choice.Take();
  for (const StoredGrant& one : GRANTFS_TRY(reader.GroupGrantsOf(secret.number, machine.machine))) {
    if (choice.Offer({GranteeKind::kGroup, one.number, {}, one.label, one.expires})) return choice.Take();
  }
  for (const StoredPrefix& one :
       GRANTFS_TRY(reader.PrefixesOf(secret.environment, secret.path, machine.machine))) {
    if (choice.Offer({GranteeKind::kGroup, one.group, one.prefix, one.label, one.expires}))
      return choice.Take();
  }
  return choice.Take();
}

}  // namespace grantfs
