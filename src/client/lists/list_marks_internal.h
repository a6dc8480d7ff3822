#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "grantfs/client/known_store.h"
#include "grantfs/crypto/keys.h"
#include "grantfs/trust/signed_list.h"

namespace grantfs {

/// What an identity has verified of its home's lists in full, so that no later command looks at the same
/// signatures again: a list of ten thousand machines has fifty thousand. `known.db` is trusted for no more
/// than forgetting, so a mark is signed: it names a list's head, whose hash stands for all that is before it,
/// and whoever alters the file can make none. Threads: one at a time.
class ListMarks {
 public:
  /// @param vault  the vault's id. Both pointers outlive it.
  ListMarks(KnownStore* known, const SigningKey* key, const Hash& vault)
      : known_(known), key_(key), vault_(vault) {}

  /// How many of these, from the first on, are before the list's mark or it: 0 without a good one. That they
  /// lead to it by their hashes, KnownStore::ReadKept checks.
  Result<std::size_t> CountVerified(const ListId& list, const std::vector<KnownStore::Kept>& kept);

  /// Marks a list that was verified just now, if there is much new in it. A failure costs the next command
  /// its time, and nothing else.
  void Mark(const SignedList& list);

 private:
  Bytes Context(const ListId& list, const Head& head) const;

  KnownStore* const known_;
  const SigningKey* const key_;
  const Hash vault_;
  std::map<ListId, std::uint64_t> marked_;  ///< sequence of the newest good mark that was read or made
};

}  // namespace grantfs
