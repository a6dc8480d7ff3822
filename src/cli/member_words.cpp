#include "grantfs/trust/names.h"
#include "member_words_internal.h"

namespace grantfs {

Result<Role> RoleGiven(const Context& context) {
  if (context.arguments.Has("role")) return ParseRole(context.arguments.Text("role"));
  return Error{Code::kInvalid, "say as what with --role: owner, reader, writer, operator or auditor"};
}

Result<std::string> PrefixGiven(const Context& context, Role role) {
  std::string prefix = context.arguments.Text("prefix");
  if (!context.arguments.Has("prefix")) return prefix;
  if (role != Role::kWriter)
    return Error{Code::kInvalid, "only a writer can be kept to a prefix: leave --prefix away", 0, prefix};
  if (!prefix.empty() && prefix.back() != '/') prefix += '/';
  if (prefix.size() < 2 || !CheckSecretPath(prefix.substr(0, prefix.size() - 1)))
    return Error{Code::kInvalid, "a prefix is the beginning of names that ends in a slash, as tls/", 0,
                 prefix};
  return prefix;
}

Status CheckMayHold(const Identity& who, Role role) {
  if (KindMayHold(who.kind, role)) return {};
  return Error{Code::kInvalid,
               "an agent never reads: it can be writer, operator or auditor, but not owner or reader", 0,
               who.name};
}

}  // namespace grantfs
