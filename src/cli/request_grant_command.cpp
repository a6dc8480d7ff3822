#include <algorithm>

#include "commands_internal.h"
#include "grant_terms_internal.h"
#include "grantfs/trust/names.h"
#include "grantfs/util/clock.h"
#include "owner_internal.h"
#include "request_output_internal.h"

namespace grantfs {
namespace {

// The terms of a grant; the rest of `grantfs grant` is the owner's.
std::vector<Option> TermOptions() {
  std::vector<Option> options = GrantOptionsHelp();
  std::erase_if(options, [](const Option& option) {
    const std::string name = option.name;
    return name == "with-parts" || name == "reason" || name == "wait" || name == "dry-run";
  });
  return options;
}

Status RunRequestGrantCommand(Context& context) {
  const Arguments& arguments = context.arguments;
  AskGrant ask;
  ask.machine = arguments.At(0);
  GRANTFS_CHECK(CheckIdentityName(ask.machine));
  ask.terms = GRANTFS_TRY(GrantTerms(arguments, SystemClock().WallSeconds()));
  const auto session = GRANTFS_TRY(OpenOwner(context));
  AskedSecrets asked = GRANTFS_TRY(
      SecretsAskedFor(*session, {arguments.positional().begin() + 1, arguments.positional().end()}));
  ask.paths = std::move(asked.paths);
  return AskAndTell(context, *session, asked.environment, std::move(ask));
}

}  // namespace

const Command kRequestGrantCommand = {
    .name = "request grant",
    .arguments = "MACHINE SECRET...",
    .min_arguments = 2,
    .max_arguments = kManyArguments,
    .summary = "ask that a machine may read secrets",
    .about =
        R"(Asks the owners of the secrets' environment for a grant, on the terms of grantfs grant. The request is
signed; it changes nothing until an owner approves it, and the approval does the sealing. For operators and
owners; at most 20 of one's requests are open in an environment.)",
    .options = AskOptions(TermOptions()),
    .examples =
        {{"grantfs request grant web-1 shop/prod/db-password --reason 'the new web server'",
          R"(asked for 5f0c2d9be177: grant web-1 shop/prod/db-password
an owner of shop/prod decides by 2026-02-07T12:00:00Z: grantfs request approve 5f0c2d9be177)"},
         {"grantfs request grant web-1 'shop/prod/tls/*' --only-user nginx --for 1d",
          "asked for 0a61c2f9d3b8: grant web-1 shop/prod/tls/server.crt shop/prod/tls/server.key, only for "
          "user=nginx"}},
    .next = "grantfs request list --mine",
    .failure = "nothing was asked for",
    .run = RunRequestGrantCommand,
};

}  // namespace grantfs
