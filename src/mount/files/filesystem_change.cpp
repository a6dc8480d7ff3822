#include <utility>

#include "mount/files/filesystem_internal.h"

// From one listing to the next: the tree is replaced, and the kernel and all who watch are told.

namespace grantfs {

void Filesystem::Refresh(bool force) {
  std::lock_guard lock(refresh_mutex_);
  if (const auto left = std::exchange(taken_over_, std::nullopt)) Finish(*left);
  auto listing = source().CurrentListing();
  const auto before = CurrentTree();
  if (!force && listing->generation == before->listing()->generation) return;
  Finish(Begin(before, Build(std::move(listing), before.get())));
}

/// Shows the new tree: where that can be, name by name as the helper will get to them, for watchers to see.
Filesystem::Transition Filesystem::Begin(std::shared_ptr<const Tree> before, std::shared_ptr<const Tree> next,
                                         const std::set<std::uint64_t>& untold) {
  Transition begun;
  begun.change = Compare(*before, *next);
  Remember(begun.change, *next);
  begun.secrets = SecretChangesOf(*before, *next);
  begun.steps = NameChangesOf(*before, *next, begun.change);
  std::set<std::uint64_t> as_shown;
  for (const std::uint64_t number : untold) {
    const SecretFile* file = next->FindSecret(number);
    const SecretFile* was = before->FindSecret(number);
    if (file == nullptr || was == nullptr || was->id != file->id) continue;  // told of as a change
    begun.untold.push_back({file, file});
    as_shown.insert(number);
  }
  for (NameChange& touch : TouchesOf(*next, as_shown)) begun.steps.push_back(std::move(touch));
  begun.visibly = !begun.steps.empty() && rotation_.Ready();
  std::set<NodeId> held;
  for (const NameChange& step : begun.steps) {
    if (begun.visibly && step.kind == NameChangeKind::kReplace) held.insert(step.after);
  }
  for (const SecretChange& secret : begun.secrets) {
    if (secret.after != nullptr && !held.contains(secret.after->id)) shown_.Show(*secret.after);
  }
  begun.before = std::move(before);
  begun.next = next;
  std::lock_guard write(tree_lock_);
  tree_ = std::move(next);
  if (begun.visibly) rotation_.held().Hold(begun.steps);
  return begun;
}

void Filesystem::Finish(const Transition& transition) {
  Notify(transition, transition.visibly ? Perform(transition) : std::vector<NameChange>());
  DropRefusedPages();
}

/// @return the steps that were made, of which the kernel needs not be told.
std::vector<NameChange> Filesystem::Perform(const Transition& transition) {
  // What is not held is on the helper's way, and nothing of it may be remembered.
  for (const auto& [parent, name] : transition.change.entries) {
    if (!rotation_.held().Shown(parent, name)) session_->InvalidateEntry(parent, name);
  }
  for (const NameChange& step : transition.steps) {
    if (step.kind == NameChangeKind::kOnlyTouch) session_->InvalidateEntry(step.parent, step.name);
  }
  rotation_.Perform(transition.steps);
  std::vector<NameChange> done;
  for (const NameChange& step : transition.steps) {
    if (!rotation_.held().Holds(step)) {
      done.push_back(step);
    } else if (const SecretFile* file = transition.next->FindSecret(NumberOf(step.after));
               step.kind == NameChangeKind::kReplace && file != nullptr) {
      shown_.Show(*file);  // without the helper
    }
  }
  std::lock_guard write(tree_lock_);
  rotation_.held().Clear();
  return done;
}

bool Filesystem::Release(NameChangeKind kind, NodeId parent, const char* name, std::uint64_t number) {
  std::lock_guard write(tree_lock_);
  const auto released = rotation_.held().Release(kind, parent, name, number);
  if (!released) return false;
  const SecretFile* file = tree_->FindSecret(NumberOf(released->after));
  if (kind == NameChangeKind::kReplace && file != nullptr) shown_.Show(*file);
  return true;
}

/// Versions that go out of sight keep their looks for who still has them open.
void Filesystem::Remember(const TreeChange& change, const Tree& next) {
  {
    std::lock_guard lock(past_mutex_);
    for (const SecretFile* file : change.superseded) past_.Touch(file->id) = file->attributes;
  }
  for (const SecretFile* file : change.superseded) {
    // Back by a rollback: the node shows its own version again, and may be mapped again once nobody reads
    // another by it.
    const SecretFile* now = next.FindSecret(NumberOf(file->id));
    if (now != nullptr && rules_.IsBound(now->id) && !files_.IsOpenBound(now->id)) rules_.Unbind(now->id);
  }
}

void Filesystem::Notify(const Transition& transition, const std::vector<NameChange>& done) {
  std::set<std::pair<NodeId, std::string>> switched;
  for (const NameChange& one : done) switched.emplace(one.parent, one.name);
  auto entries = transition.change.entries;
  for (const NameChange& step : transition.steps) {
    if (step.kind == NameChangeKind::kOnlyTouch) entries.emplace_back(step.parent, step.name);
  }
  std::erase_if(entries, [&](const auto& entry) { return switched.contains(entry); });
  auto nodes = transition.change.attributes;
  const auto add_bound = [&](NodeId node) {
    for (NodeId bound : rules_.BoundNodes(NumberOf(node))) nodes.push_back(bound);
  };
  for (const SecretFile* file : transition.change.superseded) add_bound(file->id);
  for (NodeId node : transition.change.attributes) {
    if (KindOf(node) == NodeKind::kSecret) add_bound(node);
  }
  auto secrets = transition.secrets;
  secrets.insert(secrets.end(), transition.untold.begin(), transition.untold.end());
  if (entries.empty() && nodes.empty() && secrets.empty()) return;
  const auto trees = std::pair(transition.before, transition.next);  // which `secrets` points into
  notifier_->Post(
      [this, entries = std::move(entries), nodes = std::move(nodes), secrets = std::move(secrets), trees] {
        for (const auto& [parent, name] : entries) session_->InvalidateEntry(parent, name);
        for (NodeId node : nodes) session_->InvalidateAttributes(node);
        if (on_change_ != nullptr && !secrets.empty()) on_change_->Changed(PathsOf(secrets, options_.root));
        for (const SecretChange& secret : secrets) shown_.Told(secret);
      });
}

}  // namespace grantfs
