#include "commands_internal.h"
#include "owner_internal.h"
#include "table_internal.h"

namespace grantfs {
namespace {

Json ToJson(const ProjectInfo& project) {
  Json environments = Json::Array();
  for (const std::string& name : project.environments) environments.Append(name);
  return Json::Object({{"name", project.name}, {"environments", std::move(environments)}});
}

Status RunProjectListCommand(Context& context) {
  const auto session = GRANTFS_TRY(OpenOwner(context));
  const auto projects = GRANTFS_TRY(session->ListProjects());
  if (context.json()) {
    Json list = Json::Array();
    for (const ProjectInfo& project : projects) list.Append(ToJson(project));
    context.terminal.OutJson(Json::Object({{"projects", std::move(list)}}));
    return {};
  }
  Table table({"PROJECT", "ENVIRONMENTS"});
  for (const ProjectInfo& project : projects) table.Add({project.name, JoinWords(project.environments)});
  if (table.empty())
    context.terminal.Note(
        "there are no projects yet; grantfs env create shop/prod makes one with its environment");
  else
    context.terminal.Out(table.Text());
  return {};
}

}  // namespace

const Command kProjectListCommand = {
    .name = "project list",
    .arguments = "",
    .min_arguments = 0,
    .max_arguments = 0,
    .summary = "list the projects",
    .about =
        R"(Lists the projects with their environments. A project is the first part of an environment's name and has
nothing beyond it.)",
    .options = {},
    .examples =
        {{"grantfs project list", R"(PROJECT  ENVIRONMENTS
shop     shop/prod and shop/test)"},
         {"grantfs project list --json",
          "{\"projects\": [{\"name\": \"shop\", \"environments\": [\"shop/prod\", \"shop/test\"]}]}"}},
    .next = "grantfs env list",
    .failure = "the projects are not known",
    .run = RunProjectListCommand,
};

}  // namespace grantfs
