#include <algorithm>

#include "commands_internal.h"
#include "grant_terms_internal.h"
#include "group_words_internal.h"
#include "grantfs/trust/conditions.h"
#include "listing_internal.h"
#include "owner_internal.h"
#include "request_output_internal.h"
#include "table_internal.h"

namespace grantfs {
namespace {

bool IsGroup(const std::string& who) { return who.starts_with("@"); }

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
  if (!result.prefix.empty()) json.Set("prefix", result.prefix);
  if (dry_run) return json;
  json.Set("waiting", Json::Array({result.waiting.begin(), result.waiting.end()}));
  if (!result.waiting.empty()) return json;
  if (!IsGroup(result.machine)) return json.Set("delivery", DeliveryJson(result.delivery));
  Json followed = Json::Array();
  for (const EnvironmentDelivery& one : result.followed) followed.Append(GroupFollowedJson(one));
  return json.Set("followed", std::move(followed));
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
  if (!result.prefix.empty())
    terminal.OutLine((dry_run                   ? "would grant"
                      : !result.waiting.empty() ? "signed for a second owner: grant"
                                                : "granted") +
                     std::string(" whatever is or will be below ") + result.prefix + " to " + result.machine + terms);
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
  if (dry_run) return terminal.Note("nothing was changed: leave out --dry-run to do it");
  const bool all_wait = !result.waiting.empty() && std::all_of(result.secrets.begin(), result.secrets.end(),
                                    [](const GrantOutcome& one) { return one.needs_second; });
  if (all_wait) return;
  if (!IsGroup(result.machine)) return terminal.Note(DeliverySentence(result.machine, result.delivery));
  for (const EnvironmentDelivery& followed : result.followed) OutGroupFollowed(terminal, followed);
}

// "shop/prod/tls/": whatever is or will be below it. Several are one command each.
Status GrantPrefixes(Context& context, OwnerSession& session, const std::string& who,
                     const std::vector<std::string>& patterns, const GrantOptions& options) {
  if (patterns.size() != 1)
    return Error{Code::kInvalid, "a prefix, which ends in a slash, is granted by a command of its own", 0,
                 patterns.front()};
  if (!IsGroup(who))
    return Error{Code::kInvalid,
                 "a prefix, which ends in a slash, is granted to a group (@NAME); to a machine grant what is there "
                 "now: end it in /*",
                 0, patterns.front()};
  if (context.arguments.Flag("with-parts"))
    return Error{Code::kInvalid, "is for secrets, not for a prefix, which has all that is below it", 0,
                 "--with-parts"};
  const Area area = GRANTFS_TRY(ParseArea(patterns.front()));
  const GrantResult result = GRANTFS_TRY(session.GrantPrefix(who, area.environment, area.prefix, options));
  if (context.json())
    context.terminal.OutJson(ToJson(result, options));
  else
    OutResult(context.terminal, result, options);
  return {};
}

Status RunGrantCommand(Context& context) {
  const Arguments& arguments = context.arguments;
  const std::string machine = arguments.At(0);
  GRANTFS_CHECK(CheckIdentityName(GroupName(machine)));
  GrantOptions options;
  options.terms = GRANTFS_TRY(GrantTerms(arguments, SystemClock().WallSeconds()));
  options.reason = arguments.Text("reason");
  options.dry_run = arguments.Flag("dry-run");
  options.wait = std::chrono::seconds(GRANTFS_TRY(arguments.Seconds("wait", 5)));
  const auto session = GRANTFS_TRY(OpenOwner(context));
  const std::vector<std::string> patterns(arguments.positional().begin() + 1, arguments.positional().end());
  if (std::any_of(patterns.begin(), patterns.end(), [](const auto& one) { return one.ends_with("/"); }))
    return GrantPrefixes(context, *session, machine, patterns, options);
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
    .arguments = "WHO SECRET...",
    .min_arguments = 2,
    .max_arguments = kManyArguments,
    .summary = "let a machine or group read secrets",
    .about =
        R"(Seals the keys of the secrets to the machine, signs that it may read them, and returns when its mount
shows them or it is known to be offline. A SECRET is a full name, or shop/prod/* for all that are there
now (in quotes, so that the shell leaves it alone). A grant that stands is replaced. WHO is a machine, or
@web for a group of the secret's environment. A group can be granted a prefix, which ends in a slash:
shop/prod/tls/ is whatever is or will be below it, shop/prod/ the whole environment. Where several grants let
a machine read one secret, its own counts before those of its groups, one of the secret before one of a
prefix, a longer prefix before a shorter one, and then the older group; one that has expired does not
count while there is another.)",
    .options = GrantOptionsHelp(),
    .examples =
        {{"grantfs grant web-1 shop/prod/db-password",
          R"(granted shop/prod/db-password to web-1 (1 version)
web-1 has followed: its mount knows of the change)"},
         {"grantfs grant web-1 shop/prod/db-password --only-user app --only-exe /usr/bin/psql --lease 10m",
          "granted shop/prod/db-password to web-1 (1 version), only for user=app, exe=/usr/bin/psql, lease "
          "10m"},
         {"grantfs grant @web shop/prod/tls/ --owner nginx",
          R"(granted whatever is or will be below shop/prod/tls/ to @web
granted shop/prod/tls/server.key to @web (2 versions)
2 of 2 machines of @web have followed)"},
         {"grantfs grant ci-7 'shop/test/*' --expires 30d --dry-run",
          R"(would grant shop/test/api-key to ci-7 (1 version)
nothing was changed: leave out --dry-run to do it)"}},
    .next = "cat /run/secrets/shop/prod/db-password on the machine; grantfs grants --machine web-1 here.",
    .failure = "the grant was not made",
    .run = RunGrantCommand,
};

}  // namespace grantfs
