#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "grantfs/trust/statement.h"

namespace grantfs {

class VaultList;
class EnvironmentList;

/// The verified lists above a list: what its statements' signers are judged by.
struct UpperLists {
  const VaultList* vault = nullptr;              ///< of every list but the vault's own
  const EnvironmentList* environment = nullptr;  ///< of a secret's or group's list
};

/// What an act needs of its signer.
enum class Permission {
  kVaultOwner,  ///< vault and machines lists
  kJoin,        ///< letting oneself in by a standing invitation, whose issuer owns the vault
  kOwner,       ///< environment and group lists; grants, revocations, vouches and voids of secrets
  kPublish,     ///< creating a secret, publishing a version: an owner, or a writer within the prefix
};

/// A hash-linked list of statements, the one implementation for all kinds.
///
/// A statement *counts* if its signer held the permission that the act needs at the heads that it names, and
/// either has held it ever since or is followed in the list by a statement of someone who has, and it is not
/// voided. Whoever uses a list appends what it was given (Receive), then asks CheckStanding; while that
/// fails, nothing but a vouch or a void is to be appended, and nothing of the list is to be used.
///
/// Threads: none; copy it, or guard it. Copies share the statements.
class SignedList {
 public:
  using StatementPtr = std::shared_ptr<const SignedStatement>;
  virtual ~SignedList() = default;

  const ListId& id() const { return id_; }
  /// The sequence that the next statement must have.
  std::uint64_t next_sequence() const {
    return entries_.empty() ? first_ : entries_.back().statement->statement().sequence + 1;
  }
  bool empty() const { return entries_.empty(); }
  std::size_t size() const { return entries_.size(); }
  /// All that it holds, in order. Sequences have gaps where backups were restored.
  std::vector<StatementPtr> Statements() const;
  /// Its newest restore that stands; nullptr if there is none.
  StatementPtr LastRestore() const;
  std::optional<Head> head() const;
  /// The hash of the statement there, if this list holds it.
  std::optional<Hash> HashAt(std::uint64_t sequence) const;
  StatementPtr At(std::uint64_t sequence) const;  ///< nullptr if it is not held
  std::uint64_t first_sequence() const { return first_; }
  bool IsVoided(std::uint64_t sequence) const;

  /// Adds the next statement if it may stand there: link, vault, list, signature, heads, permission, meaning.
  /// After a tail that does not count only a vouch or a void may. Errors (nothing is changed): kConflict (its
  /// previous hash is not the head, or it names a head above that is newer than the given lists: re-read and
  /// try again), kIntegrity (link, vault, signature, heads that contradict or go back), kDenied (the signer
  /// lacks the permission), kInvalid (the act makes no sense in this state).
  Status Append(StatementPtr statement, const UpperLists& upper);

  /// As Append, for what a vault serves: a statement that links but must not stand is kept as one that does
  /// not count, so that an owner can void it. Errors: kConflict, kIntegrity (a broken link, another vault or
  /// history, a false signature of one who had the right: no repair).
  Status Receive(StatementPtr statement, const UpperLists& upper);

  using EnvelopeAt = std::function<std::string_view(std::size_t)>;
  /// Parses `count` statements that are to be received one after the other, on two threads, and verifies what
  /// needs no list; also the signatures of those whose signer is known by now: nothing of that is done again.
  /// What it says of them is only ever what Receive would find. @return nullptr where one cannot be parsed.
  std::vector<StatementPtr> ParseAhead(std::size_t count, const EnvelopeAt& envelope,
                                       const UpperLists& upper) const;

  /// The first statement that does not count at the heads of `upper`, which are the newest known.
  std::optional<std::uint64_t> FirstUncounted(const UpperLists& upper) const;
  /// kIntegrity, naming list and sequence and why, if there is one.
  Status CheckStanding(const UpperLists& upper) const;

 protected:
  explicit SignedList(ListId id) : id_(std::move(id)) {}
  SignedList(const SignedList&) = default;
  SignedList& operator=(const SignedList&) = default;

  struct Entry {
    StatementPtr statement;
    bool valid = true;  ///< could be appended
    bool voided = false;
  };

  /// kInvalid for an act that has no place in this kind of list.
  virtual Result<Permission> Needed(const Statement& statement) const = 0;
  /// The signer's keys if it is known at all (also one who left).
  virtual const Identity* SignerOf(const Statement& statement, const UpperLists& upper) const = 0;
  /// Whether `signer` held `permission` at the heads that `at` names; nullptr = now.
  virtual bool Holds(const Hash& signer, Permission permission, const Act& act, const SeenHeads* at,
                     const UpperLists& upper) const = 0;
  /// Whether the signer has had a role without a break from the heads that the statement names up to those of
  /// `at`; nullptr = now. One who comes back does not bring back what he signed before or meanwhile.
  virtual bool HeldSince(const Statement& statement, const SeenHeads* at, const UpperLists& upper) const = 0;
  /// Whether one who may do everything is a successor of what is before him, and does not himself rest on it
  /// alone. `at` as of Holds.
  virtual bool MayFollow(const Hash& signer, const SeenHeads* at, const UpperLists& upper) const;
  /// Takes the act into the state; checks its meaning first. Errors: kInvalid, kIntegrity; nothing is changed
  /// then.
  virtual Status Apply(const StatementPtr& statement, const UpperLists& upper) = 0;
  /// Empties the state, so that the statements that stand can be applied anew.
  virtual void Reset() = 0;
  /// What a voided statement leaves behind all the same.
  virtual void PassOver(const Statement& statement);
  /// What must hold for a new statement but need not for one that was appended long ago. Errors: kConflict,
  /// kInvalid.
  virtual Status CheckNew(const Statement& statement, const UpperLists& upper) const;
  /// Checks the state that a secret's statement claims, after its act was taken in; others carry none.
  /// Errors: kInvalid.
  virtual Status CheckClaimedState(const SignedStatement& statement) const;

  /// Whether a restore may leave sequences out. Not in a machine's view, which begins with one at most.
  virtual bool MayLeaveOut() const { return true; }

  /// The place in entries_ of the statement with that sequence.
  std::optional<std::size_t> IndexOf(std::uint64_t sequence) const;
  /// Whether the environment's rule asks for two owners at the heads that the statement names.
  virtual bool TwoOwnersAt(const Statement& statement, const UpperLists& upper) const;
  /// Whether who consented has owned the environment without a break from where he consented up to the heads
  /// that the statement names. What he is later does not matter: the statement's signer, an owner, follows
  /// him, and is judged as of every statement.
  virtual bool OwnsThrough(const Consent& consent, const Statement& statement, const UpperLists& upper) const;
  /// That the statement has the second owner's signature where the rule asks for it, and that one which is
  /// there is good: of another owner, over this act in this list, and not used up. (consent.cpp) Errors:
  /// kDenied.
  Status CheckConsent(const SignedStatement& statement, const UpperLists& upper) const;

  /// Resets and applies what stands.
  Status Rebuild(const UpperLists& upper);

  std::vector<Entry> entries_;
  std::uint64_t first_ = 0;  ///< sequence of entries_[0]; not 0 only in a machine's view of a secret

 private:
  Status CheckLink(const Statement& statement) const;
  Status CheckHistory(const Statement& statement, const UpperLists& upper) const;
  Status CheckOrder(const Statement& statement) const;
  Status CheckRight(const SignedStatement& statement, const UpperLists& upper) const;
  Status CheckRestore(const Statement& statement) const;
  Status CheckLevel(const Statement& statement, const UpperLists& upper) const;
  Status CheckUnused(const Consent& consent, const Statement& statement) const;
  Status CheckSignature(const SignedStatement& statement, const UpperLists& upper) const;
  Status Take(const StatementPtr& statement, const UpperLists& upper);
  Status TakeVoid(const StatementPtr& statement, const UpperLists& upper);
  void RebuildWhatStands(const UpperLists& upper);
  std::optional<std::size_t> FirstUncountedAt(const SeenHeads* at, const UpperLists& upper) const;
  std::optional<std::size_t> FirstInvalid() const;

  ListId id_;
  bool had_invalid_ = false;  ///< false: no entry is, and none need be looked at
};

}  // namespace grantfs
