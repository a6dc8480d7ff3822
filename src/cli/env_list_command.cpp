#include "commands_internal.h"
#include "owner_internal.h"
#include "table_internal.h"

namespace grantfs {
namespace {

Json ToJson(const EnvironmentInfo& info) {
  return Json::Object({{"name", info.name},
                       {"role", info.role ? Json(RoleName(*info.role)) : Json()},
                       {"members", info.members},
                       {"epoch", info.epoch}});
}

Status RunEnvListCommand(Context& context) {
  const auto session = GRANTFS_TRY(OpenOwner(context));
  const auto environments = GRANTFS_TRY(session->ListEnvironments());
  if (context.json()) {
    Json list = Json::Array();
    for (const EnvironmentInfo& info : environments) list.Append(ToJson(info));
    context.terminal.OutJson(Json::Object({{"environments", std::move(list)}}));
    return {};
  }
  Table table({"ENVIRONMENT", "YOUR ROLE", "MEMBERS", "KEY EPOCH"});
  for (const EnvironmentInfo& info : environments) {
    if (info.role)
      table.Add({info.name, RoleName(*info.role), std::to_string(info.members), std::to_string(info.epoch)});
    else
      table.Add({info.name, "", "", ""});
  }
  if (table.empty())
    context.terminal.Note("there are no environments yet; grantfs env create shop/prod makes one");
  else
    context.terminal.Out(table.Text());
  return {};
}

}  // namespace

const Command kEnvListCommand = {
    .name = "env list",
    .arguments = "",
    .min_arguments = 0,
    .max_arguments = 0,
    .summary = "list the environments and your role in them",
    .about =
        R"(Lists every environment that the vault's signed list names. Of those in which you have no role only the
name is known to you.)",
    .options = {},
    .examples = {{"grantfs env list",
                  R"(ENVIRONMENT  YOUR ROLE  MEMBERS  KEY EPOCH
shop/prod    owner      2        1
shop/test    -          -        -)"},
                 {"grantfs env list --json",
                  "{\"environments\": [{\"name\": \"shop/prod\", \"role\": \"owner\", ...}]}"}},
    .next = "grantfs secret list shop/prod",
    .failure = "the environments are not known",
    .run = RunEnvListCommand,
};

}  // namespace grantfs
