#include "commands_internal.h"
#include "owner_internal.h"
#include "secret_life_internal.h"
#include "table_internal.h"

namespace grantfs {
namespace {

Status RunSecretPurgeCommand(Context& context) {
  const Arguments& arguments = context.arguments;
  ChangeOptions options = ChangeOptionsOf(arguments);
  options.keep = GRANTFS_TRY(arguments.Number("keep", kMaxVersion, 0));
  options.older_than = GRANTFS_TRY(arguments.Seconds("older-than", 0));
  if (options.keep == 0 && options.older_than == 0)
    return Error{Code::kInvalid,
                 "says by no rule what goes: give --keep NUMBER or --older-than TIME, or both", 0,
                 "the command"};
  return RunChange(context, LifeChange::kPurge, options, [](const ChangedSecret& one) {
    return "purged " + one.name.Full() + ": " + NumbersText(one.destroyed);
  });
}

}  // namespace

const Command kSecretPurgeCommand = {
    .name = "secret purge",
    .arguments = "SECRET...",
    .min_arguments = 1,
    .max_arguments = kManyArguments,
    .summary = "erase old versions by a rule",
    .about =
        R"(Destroys, for good, those versions of the secrets that are neither among the newest --keep nor younger than
--older-than; one of the two is needed. A version that a label points at (current, previous, next) is never
among them. A SECRET is a full name, or shop/prod/* for all that are there now.)",
    .options = {{"keep", "NUMBER", "keep so many of the newest versions"},
                {"older-than", "TIME", "only versions that were set before so long: 90d"},
                kReasonOption,
                kDryRunOption},
    .examples = {{"grantfs secret purge --keep 5 --older-than 90d --dry-run 'shop/prod/*'",
                  "would have purged shop/prod/db-password: versions 1, 2"},
                 {"grantfs secret purge --keep 2 shop/prod/db-password",
                  "purged shop/prod/db-password: version 1"}},
    .next = R"(grantfs secret history shop/prod/db-password)",
    .failure = "nothing was purged",
    .run = RunSecretPurgeCommand,
};

}  // namespace grantfs
