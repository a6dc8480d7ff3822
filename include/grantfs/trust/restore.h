#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "grantfs/trust/group_list.h"
#include "grantfs/trust/lists.h"

namespace grantfs {

/// What a home has verified of a list once, read off its statements: what no restored backup may undo. The
/// statements are believed, because they were verified when they were kept; whoever can alter them can as
/// well make the home forget them.
struct ListMemory {
  std::optional<Head> head;
  /// Whoever may sign a restore of a vault's or an environment's list.
  std::set<Hash> owners;
  std::map<Hash, std::string> former_owners;   ///< of the vault: id -> name
  std::map<Hash, std::string> removed;         ///< from the vault, for good
  std::map<Hash, std::string> former_members;  ///< of the environment
  /// Who was given another role, and the one that he had last.
  std::map<Hash, std::pair<std::string, MemberChange>> changed_members;
  std::map<EnvironmentGroups::PrefixKey, std::string> revoked_prefixes;
  std::map<std::uint64_t, std::string> deleted_groups;
  /// Of the vault: the recovery identities, the one in force last; the keys that the server may show.
  std::vector<Identity> recoveries;
  std::vector<Hash> pins;
  bool two_owners = false;                      ///< of the environment
  std::map<Hash, std::string> former_machines;  ///< removed
  std::map<std::string, std::string> closed;    ///< invitations, used or withdrawn: id -> name
  // Of the environment's groups:
  std::map<EnvironmentGroups::PrefixKey, SignedList::StatementPtr> granted_prefixes;
  // Of a group's list:
  std::map<std::uint64_t, std::string> left;    ///< machines that were taken out: number -> name
  std::map<std::uint64_t, std::uint64_t> shut;  ///< invitations that lead into it no more -> the last machine
  // Of a secret's list:
  std::map<SecretList::GrantKey, SignedList::StatementPtr> granted;
  std::map<SecretList::GrantKey, std::string> revoked;  ///< -> name
  std::set<std::uint32_t> ended;                        ///< versions that were destroyed
  std::uint32_t version = 0;
  bool deleted = false;
  bool destroyed = false;

  /// @param statements  of one list, in order, from its beginning
  static ListMemory Of(const std::vector<SignedList::StatementPtr>& statements);
};

/// What a restored list undoes of what was seen, and so must be done again before anybody takes it.
struct Undone {
  std::vector<Hash> owners;   ///< of the vault, who come back
  std::vector<Hash> removed;  ///< from the vault
  std::vector<Hash> members;  ///< of the environment; also who became an owner meanwhile by one owner alone
  std::vector<MemberChange>
      changed;  ///< who has a role again that was taken from him; without copy and epoch
  std::vector<EnvironmentGroups::PrefixKey> prefixes;
  std::vector<std::uint64_t> groups;
  std::optional<Identity> recovery;  ///< that a former one came back in the place of
  bool two_owners = false;           ///< one owner's signature is enough again, where two were asked for
  std::vector<Hash> machines;        ///< removed
  std::vector<std::string> invitations;
  std::vector<SignedList::StatementPtr>
      wider_prefixes;                           ///< grants by prefix in whose place others stood: those
  std::vector<std::uint64_t> left;              ///< machines of a group
  std::map<std::uint64_t, std::uint64_t> shut;  ///< invitations into a group -> the last machine
  std::vector<SecretList::GrantKey> grants;
  std::vector<SignedList::StatementPtr> wider;  ///< grants in whose place others stood: those
  std::vector<std::uint32_t> versions;          ///< destroyed
  bool deleted = false;
  bool destroyed = false;
  std::string who;  ///< the first of them, for a sentence
  bool empty() const { return who.empty(); }
};
/// @param from  what was said at this sequence or later of the list is anew, and nobody's return
Undone UndoneBy(const ListMemory& seen, const SignedList& list, std::uint64_t from);

/// The sequence of the first restore in `list` by which a home that has seen all of `seen` may take it: above
/// all of that and, of a vault's or an environment's list, by one who was an owner at its end. nullopt: there
/// is none.
/// @param common  of LastCommon
std::optional<std::uint64_t> AcceptedAt(const ListMemory& seen, std::uint64_t common, const SignedList& list);

/// Whether a home that has seen another end of this list may take `list`, which counts, in its place: it goes
/// on, by a restore that stands in it, from what the home has seen a beginning of; that restore lies above
/// everything that the home has seen; of a vault's or an environment's list, its signer was an owner at the
/// highest head that the home has seen; and nothing that the home saw end comes back by it. Errors:
/// kIntegrity, with what mends it.
Status CheckRestored(const std::vector<SignedList::StatementPtr>& seen, const SignedList& list);

/// The sequence of the last statement that both have; nullopt: not even the first.
std::optional<std::uint64_t> LastCommon(const std::vector<SignedList::StatementPtr>& seen,
                                        const SignedList& list);

}  // namespace grantfs
