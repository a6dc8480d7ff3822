#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "grantfs/client/owner_results.h"

namespace grantfs {

/// A machine in a group.
struct GroupMachine {
  std::string name;
  std::string id;          ///< hex
  std::int64_t since = 0;  ///< that it is in it, by the adding owner's clock, or by its own where it joined
  bool operator==(const GroupMachine&) const = default;
};

/// All that reports tell of one group.
struct GroupSurvey {
  std::string environment;
  std::string name;
  std::uint64_t number = 0;
  std::string id;              ///< as GrantInfo::machine_id has it
  bool members_known = false;  ///< to owners of the environment
  std::vector<GroupMachine> machines;
  std::vector<GrantInfo> prefixes;  ///< granted to it and in force, by prefix
  Head environment_head;            ///< of the list that says so
};

/// What nobody has used for some time.
struct UnusedGrant {
  SecretName secret;
  std::string machine;
  std::string machine_id;
  std::int64_t granted = 0;
  std::int64_t last_read = 0;  ///< under this grant or one before; 0: never, as far as the audit log tells
  bool prefix = false;         ///< as in GrantInfo
};
/// A machine that could leave its group.
struct UnusedInGroup {
  std::string group;  ///< "shop/prod@web"
  std::string machine;
  std::string machine_id;
  std::int64_t since = 0;
  std::int64_t last_read = 0;  ///< of anything by this group; 0: never, as far as the audit log tells
};
struct UnusedMember {
  std::string environment;
  MemberInfo member;
  std::int64_t since = 0;
  std::int64_t last_act = 0;  ///< that the audit log has of it in this environment; 0: none
};
struct ReviewResult {
  std::int64_t before = 0;                ///< unused since then
  std::vector<std::string> environments;  ///< that were looked at: those whose audit log is mine to read
  std::vector<std::string> unseen;        ///< all others of the vault
  std::vector<UnusedGrant> grants;  ///< by secret, then machine; those by prefix behind their environment's
  std::vector<UnusedInGroup> machines;  ///< by group, then machine
  std::vector<std::string> unjudged;  ///< "shop/prod@web": who is in it, and so its use, is not mine to know
  std::vector<UnusedMember> members;  ///< by environment, then name
  std::vector<SecretName> refused;    ///< whose list does not verify
};

}  // namespace grantfs
