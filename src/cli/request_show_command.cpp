#include "commands_internal.h"
#include "grantfs/util/clock.h"
#include "owner_internal.h"
#include "request_output_internal.h"
#include "table_internal.h"

namespace grantfs {
namespace {

Result<RequestInfo> Find(OwnerSession& session, const std::string& id) {
  for (const bool mine : {false, true}) {
    for (RequestInfo& info :
         GRANTFS_TRY(session.ListRequests({.environment = {}, .mine = mine, .all = true}))) {
      if (id.size() >= 6 && info.id.starts_with(id)) return std::move(info);
    }
  }
  return Error{Code::kNotFound, "there is no such request: grantfs request list shows those that there are",
               0, id};
}

Status RunRequestShowCommand(Context& context) {
  const auto session = GRANTFS_TRY(OpenOwner(context));
  const RequestInfo info = GRANTFS_TRY(Find(*session, context.arguments.At(0)));
  const std::int64_t now = SystemClock().WallSeconds();
  // What an approval would do is tried, and nothing is changed. Who may not approve sees the request alone.
  Result<ApproveResult> trial = Error{Code::kConflict, "it is settled"};
  const bool open = info.state == RequestState::kOpen && info.problem.empty();
  if (open) trial = session->ApproveRequest(info.id, {.reason = {}, .dry_run = true, .wait = {}});
  if (context.json()) {
    Json lines = Json::Array();
    if (trial)
      for (const std::string& line : trial->lines) lines.Append(line);
    Json json = ToJson(info, now);
    json.Set("would", std::move(lines));
    if (open && !trial) json.Set("would_fail", Describe(trial.error()));
    context.terminal.OutJson(json);
    return {};
  }
  Table table;
  table.Add({"request", info.id});
  table.Add({"by", info.asker + " (" + info.asker_id + ")"});
  table.Add({"asked", TimeCell(info.time)});
  table.Add({"until", TimeCell(info.expires)});
  table.Add({"for", info.what});
  table.Add({"reason", info.reason});
  table.Add({"state", RequestStateText(info, now)});
  context.terminal.Out(table.Text());
  if (!open) return {};
  if (trial) {
    for (const std::string& line : trial->lines) context.terminal.OutLine("approved, it would " + line);
  } else if (trial.error().code != Code::kNotFound && trial.error().code != Code::kDenied) {
    context.terminal.Note("approved now, it would fail: " + Describe(trial.error()));
  }
  return {};
}

}  // namespace

const Command kRequestShowCommand = {
    .name = "request show",
    .arguments = "ID",
    .min_arguments = 1,
    .max_arguments = 1,
    .summary = "show a request, and what its approval would do",
    .about =
        R"(Shows one request whole, and what approving it would do now, from your own verified lists: which machine
by its fingerprint, which versions, what it would replace. Changes nothing.)",
    .options = {},
    .examples = {{"grantfs request show 5f0c2d9be177",
                  R"(request  5f0c2d9be177...
by       ops (9c0e...)
...
approved, it would grant shop/prod/db-password to web-1 (2c4h-..., 1 version))"},
                 {"grantfs request show 5f0c2d --json", "(its first digits are enough)"}},
    .next = "grantfs request approve ID, or grantfs request refuse ID --reason TEXT",
    .failure = "the request is not known",
    .run = RunRequestShowCommand,
};

}  // namespace grantfs
