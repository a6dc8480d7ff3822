#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "grantfs/client/secret_source.h"
#include "mount/base/node_id_internal.h"
#include "mount/callers/owners_internal.h"
#include "mount/callers/who_internal.h"
#include "mount/tree/directory_ids_internal.h"

namespace grantfs {

/// What stat(2) says of one version.
struct FileAttributes {
  std::uint64_t size = 0;
  std::int64_t time = 0;
  uid_t uid = 0;
  gid_t gid = 0;
  mode_t mode = 0;
  bool operator==(const FileAttributes&) const = default;
};

/// A secret that is shown.
struct SecretFile {
  const GrantedSecret* grant = nullptr;  ///< lives as long as its Tree
  NodeId id = 0;
  FileAttributes attributes;
  std::shared_ptr<const WhoMayRead> who;  ///< null: everybody whom owner and mode let
};

struct Child {
  std::string name;
  NodeId id = 0;
};

struct Directory {
  NodeId id = 0;
  NodeId parent = 0;
  std::int64_t changed = 0;  ///< unix seconds, when its names last led elsewhere
  std::uint32_t subdirectories = 0;
  std::vector<Child> children;         ///< by CookieOf(id)
  std::vector<std::uint32_t> by_name;  ///< indexes of `children`
  const Child* Find(std::string_view name) const;
};

/// A granted secret that has no file, and why.
struct HiddenSecret {
  std::string name;    ///< "shop/prod/db-password"
  std::string reason;  ///< a sentence part with its mend
  bool unknown_owner = false;
};

/// The directories and files of one listing. Immutable. Threads: safe.
class Tree {
 public:
  const Directory* FindDirectory(NodeId id) const;
  const SecretFile* FindSecret(std::uint64_t number) const;
  const std::vector<HiddenSecret>& hidden() const { return hidden_; }
  const std::shared_ptr<const Listing>& listing() const { return listing_; }
  const std::unordered_map<NodeId, Directory>& directories() const { return directories_; }
  const std::unordered_map<std::uint64_t, SecretFile>& secrets() const { return secrets_; }

 private:
  friend class TreeBuilder;
  std::shared_ptr<const Listing> listing_;
  std::unordered_map<NodeId, Directory> directories_;
  std::unordered_map<std::uint64_t, SecretFile> secrets_;
  std::vector<HiddenSecret> hidden_;
};

struct TreeInput {
  std::shared_ptr<const Listing> listing;
  std::string root;  ///< "shop/prod" or ""
  DirectoryIds* directories = nullptr;
  const Owners* owners = nullptr;
  const Tree* previous = nullptr;  ///< directories that did not change keep their time
  std::int64_t now = 0;            ///< unix seconds
};

/// Lays a listing out as files. Where a secret "a" and another "a/b" are both granted, the file wins and
/// "a/b" is hidden; a name that is no safe path, a number or a name that comes twice, and an owner that is
/// unknown here hide a secret too. `.grantfs/why` has the same directories and names.
std::shared_ptr<const Tree> BuildTree(const TreeInput& input);

/// What the kernel must be told when one tree replaces another.
struct TreeChange {
  std::vector<std::pair<NodeId, std::string>>
      entries;                                ///< names that now lead elsewhere, nowhere, or somewhere
  std::vector<NodeId> attributes;             ///< nodes that look different
  std::vector<const SecretFile*> superseded;  ///< of the old tree: versions that are not shown any more
};
TreeChange Compare(const Tree& before, const Tree& after);

}  // namespace grantfs
