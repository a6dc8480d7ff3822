#include "commands_internal.h"
#include "owner_internal.h"
#include "request_output_internal.h"

namespace grantfs {
namespace {

Json ToJson(const ApproveResult& result) {
  Json json = Json::Object({{"id", result.request.id},
                            {"did", Json::Array({result.lines.begin(), result.lines.end()})},
                            {"waiting", Json::Array({result.waiting.begin(), result.waiting.end()})}});
  if (!result.machine.empty() && result.waiting.empty()) json.Set("delivery", DeliveryJson(result.delivery));
  return json;
}

Status RunRequestApproveCommand(Context& context) {
  ApproveOptions options;
  options.reason = context.arguments.Text("reason");
  options.wait = std::chrono::seconds(GRANTFS_TRY(context.arguments.Seconds("wait", 5)));
  const auto session = GRANTFS_TRY(OpenOwner(context));
  Json done = Json::Array();
  Status status;
  for (const std::string& id : context.arguments.positional()) {
    const auto result = session->ApproveRequest(id, options);
    if (!result) {
      status = result.error();  // what was approved before it is done
      break;
    }
    if (context.json()) {
      done.Append(ToJson(*result));
      continue;
    }
    const std::string begin = result->waiting.empty() ? "done: " : "signed: ";
    for (const std::string& line : result->lines) context.terminal.OutLine(begin + line);
    NoteWaiting(context.terminal, result->waiting);
    if (!result->machine.empty() && result->waiting.empty())
      context.terminal.Note(DeliverySentence(result->machine, result->delivery));
  }
  if (context.json()) context.terminal.OutJson(Json::Object({{"approved", std::move(done)}}));
  return status;
}

}  // namespace

const Command kRequestApproveCommand = {
    .name = "request approve",
    .arguments = "ID...",
    .min_arguments = 1,
    .max_arguments = 100,
    .summary = "do what was asked for",
    .about =
        R"(Does what a request asks for: makes the grant and seals the keys, adds the member, sets the generated
value, as the command itself would. It is made from what its asker signed and from your own verified lists;
the vault's word is taken for nothing, and none is fulfilled twice. One whose asker has lost the role, or
that has expired, counts no more. Where an environment asks for two owners (grantfs env rules), the first
owner's grant is such a request too, and another owner's approval signs and publishes it.)",
    .options = {{"reason", "TEXT", "why; in the signed statement (default: the asker's reason)"},
                {"wait", "TIME", "how long to wait for the machine's mount (default: 5s)"}},
    .examples =
        {{"grantfs request approve 5f0c2d9be177",
          R"(done: grant shop/prod/db-password to web-1 (2c4h-..., 1 version)
web-1 has followed: its mount knows of the change)"},
         {"grantfs request approve 5f0c2d9be177   (where two owners sign)",
          R"(signed: grant shop/prod/db-password to web-1 (2c4h-..., 1 version), which another owner signs too
two owners sign here: your signature is there, and another owner adds his with grantfs request approve 88d1f04b7c3a)"}},
    .next = "grantfs grants --machine web-1",
    .failure = "not all was approved",
    .run = RunRequestApproveCommand,
};

}  // namespace grantfs
