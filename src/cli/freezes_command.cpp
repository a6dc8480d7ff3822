#include "commands_internal.h"
#include "freeze_words_internal.h"
#include "owner_internal.h"

namespace grantfs {
namespace {

Status RunFreezesCommand(Context& context) {
  if (GRANTFS_TRY(HomeIsMachine(context)))
    return Error{Code::kInvalid, "this home is a machine's: grantfs status says what of it is frozen", 0,
                 context.home};
  const auto session = GRANTFS_TRY(OpenOwner(context));
  const auto freezes = GRANTFS_TRY(session->ListFreezes());
  if (context.json()) {
    context.terminal.OutJson(Json::Object({{"freezes", FreezesJson(freezes)}}));
    return {};
  }
  Table table({"FROZEN", "SINCE", "BY", "REASON"});
  for (const FreezeInfo& freeze : freezes)
    table.Add({FreezeCell(freeze), TimeCell(freeze.time), freeze.by, freeze.reason});
  if (table.empty())
    context.terminal.Note("nothing that you may see is frozen");
  else
    context.terminal.Out(table.Text());
  return {};
}

}  // namespace

const Command kFreezesCommand = {
    .name = "freezes",
    .arguments = "",
    .min_arguments = 0,
    .max_arguments = 0,
    .summary = "list what is frozen",
    .about =
        R"(Lists what is frozen: the environments that you are a member of, machines in them, and machines for an owner
of the vault.
On a machine, grantfs status says what is frozen there.)",
    .options = {},
    .examples =
        {{"grantfs freezes", R"(FROZEN                      SINCE                 BY          REASON
machine web-1               2026-01-31T12:00:00Z  ann         it was broken into
env shop/prod               2026-01-31T12:05:00Z  ann         -
machine web-2 in shop/test  2026-01-31T12:07:00Z  a tripwire  the audit log of whom it concerns says why)"},
         {"grantfs freezes --json",
          "{\"freezes\": [{\"kind\": \"environment\", \"name\": \"shop/prod\", \"by\": \"ann\", ...}]}"}},
    .next = "grantfs unfreeze machine web-1",
    .failure = "what is frozen is not known",
    .run = RunFreezesCommand,
};

}  // namespace grantfs
