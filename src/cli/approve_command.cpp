#include "approve_requests_internal.h"
#include "commands_internal.h"
#include "grantfs/util/clock.h"
#include "owner_internal.h"
#include "prompt_internal.h"
#include "rekey_output_internal.h"
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
  const std::string question = context.arguments.Flag("rekey")
                                   ? "Is it the one that " + name + " sees? The key before ends with it."
                                   : "Is it the one that grantfs enroll printed on " + name + "?";
  for (const PendingEnrolment& pending : GRANTFS_TRY(session.ListPending())) {
    if (pending.name != name || !pending.problem.empty()) continue;
    context.terminal.Note(name + " shows the fingerprint " + pending.fingerprint);
    if (Confirm(context.terminal, question)) return pending.fingerprint;
    return Error{Code::kCancelled,
                 "not approved; if the fingerprints differ, somebody else used the invitation: let it"
                 " expire; make another one",
                 0, name};
  }
  return std::string();  // there is none, or one with a problem: the approval says so
}

Status RunRekey(Context& context, const std::string& name) {
  if (name.empty() || name == "-")
    return Error{Code::kInvalid, "one new key is approved at a time: give a NAME", 0, "--rekey"};
  if (context.arguments.Has("lives"))
    return Error{Code::kInvalid, "only a machine is let in for some time", 0, "--lives"};
  const auto session = GRANTFS_TRY(OpenOwnerToRevoke(context));
  RekeyOptions options = RekeyGiven(context);
  options.lost = context.arguments.Flag("lost");
  if (options.fingerprint.empty())
    options.fingerprint = GRANTFS_TRY(AskAboutFingerprint(context, *session, name));
  return OutRekeyed(context, GRANTFS_TRY(session->ApproveRekey(name, options)));
}

Status RunApproveCommand(Context& context) {
  const std::string name = context.arguments.At(0);
  if (context.arguments.Flag("rekey")) return RunRekey(context, name);
  if (context.arguments.Flag("lost"))
    return Error{Code::kInvalid, "is of the key that --rekey replaces", 0, "--lost"};
  if (name == "-") return ApproveRequests(context);
  if (context.arguments.Has("reason"))
    return Error{Code::kInvalid, "is of the requests that - reads, or of --rekey", 0, "--reason"};
  const std::int64_t lives = GRANTFS_TRY(context.arguments.Seconds("lives", 0));
  const auto session = GRANTFS_TRY(OpenOwner(context));
  if (name.empty()) return ListThem(context, *session);
  std::string fingerprint = context.arguments.Text("fingerprint");
  if (fingerprint.empty()) fingerprint = GRANTFS_TRY(AskAboutFingerprint(context, *session, name));
  const IdentityInfo info = GRANTFS_TRY(session->Approve(name, fingerprint, lives));
  if (context.json()) {
    context.terminal.OutJson(Json::Object({{"name", info.name},
                                           {"kind", IdentityKindName(info.kind)},
                                           {"id", info.id},
                                           {"number", info.number},
                                           {"fingerprint", info.fingerprint},
                                           {"not_after", info.not_after}}));
    return {};
  }
  context.terminal.OutLine("approved " + info.name + ", fingerprint " + info.fingerprint +
                           (info.not_after == 0 ? "" : ", until " + FormatTime(info.not_after)));
  context.terminal.Note(info.kind == IdentityKind::kMachine
                            ? "next: grantfs grant " + info.name + " PROJECT/ENVIRONMENT/NAME"
                            : "next: grantfs member add PROJECT/ENVIRONMENT " + info.name + " --role ROLE");
  return {};
}

}  // namespace

const Command kApproveCommand = {
    .name = "approve",
    .arguments = "[NAME | -]",
    .min_arguments = 0,
    .max_arguments = 1,
    .summary = "let in who has enrolled, or list who waits",
    .about =
        R"(Lets in the machine that enrolled under NAME: from then on secrets can be granted to it; or the user or
agent: from then on roles can be given to it. Without NAME it
lists who waits. On a terminal it shows the fingerprint and asks whether it is the one that grantfs
enroll printed there.

With --rekey NAME is a user or agent that is in already, and what waits is a new key of the same person (grantfs
invite --rekey): it takes the place of the key before, which is refused everywhere from then on, as owner of the
vault too; and it gets that one's roles in the environments that you own, with vouches for what the key before signed
and a new key of each environment where it could read. The owners of other environments do that there with grantfs
member rekey; their grantfs status tells them. Compare the fingerprint by a way on which you know the person: the key
before proves nothing, it may be stolen. Nobody does it for his own key.

With - it reads the requests of many machines from standard input, a line each, as grantfs enroll --request
printed them there; it shows their fingerprints and asks once. If one cannot be let in, none is. It prints each
machine's name and the line that grantfs enroll --accept takes there.)",
    .options = {{"fingerprint", "TEXT", "approve only if this is the fingerprint"},
                {"lives", "TIME",
                 "machines are in for so long (default: as the invitation says, else for ever)"},
                {"reason", "TEXT", "with - or --rekey: why; it stands in the signed statements"},
                {"rekey", "", "what waits is a new key of NAME, in the place of the one before"},
                {"lost", "", "with --rekey: the key before is lost, though it alone owns an environment"},
                {"yes", "", "do not ask; the invitation, or the way that requests came, is proof enough"}},
    .examples =
        {{"grantfs approve",
          R"(NAME   KIND     FINGERPRINT               PROBLEM
web-1  machine  k3vq-7m2a-x4pd-ce6w-hn5t  -)"},
         {"grantfs approve web-1",
          R"(web-1 shows the fingerprint k3vq-7m2a-x4pd-ce6w-hn5t
Is it the one that grantfs enroll printed on web-1? [y/N] y
approved web-1, fingerprint k3vq-7m2a-x4pd-ce6w-hn5t)"},
         {"for h in $hosts; do ssh $h sudo grantfs enroll --request; done | grantfs approve - > lines",
          R"(NAME   FINGERPRINT
web-1  k3vq-7m2a-x4pd-ce6w-hn5t
web-2  p2ma-4c7t-hn5t-x4pd-k3vq
Let 2 machines in, with these keys? [y/N] y)"},
         {"grantfs approve --rekey bea --reason 'laptop lost'",
          R"(bea shows the fingerprint p2ma-4c7t-hn5t-x4pd-k3vq
Is it the one that bea sees? The key before ends with it. [y/N] y
bea has a new key, fingerprint p2ma-4c7t-hn5t-x4pd-k3vq; its role in shop/prod)"}},
    .next = "grantfs grant web-1 shop/prod/db-password, or grantfs member add shop/prod bea --role writer",
    .failure = "nobody was approved",
    .run = RunApproveCommand,
};

}  // namespace grantfs
