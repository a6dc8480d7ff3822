#include <algorithm>
#include <optional>
#include <unordered_set>

#include "grantfs/util/text.h"
#include "mount/tree/tree_internal.h"

namespace grantfs {

namespace {
constexpr const char* kReportsName = ".grantfs";

bool IsSafeComponent(std::string_view name) {
  return !name.empty() && name.size() <= 255 && name != "." && name != ".." && name != kReportsName &&
         name.find('\0') == std::string_view::npos && IsUtf8(name);
}
}  // namespace

const Child* Directory::Find(std::string_view name) const {
  auto found = std::lower_bound(
      by_name.begin(), by_name.end(), name,
      [&](std::uint32_t index, std::string_view text) { return children[index].name < text; });
  return found != by_name.end() && children[*found].name == name ? &children[*found] : nullptr;
}

const Directory* Tree::FindDirectory(NodeId id) const {
  auto found = directories_.find(id);
  return found == directories_.end() ? nullptr : &found->second;
}

const SecretFile* Tree::FindSecret(std::uint64_t number) const {
  auto found = secrets_.find(number);
  return found == secrets_.end() ? nullptr : &found->second;
}

class TreeBuilder {
 public:
  explicit TreeBuilder(const TreeInput& input) : input_(input), tree_(std::make_shared<Tree>()) {}

  std::shared_ptr<const Tree> Build() {
    tree_->listing_ = input_.listing;
    AddFixed();
    for (const GrantedSecret* grant : Sorted()) {
      if (!input_.root.empty() && grant->environment != input_.root) continue;
      Add(*grant);
    }
    AddExplanations();
    for (auto& [id, directory] : tree_->directories_) Finish(&directory);
    return tree_;
  }

 private:
  void AddFixed() {
    tree_->directories_[kRootNode] = {.id = kRootNode, .parent = kRootNode};
    AddDirectory(kReportsNode, kRootNode, kReportsName);
    Directory& reports = tree_->directories_[kReportsNode];
    reports.children = {{"status", kStatusNode}, {"grants", kGrantsNode}, {"denials", kDenialsNode}};
  }

  void AddExplanations() {
    std::vector<Directory> shown;
    for (const auto& [id, directory] : tree_->directories_) {
      if (id != kReportsNode) shown.push_back(directory);
    }
    Directory& reports = tree_->directories_[kReportsNode];
    reports.children.push_back({"why", kWhyNode});
    ++reports.subdirectories;
    for (Directory& directory : shown) {
      directory.parent = directory.id == kRootNode ? kReportsNode : WhyNodeOf(directory.parent);
      directory.id = WhyNodeOf(directory.id);
      if (std::erase_if(directory.children, [](const Child& child) { return child.id == kReportsNode; }) > 0)
        --directory.subdirectories;
      for (Child& child : directory.children) child.id = WhyNodeOf(child.id);
      tree_->directories_[directory.id] = std::move(directory);
    }
  }

  /// By path, so that "a" comes before "a/b" and wins.
  std::vector<const GrantedSecret*> Sorted() const {
    std::vector<const GrantedSecret*> grants;
    for (const GrantedSecret& grant : input_.listing->secrets) grants.push_back(&grant);
    std::stable_sort(grants.begin(), grants.end(), [](const GrantedSecret* a, const GrantedSecret* b) {
      return std::tie(a->environment, a->path) < std::tie(b->environment, b->path);
    });
    return grants;
  }

  void Hide(const GrantedSecret& grant, std::string reason, bool unknown_owner = false) {
    tree_->hidden_.push_back({grant.environment + "/" + grant.path, std::move(reason), unknown_owner});
  }

  void Add(const GrantedSecret& grant) {
    const std::string path = input_.root.empty() ? grant.environment + "/" + grant.path : grant.path;
    const auto components = Split(path, '/');
    if (!std::all_of(components.begin(), components.end(), IsSafeComponent)) {
      return Hide(grant, "its name is no path; the secret must be made again under another one");
    }
    if (grant.number == 0 || grant.number > kNumberMask || grant.version == 0 ||
        grant.version > kVersionMask) {
      return Hide(grant, "its number or version is out of bounds");
    }
    if (!grant.missing.empty()) return Hide(grant, grant.missing);
    if (tree_->secrets_.contains(grant.number)) return Hide(grant, "another secret has the same number");
    std::optional<FileAttributes> attributes = AttributesOf(grant);
    if (!attributes) return;
    Directory* directory = MakeParents(grant, path, components.size() - 1);
    if (directory == nullptr) return;
    if (files_.contains(path) || made_.contains(path)) return Hide(grant, "another secret has the same name");
    const NodeId id = SecretNode(grant.number, grant.version);
    directory->children.push_back({std::string(components.back()), id});
    files_.insert(path);
    tree_->secrets_[grant.number] = {&grant, id, *attributes, WhoOf(grant)};
  }

  std::shared_ptr<const WhoMayRead> WhoOf(const GrantedSecret& grant) {
    if (grant.conditions.empty()) return nullptr;
    const Owners cached{
        0, 0,
        [this](const std::string& name) { return Cached(&users_, name, uid_t{0}, input_.owners->user); },
        [this](const std::string& name) { return Cached(&groups_, name, gid_t{0}, input_.owners->group); }};
    return std::make_shared<const WhoMayRead>(ResolveConditions(grant.conditions, cached));
  }

  std::optional<FileAttributes> AttributesOf(const GrantedSecret& grant) {
    const auto uid = Cached(&users_, grant.owner, input_.owners->default_user, input_.owners->user);
    const auto gid = Cached(&groups_, grant.group, input_.owners->default_group, input_.owners->group);
    if (!uid || !gid) {
      Hide(grant,
           !uid ? "this machine has no user \"" + grant.owner + "\"; make it, or grant with another --owner"
                : "this machine has no group \"" + grant.group + "\"; make it, or grant with another --group",
           true);
      return std::nullopt;
    }
    return FileAttributes{grant.size, grant.time, *uid, *gid, static_cast<mode_t>(grant.mode & 0777)};
  }

  template <typename Id>
  static std::optional<Id> Cached(std::unordered_map<std::string, std::optional<Id>>* cache,
                                  const std::string& name, Id standard,
                                  const std::function<std::optional<Id>(const std::string&)>& resolve) {
    if (name.empty()) return standard;
    auto found = cache->find(name);
    if (found == cache->end()) found = cache->emplace(name, resolve(name)).first;
    return found->second;
  }

  /// @return the directory of the file at `path`, null if it cannot be (the secret is hidden then).
  Directory* MakeParents(const GrantedSecret& grant, const std::string& path, std::size_t depth) {
    NodeId parent = kRootNode;
    for (std::size_t end = path.find('/'); depth > 0; --depth, end = path.find('/', end + 1)) {
      const std::string prefix = path.substr(0, end);
      if (files_.contains(prefix)) {
        Hide(grant, "\"" + prefix + "\" is a secret too, and its file wins; one of them needs another name");
        return nullptr;
      }
      const auto id = input_.directories->IdOf(prefix);
      if (!id) {
        Hide(grant, "there are too many directories; mount with --root to show fewer");
        return nullptr;
      }
      if (made_.insert(prefix).second) AddDirectory(*id, parent, prefix.substr(prefix.rfind('/') + 1));
      parent = *id;
    }
    return &tree_->directories_[parent];
  }

  void AddDirectory(NodeId id, NodeId parent, std::string name) {
    tree_->directories_[id] = {.id = id, .parent = parent};
    Directory& above = tree_->directories_[parent];
    above.children.push_back({std::move(name), id});
    ++above.subdirectories;
  }

  void Finish(Directory* directory) {
    auto& children = directory->children;
    children.shrink_to_fit();
    std::sort(children.begin(), children.end(),
              [](const Child& a, const Child& b) { return CookieOf(a.id) < CookieOf(b.id); });
    directory->by_name.resize(children.size());
    for (std::uint32_t i = 0; i < children.size(); ++i) directory->by_name[i] = i;
    std::sort(directory->by_name.begin(), directory->by_name.end(),
              [&](std::uint32_t a, std::uint32_t b) { return children[a].name < children[b].name; });
    const Directory* before = input_.previous ? input_.previous->FindDirectory(directory->id) : nullptr;
    const bool same = before && std::equal(children.begin(), children.end(), before->children.begin(),
                                           before->children.end(), [](const Child& a, const Child& b) {
                                             return a.id == b.id && a.name == b.name;
                                           });
    directory->changed = same ? before->changed : input_.now;
  }

  const TreeInput& input_;
  std::shared_ptr<Tree> tree_;
  std::unordered_set<std::string> files_;
  std::unordered_set<std::string> made_;  // directories
  std::unordered_map<std::string, std::optional<uid_t>> users_;
  std::unordered_map<std::string, std::optional<gid_t>> groups_;
};

std::shared_ptr<const Tree> BuildTree(const TreeInput& input) { return TreeBuilder(input).Build(); }

}  // namespace grantfs
