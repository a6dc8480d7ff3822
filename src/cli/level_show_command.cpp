#include "commands_internal.h"
#include "owner_internal.h"

namespace grantfs {
namespace {

Status RunLevelShowCommand(Context& context) {
  const auto session = GRANTFS_TRY(OpenOwner(context));
  const std::int64_t level = GRANTFS_TRY(session->VaultStatus()).level;
  if (context.json()) {
    context.terminal.OutJson(Json::Object({{"level", level}, {"program", kFormatLevel}}));
    return {};
  }
  context.terminal.OutLine("the vault's format level is " + std::to_string(level) + ", and this program's " +
                           std::to_string(kFormatLevel));
  if (level < kFormatLevel)
    context.terminal.Note(
        "what needs more is refused; once every mount and client is upgraded: grantfs level raise");
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
    .run = RunLevelShowCommand,
};

}  // namespace grantfs
