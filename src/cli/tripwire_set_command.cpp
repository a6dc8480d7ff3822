#include "commands_internal.h"
#include "grantfs/trust/names.h"
#include "grantfs/trust/tripwire.h"
#include "owner_internal.h"
#include "tripwire_words_internal.h"

namespace grantfs {
namespace {

Result<std::vector<std::string>> ParsePasses(const Arguments& arguments) {
  const auto passes = arguments.Many("pass");
  if (!passes.empty() && arguments.Flag("no-pass"))
    return Error{Code::kInvalid, "does not go with --pass, which already replaces who passed before", 0,
                 "--no-pass"};
  if (passes.size() > kMaxPasses)
    return Error{Code::kInvalid, "can be given 32 times: name a unit or a user for several programs", 0,
                 "--pass"};
  for (const std::string& pass : passes) GRANTFS_CHECK(CheckPass(pass));
  return passes;
}

Result<TripwireChange> ParseChange(const Arguments& arguments) {
  TripwireChange change;
  if (arguments.Has("canary")) change.canary = GRANTFS_TRY(ParseTripAction(arguments.Text("canary")));
  if (arguments.Has("scope")) change.scope = GRANTFS_TRY(ParseTripScope(arguments.Text("scope")));
  if (arguments.Has("rate"))
    change.rate = static_cast<std::uint32_t>(GRANTFS_TRY(arguments.Number("rate", kMaxRate, 0)));
  if (arguments.Has("rate-action"))
    change.rate_action = GRANTFS_TRY(ParseTripAction(arguments.Text("rate-action")));
  const auto passes = GRANTFS_TRY(ParsePasses(arguments));
  if (arguments.Has("pass") || arguments.Flag("no-pass")) change.passes = passes;
  const bool nothing =
      !change.canary && !change.scope && !change.rate && !change.rate_action && !change.passes;
  if (!nothing) return change;
  return Error{
      Code::kInvalid,
      "say what is to change: --canary, --scope, --rate, --rate-action, --pass or --no-pass; grantfs "
      "tripwire show tells what there is",
      0, arguments.At(0)};
}

Status RunTripwireSetCommand(Context& context) {
  const std::string environment = context.arguments.At(0);
  GRANTFS_CHECK(CheckEnvironmentName(environment));
  const auto change = GRANTFS_TRY(ParseChange(context.arguments));
  const auto session = GRANTFS_TRY(OpenOwner(context));
  OutTripwire(context, GRANTFS_TRY(session->SetTripwire(environment, change)));
  return {};
}

}  // namespace

const Command kTripwireSetCommand = {
    .name = "tripwire set",
    .arguments = "PROJECT/ENVIRONMENT",
    .min_arguments = 1,
    .max_arguments = 1,
    .summary = "say what an environment's tripwires do",
    .about =
        R"(Says what happens where a canary of the environment is read, and how many distinct secrets one machine may
read within a minute; what is not named stays. Both make a critical record, with the reading process, and so
an alert. More than the rate freezes the machine in this environment alone. Whatever the environments say, more
than 100 over all of them freeze it everywhere; but an environment with a higher rate (or none), or where more
only alerts, answers for its own secrets, which count there alone. --pass names programs (a backup, updatedb) whose reading freezes
nothing: it is recorded and alerted all the same. Who reads is what the machine itself says of it: one that was
taken can say that its reader may pass, so let few pass, and none where a canary matters most. Listing a
directory reads nothing; a bundle or template that is opened reads each of its parts. Owners and operators of
the environment may do this.)",
    .options =
        {{"canary", "freeze|alert", "what the reading of a canary does (at first: freeze)"},
         {"scope", "environment|project",
          R"(what it freezes; a project stands for those of its environments that you may freeze now, also
when you have left, and those that you may freeze when it happens (at first: environment))"},
         {"rate", "N", "distinct secrets a minute by one machine, 0 = no limit (at first: 100)"},
         {"rate-action", "freeze|alert", "what more of them do to the machine there (at first: freeze)"},
         {"pass", "WHO", "exe=/usr/bin/rsync, uid=0 or unit=backup.service; replaces those before", true},
         {"no-pass", "", "nobody passes any more"}},
    .examples = {{"grantfs tripwire set shop/prod --scope project --rate 300 --pass unit=backup.service",
                  R"(environment         shop/prod
a canary's reading  freezes the project and alerts
rate                more than 300 distinct secrets a minute by one machine freezes the machine there and alerts
who passes          unit=backup.service
set                 by ann at 2026-01-31T12:00:00Z)"},
                 {"grantfs tripwire set shop/prod --canary alert --no-pass --json",
                  "{\"environment\": \"shop/prod\", \"canary\": \"alert\", \"pass\": [], ...}"}},
    .next = "grantfs secret canary shop/prod/root-password makes a secret a canary.",
    .failure = "the tripwires are as they were",
    .run = RunTripwireSetCommand,
};

}  // namespace grantfs
