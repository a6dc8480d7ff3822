#include <algorithm>

#include "commands_internal.h"
#include "grant_terms_internal.h"
#include "grantfs/trust/conditions.h"
#include "listing_internal.h"
#include "owner_internal.h"
#include "request_output_internal.h"
#include "table_internal.h"

namespace grantfs {
namespace {

Json ToJson(const GrantResult& result, const GrantOptions& options) {
  const bool dry_run = options.dry_run;
  Json secrets = Json::Array();
  for (const GrantOutcome& outcome : result.secrets)
    secrets.Append(Json::Object({{"secret", outcome.secret.Full()},
                                 {"versions", outcome.versions},
                                 {"replaced", outcome.replaced},
                                 {"lacking", NamesJson(outcome.lacking)}}));
  Json json = Json::Object(
      {{"machine", result.machine},
       {"fingerprint", result.fingerprint},
       {"dry_run", dry_run},
       {"conditions", Json::Array({options.terms.conditions.begin(), options.terms.conditions.end()})},
       {"lease", options.terms.lease},
       {"offline", options.terms.offline},
       {"record", options.terms.record},
       {"secrets", std::move(secrets)}});
  if (!dry_run) json.Set("waiting", Json::Array({result.waiting.begin(), result.waiting.end()}));
  if (!dry_run && result.waiting.empty()) json.Set("delivery", DeliveryJson(result.delivery));
  return json;
}

// ", only for user=app, lease 10m, offline 1d, sync"; "" for a grant without terms of these kinds.
std::string TermsText(const Grant& terms) {
  const std::string only = JoinConditions(terms.conditions);
  const std::string leased = LeaseCell(terms.lease, terms.offline, terms.record);
  std::string text = only.empty() ? "" : ", only for " + only;
  if (!leased.empty()) text += (terms.lease > 0 ? ", lease " : ", ") + leased;
  return text;
}

void OutResult(Terminal& terminal, const GrantResult& result, const GrantOptions& options) {
  const bool dry_run = options.dry_run;
  const std::string terms = TermsText(options.terms);
  for (const GrantOutcome& outcome : result.secrets)
    terminal.OutLine((dry_run                ? "would grant "
                      : outcome.needs_second ? "signed for a second owner: grant "
                                             : "granted ") +
                     outcome.secret.Full() + " to " + result.machine + " (" +
                     Count(outcome.versions, "version") + (outcome.replaced ? ", replaces its grant" : "") +
                     ")" + terms);
  for (const GrantOutcome& outcome : result.secrets) {
    if (outcome.lacking.empty()) continue;
    std::string names;
    for (const SecretName& part : outcome.lacking) names += " " + part.Full();
    terminal.Note(result.machine + (dry_run ? " would not show " : " does not show ") +
                  outcome.secret.Full() + ": it lacks parts of it; next: grantfs grant " + result.machine +
                  names);
  }
  const bool leased = options.terms.lease > 0 || options.terms.offline > 0;
  for (const GrantOutcome& outcome : result.secrets) {
    if (!leased || outcome.overdue == 0) continue;
    terminal.Note(outcome.secret.Full() + " was to be rotated by " + FormatTime(outcome.overdue) +
                  ", so that no lease of it holds until it is: grantfs secret set " + outcome.secret.Full());
  }
  NoteWaiting(terminal, result.waiting);
  const bool all_wait = std::all_of(result.secrets.begin(), result.secrets.end(),
                                    [](const GrantOutcome& one) { return one.needs_second; });
  if (all_wait && !dry_run) return;
  terminal.Note(dry_run ? "nothing was changed: leave out --dry-run to do it"
                        : DeliverySentence(result.machine, result.delivery));
}

Status RunGrantCommand(Context& context) {
  const Arguments& arguments = context.arguments;
  const std::string machine = arguments.At(0);
  GRANTFS_CHECK(CheckIdentityName(machine));
  GrantOptions options;
  options.terms = GRANTFS_TRY(GrantTerms(arguments, SystemClock().WallSeconds()));
  options.reason = arguments.Text("reason");
  options.dry_run = arguments.Flag("dry-run");
  options.wait = std::chrono::seconds(GRANTFS_TRY(arguments.Seconds("wait", 5)));
  const auto session = GRANTFS_TRY(OpenOwner(context));
  const std::vector<std::string> patterns(arguments.positional().begin() + 1, arguments.positional().end());
  auto secrets = GRANTFS_TRY(session->ExpandSecrets(patterns));
  if (arguments.Flag("with-parts")) secrets = GRANTFS_TRY(session->WithParts(secrets));
  const GrantResult result = GRANTFS_TRY(session->GrantTo(machine, secrets, options));
  if (context.json())
    context.terminal.OutJson(ToJson(result, options));
  else
    OutResult(context.terminal, result, options);
  return {};
}

}  // namespace

const Command kGrantCommand = {
    .name = "grant",
    .arguments = "MACHINE SECRET...",
    .min_arguments = 2,
    .max_arguments = kManyArguments,
    .summary = "let a machine read secrets",
    .about =
        R"(Seals the keys of the secrets to the machine, signs that it may read them, and returns when its mount
shows them or it is known to be offline. A SECRET is a full name, or shop/prod/* for all that are there
now (in quotes, so that the shell leaves it alone). A grant that stands is replaced.)",
    .options = GrantOptionsHelp(),
    .examples =
        {{"grantfs grant web-1 shop/prod/db-password",
          R"(granted shop/prod/db-password to web-1 (1 version)
web-1 has followed: its mount knows of the change)"},
         {"grantfs grant web-1 shop/prod/tls/server.key --owner nginx --mode 0400 --strict",
          "granted shop/prod/tls/server.key to web-1 (2 versions)"},
         {"grantfs grant web-1 shop/prod/db-password --only-user app --only-exe /usr/bin/psql --lease 10m",
          "granted shop/prod/db-password to web-1 (1 version), only for user=app, exe=/usr/bin/psql, lease "
          "10m"},
         {"grantfs grant ci-7 'shop/test/*' --expires 30d --dry-run",
          R"(would grant shop/test/api-key to ci-7 (1 version)
nothing was changed: leave out --dry-run to do it)"}},
    .next = "cat /run/secrets/shop/prod/db-password on the machine; grantfs grants --machine web-1 here.",
    .failure = "the grant was not made",
    .run = RunGrantCommand,
};

}  // namespace grantfs
