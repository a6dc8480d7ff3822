#include <algorithm>
#include <optional>
#include <unordered_map>

#include "mount/tree/name_changes_internal.h"

namespace grantfs {

namespace {

/// The paths of a tree's directories below the mount point, each with a slash behind it.
class DirectoryPaths {
 public:
  explicit DirectoryPaths(const Tree& tree) : tree_(tree) {}

  /// none if there is no such directory.
  const std::string* Of(NodeId id) {
    if (auto known = paths_.find(id); known != paths_.end()) return &known->second;
    if (id == kRootNode) return &(paths_[id] = "");
    const Directory* directory = tree_.FindDirectory(id);
    const Directory* above = directory ? tree_.FindDirectory(directory->parent) : nullptr;
    if (above == nullptr) return nullptr;
    const auto child =
        std::lower_bound(above->children.begin(), above->children.end(), CookieOf(id),
                         [](const Child& one, std::uint64_t cookie) { return CookieOf(one.id) < cookie; });
    const std::string* parent = Of(above->id);
    if (parent == nullptr || child == above->children.end() || child->id != id) return nullptr;
    return &(paths_[id] = *parent + child->name + "/");
  }

 private:
  const Tree& tree_;
  std::unordered_map<NodeId, std::string> paths_;
};

NodeId ChildOf(const Tree& tree, NodeId parent, const std::string& name) {
  const Directory* directory = tree.FindDirectory(parent);
  const Child* child = directory ? directory->Find(name) : nullptr;
  return child ? child->id : 0;
}

std::optional<NameChangeKind> KindOfChange(NodeId before, NodeId after) {
  const auto is = [](NodeId node, NodeKind kind) { return KindOf(node) == kind; };
  if (is(after, NodeKind::kSecret) && (before == 0 || is(before, NodeKind::kSecret)))
    return NameChangeKind::kReplace;
  if (before == 0 && is(after, NodeKind::kDirectory)) return NameChangeKind::kMakeDirectory;
  if (after == 0 && is(before, NodeKind::kSecret)) return NameChangeKind::kRemove;
  if (after == 0 && is(before, NodeKind::kDirectory)) return NameChangeKind::kOnlyHold;
  return std::nullopt;
}

bool Removes(const NameChange& change) { return change.after == 0; }

/// First what goes; then what comes, a directory before its children.
bool ComesBefore(const NameChange& a, const NameChange& b) {
  return Removes(a) != Removes(b) ? Removes(a) : a.path < b.path;
}

}  // namespace

std::vector<NameChange> NameChangesOf(const Tree& before, const Tree& after, const TreeChange& change) {
  DirectoryPaths paths_before(before);
  DirectoryPaths paths_after(after);
  std::vector<NameChange> changes;
  std::vector<std::string>
      turned;  // directories whose name is a file's now: no way leads to what was in them
  for (const auto& [parent, name] : change.entries) {
    if (IsWhyDirectory(parent)) continue;  // explanations, which nobody waits for
    NameChange one{.parent = parent,
                   .name = name,
                   .before = ChildOf(before, parent, name),
                   .after = ChildOf(after, parent, name),
                   .path = {}};
    const auto kind = KindOfChange(one.before, one.after);
    const std::string* directory = (Removes(one) ? paths_before : paths_after).Of(parent);
    if (directory == nullptr) continue;
    if (!kind && KindOf(one.before) == NodeKind::kDirectory) turned.push_back(*directory + name + "/");
    if (!kind) continue;
    one.kind = *kind;
    one.path = *directory + name;
    changes.push_back(std::move(one));
  }
  std::erase_if(changes, [&](const NameChange& one) {
    return Removes(one) && std::any_of(turned.begin(), turned.end(), [&](const std::string& directory) {
             return one.path.starts_with(directory);
           });
  });
  std::sort(changes.begin(), changes.end(), ComesBefore);
  return changes;
}

std::vector<NameChange> TouchesOf(const Tree& tree, const std::set<std::uint64_t>& numbers) {
  DirectoryPaths paths(tree);
  std::vector<NameChange> touches;
  if (numbers.empty()) return touches;
  for (const auto& [id, directory] : tree.directories()) {
    const std::string* path = IsWhyDirectory(id) ? nullptr : paths.Of(id);
    if (path == nullptr) continue;
    for (const Child& child : directory.children) {
      if (KindOf(child.id) != NodeKind::kSecret || !numbers.contains(NumberOf(child.id))) continue;
      touches.push_back({.kind = NameChangeKind::kOnlyTouch,
                         .parent = id,
                         .name = child.name,
                         .before = child.id,
                         .after = child.id,
                         .path = *path + child.name});
    }
  }
  return touches;
}

std::vector<SecretChange> SecretChangesOf(const Tree& before, const Tree& after) {
  std::vector<SecretChange> changes;
  for (const auto& [number, file] : after.secrets()) {
    const SecretFile* old = before.FindSecret(number);
    if (old == nullptr || old->id != file.id || old->attributes != file.attributes)
      changes.push_back({old, &file});
  }
  for (const auto& [number, file] : before.secrets()) {
    if (after.FindSecret(number) == nullptr) changes.push_back({&file, nullptr});
  }
  return changes;
}

std::set<std::string> PathsOf(const std::vector<SecretChange>& changes, const std::string& root) {
  std::set<std::string> paths;
  for (const SecretChange& change : changes) {
    const GrantedSecret& grant = *(change.after ? change.after : change.before)->grant;
    paths.insert(root.empty() ? grant.environment + "/" + grant.path : grant.path);
  }
  return paths;
}

}  // namespace grantfs
