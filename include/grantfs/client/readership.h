#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "grantfs/client/group_results.h"

namespace grantfs {

/// The grant that counts of those that are offered, which come in the order in which they do.
struct GrantChoice {
  const GrantInfo* grant = nullptr;
  bool stands = false;  ///< it has not expired
  void Offer(const GrantInfo& one, std::int64_t now);
};

/// Which machines may read which secrets, by grants of their own, of their groups and by prefix, from what
/// was verified before. Of several grants it tells the one that counts, as the vault and the mounts choose
/// it: of those that have not expired (or of all, if all have) a machine's own, then its groups' on the
/// secret, then those by prefix, the longer before the shorter, the older group before the younger.
///
/// Costs what an answer has, and for the making what there is of grants and of machines in groups: never
/// every secret times every machine. Threads: safe.
class Readership {
 public:
  /// Both outlive it. @param secrets  what OfMachine looks through.
  Readership(const SecretSurveys& secrets, const std::vector<GroupSurvey>& groups);

  /// Each machine that may read the secret once, by name: its grant, with the machine in the place of its
  /// group (GrantInfo::by). Behind them the groups that may and have no machine, or whose machines are not
  /// known.
  ///
  /// @param now  unix seconds.
  std::vector<GrantInfo> OfSecret(const SecretSurvey& secret, std::int64_t now) const;
  /// The same for one machine, by secret.
  std::vector<GrantInfo> OfMachine(const std::string& id, std::int64_t now) const;
  /// Name and id of each machine that is granted something, or is in a group that is known; by id.
  const std::map<std::string, std::string>& machines() const { return machines_; }
  /// nullptr: it is none of those that were given.
  const SecretSurvey* FindSecret(const SecretName& name) const;
  /// nullptr: there is no such group, or it is not known. @param id  GrantInfo::machine_id
  const GroupSurvey* FindGroup(const std::string& id) const;
  /// The grants by prefix that cover the secret, in their order.
  std::vector<const GrantInfo*> Covering(const SecretName& secret) const;

 private:
  struct Granted {
    const SecretSurvey* secret;
    const GrantInfo* grant;
  };
  void Take(const GroupSurvey& group);
  std::map<SecretName, const SecretSurvey*> secrets_;
  std::map<std::string, const GroupSurvey*> groups_;
  std::map<std::string, std::vector<const GroupSurvey*>>
      groups_of_;                                        ///< a machine's, the older before the younger
  std::map<std::string, std::vector<Granted>> granted_;  ///< by the grantee's id
  std::map<std::string, std::string> machines_;
  /// Of an environment, the longer before the shorter, the older group before the younger.
  std::map<std::string, std::vector<const GrantInfo*>> prefixes_;
};

/// "@web", "@web shop/prod/tls/"; "" of a machine's own grant.
std::string GrantedThrough(const GrantInfo& grant);
/// Whether it is a group that stands there for its machines.
inline bool IsGroupName(const std::string& machine) { return machine.starts_with("@"); }

}  // namespace grantfs
