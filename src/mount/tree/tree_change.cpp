#include "mount/tree/tree_internal.h"

namespace grantfs {

namespace {

const Child* At(const Directory* directory, std::size_t index) {
  if (directory == nullptr || index >= directory->by_name.size()) return nullptr;
  return &directory->children[directory->by_name[index]];
}

/// Walks both directories in the order of names. Either may be null.
void CompareDirectories(const Directory* before, const Directory* after, TreeChange* change) {
  const NodeId id = before ? before->id : after->id;
  const std::size_t known = change->entries.size();
  for (std::size_t i = 0, j = 0;;) {
    const Child* a = At(before, i);
    const Child* b = At(after, j);
    if (!a && !b) break;
    const int order = !a ? 1 : !b ? -1 : a->name.compare(b->name);
    if (order != 0 || a->id != b->id) change->entries.emplace_back(id, order <= 0 ? a->name : b->name);
    if (order <= 0) ++i;
    if (order >= 0) ++j;
  }
  if (change->entries.size() != known) change->attributes.push_back(id);
}

}  // namespace

TreeChange Compare(const Tree& before, const Tree& after) {
  TreeChange change;
  for (const auto& [id, directory] : before.directories()) {
    CompareDirectories(&directory, after.FindDirectory(id), &change);
  }
  for (const auto& [id, directory] : after.directories()) {
    if (!before.FindDirectory(id)) CompareDirectories(nullptr, &directory, &change);
  }
  for (const auto& [number, file] : before.secrets()) {
    const SecretFile* now = after.FindSecret(number);
    if (!now || now->id != file.id) {
      change.superseded.push_back(&file);
    } else if (now->attributes != file.attributes) {
      change.attributes.push_back(file.id);
    }
  }
  return change;
}

}  // namespace grantfs
