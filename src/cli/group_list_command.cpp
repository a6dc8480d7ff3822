#include "commands_internal.h"
#include "group_words_internal.h"
#include "owner_internal.h"
#include "table_internal.h"

namespace grantfs {
namespace {

Json ToJson(const GroupInfo& info) {
  Json json = Json::Object({{"group", info.name},
                            {"number", info.number},
                            {"epoch", info.epoch},
                            {"prefixes", Json::Array({info.prefixes.begin(), info.prefixes.end()})}});
  if (info.members_known) {
    json.Set("machines", Json::Array({info.machines.begin(), info.machines.end()}));
    json.Set("invitations", std::uint64_t{info.invitations});
  }
  return json;
}

void OutMachines(Terminal& terminal, const GroupInfo& info) {
  if (!info.members_known)
    return terminal.Note("which machines are in it only owners of the environment see");
  Table table({"MACHINE"});
  for (const std::string& machine : info.machines) table.Add({machine});
  if (table.empty())
    terminal.Note("no machine is in it; grantfs group add puts some in");
  else
    terminal.Out(table.Text());
}

Status RunGroupListCommand(Context& context) {
  const std::string environment = context.arguments.At(0);
  GRANTFS_CHECK(CheckEnvironmentName(environment));
  const bool one = context.arguments.positional().size() > 1;
  const auto session = GRANTFS_TRY(OpenOwner(context));
  const auto groups =
      GRANTFS_TRY(session->ListGroups(environment, one ? GroupName(context.arguments.At(1)) : ""));
  if (context.json()) {
    Json list = Json::Array();
    for (const GroupInfo& info : groups) list.Append(ToJson(info));
    context.terminal.OutJson(Json::Object({{"groups", std::move(list)}}));
    return {};
  }
  if (one) {
    OutMachines(context.terminal, groups.front());
    return {};
  }
  Table table({"GROUP", "MACHINES", "INVITATIONS", "KEY", "PREFIXES"});
  for (const GroupInfo& info : groups) {
    std::string prefixes;
    for (const std::string& prefix : info.prefixes) prefixes += (prefixes.empty() ? "" : " ") + prefix;
    table.Add({"@" + info.name, info.members_known ? std::to_string(info.machines.size()) : "?",
               info.invitations == 0 ? "" : std::to_string(info.invitations), std::to_string(info.epoch),
               prefixes});
  }
  if (table.empty())
    context.terminal.Note("there is no group; grantfs group create makes one");
  else
    context.terminal.Out(table.Text());
  return {};
}

}  // namespace

const Command kGroupListCommand = {
    .name = "group list",
    .arguments = "PROJECT/ENVIRONMENT [NAME]",
    .min_arguments = 1,
    .max_arguments = 2,
    .summary = "list groups, or the machines of one",
    .about =
        R"(Lists the groups of an environment, from its verified list: how many machines each has, and the prefixes
that are granted to it. With a name it lists the machines of that group. Which machines are in a group its
environment's owners see; other members see the groups alone.)",
    .options = {},
    .examples = {{"grantfs group list shop/prod",
                  R"(GROUP  MACHINES  INVITATIONS  KEY  PREFIXES
@web   2         -            1    shop/prod/tls/)"},
                 {"grantfs group list shop/prod web", R"(MACHINE
web-1
web-2)"},
                 {"grantfs group list shop/prod --json",
                  R"({"groups": [{"group": "web", "machines": ["web-1", "web-2"], ...}]})"}},
    .next = "grantfs grants --machine @web",
    .failure = "the groups are not known",
    .run = RunGroupListCommand,
};

}  // namespace grantfs
