#include "commands_internal.h"
#include "grantfs/trust/names.h"
#include "grantfs/util/clock.h"
#include "owner_internal.h"
#include "request_output_internal.h"
#include "table_internal.h"

namespace grantfs {
namespace {

Status RunRequestListCommand(Context& context) {
  RequestQueryOptions query;
  query.environment = context.arguments.At(0);
  if (!query.environment.empty()) GRANTFS_CHECK(CheckEnvironmentName(query.environment));
  query.mine = context.arguments.Flag("mine");
  query.all = context.arguments.Flag("all") || query.mine;  // who asked sees what became of it
  const auto session = GRANTFS_TRY(OpenOwner(context));
  const auto requests = GRANTFS_TRY(session->ListRequests(query));
  const std::int64_t now = SystemClock().WallSeconds();
  if (context.json()) {
    Json list = Json::Array();
    for (const RequestInfo& info : requests) list.Append(ToJson(info, now));
    context.terminal.OutJson(Json::Object({{"requests", std::move(list)}}));
    return {};
  }
  Table table({"ID", "ASKED", "BY", "FOR", "REASON", "STATE"});
  for (const RequestInfo& info : requests)
    table.Add({ShortId(info.id), TimeCell(info.time), info.asker, info.what, info.reason,
               RequestStateText(info, now)});
  if (table.empty())
    context.terminal.Note(query.mine ? "you have asked for nothing" : "nothing waits for your decision");
  else
    context.terminal.Out(table.Text());
  return {};
}

}  // namespace

const Command kRequestListCommand = {
    .name = "request list",
    .arguments = "[PROJECT/ENVIRONMENT]",
    .min_arguments = 0,
    .max_arguments = 1,
    .summary = "list what was asked for",
    .about =
        R"(Lists the requests that are open in the environments that you own, or in one; with --mine your own, and
what became of them. What a request asks for was verified against its asker's signature; what became of it
is the vault's word, and a fulfilled one shows in grantfs grants or secret history.)",
    .options = {{"mine", "", "what you have asked for yourself, settled or not"},
                {"all", "", "also what is settled or has expired"}},
    .examples =
        {{"grantfs request list",
          R"(ID            ASKED                 BY   FOR                              REASON              STATE
5f0c2d9be177  2026-01-31T12:00:00Z  ops  grant web-1 shop/prod/db-password  the new web server  open)"},
         {"grantfs request list --mine --json",
          R"({"requests": [{"id": "5f0c2d9b...", "state": "fulfilled", ...}]})"}},
    .next = "grantfs request show ID; grantfs request approve ID",
    .failure = "the requests are not known",
    .run = RunRequestListCommand,
};

}  // namespace grantfs
