#include "commands_internal.h"
#include "grantfs/trust/names.h"
#include "owner_internal.h"
#include "tripwire_words_internal.h"

namespace grantfs {
namespace {

Status RunTripwireShowCommand(Context& context) {
  const std::string environment = context.arguments.At(0);
  GRANTFS_CHECK(CheckEnvironmentName(environment));
  const auto session = GRANTFS_TRY(OpenOwner(context));
  OutTripwire(context, GRANTFS_TRY(session->ShowTripwire(environment)));
  return {};
}

}  // namespace

const Command kTripwireShowCommand = {
    .name = "tripwire show",
    .arguments = "PROJECT/ENVIRONMENT",
    .min_arguments = 1,
    .max_arguments = 1,
    .summary = "show what an environment's tripwires do",
    .about =
        R"(Shows what happens where a canary of the environment is read, or where a machine reads more distinct
secrets within a minute than it should. Its owners and operators may see that.)",
    .options = {},
    .examples =
        {{"grantfs tripwire show shop/prod", R"(environment         shop/prod
a canary's reading  freezes the environment and alerts
rate                more than 100 distinct secrets a minute by one machine freezes the machine there and alerts
who passes          nobody
set                 by nobody: as usual)"},
         {"grantfs tripwire show shop/prod --json",
          "{\"environment\": \"shop/prod\", \"canary\": \"freeze\", \"scope\": \"environment\", ...}"}},
    .next = "grantfs tripwire set shop/prod --rate 300",
    .failure = "what the tripwires do is not known",
    .run = RunTripwireShowCommand,
};

}  // namespace grantfs
