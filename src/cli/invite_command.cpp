#include "commands_internal.h"
#include "owner_internal.h"
#include "request_output_internal.h"
#include "secret_io_internal.h"
#include "table_internal.h"

namespace grantfs {
namespace {

constexpr std::int64_t kDefaultTtl = 3600;

// A machine has one computer; a person may sit at any.
std::string WhereOf(const InviteOptions& options) {
  return options.kind == IdentityKind::kMachine ? "on " + options.name
                                                : "on the computer where " + options.name + " works";
}

Status RunStanding(Context& context) {
  const Arguments& given = context.arguments;
  if (!given.At(0).empty() || given.Has("kind") || given.Flag("rekey"))
    return Error{Code::kInvalid,
                 "a standing invitation has a pattern in the place of NAME, and is for machines", 0,
                 "--standing"};
  StandingOptions options;
  options.pattern = given.Text("standing");
  options.uses = static_cast<std::uint32_t>(GRANTFS_TRY(given.Number("uses", kMaxStandingUses, 1)));
  options.ttl = GRANTFS_TRY(given.Seconds("ttl", kDefaultTtl));
  options.lives = GRANTFS_TRY(given.Seconds("lives", 0));
  options.groups = given.Many("group");
  const auto session = GRANTFS_TRY(OpenOwner(context));
  const InviteResult result = GRANTFS_TRY(session->InviteStanding(options));
  if (context.json())
    return OutJsonWithLine(
        context.terminal,
        Json::Object({{"pattern", options.pattern},
                      {"uses", options.uses},
                      {"id", result.id},
                      {"expires", result.expires},
                      {"lives", options.lives},
                      {"groups", Json::Array({options.groups.begin(), options.groups.end()})},
                      {"waiting", Json::Array({result.waiting.begin(), result.waiting.end()})}}),
        "line", result.line);
  OutSecretLine(context.terminal, result.line);
  context.terminal.Note("whoever has this line lets machines in as " + options.pattern + ", " +
                        Count(options.uses, "time") + " until " + FormatTime(result.expires) +
                        ", and nobody is asked: keep it where you keep keys");
  if (!result.waiting.empty()) {
    context.terminal.Note(
        "machines come by it at once, and into its groups where two owners sign once another has signed");
    NoteWaiting(context.terminal, result.waiting);
  }
  context.terminal.Note(
      "next: have each machine run grantfs enroll --file FILE at its first boot; grantfs "
      "invitation list shows how often it was used");
  return {};
}

Status RunInviteCommand(Context& context) {
  if (context.arguments.Has("standing")) return RunStanding(context);
  if (context.arguments.At(0).empty()) return Error{Code::kInvalid, "an argument is missing", 0, "NAME"};
  if (context.arguments.Has("uses"))
    return Error{Code::kInvalid, "only a standing invitation is used several times", 0, "--uses"};
  if (context.arguments.Has("group"))
    return Error{Code::kInvalid, "only a standing invitation leads into groups; grantfs group add does later",
                 0, "--group"};
  InviteOptions options;
  options.name = context.arguments.At(0);
  GRANTFS_CHECK(CheckIdentityName(options.name));
  options.kind = GRANTFS_TRY(ParseIdentityKind(context.arguments.Text("kind", "machine")));
  options.ttl = GRANTFS_TRY(context.arguments.Seconds("ttl", kDefaultTtl));
  options.lives = GRANTFS_TRY(context.arguments.Seconds("lives", 0));
  options.rekey = context.arguments.Flag("rekey");
  if (options.rekey && context.arguments.IsTyped("kind"))
    return Error{Code::kInvalid, "a new key is of the same kind as the one before: leave it out", 0,
                 "--kind"};
  const auto session = GRANTFS_TRY(OpenOwner(context));
  if (options.rekey) options.kind = GRANTFS_TRY(session->FindPerson(options.name)).kind;
  const InviteResult result = GRANTFS_TRY(session->Invite(options));
  if (context.json())
    return OutJsonWithLine(context.terminal,
                           Json::Object({{"name", options.name},
                                         {"kind", IdentityKindName(options.kind)},
                                         {"id", result.id},
                                         {"expires", result.expires},
                                         {"lives", options.lives}}),
                           "line", result.line);
  OutSecretLine(context.terminal, result.line);
  if (options.rekey) {
    context.terminal.Note("this line asks for a new key of " + options.name + ", once, until " +
                          FormatTime(result.expires) + "; whoever has it can ask, so show it to nobody else");
    context.terminal.Note(
        "next: " + options.name +
        " gives it to grantfs identity rekey in the home that there is, or to grantfs enroll in "
        "a new one; then grantfs approve --rekey " +
        options.name + " here");
    return {};
  }
  context.terminal.Note(std::string("this line lets one ") + IdentityKindName(options.kind) + " in as " +
                        options.name + ", once, until " + FormatTime(result.expires) +
                        "; whoever has it can ask, so show it to nobody else");
  context.terminal.Note("next: run grantfs enroll " + WhereOf(options) +
                        " and paste it there; then grantfs approve " + options.name + " here");
  return {};
}

}  // namespace

const Command kInviteCommand = {
    .name = "invite",
    .arguments = "[NAME]",
    .min_arguments = 0,
    .max_arguments = 1,
    .summary = "make an invitation for a machine, user or agent",
    .about =
        R"(Makes a one-use invitation and prints it as one line, alone on standard output. Who is given it makes
keys of his own and asks to be let in; nothing is granted to him before you approve that. A machine reads
what it is granted; a user (a person) or an agent (a program that manages, and never reads) is given a role
in an environment with grantfs member add.

With --rekey it is for another key of a user or agent that is in already, under the same name: a computer was lost,
or the key may be known to others. Until it is approved (grantfs approve --rekey) nothing changes.

With --standing it makes an invitation that many machines let themselves in by, without an approval of each:
for machines that nobody watches when they boot (cloud-init, autoscaling). With --group each reads what its groups
are granted, from its first boot on; where two owners sign (grantfs env rules), once another owner has approved that it
leads there (grantfs request approve), also for who has come before. Whoever has that line has such machines, until it
is used up, expires or is withdrawn (grantfs invitation withdraw). Removing a machine that
came by it withdraws it too, and so does removing the owner who made it.)",
    .options = {{"kind", "KIND", "machine, user or agent (default: machine)"},
                {"ttl", "TIME", "for how long it can be used: 1s to 30d (default: 1h)"},
                {"lives", "TIME",
                 "a machine that it lets in is in for so long (default: until it is removed)"},
                {"rekey", "", "for a new key of the user or agent NAME, in the place of the one that is in"},
                {"standing", "PATTERN", "in the place of NAME: let machines in whose names match, as web-*"},
                {"group", "PROJECT/ENVIRONMENT@GROUP", "a standing one leads into this group", true},
                {"uses", "N", "how many machines a standing one lets in, up to 10000 (default: 1)"}},
    .examples = {{"grantfs invite web-1",
                  R"(grantfs-invite-1.AAAD...
(on standard error: what to do with it))"},
                 {"grantfs invite --kind user bea", R"(grantfs-invite-1.AAAD...
(then grantfs member add shop/prod bea --role writer, once she is approved))"},
                 {"grantfs invite --rekey bea", R"(grantfs-invite-1.AAAD...
(then grantfs identity rekey there, and grantfs approve --rekey bea here))"},
                 {"grantfs invite --standing 'web-*' --uses 50 --ttl 30d --group shop/prod@web > line",
                  R"((on standard error: what it lets in))"}},
    .next = "grantfs enroll there, then grantfs approve web-1 here.",
    .failure = "there is no invitation",
    .run = RunInviteCommand,
};

}  // namespace grantfs
