#include "commands_internal.h"
#include "owner_internal.h"
#include "prompt_internal.h"
#include "table_internal.h"

namespace grantfs {
namespace {

Json ToJson(const PendingEnrolment& pending) {
  return Json::Object({{"name", pending.name},
                       {"kind", IdentityKindName(pending.kind)},
                       {"id", pending.id},
                       {"fingerprint", pending.fingerprint},
                       {"problem", pending.problem}});
}

Status ListThem(Context& context, OwnerSession& session) {
  const auto all = GRANTFS_TRY(session.ListPending());
  if (context.json()) {
    Json list = Json::Array();
    for (const PendingEnrolment& pending : all) list.Append(ToJson(pending));
    context.terminal.OutJson(Json::Object({{"waiting", std::move(list)}}));
    return {};
  }
  Table table({"NAME", "KIND", "FINGERPRINT", "PROBLEM"});
  for (const PendingEnrolment& pending : all)
    table.Add({pending.name, IdentityKindName(pending.kind), pending.fingerprint, pending.problem});
  if (table.empty())
    context.terminal.Note("nobody waits for approval; grantfs invite NAME makes an invitation");
  else
    context.terminal.Out(table.Text());
  return {};
}

// What the person at the terminal saw and agreed to; "" where nobody could be asked.
Result<std::string> AskAboutFingerprint(Context& context, OwnerSession& session, const std::string& name) {
  if (!context.terminal.InIsTerminal() || context.arguments.Flag("yes")) return std::string();
  for (const PendingEnrolment& pending : GRANTFS_TRY(session.ListPending())) {
    if (pending.name != name || !pending.problem.empty()) continue;
    context.terminal.Note(name + " shows the fingerprint " + pending.fingerprint);
    if (Confirm(context.terminal, "Is it the one that grantfs enroll printed on " + name + "?"))
      return pending.fingerprint;
    return Error{Code::kCancelled,
                 "not approved; if the fingerprints differ, somebody else used the invitation: let it"
                 " expire; make another one",
                 0, name};
  }
  return std::string();  // there is none, or one with a problem: the approval says so
}

Status RunApproveCommand(Context& context) {
  const std::string name = context.arguments.At(0);
  const auto session = GRANTFS_TRY(OpenOwner(context));
  if (name.empty()) return ListThem(context, *session);
  std::string fingerprint = context.arguments.Text("fingerprint");
  if (fingerprint.empty()) fingerprint = GRANTFS_TRY(AskAboutFingerprint(context, *session, name));
  const IdentityInfo info = GRANTFS_TRY(session->Approve(name, fingerprint));
  if (context.json()) {
    context.terminal.OutJson(Json::Object({{"name", info.name},
                                           {"kind", IdentityKindName(info.kind)},
                                           {"id", info.id},
                                           {"number", info.number},
                                           {"fingerprint", info.fingerprint}}));
    return {};
  }
  context.terminal.OutLine("approved " + info.name + ", fingerprint " + info.fingerprint);
  context.terminal.Note(info.kind == IdentityKind::kMachine
                            ? "next: grantfs grant " + info.name + " PROJECT/ENVIRONMENT/NAME"
                            : "next: grantfs member add PROJECT/ENVIRONMENT " + info.name + " --role ROLE");
  return {};
}

}  // namespace

const Command kApproveCommand = {
    .name = "approve",
    .arguments = "[NAME]",
    .min_arguments = 0,
    .max_arguments = 1,
    .summary = "let in who has enrolled, or list who waits",
    .about =
        R"(Lets in the machine that enrolled under NAME: from then on secrets can be granted to it; or the user or
agent: from then on roles can be given to it. Without NAME it
lists who waits. On a terminal it shows the fingerprint and asks whether it is the one that grantfs
enroll printed there.)",
    .options = {{"fingerprint", "TEXT", "approve only if this is the fingerprint"},
                {"yes", "", "do not ask; the invitation is proof enough"}},
    .examples = {{"grantfs approve",
                  R"(NAME   KIND     FINGERPRINT               PROBLEM
web-1  machine  k3vq-7m2a-x4pd-ce6w-hn5t  -)"},
                 {"grantfs approve web-1",
                  R"(web-1 shows the fingerprint k3vq-7m2a-x4pd-ce6w-hn5t
Is it the one that grantfs enroll printed on web-1? [y/N] y
approved web-1, fingerprint k3vq-7m2a-x4pd-ce6w-hn5t)"},
                 {"grantfs approve --fingerprint k3vq-7m2a-x4pd-ce6w-hn5t web-1",
                  "approved web-1, fingerprint k3vq-7m2a-x4pd-ce6w-hn5t"}},
    .next = "grantfs grant web-1 shop/prod/db-password, or grantfs member add shop/prod bea --role writer",
    .failure = "nobody was approved",
    .run = RunApproveCommand,
};

}  // namespace grantfs
