#include "commands_internal.h"
#include "owner_internal.h"
#include "table_internal.h"

namespace grantfs {
namespace {

std::string UsesCell(const OpenInvitation& one) {
  if (one.uses == 0) return "one";
  return std::to_string(one.used) + " of " + std::to_string(one.uses);
}

Status RunInvitationListCommand(Context& context) {
  const auto session = GRANTFS_TRY(OpenOwner(context));
  const auto open = GRANTFS_TRY(session->ListInvitations());
  if (context.json()) {
    Json list = Json::Array();
    for (const OpenInvitation& one : open)
      list.Append(Json::Object({{"name", one.name},
                                {"id", one.id},
                                {"expires", one.expires},
                                {"waiting", std::uint64_t{one.waiting}},
                                {"lives", one.lives},
                                {"standing", one.uses != 0},
                                {"uses", one.uses},
                                {"used", one.used}}));
    context.terminal.OutJson(Json::Object({{"invitations", std::move(list)}}));
    return {};
  }
  Table table({"NAME", "UNTIL", "USES", "WAITS", "ID"});
  for (const OpenInvitation& one : open)
    table.Add({one.name, TimeCell(one.expires), UsesCell(one),
               one.waiting > 0 ? Count(one.waiting, "request") : "-", one.id});
  if (table.empty())
    context.terminal.Note("no invitation is open");
  else
    context.terminal.Out(table.Text());
  return {};
}

}  // namespace

const Command kInvitationListCommand = {
    .name = "invitation list",
    .arguments = "",
    .min_arguments = 0,
    .max_arguments = 0,
    .summary = "list the invitations that are open",
    .about =
        R"(Lists the invitations that a machine can still be let in by: those that hold, and those with which somebody has
asked in time and waits; and the standing ones, with how many machines each has let in. The lines themselves are kept nowhere. For owners of the vault.)",
    .options = {},
    .examples =
        {{"grantfs invitation list", R"(NAME    UNTIL                 USES     WAITS      ID
app-*   2026-02-28T12:00:00Z  3 of 50  -          202122232425262728292a2b2c2d2e2f
web-2   2026-01-31T12:00:00Z  one      -          000102030405060708090a0b0c0d0e0f
web-3   2026-01-31T12:10:00Z  one      1 request  101112131415161718191a1b1c1d1e1f)"},
         {"grantfs invitation list --json",
          R"({"invitations": [{"name": "web-2", "id": "00...", "expires": 1769860800, "waiting": 0, "standing": false, ...}]})"}},
    .next = "grantfs approve web-3, or grantfs invitation withdraw web-2",
    .failure = "the invitations are not known",
    .run = RunInvitationListCommand,
};

}  // namespace grantfs
