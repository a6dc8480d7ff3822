#include <algorithm>
#include <tuple>

#include "grantfs/journal/entry.h"
#include "grantfs/trust/conditions.h"
#include "machine_view_internal.h"

namespace grantfs {
namespace {

constexpr std::size_t kMaxNotices = 200;

bool Same(const GrantedSecret& a, const GrantedSecret& b) {
  const auto key = [](const GrantedSecret& s) {
    return std::tie(s.number, s.version, s.environment, s.path, s.size, s.time, s.owner, s.group, s.mode,
                    s.strict, s.lease, s.offline, s.record, s.expires, s.value_ends, s.rotate_due,
                    s.conditions, s.unenforceable, s.parts, s.missing, s.frozen, s.by);
  };
  return key(a) == key(b);
}

GrantedSecret Shown(const MachineView& view, const SecretView& secret) {
  GrantedSecret shown;
  shown.number = secret.number;
  shown.version = secret.publish->version;
  shown.environment = secret.environment;
  shown.path = secret.path;
  shown.size = secret.publish->size;
  shown.time = secret.time;
  shown.owner = secret.terms.owner;
  shown.group = secret.terms.group;
  shown.mode = secret.terms.mode;
  shown.strict = secret.terms.strict;
  shown.lease = secret.terms.lease;
  shown.offline = secret.terms.offline;
  shown.record = secret.terms.record;
  shown.EndAt(secret.terms.expires, false);
  shown.EndAt(view.EndOfMachine(secret), false);
  shown.EndAt(secret.publish->ExpiresAt(secret.time), true);
  shown.rotate_due = secret.publish->RotationDue(secret.time);
  shown.conditions = secret.terms.conditions;
  shown.unenforceable = secret.unenforceable;
  shown.parts = secret.publish->parts.size();
  if (secret.group != 0) shown.by = "@" + secret.terms.grantee.name;
  if (secret.prefix) shown.by += " " + secret.environment + "/" + secret.prefix->first;
  return shown;
}

}  // namespace

UpperLists MachineView::UpperOf(const std::string& environment) const {
  const auto at = environments.find(environment);
  return {vault.get(), at == environments.end() ? nullptr : at->second.get()};
}

const api::Freeze* MachineView::FreezeOf(const std::string& environment) const {
  const auto at = std::find_if(freezes.begin(), freezes.end(), [&](const api::Freeze& freeze) {
    return freeze.object.kind == FrozenKind::kMachine || freeze.object.Where() == environment;
  });
  return at == freezes.end() ? nullptr : &*at;
}

std::int64_t MachineView::EndOfMachine(const SecretView& secret) const {
  return EarlierEnd(not_after, secret.terms.grantee.not_after);
}

std::string SentenceOf(const api::Freeze& freeze) { return freeze.SentenceForMachine(); }

const std::string& MachineView::ProblemOf(const SecretView& secret) const {
  if (!vault_problem.empty()) return vault_problem;
  const auto at = environment_problems.find(secret.environment);
  return at != environment_problems.end() ? at->second : secret.problem;
}

bool MachineView::IsTroubled() const {
  if (!vault_problem.empty() || !environment_problems.empty() || !refused.empty() || !group_problems.empty())
    return true;
  return std::any_of(secrets.begin(), secrets.end(),
                     [](const auto& one) { return !one.second->problem.empty(); });
}

std::vector<std::string> MachineView::Notices() const {
  std::vector<std::string> notices;
  const auto add = [&](std::string notice) {
    if (notices.size() < kMaxNotices) notices.push_back(std::move(notice));
  };
  if (!vault_problem.empty()) add("the vault's own list is refused: " + vault_problem);
  for (const api::Freeze& freeze : freezes)
    add(SentenceOf(freeze) + "; its files cannot be read until that is lifted");
  for (const auto& [name, problem] : environment_problems) add(name + " is refused: " + problem);
  for (const std::string& problem : group_problems) add("a group is refused: " + problem);
  for (const auto& [number, problem] : refused)
    add("secret " + std::to_string(number) + " is refused: " + problem);
  for (const auto& [number, secret] : secrets) {
    const std::string name = secret->environment + "/" + secret->path;
    if (!secret->problem.empty()) add(name + " is refused: " + secret->problem);
    if (!secret->unenforceable.empty()) add(name + " is denied here: " + secret->unenforceable);
  }
  return notices;
}

std::string UnenforceableReason(const Grant& terms) {
  if (const auto conditions = ParseConditions(terms.conditions); !conditions) {
    return "its grant has the condition " + conditions.error().subject + ", which this version cannot check";
  }
  if (terms.record != kRecordEach && terms.record != kRecordSync && terms.record != kRecordAggregate)
    return "its grant asks for the record kind " + terms.record + ", which this version cannot write";
  return {};
}

std::shared_ptr<const Listing> MakeListing(const MachineView& view,
                                           const std::shared_ptr<const Listing>& before) {
  auto listing = std::make_shared<Listing>();
  listing->secrets.reserve(view.secrets.size());
  for (const auto& [number, secret] : view.secrets) {
    if (!secret->publish) continue;
    listing->secrets.push_back(Shown(view, *secret));
    if (const auto* freeze = view.FreezeOf(secret->environment))
      listing->secrets.back().frozen = SentenceOf(*freeze);
    if (const auto bundle = view.bundles.find(number); bundle != view.bundles.end())
      ShowBundle(view, *bundle->second, &listing->secrets.back());
  }
  std::sort(listing->secrets.begin(), listing->secrets.end(),
            [](const GrantedSecret& a, const GrantedSecret& b) {
              return std::tie(a.environment, a.path) < std::tie(b.environment, b.path);
            });
  // The tree of the mount keeps the one that it was made of: another would be beside it for nothing.
  const auto& shown = before->secrets;
  if (std::equal(listing->secrets.begin(), listing->secrets.end(), shown.begin(), shown.end(), Same))
    return before;
  listing->generation = before->generation + 1;
  return listing;
}

}  // namespace grantfs
