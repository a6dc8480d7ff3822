#include <set>

#include "commands_internal.h"
#include "owner_internal.h"
#include "secret_life_internal.h"
#include "table_internal.h"

namespace grantfs {
namespace {

Result<std::vector<std::uint32_t>> Versions(const Arguments& arguments) {
  std::set<std::uint32_t> versions;
  for (const std::string& text : arguments.Many("version")) {
    const Arguments one({{"version", {text}}}, {});
    const auto number = static_cast<std::uint32_t>(GRANTFS_TRY(one.Number("version", kMaxVersion, 0)));
    if (number == 0) return Error{Code::kInvalid, "versions are counted from 1", 0, "--version"};
    versions.insert(number);
  }
  if (versions.size() > kMaxDestroyed)
    return Error{Code::kInvalid, "at most 1000 versions are destroyed at once", 0, "--version"};
  return std::vector<std::uint32_t>(versions.begin(), versions.end());
}

Status RunSecretDestroyCommand(Context& context) {
  const Arguments& arguments = context.arguments;
  ChangeOptions options = ChangeOptionsOf(arguments);
  options.versions = GRANTFS_TRY(Versions(arguments));
  if (!options.dry_run && !arguments.Flag("yes"))
    return Error{Code::kInvalid, "it is erased for good: say --yes, or see with --dry-run what would be", 0,
                 arguments.At(0)};
  if (options.versions.empty())
    return RunChange(context, LifeChange::kDestroy, options, [](const ChangedSecret& one) {
      return "destroyed " + one.name.Full() +
             (one.destroyed.empty() ? "" : ": " + NumbersText(one.destroyed)) + "; its name is free";
    });
  if (arguments.positional().size() != 1)
    return Error{Code::kInvalid, "versions are destroyed of one secret at a time", 0, "--version"};
  GRANTFS_TRY(ParseSecretName(arguments.At(0)));
  return RunChange(context, LifeChange::kDestroyVersions, options, [](const ChangedSecret& one) {
    return "destroyed " + NumbersText(one.destroyed) + " of " + one.name.Full();
  });
}

}  // namespace

const Command kSecretDestroyCommand = {
    .name = "secret destroy",
    .arguments = "SECRET...",
    .min_arguments = 1,
    .max_arguments = kManyArguments,
    .summary = "erase secrets, or versions of one, for good",
    .about =
        R"(Erases the secrets: the vault overwrites every version and every sealed key of it, all grants end, and the name is
free for another secret. With --version only those versions of one secret go; the one that is current does
not. Nothing brings it back but a backup that somebody kept; who has read it still knows it.)",
    .options = {{"version", "NUMBER", "only this version", true},
                {"yes", "", "yes, for good: it is refused else"},
                kReasonOption,
                kDryRunOption},
    .examples = {{"grantfs secret destroy --yes --reason 'it leaked' --version 1 shop/prod/db-password",
                  "destroyed version 1 of shop/prod/db-password"},
                 {"grantfs secret destroy --yes shop/prod/old-key",
                  "destroyed shop/prod/old-key: versions 1, 2; its name is free"}},
    .next = R"(grantfs audit list --object shop/prod/old-key)",
    .failure = "nothing was destroyed",
    .run = RunSecretDestroyCommand,
};

}  // namespace grantfs
