#include "commands_internal.h"
#include "member_words_internal.h"
#include "owner_internal.h"
#include "request_output_internal.h"

namespace grantfs {
namespace {

Status RunRequestMemberCommand(Context& context) {
  const std::string environment = context.arguments.At(0);
  GRANTFS_CHECK(CheckEnvironmentName(environment));
  AskMember ask;
  ask.role = GRANTFS_TRY(RoleGiven(context));
  ask.prefix = GRANTFS_TRY(PrefixGiven(context, ask.role));
  const auto session = GRANTFS_TRY(OpenOwner(context));
  ask.member = GRANTFS_TRY(session->FindPerson(context.arguments.At(1)));
  GRANTFS_CHECK(CheckMayHold(ask.member, ask.role));
  return AskAndTell(context, *session, environment, std::move(ask));
}

}  // namespace

const Command kRequestMemberCommand = {
    .name = "request member",
    .arguments = "PROJECT/ENVIRONMENT NAME",
    .min_arguments = 2,
    .max_arguments = 2,
    .summary = "ask for a role for a user or agent",
    .about =
        R"(Asks the owners of an environment to make a user or agent of the vault a member, as grantfs member add
does. The request names the keys that the vault's list has for that name.)",
    .options =
        AskOptions({{"role", "ROLE", "owner, reader, writer, operator or auditor"},
                    {"prefix", "PATH/", "of a writer: only secrets whose names begin with it, as tls/"}}),
    .examples = {{"grantfs request member shop/prod bea --role reader --reason 'on call this week'",
                  "asked for 77b1e9a04c2d: make bea (user 2c4h-...) reader of shop/prod"},
                 {"grantfs request member shop/test bea --role writer --for 1d",
                  "(is there for a day, to be approved or refused)"}},
    .next = "grantfs request list --mine",
    .failure = "nothing was asked for",
    .run = RunRequestMemberCommand,
};

}  // namespace grantfs
