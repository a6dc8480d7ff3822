#include "commands_internal.h"
#include "owner_internal.h"

namespace grantfs {
namespace {

Status RunEnvCreateCommand(Context& context) {
  const std::string environment = context.arguments.At(0);
  GRANTFS_CHECK(CheckEnvironmentName(environment));
  const auto session = GRANTFS_TRY(OpenOwner(context));
  GRANTFS_CHECK(session->CreateEnvironment(environment, context.arguments.Text("reason")));
  if (context.json()) {
    context.terminal.OutJson(Json::Object({{"environment", environment}}));
    return {};
  }
  context.terminal.OutLine("made " + environment + "; you are its owner");
  context.terminal.Note("next: grantfs secret set " + environment + "/NAME");
  return {};
}

}  // namespace

const Command kEnvCreateCommand = {
    .name = "env create",
    .arguments = "PROJECT/ENVIRONMENT",
    .min_arguments = 1,
    .max_arguments = 1,
    .summary = "make an environment, and its project",
    .about =
        R"(Makes an environment with a key pair of its own and you as its first owner; the project comes with its
first environment. Environments share nothing: secrets, members and keys belong to one of them.)",
    .options = {{"reason", "TEXT", "why; it stands in the signed statement"}},
    .examples = {{"grantfs env create shop/prod", "made shop/prod; you are its owner"},
                 {"grantfs env create shop/test --reason 'a place to try things'",
                  "made shop/test; you are its owner"}},
    .next = "grantfs secret set shop/prod/db-password",
    .failure = "the environment was not made",
    .run = RunEnvCreateCommand,
};

}  // namespace grantfs
