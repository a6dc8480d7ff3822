#include "commands_internal.h"
#include "freeze_words_internal.h"
#include "owner_internal.h"

namespace grantfs {
namespace {

Status RunFreezeCommand(Context& context) {
  const FreezeTarget target = GRANTFS_TRY(ParseFreezeTarget(context.arguments));
  const auto wait = std::chrono::seconds(GRANTFS_TRY(context.arguments.Seconds("wait", 5)));
  const auto session = GRANTFS_TRY(OpenOwnerToRevoke(context));
  OutFreezeResult(context, "frozen",
                  GRANTFS_TRY(session->Freeze(target, context.arguments.Text("reason"), wait)));
  return {};
}

}  // namespace

const Command kFreezeCommand = {
    .name = "freeze",
    .arguments = "machine|env|project NAME",
    .min_arguments = 2,
    .max_arguments = 2,
    .summary = "deliver nothing of it until that is lifted",
    .about =
        R"(Stops all reads at once, of a machine or of an environment, until grantfs unfreeze: what is held under
leases or for offline use is dropped, opening a file gives EACCES, and so does reading one that is open.
Nothing else changes: grants and files stay listed, values can be set, and what was read before is still
told to the vault. An environment is frozen by its owners and operators, for people who read it too; a
machine by an owner of the vault, or with --environment by the owners and operators of that environment, and
then it is refused only what is there; a project stands for those of its environments that you may freeze. What
is frozen already stays as it is. It is the vault's own state, which nobody signs: it only denies. The mounts that
are connected follow at once; those that are not, which it names, follow when they are back, or when leases end.)",
    .options = {{"environment", "PROJECT/ENVIRONMENT", "of a machine: there alone"},
                {"reason", "TEXT", "why; the machine shows it to whoever asks, and the audit log keeps it"},
                {"wait", "TIME", "how long to wait for the machines that are online (default: 5s)"}},
    .examples = {{"grantfs freeze machine web-1 --reason 'it was broken into'",
                  R"(frozen: machine web-1 was frozen by ann at 2026-01-31T12:00:00Z: it was broken into
web-1 has followed: its mount knows of the change)"},
                 {"grantfs freeze machine web-1 --environment shop/prod",
                  R"(frozen: machine web-1 was frozen in shop/prod by otto at 2026-01-31T12:00:00Z
web-1 has followed: its mount knows of the change)"},
                 {"grantfs freeze env shop/prod",
                  R"(frozen: env shop/prod was frozen by ann at 2026-01-31T12:00:00Z
2 of 2 machines with grants in shop/prod have followed)"},
                 {"grantfs freeze project shop --reason 'a leak is suspected'",
                  R"(frozen: env shop/prod was frozen by ann at 2026-01-31T12:00:00Z: a leak is suspected
frozen: env shop/test was frozen by ann at 2026-01-31T12:00:00Z: a leak is suspected)"}},
    .next = "grantfs unfreeze, when it is over; grantfs freezes shows what is frozen.",
    .failure = "nothing was frozen",
    .run = RunFreezeCommand,
};

}  // namespace grantfs
