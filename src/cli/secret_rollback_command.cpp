#include "commands_internal.h"
#include "owner_internal.h"
#include "secret_life_internal.h"
#include "table_internal.h"

namespace grantfs {
namespace {

Status RunSecretRollbackCommand(Context& context) {
  const Arguments& arguments = context.arguments;
  GRANTFS_TRY(ParseSecretName(arguments.At(0)));
  ChangeOptions options = ChangeOptionsOf(arguments);
  options.to = static_cast<std::uint32_t>(GRANTFS_TRY(arguments.Number("to", kMaxVersion, 0)));
  if (arguments.Has("to") && options.to == 0)
    return Error{Code::kInvalid, "versions are counted from 1", 0, "--to"};
  const std::string label = arguments.Text("label", kCurrentLabel);
  if (label == kCurrentLabel)
    return RunChange(context, LifeChange::kRollBack, options, [](const ChangedSecret& one) {
      return "rolled back " + one.name.Full() + ": " + CurrentText(one);
    });
  if (label != kNextLabel || options.to != 0)
    return Error{Code::kInvalid, "is current, or next without --to", 0, "--label " + label};
  return RunChange(context, LifeChange::kWithdraw, options, [](const ChangedSecret& one) {
    return "took next back from " + one.name.Full() + ": who is granted next reads version " +
           std::to_string(one.current) + ", as all others do";
  });
}

}  // namespace

const Command kSecretRollbackCommand = {
    .name = "secret rollback",
    .arguments = "PROJECT/ENVIRONMENT/NAME",
    .min_arguments = 1,
    .max_arguments = 1,
    .summary = "go back to an older version",
    .about =
        R"(Makes an older version current again, by default the previous one: a signed statement that each machine
verifies and shows at once, as a rotation. No version is lost; rolling back twice is where it began. With
--label next it takes back what secret set --label next has published: who is granted next reads what is
current again.)",
    .options = {{"to", "NUMBER", "this version in place of the previous one"},
                {"label", "LABEL", "current (default), or next: take it back"},
                kReasonOption,
                kDryRunOption},
    .examples = {{"grantfs secret rollback --reason 'the new one was refused' shop/prod/db-password",
                  "rolled back shop/prod/db-password: version 1 is current (it was version 2)"},
                 {"grantfs secret rollback --to 3 shop/prod/db-password",
                  "rolled back shop/prod/db-password: version 3 is current (it was version 5)"},
                 {"grantfs secret rollback --label next shop/prod/db-password",
                  "took next back from shop/prod/db-password: who is granted next reads version 2, as all "
                  "others do"}},
    .next = R"(grantfs secret history shop/prod/db-password)",
    .failure = "nothing was rolled back",
    .run = RunSecretRollbackCommand,
};

}  // namespace grantfs
