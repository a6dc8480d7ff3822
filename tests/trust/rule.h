#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "grantfs/trust/lists.h"

namespace grantfs::testing {

/// contrib/FORMATS.md, "Who counts", said again for a secret's list without regard to how trust does it:
/// slowly and plainly, from the beginning at each question.
class Rule {
 public:
  struct Member {
    Role role = Role::kOwner;
    std::string prefix;
  };
  /// What the environment's list says, after each of its statements.
  struct Past {
    std::vector<std::map<Hash, Member>> members;
    std::vector<std::uint32_t> epochs;
    Hash recovery;
    std::uint64_t now() const { return members.size() - 1; }
  };

  /// @param first  not 0: what a machine sees that begins there.
  explicit Rule(const Past& past, std::uint64_t first = 0) : past_(&past), first_(first) {}

  /// Role and heads, whatever is said.
  bool HasRight(const Statement& said) const;
  bool CouldStand(const SignedStatement& statement) const;
  void Take(const SignedList::StatementPtr& statement);
  std::optional<std::uint64_t> FirstUncounted() const { return FirstUncountedAt(past_->now()); }
  SecretState State() const { return Replay().state; }
  bool IsVoided(std::uint64_t sequence) const { return entries_[sequence - first_].voided; }
  std::uint64_t size() const { return entries_.size(); }

 private:
  struct Entry {
    SignedList::StatementPtr statement;
    Hash leaf;  ///< of a grant
    bool stands = false;
    bool voided = false;
  };
  struct Now {
    SecretState state;
    std::map<std::uint64_t, Hash> grants;  ///< leaves by the machine's number
  };
  bool MayAt(const Statement& said, bool needs_owner, std::uint64_t environment) const;
  bool Unbroken(const Hash& signer, std::uint64_t from, std::uint64_t to) const;
  bool HoldsStill(const Entry& entry, bool needs_owner, std::uint64_t at) const;
  bool Counts(std::size_t i, std::uint64_t at) const;
  std::optional<std::uint64_t> FirstUncountedAt(std::uint64_t environment) const;
  bool MayMove(const LabelMove& move, const Now& now) const;
  bool MakesSense(const SignedStatement& statement) const;
  bool VoidStands(const SignedStatement& statement, const Void& act) const;
  Now Replay() const;
  void Follow(Now& now, const SignedStatement& statement, const Hash& leaf) const;

  const Past* past_;
  std::uint64_t first_;
  std::vector<Entry> entries_;
};

}  // namespace grantfs::testing
