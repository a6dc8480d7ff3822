#include <algorithm>
#include <map>

#include "commands_internal.h"
#include "owner_internal.h"

namespace grantfs {
namespace {

struct Variable {
  std::string name;
  SecretInfo info;
};

/// Errors: kConflict (two secrets would have one variable), kIntegrity.
Result<std::vector<Variable>> VariablesOf(std::vector<SecretInfo> secrets) {
  std::vector<Variable> variables;
  std::map<std::string, std::string> taken;
  for (SecretInfo& info : secrets) {
    if (!info.problem.empty())
      return Error{Code::kIntegrity, "its list does not verify; grantfs secret list says why", 0,
                   info.name.Full()};
    const std::string name = VariableOf(info.name.path);
    const auto [at, is_new] = taken.emplace(name, info.name.Full());
    if (!is_new)
      return Error{Code::kConflict, "would be the same variable; name a prefix to tell them apart", 0,
                   at->second + " and " + info.name.Full()};
    variables.push_back({name, std::move(info)});
  }
  return variables;
}

Status RunEnvExampleCommand(Context& context) {
  const Area area = GRANTFS_TRY(ParseArea(context.arguments.At(0)));
  const auto session = GRANTFS_TRY(OpenOwner(context));
  const auto variables =
      GRANTFS_TRY(VariablesOf(GRANTFS_TRY(session->ListSecrets(area.environment, area.prefix))));
  if (context.json()) {
    Json list = Json::Array();
    for (const Variable& one : variables)
      list.Append(Json::Object({{"variable", one.name}, {"secret", one.info.name.Full()}}));
    context.terminal.OutJson(Json::Object({{"variables", std::move(list)}}));
    return {};
  }
  for (const Variable& one : variables) {
    if (!one.info.description.empty()) context.terminal.OutLine("# " + one.info.description);
    context.terminal.OutLine(one.name + "='<" + one.info.name.Full() + ">'");
  }
  if (variables.empty()) context.terminal.Note("there are no secrets here yet");
  return {};
}

}  // namespace

const Command kEnvExampleCommand = {
    .name = "env example",
    .arguments = "PROJECT/ENVIRONMENT[/PREFIX/]",
    .min_arguments = 1,
    .max_arguments = 1,
    .summary = "print a .env.example with placeholders",
    .about =
        R"(Prints a line NAME='<secret>' for each secret of an environment, for a .env.example that says which
values a program needs and holds none. It reads no value.)",
    .options = {},
    .examples = {{"grantfs env example shop/prod",
                  R"(# the shop's database
DB_PASSWORD='<shop/prod/db-password>'
TLS_SERVER_KEY='<shop/prod/tls/server.key>')"},
                 {"grantfs env example shop/prod/tls/ > .env.example", "(those below shop/prod/tls)"}},
    .next = "grantfs secret list shop/prod",
    .failure = "the secrets are not known",
    .run = RunEnvExampleCommand,
};

}  // namespace grantfs
