#include "commands_internal.h"
#include "grantfs/util/clock.h"
#include "owner_internal.h"
#include "request_output_internal.h"

namespace grantfs {
namespace {

Status RunRequestWithdrawCommand(Context& context) {
  const auto session = GRANTFS_TRY(OpenOwner(context));
  const RequestInfo info =
      GRANTFS_TRY(session->WithdrawRequest(context.arguments.At(0), context.arguments.Text("reason")));
  if (context.json())
    context.terminal.OutJson(ToJson(info, SystemClock().WallSeconds()));
  else
    context.terminal.OutLine("withdrawn: " + info.what);
  return {};
}

}  // namespace

const Command kRequestWithdrawCommand = {
    .name = "request withdraw",
    .arguments = "ID",
    .min_arguments = 1,
    .max_arguments = 1,
    .summary = "take back what you asked for",
    .about =
        R"(Takes back a request of your own that is open, or your signature that waits for a second owner's.)",
    .options = {{"reason", "TEXT", "why; the audit log keeps it"}},
    .examples = {{"grantfs request withdraw 5f0c2d9be177 --reason 'no longer needed'",
                  "withdrawn: grant web-1 shop/prod/db-password"},
                 {"grantfs request withdraw 5f0c2d", "(its first digits are enough)"}},
    .next = "grantfs request list --mine",
    .failure = "the request was not withdrawn",
    .run = RunRequestWithdrawCommand,
};

}  // namespace grantfs
