#include <algorithm>

#include "commands_internal.h"
#include "group_words_internal.h"
#include "owner_internal.h"
#include "table_internal.h"

namespace grantfs {
namespace {

// What a pattern means for a machine: a full name stands for itself, shop/prod/* for what is granted below
// it.
Result<std::vector<SecretName>> Granted(OwnerSession& session, const std::string& machine,
                                        const std::vector<std::string>& patterns) {
  std::vector<SecretName> names;
  for (const std::string& pattern : patterns) {
    if (!pattern.ends_with("/*")) {
      names.push_back(GRANTFS_TRY(ParseSecretName(pattern)));
      continue;
    }
    const Area area = GRANTFS_TRY(ParseArea(pattern.substr(0, pattern.size() - 1)));
    const std::size_t before = names.size();
    for (const GrantInfo& info : GRANTFS_TRY(session.ListGrants(machine, {area.environment, ""})))
      if (info.secret.path.starts_with(area.prefix)) names.push_back(info.secret);
    if (names.size() == before)
      return Error{Code::kNotFound, "nothing there is granted to this machine", 0, pattern};
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

Result<RevokeResult> Revoke(Context& context, OwnerSession& session, const std::string& machine) {
  const Arguments& arguments = context.arguments;
  const std::string reason = arguments.Text("reason");
  const auto wait = std::chrono::seconds(GRANTFS_TRY(arguments.Seconds("wait", 5)));
  if (arguments.Flag("all")) {
    auto result = GRANTFS_TRY(session.RevokeAll(machine, reason, wait));
    if (!result.revoked.empty()) return result;
    return Error{
        Code::kNotFound,
        "nothing is granted to it in the environments that you own: grantfs identity list shows which"
        " machines there are",
        0, machine};
  }
  const std::vector<std::string> patterns(arguments.positional().begin() + 1, arguments.positional().end());
  if (std::any_of(patterns.begin(), patterns.end(), [](const auto& one) { return one.ends_with("/"); })) {
    if (patterns.size() != 1 || !machine.starts_with("@"))
      return Error{Code::kInvalid,
                   "a prefix, which ends in a slash, is revoked from a group (@NAME), by a command of its own", 0,
                   patterns.front()};
    const Area area = GRANTFS_TRY(ParseArea(patterns.front()));
    return session.RevokePrefix(machine, area.environment, area.prefix, reason, wait);
  }
  const auto names = GRANTFS_TRY(Granted(session, machine, patterns));
  return session.RevokeFrom(machine, names, reason, wait);
}

Status CheckWhat(const Arguments& arguments) {
  const bool named = arguments.positional().size() > 1;
  if (arguments.Flag("all") && named)
    return Error{Code::kInvalid, "is given in place of secrets, not beside them", 0, "--all"};
  if (!arguments.Flag("all") && !named)
    return Error{Code::kInvalid, "no secret is named, and not --all of them"};
  const std::string machine = arguments.At(0);
  if (arguments.Flag("all") && machine.starts_with("@"))
    return Error{Code::kInvalid, "is for a machine; grantfs group delete ends a group with all that it is granted",
                 0, "--all"};
  return Hash::FromHex(machine) ? Status() : CheckIdentityName(GroupName(machine));
}

Status RunRevokeCommand(Context& context) {
  GRANTFS_CHECK(CheckWhat(context.arguments));
  const auto session = GRANTFS_TRY(OpenOwnerToRevoke(context));
  const RevokeResult result = GRANTFS_TRY(Revoke(context, *session, context.arguments.At(0)));
  if (context.json()) {
    Json followed = Json::Array();
    for (const EnvironmentDelivery& one : result.followed) followed.Append(GroupFollowedJson(one));
    context.terminal.OutJson(Json::Object({{"machine", result.machine},
                                           {"prefix", result.prefix},
                                           {"followed", std::move(followed)},
                                           {"revoked", NamesJson(result.revoked)},
                                           {"read", ReadsJson(result.read)},
                                           {"reads_known", result.reads_known},
                                           {"delivery", DeliveryJson(result.delivery)}}));
    return {};
  }
  for (const SecretName& name : result.revoked)
    context.terminal.OutLine("revoked " + name.Full() + " from " + result.machine);
  if (!result.prefix.empty()) context.terminal.OutLine("revoked " + result.prefix + " from " + result.machine);
  if (result.machine.starts_with("@")) {
    for (const EnvironmentDelivery& followed : result.followed)
      OutGroupFollowed(context.terminal, followed);
    return {};
  }
  context.terminal.Note(DeliverySentence(result.machine, result.delivery));
  OutReads(context.terminal, result.machine, result.read, result.reads_known);
  return {};
}

}  // namespace

const Command kRevokeCommand = {
    .name = "revoke",
    .arguments = "WHO [SECRET...]",
    .min_arguments = 1,
    .max_arguments = kManyArguments,
    .summary = "end grants",
    .about =
        R"(Ends a machine's grants: delivery stops at once, open files end, and later versions are not sealed to
it. It says what the machine has read and so may have kept, since only a new value makes up for that. A
name means all machines that ever had it; an identity, as grantfs status names it, means one. It works on a
full disk too, as identity remove does: what has to be noted then takes the room of HOME/reserve. @web means a
group of the secret's environment, and shop/prod/tls/ the grant of that prefix to it; a machine that is granted
the secret in another way too reads on by that.)",
    .options = {{"all", "", "all grants of the machine, in the environments that you own"},
                {"reason", "TEXT", "why; it stands in the signed statement"},
                {"wait", "TIME", "how long to wait for the machine's mount (default: 5s)"}},
    .examples = {{"grantfs revoke web-1 shop/prod/db-password",
                  R"(revoked shop/prod/db-password from web-1
web-1 has followed: its mount knows of the change
web-1 has read shop/prod/db-password version 3, last 2026-01-31T12:00:00Z: it
knows the current value, so set a new one)"},
                 {"grantfs revoke web-1 'shop/prod/tls/*'", "revoked shop/prod/tls/server.key from web-1"},
                 {"grantfs revoke @web shop/prod/tls/", R"(revoked shop/prod/tls/ from @web
2 of 2 machines of @web have followed)"},
                 {"grantfs revoke web-1 --all --reason 'moved to web-2'",
                  "revoked shop/prod/db-password from web-1"}},
    .next = "grantfs secret set, for each secret that the machine knows.",
    .failure = "the grant was not ended",
    .run = RunRevokeCommand,
};

}  // namespace grantfs
