#include "commands_internal.h"
#include "grantfs/util/clock.h"
#include "owner_internal.h"
#include "request_output_internal.h"

namespace grantfs {
namespace {

Status RunRequestRefuseCommand(Context& context) {
  const auto session = GRANTFS_TRY(OpenOwner(context));
  const RequestInfo info =
      GRANTFS_TRY(session->RefuseRequest(context.arguments.At(0), context.arguments.Text("reason")));
  if (context.json())
    context.terminal.OutJson(ToJson(info, SystemClock().WallSeconds()));
  else
    context.terminal.OutLine("refused: " + info.what);
  return {};
}

}  // namespace

const Command kRequestRefuseCommand = {
    .name = "request refuse",
    .arguments = "ID",
    .min_arguments = 1,
    .max_arguments = 1,
    .summary = "refuse what was asked for",
    .about =
        R"(Refuses a request of an environment that you own; who asked sees it, with your reason. A first owner's
signature that waits for a second is refused alike: it cannot be used any more.)",
    .options = {{"reason", "TEXT", "why; who asked reads it, and the audit log keeps it"}},
    .examples = {{"grantfs request refuse 5f0c2d9be177 --reason 'use web-2'",
                  "refused: grant web-1 shop/prod/db-password"},
                 {"grantfs request refuse 5f0c2d", "(its first digits are enough)"}},
    .next = "grantfs request list",
    .failure = "the request was not refused",
    .run = RunRequestRefuseCommand,
};

}  // namespace grantfs
