#include "commands_internal.h"
#include "grantfs/trust/names.h"
#include "grantfs/util/text.h"
#include "owner_internal.h"
#include "request_output_internal.h"

namespace grantfs {
namespace {

Status Show(Context& context, OwnerSession& session, const std::string& environment) {
  const bool two = GRANTFS_TRY(session.HasTwoOwners(environment));
  if (context.json())
    context.terminal.OutJson(Json::Object({{"environment", environment}, {"two_owners", two}}));
  else
    context.terminal.OutLine(
        environment +
        (two ? ": two owners sign a grant, a new owner, what comes into a group, and a change of this"
             : ": one owner's signature is enough"));
  return {};
}

Status RunEnvRulesCommand(Context& context) {
  const std::string environment = context.arguments.At(0);
  GRANTFS_CHECK(CheckEnvironmentName(environment));
  const std::string wanted = context.arguments.Text("two-owners");
  if (context.arguments.Has("two-owners") && wanted != "on" && wanted != "off")
    return Error{Code::kInvalid, "is on or off", 0, "--two-owners"};
  const auto session = GRANTFS_TRY(OpenOwner(context));
  if (wanted.empty()) return Show(context, *session, environment);
  const auto ids =
      GRANTFS_TRY(session->SetTwoOwners(environment, wanted == "on", context.arguments.Text("reason")));
  if (context.json()) {
    context.terminal.OutJson(
        Json::Object({{"environment", environment}, {"waiting", Json::Array({ids.begin(), ids.end()})}}));
    return {};
  }
  context.terminal.OutLine("signed: two owners in " + environment + " " + wanted + ", " +
                           Count(ids.size(), "request"));
  NoteWaiting(context.terminal, ids);
  if (wanted == "on")
    context.terminal.Note(
        "until the last of them is approved one signature is enough there; for what is granted meanwhile, "
        "ask for the rule again");
  return {};
}

}  // namespace

const Command kEnvRulesCommand = {
    .name = "env rules",
    .arguments = "PROJECT/ENVIRONMENT",
    .min_arguments = 1,
    .max_arguments = 1,
    .summary = "show or change whether two owners sign",
    .about =
        R"(Shows the rule of an environment, or asks for another. With --two-owners on, a grant, a new owner and
what comes into a group need the signatures of two owners: the first owner's grantfs grant, member add or
group add, and the groups of a standing invitation, wait as a request, and another owner's grantfs request approve signs and publishes it. The vault, owners' and writers' clients and the machines'
mounts refuse what two did not sign. Taking away needs one. The change itself needs two owners, on and off;
turned on, every standing grant is signed by both with it, and so are the machines and standing invitations that are in
groups, whose keys begin anew with the rule. Where the second owner was lost, the recovery
code adds one.)",
    .options = {{"two-owners", "on|off", "ask for it; another owner approves"},
                {"reason", "TEXT", "why; the other owner reads it, and it stands in the signed statement"}},
    .examples = {{"grantfs env rules shop/prod", "shop/prod: one owner's signature is enough"},
                 {"grantfs env rules shop/prod --two-owners on --reason 'the auditors ask for it'",
                  R"(signed: two owners in shop/prod on, 2 requests
two owners sign here: your signature is there, and another owner adds his with grantfs request approve 1f60b2 c09d7e
until the last of them is approved one signature is enough there; for what is granted meanwhile, ask for the rule again)"}},
    .next = "grantfs request list",
    .failure = "the rule was not changed",
    .run = RunEnvRulesCommand,
};

}  // namespace grantfs
