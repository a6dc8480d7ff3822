#include "owner_internal.h"
#include "secret_life_internal.h"
#include "table_internal.h"

namespace grantfs {
namespace {

Json ToJson(const ChangedSecret& changed) {
  return Json::Object({{"name", changed.name.Full()},
                       {"changed", changed.changed},
                       {"before", changed.before},
                       {"current", changed.current},
                       {"destroyed", Json::Array({changed.destroyed.begin(), changed.destroyed.end()})}});
}

}  // namespace

constinit const Option kReasonOption = {"reason", "TEXT", "why; it stands in the signed statement"};
constinit const Option kDryRunOption = {"dry-run", "", "verify and say what would be done; change nothing"};

ChangeOptions ChangeOptionsOf(const Arguments& arguments) {
  ChangeOptions options;
  options.reason = arguments.Text("reason");
  options.dry_run = arguments.Flag("dry-run");
  return options;
}

std::string CurrentText(const ChangedSecret& changed) {
  return "version " + std::to_string(changed.current) + " is current" +
         (changed.before == 0 ? "" : " (it was version " + std::to_string(changed.before) + ")");
}

std::string NumbersText(const std::vector<std::uint32_t>& versions) {
  std::vector<std::string> words;
  for (const std::uint32_t version : versions) words.push_back(std::to_string(version));
  return (words.size() == 1 ? "version " : "versions ") + JoinWords(words);
}

Status RunChange(Context& context, LifeChange change, const ChangeOptions& options,
                 const std::function<std::string(const ChangedSecret&)>& done) {
  const auto session = GRANTFS_TRY(OpenOwner(context));
  const auto names = GRANTFS_TRY(session->ExpandSecrets(context.arguments.positional()));
  const auto changed = GRANTFS_TRY(session->ChangeSecrets(change, names, options));
  if (context.json()) {
    Json list = Json::Array();
    for (const ChangedSecret& one : changed) list.Append(ToJson(one));
    context.terminal.OutJson(Json::Object({{"dry_run", options.dry_run}, {"secrets", std::move(list)}}));
    return {};
  }
  for (const ChangedSecret& one : changed)
    if (one.changed) context.terminal.OutLine((options.dry_run ? "would have " : "") + done(one));
  if (options.dry_run) context.terminal.Note("nothing was changed: leave out --dry-run to do it");
  return {};
}

}  // namespace grantfs
