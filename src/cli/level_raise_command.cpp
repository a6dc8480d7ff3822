#include "commands_internal.h"
#include "owner_internal.h"

namespace grantfs {
namespace {

Status RunLevelRaiseCommand(Context& context) {
  const auto session = GRANTFS_TRY(OpenOwner(context));
  const std::int64_t level = GRANTFS_TRY(session->VaultStatus()).level;
  if (level >= kFormatLevel)
    return Error{Code::kConflict, "the vault's format level is as high as this program knows", 0,
                 std::to_string(level)};
  GRANTFS_CHECK(session->RaiseLevel(kFormatLevel, context.arguments.Text("reason")));
  if (context.json())
    context.terminal.OutJson(Json::Object({{"level", kFormatLevel}, {"program", kFormatLevel}}));
  else
    context.terminal.OutLine("the vault's format level is " + std::to_string(kFormatLevel) + " (it was " +
                             std::to_string(level) + ")");
  return {};
}

}  // namespace

const Command kLevelRaiseCommand = {
    .name = "level raise",
    .arguments = "",
    .min_arguments = 0,
    .max_arguments = 0,
    .summary = "let the vault's lists use what this program knows",
    .about =
        R"(Raises the vault's format level to this program's. An older mount keeps reading until then; from then on it
refuses the vault's list and has to be upgraded. There is no way back. For owners of the vault.)",
    .options = {{"reason", "TEXT", "why; it stands in the signed statement"}},
    .examples = {{"grantfs level raise", "the vault's format level is 2 (it was 1)"},
                 {"grantfs level raise --json", R"({"level": 2, "program": 2})"}},
    .next = "grantfs status",
    .failure = "the level was not raised",
    .run = RunLevelRaiseCommand,
};

}  // namespace grantfs
