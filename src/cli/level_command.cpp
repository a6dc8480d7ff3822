// level show, raise

#include "commands_internal.h"
#include "owner_internal.h"
#include "table_internal.h"

namespace grantfs {
namespace {

Json LevelJson(std::int64_t level) { return Json::Object({{"level", level}, {"program", kFormatLevel}}); }

Status RunLevelShow(Context& context) {
  const auto session = GRANTFS_TRY(OpenOwner(context));
  const std::int64_t level = GRANTFS_TRY(session->VaultStatus()).level;
  if (context.json()) {
    context.terminal.OutJson(LevelJson(level));
    return {};
  }
  context.terminal.OutLine("the vault's format level is " + std::to_string(level) + ", and this program's " +
                           std::to_string(kFormatLevel));
  if (level < kFormatLevel)
    context.terminal.Note("what needs more is refused; once every mount and client is upgraded: grantfs level raise");
  return {};
}

Status RunLevelRaise(Context& context) {
  const auto session = GRANTFS_TRY(OpenOwner(context));
  const std::int64_t level = GRANTFS_TRY(session->VaultStatus()).level;
  if (level >= kFormatLevel)
    return Error{Code::kConflict, "the vault's format level is as high as this program knows", 0, std::to_string(level)};
  GRANTFS_CHECK(session->RaiseLevel(kFormatLevel, context.arguments.Text("reason")));
  if (context.json())
    context.terminal.OutJson(LevelJson(kFormatLevel));
  else
    context.terminal.OutLine("the vault's format level is " + std::to_string(kFormatLevel) + " (it was " +
                             std::to_string(level) + ")");
  return {};
}

}  // namespace

const Command kLevelShowCommand = {
    .name = "level show",
    .arguments = "",
    .min_arguments = 0,
    .max_arguments = 0,
    .summary = "show which formats the vault's lists may use",
    .about =
        R"(A vault's lists are read by every client, and one that meets an act that it does not know refuses them. So
programs write only what the vault's format level allows, which an owner raises when every client knows more.)",
    .options = {},
    .examples = {{"grantfs level show", "the vault's format level is 1, and this program's 2"},
                 {"grantfs level show --json", R"({"level": 1, "program": 2})"}},
    .next = "grantfs level raise, once every mount and client is upgraded.",
    .failure = "the level is not known",
    .run = RunLevelShow,
};

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
    .run = RunLevelRaise,
};

}  // namespace grantfs
