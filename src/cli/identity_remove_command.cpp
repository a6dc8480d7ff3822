#include "commands_internal.h"
#include "identity_internal.h"
#include "owner_internal.h"
#include "table_internal.h"

namespace grantfs {
namespace {

void OutResult(Terminal& terminal, const RemoveIdentityResult& result) {
  std::string line = "removed " + result.name + "; " + Count(result.revoked.size(), "grant") + " revoked";
  if (result.invitations.withdrawn > 0) line += "; " + WithdrawnWords(result.invitations);
  terminal.OutLine(line);
  NoteLetIn(terminal, result.invitations);
  OutReads(terminal, result.name, result.read, result.reads_known);
  for (const std::string& environment : result.not_owned)
    terminal.Note("an owner of " + environment +
                  " has yet to revoke what is granted there; their grantfs status says so");
  for (const std::string& problem : result.problems) terminal.Note("not done: " + problem);
}

Status RunIdentityRemoveCommand(Context& context) {
  const auto session = GRANTFS_TRY(OpenOwnerToRevoke(context));
  const auto result =
      GRANTFS_TRY(session->RemoveIdentity(context.arguments.At(0), context.arguments.Text("reason")));
  if (context.json())
    context.terminal.OutJson(Json::Object(
        {{"name", result.name},
         {"revoked", NamesJson(result.revoked)},
         {"withdrawn", std::uint64_t{result.invitations.withdrawn}},
         {"waiting", std::uint64_t{result.invitations.waiting}},
         {"groups", Json::Array({result.invitations.groups.begin(), result.invitations.groups.end()})},
         {"let_in", Json::Array({result.invitations.let_in.begin(), result.invitations.let_in.end()})},
         {"read", ReadsJson(result.read)},
         {"reads_known", result.reads_known},
         {"not_owned", Json::Array({result.not_owned.begin(), result.not_owned.end()})},
         {"problems", Json::Array({result.problems.begin(), result.problems.end()})}}));
  else
    OutResult(context.terminal, result);
  if (result.problems.empty()) return {};
  return Error{Code::kIo, "it is removed, but not everything was revoked; run the same again", 0,
               result.name};
}

}  // namespace

const Command kIdentityRemoveCommand = {
    .name = "identity remove",
    .arguments = "NAME",
    .min_arguments = 1,
    .max_arguments = 1,
    .summary = "remove a machine or person for good",
    .about =
        R"(Ends an identity: the vault answers it no more, nobody seals to it again, and its grants are revoked
where you own the environment; invitations of that name that were not used, and requests to enrol that wait, are
withdrawn with it, and so is the standing invitation that it came by. It says what that machine has read, since only a new value makes up for
that. The name can be invited again, with new keys.)",
    .options = {{"reason", "TEXT", "why; it stands in the signed statement"}},
    .examples = {{"grantfs identity remove web-1",
                  R"(removed web-1; 2 grants revoked
web-1 has read shop/prod/db-password version 3, last 2026-01-31T12:00:00Z: it knows the current value, so set a new one)"},
                 {"grantfs identity remove --reason stolen --json web-1",
                  "{\"name\": \"web-1\", \"revoked\": [\"shop/prod/db-password\"], ...}"}},
    .next = "grantfs secret set, for each secret that it knows.",
    .failure = "the removal is not complete",
    .run = RunIdentityRemoveCommand,
};

}  // namespace grantfs
