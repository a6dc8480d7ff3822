#include "commands_internal.h"
#include "freeze_words_internal.h"
#include "owner_internal.h"

namespace grantfs {
namespace {

Status RunUnfreezeCommand(Context& context) {
  const FreezeTarget target = GRANTFS_TRY(ParseFreezeTarget(context.arguments));
  const auto wait = std::chrono::seconds(GRANTFS_TRY(context.arguments.Seconds("wait", 5)));
  const auto session = GRANTFS_TRY(OpenOwner(context));
  OutFreezeResult(context, "unfrozen",
                  GRANTFS_TRY(session->Unfreeze(target, context.arguments.Text("reason"), wait)));
  return {};
}

}  // namespace

const Command kUnfreezeCommand = {
    .name = "unfreeze",
    .arguments = "machine|env|project NAME",
    .min_arguments = 2,
    .max_arguments = 2,
    .summary = "end a freeze",
    .about =
        R"(Ends what grantfs freeze began: files can be opened again at once, and those that stayed open are read
on. Whoever may freeze a thing may unfreeze it. A machine that was removed since goes by its id.)",
    .options = {{"environment", "PROJECT/ENVIRONMENT", "of a machine: that it is frozen there alone"},
                {"reason", "TEXT", "why; the audit log keeps it"},
                {"wait", "TIME", "how long to wait for the machines that are online (default: 5s)"}},
    .examples = {{"grantfs unfreeze machine web-1",
                  R"(unfrozen: machine web-1 was frozen by ann at 2026-01-31T12:00:00Z: it was broken into
web-1 has followed: its mount knows of the change)"},
                 {"grantfs unfreeze project shop --reason 'all was rotated'",
                  "unfrozen: env shop/prod was frozen by ann at 2026-01-31T12:00:00Z: a leak is suspected"}},
    .next = "grantfs freezes",
    .failure = "nothing was unfrozen",
    .run = RunUnfreezeCommand,
};

}  // namespace grantfs
