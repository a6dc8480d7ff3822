#include "commands_internal.h"
#include "owner_internal.h"
#include "secret_life_internal.h"
#include "table_internal.h"

namespace grantfs {
namespace {

Status RunSecretDescribeCommand(Context& context) {
  const Arguments& arguments = context.arguments;
  GRANTFS_TRY(ParseSecretName(arguments.At(0)));
  if (!arguments.Has("owner") && !arguments.Has("description"))
    return Error{Code::kInvalid, "there is nothing to change: give --owner or --description"};
  ChangeOptions options = ChangeOptionsOf(arguments);
  if (arguments.Has("owner")) options.owner = arguments.Text("owner");
  if (arguments.Has("description")) options.description = arguments.Text("description");
  return RunChange(context, LifeChange::kDescribe, options,
                   [](const ChangedSecret& one) { return "described " + one.name.Full(); });
}

}  // namespace

const Command kSecretDescribeCommand = {
    .name = "secret describe",
    .arguments = "PROJECT/ENVIRONMENT/NAME",
    .min_arguments = 1,
    .max_arguments = 1,
    .summary = "change a secret's owner and description",
    .about =
        R"(Says who answers for a secret, and what it is; what is not given stays as it is. Owners and writers may.)",
    .options = {{"owner", "TEXT", "who answers for it"},
                {"description", "TEXT", "what it is"},
                kReasonOption},
    .examples = {{"grantfs secret describe --owner 'the shop team' shop/prod/db-password",
                  "described shop/prod/db-password"},
                 {"grantfs secret describe --description 'of the orders database' shop/prod/db-password",
                  "described shop/prod/db-password"}},
    .next = R"(grantfs secret list shop/prod)",
    .failure = "nothing was changed",
    .run = RunSecretDescribeCommand,
};

}  // namespace grantfs
