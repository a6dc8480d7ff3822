#include "commands_internal.h"

namespace grantfs {
namespace {

Status RunVersionCommand(Context& context) {
  if (context.json())
    context.terminal.OutJson(Json::Object({{"program", "grantfs"}, {"version", GRANTFS_VERSION}}));
  else
    context.terminal.OutLine("grantfs " GRANTFS_VERSION);
  return {};
}

}  // namespace

const Command kVersionCommand = {
    .name = "version",
    .arguments = "",
    .min_arguments = 0,
    .max_arguments = 0,
    .summary = "print the program's version",
    .about =
        R"(Prints the version of this program; grantfs --version does the same. The version of the vault's program
stands in grantfs status.)",
    .options = {},
    .examples = {{"grantfs version", "grantfs " GRANTFS_VERSION},
                 {"grantfs version --json",
                  "{\"program\": \"grantfs\", \"version\": \"" GRANTFS_VERSION "\"}"}},
    .next = "grantfs help",
    .failure = "the version was not printed",
    .run = RunVersionCommand,
    .uses_home = false,
};

}  // namespace grantfs
