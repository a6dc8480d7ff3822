#include "commands_internal.h"
#include "owner_internal.h"
#include "prompt_internal.h"
#include "rekey_output_internal.h"

namespace grantfs {
namespace {

// What the person at the terminal saw and agreed to; "" where nobody could be asked.
Result<std::string> AskAboutKey(Context& context, OwnerSession& session) {
  const std::string environment = context.arguments.At(0), name = context.arguments.At(1);
  if (!context.terminal.InIsTerminal() || context.arguments.Flag("yes")) return std::string();
  for (const MemberInfo& info : GRANTFS_TRY(session.ListMembers(environment))) {
    if ((info.name != name && info.id != name) || info.replaced_by.empty()) continue;
    context.terminal.Note(info.name + ", " + RoleName(info.role) + " of " + environment +
                          ", has a new key, fingerprint " + info.replaced_by);
    if (Confirm(context.terminal, "Does " + info.name + " see the same in grantfs whoami?"))
      return info.replaced_by;
    return Error{Code::kCancelled, "the role stays where it is; grantfs member remove ends it", 0, name};
  }
  return std::string();  // there is none: the session says so
}

Status RunMemberRekeyCommand(Context& context) {
  const std::string environment = context.arguments.At(0);
  GRANTFS_CHECK(CheckEnvironmentName(environment));
  const auto session = GRANTFS_TRY(OpenOwnerToRevoke(context));
  RekeyOptions options = RekeyGiven(context);
  if (options.fingerprint.empty()) options.fingerprint = GRANTFS_TRY(AskAboutKey(context, *session));
  return OutRekeyed(context,
                    GRANTFS_TRY(session->RekeyMember(environment, context.arguments.At(1), options)));
}

}  // namespace

const Command kMemberRekeyCommand = {
    .name = "member rekey",
    .arguments = "PROJECT/ENVIRONMENT NAME",
    .min_arguments = 2,
    .max_arguments = 2,
    .summary = "give a role to the new key of whoever has it",
    .about =
        R"(Where an owner of the vault has let in a new key of a member (grantfs approve --rekey), gives it the role
of the key before, with the same prefix, in one step. What the key before signed is vouched for; what is signed with
it afterwards does not count. Of an owner or reader the environment gets a new key too, so that no later value can be
opened with the old one. Until then the member can do nothing here, and grantfs status says so to the owners.
On a terminal it shows the fingerprint of the new key and asks; the member sees it in grantfs whoami. Where the
environment asks for two owners, an owner's role ends with this and the new key waits for the second owner.
For the environment's owners.)",
    .options = {{"fingerprint", "TEXT", "go on only if this is the new key's fingerprint"},
                {"reason", "TEXT", "why; it stands in the signed statements"},
                {"yes", "", "do not ask; the word of the vault's owner is enough"}},
    .examples = {{"grantfs member rekey shop/prod bea",
                  R"(bea, writer of shop/prod, has a new key, fingerprint k3vq-7m2a-x4pd-ce6w-hn5t
Does bea see the same in grantfs whoami? [y/N] y
bea has a new key, fingerprint k3vq-7m2a-x4pd-ce6w-hn5t; its role in shop/prod)"},
                 {"grantfs member rekey shop/prod bea --fingerprint k3vq-7m2a-x4pd-ce6w-hn5t --json",
                  R"({"name": "bea", "environments": ["shop/prod"], ...})"}},
    .next = "grantfs member list shop/prod",
    .failure = "the role was not given to the new key",
    .run = RunMemberRekeyCommand,
};

}  // namespace grantfs
