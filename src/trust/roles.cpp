#include "grantfs/trust/roles.h"

namespace grantfs {
namespace {

constexpr unsigned Bit(Operation operation) { return 1u << static_cast<unsigned>(operation); }

// Who may do what, one row a role.
constexpr unsigned Allowed(Role role) {
  using enum Operation;
  switch (role) {
    case Role::kOwner:
      return Bit(kList) | Bit(kReadValue) | Bit(kPublish) | Bit(kGrant) | Bit(kManageMembers) |
             Bit(kConfigure) | Bit(kFreeze) | Bit(kAsk) | Bit(kReadAudit);
    case Role::kReader:
      return Bit(kList) | Bit(kReadValue);
    case Role::kWriter:
      return Bit(kList) | Bit(kPublish);
    case Role::kOperator:
      return Bit(kList) | Bit(kConfigure) | Bit(kFreeze) | Bit(kAsk) | Bit(kReadAudit);
    case Role::kAuditor:
      return Bit(kReadAudit);
  }
  return 0;
}

}  // namespace

const char* RoleName(Role role) {
  switch (role) {
    case Role::kOwner:
      return "owner";
    case Role::kReader:
      return "reader";
    case Role::kWriter:
      return "writer";
    case Role::kOperator:
      return "operator";
    case Role::kAuditor:
      return "auditor";
  }
  std::abort();
}

Result<Role> ParseRole(std::string_view text) {
  for (const Role role : kAllRoles) {
    if (text == RoleName(role)) return role;
  }
  return Error{Code::kInvalid, "a role is owner, reader, writer, operator or auditor"};
}

bool RoleAllows(Role role, Operation operation) { return (Allowed(role) & Bit(operation)) != 0; }

bool KindMayHold(IdentityKind kind, Role role) {
  switch (kind) {
    case IdentityKind::kUser:
      return true;
    case IdentityKind::kAgent:
      return role != Role::kOwner && role != Role::kReader;
    case IdentityKind::kMachine:
      return false;
  }
  return false;
}

}  // namespace grantfs
