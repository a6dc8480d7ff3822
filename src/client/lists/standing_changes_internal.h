#pragma once

#include <map>
#include <vector>

#include "grantfs/trust/lists.h"

namespace grantfs {

/// Between two states of the lists above a secret's: whose standing is another. Whatever else decides of a
/// secret's list stands in it and in the lists up to the heads that it names, and is the same for ever; so
/// what was verified by the one state is verified again by the other only where a signer's standing is
/// another. A machine with ten thousand secrets would take seconds for all. Threads: none.
class StandingChanges {
 public:
  /// Both outlive this; each with an environment.
  StandingChanges(const UpperLists& then, const UpperLists& now);
  /// @return true if what stood then stands now, as far as these have signed it. False says nothing.
  bool Stands(const std::vector<Hash>& signers);

 private:
  bool IsSame(const Hash& signer) const;

  const UpperLists then_;
  const UpperLists now_;
  bool goes_on_ = false;  ///< nothing was taken back of what was there
  std::map<Hash, bool> known_;
};

/// Who has signed a list, each once.
std::vector<Hash> SignersOf(const SignedList& list);

}  // namespace grantfs
