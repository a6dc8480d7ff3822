#include "commands_internal.h"
#include "grantfs/trust/names.h"
#include "owner_internal.h"
#include "table_internal.h"

namespace grantfs {
namespace {

constexpr char kList[] = "list";  // no secret's name, which begins with its project and environment

Status OutCanaries(Context& context) {
  const std::string environment = context.arguments.At(1);
  if (context.arguments.Flag("clear"))
    return Error{Code::kInvalid, "goes with a secret's name, not with list", 0, "--clear"};
  if (!environment.empty()) GRANTFS_CHECK(CheckEnvironmentName(environment));
  const auto session = GRANTFS_TRY(OpenOwner(context));
  const auto canaries = GRANTFS_TRY(session->ListCanaries(environment));
  if (context.json()) {
    Json list = Json::Array();
    for (const CanaryInfo& each : canaries)
      list.Append(Json::Object({{"name", each.name.Full()}, {"by", each.by}, {"time", each.time}}));
    context.terminal.OutJson(Json::Object({{"canaries", std::move(list)}}));
    return {};
  }
  Table table({"CANARY", "SINCE", "BY"});
  for (const CanaryInfo& each : canaries) table.Add({each.name.Full(), TimeCell(each.time), each.by});
  if (table.empty())
    context.terminal.Note("there is no canary; grantfs secret canary NAME makes a secret one");
  else
    context.terminal.Out(table.Text());
  return {};
}

Status RunSecretCanaryCommand(Context& context) {
  if (context.arguments.At(0) == kList) return OutCanaries(context);
  if (context.arguments.positional().size() > 1)
    return Error{Code::kInvalid, "one secret is made a canary at a time", 0, context.arguments.At(1)};
  const SecretName name = GRANTFS_TRY(ParseSecretName(context.arguments.At(0)));
  const bool canary = !context.arguments.Flag("clear");
  const auto session = GRANTFS_TRY(OpenOwner(context));
  const bool changed = GRANTFS_TRY(session->SetCanary(name, canary));
  if (context.json()) {
    context.terminal.OutJson(Json::Object({{"name", name.Full()}, {"canary", canary}, {"changed", changed}}));
    return {};
  }
  context.terminal.Note(name.Full() + (canary ? " is a canary" : " is no canary") +
                        (changed  ? canary ? "" : " any more"
                         : canary ? " already"
                                  : ": nothing has changed"));
  return {};
}

}  // namespace

const Command kSecretCanaryCommand = {
    .name = "secret canary",
    .arguments = "PROJECT/ENVIRONMENT/NAME|list [PROJECT/ENVIRONMENT]",
    .min_arguments = 1,
    .max_arguments = 2,
    .summary = "make a secret a canary, or list them",
    .about =
        R"(A canary looks like any other secret, and nobody has a reason to read it. Whoever does, a program on a
machine or a person, gets its value, and in that moment its environment (or project: grantfs tripwire set)
is frozen, and a critical record with the reading process alerts. Set one with a value that opens nothing,
grant it beside the others, and tell no program of it. No machine is told which secret is a canary; owners
and operators of the environment set and see it here, and who may read its audit log sees it there. The
first open of each version asks the vault whatever the lease: a secret that a machine has under a lease
already is reported when its journal arrives, so make a secret a canary before you grant it.)",
    .options = {{"clear", "", "it is none any more"}},
    .examples = {{"grantfs secret canary shop/prod/root-password", "shop/prod/root-password is a canary"},
                 {"grantfs secret canary list shop/prod", R"(CANARY                   SINCE                 BY
shop/prod/root-password  2026-01-31T12:00:00Z  ann)"},
                 {"grantfs secret canary shop/prod/root-password --clear",
                  "shop/prod/root-password is no canary any more"}},
    .next = "grantfs tripwire show shop/prod says what its reading does.",
    .failure = "the canaries are as they were",
    .run = RunSecretCanaryCommand,
};

}  // namespace grantfs
