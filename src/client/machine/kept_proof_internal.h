#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "grantfs/trust/lists.h"

namespace grantfs {

/// By what a machine has verified one granted secret: what it verifies the next state by.
struct SecretProof {
  explicit SecretProof(SecretList verified) : list(std::move(verified)) {}
  SecretList list;  ///< its end, as far back as the grants' root was set
  SignedList::StatementPtr grant;    ///< nullptr: it is granted by a prefix, in the environment's list
  SecretList::GrantProof place;      ///< of the grant under the list's root
  SignedList::StatementPtr version;  ///< nullptr: the label points at none yet
  /// Verified before, by number: for opens that come a moment after a rotation.
  std::map<std::uint32_t, SignedList::StatementPtr> older;
};

/// The list that begins with these statements of a machine's view. Errors: kIntegrity.
Result<SecretList> ListBeginningWith(std::uint64_t number,
                                     const std::vector<SignedList::StatementPtr>& statements,
                                     const UpperLists& upper);

/// The same as it is kept while nobody needs it: each statement once and packed, nothing parsed. A machine
/// with ten thousand secrets has ten thousand of these. Immutable.
class KeptProof {
 public:
  KeptProof() = default;
  /// @param before  of the same secret: what is in its list too is taken from there. nullptr: none.
  KeptProof(const SecretProof& proof, const KeptProof* before);

  std::uint64_t first_sequence() const { return first_; }
  std::uint64_t next_sequence() const { return head_.sequence + 1; }
  const Head& head() const { return head_; }
  bool has_older() const { return !older_.empty(); }
  /// Whether the other proves the same by the same statements.
  bool IsSame(const KeptProof& other) const;

  /// The version that the label points at, and those before it, by number. Errors: kIntegrity.
  using Versions = std::map<std::uint32_t, SignedList::StatementPtr>;
  Result<Versions> UnpackVersions() const;

  /// Parses it again, and verifies the list again, by lists above it that may be newer.
  ///
  /// @param number of the secret.  Errors: kIntegrity.
  Result<SecretProof> Unpack(std::uint64_t number, const UpperLists& upper) const;

 private:
  Result<Versions> UnpackAt(const std::vector<std::uint32_t>& places) const;
  bool GoesOnFrom(const KeptProof& before, const SecretList& list) const;
  void Append(const SignedStatement& statement);
  std::uint32_t Keep(const SignedStatement& statement);

  std::uint64_t first_ = 0;
  Head head_;
  std::string bytes_;         ///< the statements, each after its length
  std::uint32_t listed_ = 0;  ///< so many of them, from the first on, are the list's
  std::uint32_t listed_bytes_ = 0;
  std::uint32_t grant_ = 0;    ///< offset of one; all ones: there is none
  std::uint32_t version_ = 0;  ///< the same
  std::vector<std::uint32_t> older_;
  SecretList::GrantProof place_;
};

/// The proofs of the secrets that changed last, unpacked: one that changes often, and so has a long list, is
/// not unpacked each time. Threads: one at a time.
class RecentProofs {
 public:
  void Keep(std::shared_ptr<const SecretProof> proof);

 private:
  std::deque<std::shared_ptr<const SecretProof>> proofs_;  ///< newest first
  std::uint64_t statements_ = 0;
};

}  // namespace grantfs
