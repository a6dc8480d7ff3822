#include "commands_internal.h"
#include "identity_internal.h"
#include "owner_internal.h"
#include "table_internal.h"

namespace grantfs {

std::string WithdrawnWords(const WithdrawResult& result) {
  std::string words = Count(result.withdrawn, "invitation") + " withdrawn";
  if (result.waiting > 0) words += ", with " + Count(result.waiting, "request") + " to enrol";
  return words;
}

void NoteLetIn(Terminal& terminal, const WithdrawResult& result) {
  if (!result.groups.empty()) terminal.Note("new keys for " + JoinWords(result.groups));
  if (result.let_in.empty()) return;
  terminal.Note("it has let in, and they stay until grantfs identity remove: " + JoinWords(result.let_in));
}

namespace {

Status RunInvitationWithdrawCommand(Context& context) {
  const auto session = GRANTFS_TRY(OpenOwner(context));
  const std::string name = context.arguments.At(0);
  const auto result = GRANTFS_TRY(session->WithdrawInvitations(name, context.arguments.Text("reason")));
  if (context.json())
    context.terminal.OutJson(
        Json::Object({{"name", name},
                      {"withdrawn", std::uint64_t{result.withdrawn}},
                      {"waiting", std::uint64_t{result.waiting}},
                      {"groups", Json::Array({result.groups.begin(), result.groups.end()})},
                      {"let_in", Json::Array({result.let_in.begin(), result.let_in.end()})}}));
  else
    context.terminal.OutLine(name + ": " + WithdrawnWords(result));
  if (!context.json()) NoteLetIn(context.terminal, result);
  return {};
}

}  // namespace

const Command kInvitationWithdrawCommand = {
    .name = "invitation withdraw",
    .arguments = "NAME",
    .min_arguments = 1,
    .max_arguments = 1,
    .summary = "take an invitation back",
    .about =
        R"(Takes back the open invitations of a name, or the one of an id, and the requests to enrol that were made with
them: nobody is let in by these any more. Of a standing invitation it names the machines that came by it. A machine that was let in is ended by grantfs identity remove.)",
    .options = {{"reason", "TEXT", "why; it stands in the signed statement"}},
    .examples = {{"grantfs invitation withdraw web-3",
                  "web-3: 1 invitation withdrawn, with 1 request to enrol"},
                 {"grantfs invitation withdraw --reason 'sent to the wrong chat' --json web-2",
                  R"({"name": "web-2", "withdrawn": 1, "waiting": 0, "groups": [], "let_in": []})"},
                 {"grantfs invitation withdraw 'app-*'", R"(app-*: 1 invitation withdrawn
it has let in, and they stay until grantfs identity remove: app-1, app-2)"}},
    .next = "grantfs invite web-3, to make a new one.",
    .failure = "no invitation was withdrawn",
    .run = RunInvitationWithdrawCommand,
};

}  // namespace grantfs
