#include "commands_internal.h"
#include "grantfs/trust/names.h"
#include "owner_internal.h"
#include "request_output_internal.h"

namespace grantfs {
namespace {

Status RunRequestRevokeCommand(Context& context) {
  const Arguments& arguments = context.arguments;
  AskRevoke ask;
  ask.machine = arguments.At(0);
  GRANTFS_CHECK(CheckIdentityName(ask.machine));
  const auto session = GRANTFS_TRY(OpenOwner(context));
  AskedSecrets asked = GRANTFS_TRY(
      SecretsAskedFor(*session, {arguments.positional().begin() + 1, arguments.positional().end()}));
  ask.paths = std::move(asked.paths);
  return AskAndTell(context, *session, asked.environment, std::move(ask));
}

}  // namespace

const Command kRequestRevokeCommand = {
    .name = "request revoke",
    .arguments = "MACHINE SECRET...",
    .min_arguments = 2,
    .max_arguments = kManyArguments,
    .summary = "ask that a machine reads secrets no more",
    .about =
        R"(Asks the owners of the secrets' environment to end grants. What must stop at once, an operator
freezes himself: grantfs freeze.)",
    .options = AskOptions({}),
    .examples = {{"grantfs request revoke web-1 shop/prod/db-password --reason 'it is retired'",
                  R"(asked for c81e0d55a2f4: revoke web-1 shop/prod/db-password
an owner of shop/prod decides by 2026-02-07T12:00:00Z: grantfs request approve c81e0d55a2f4)"},
                 {"grantfs request revoke web-1 'shop/prod/tls/*' --for 1d",
                  "(is there for a day, to be approved or refused)"}},
    .next = "grantfs request list --mine",
    .failure = "nothing was asked for",
    .run = RunRequestRevokeCommand,
};

}  // namespace grantfs
