#include <algorithm>

#include "grantfs/trust/names.h"
#include "group_words_internal.h"
#include "owner_internal.h"
#include "request_output_internal.h"
#include "table_internal.h"

namespace grantfs {
namespace {

constexpr std::size_t kMostGroupNamed = 10;

// "web-1", "web-1 and web-2", "web-1, web-2 and 98 more"
std::string Together(const std::vector<std::string>& names) {
  std::string text;
  const std::size_t shown = names.size() > kMostGroupNamed ? kMostGroupNamed - 1 : names.size();
  for (std::size_t i = 0; i < shown; ++i) {
    const bool last = i + 1 == names.size() && i > 0;
    text += (i == 0 ? "" : last ? " and " : ", ") + names[i];
  }
  return shown < names.size() ? text + " and " + std::to_string(names.size() - shown) + " more" : text;
}

}  // namespace

std::string GroupName(const std::string& text) { return text.starts_with("@") ? text.substr(1) : text; }

Result<GivenGroup> GroupGiven(const Context& context) {
  GivenGroup given;
  given.environment = context.arguments.At(0);
  given.name = GroupName(context.arguments.At(1));
  GRANTFS_CHECK(CheckEnvironmentName(given.environment));
  GRANTFS_CHECK(CheckIdentityName(given.name));
  const auto& words = context.arguments.positional();
  given.machines.assign(words.begin() + 2, words.end());
  given.options.reason = context.arguments.Text("reason");
  given.options.wait = std::chrono::seconds(GRANTFS_TRY(context.arguments.Seconds("wait", 5)));
  return given;
}

void OutGroupChange(Context& context, const std::string& done, const GroupChange& change) {
  const bool created = done == "created";
  if (context.json()) {
    Json json = Json::Object(
        {{"environment", change.environment},
         {"group", change.group},
         {created ? "machines" : done.c_str(), Json::Array({change.machines.begin(), change.machines.end()})},
         {"followed", GroupFollowedJson(change.followed)}});
    if (done != "removed") json.Set("waiting", Json::Array({change.waiting.begin(), change.waiting.end()}));
    return context.terminal.OutJson(json);
  }
  const std::string name = "@" + change.group + " of " + change.environment;
  const std::string are = change.machines.size() == 1 ? " is " : " are ";
  if (!change.waiting.empty()) {
    if (created) context.terminal.OutLine("made " + name);
    context.terminal.OutLine("signed for a second owner: put " + Together(change.machines) + " into " + name);
    return NoteWaiting(context.terminal, change.waiting);
  }
  if (created) context.terminal.OutLine("made " + name);
  if (done == "removed")
    context.terminal.OutLine(Together(change.machines) + are + "not in " + name + " any more");
  else if (!change.machines.empty())
    context.terminal.OutLine(Together(change.machines) + are + "in " + (created ? "it" : name));
  else if (!created)
    context.terminal.OutLine("they are in " + name + " already");
  if (!change.machines.empty()) OutGroupFollowed(context.terminal, change.followed);
}

void OutGroupFollowed(Terminal& terminal, const EnvironmentDelivery& followed) {
  if (!followed.known) return terminal.Note("the vault did not say which machines have followed");
  if (followed.machines == 0) return terminal.Note("no machine is in it yet: grantfs group add puts some in");
  terminal.Note(std::to_string(followed.followed) + " of " + Count(followed.machines, "machine") + " of " +
                followed.environment + (followed.followed == 1 ? " has" : " have") + " followed");
  for (std::size_t i = 0; i < followed.behind.size() && i < kMostGroupNamed; ++i)
    terminal.Note(DeliverySentence(followed.behind[i].machine, followed.behind[i].delivery));
  const std::uint64_t behind = followed.machines - std::min(followed.followed, followed.machines);
  if (behind > kMostGroupNamed)
    terminal.Note("and " + std::to_string(behind - kMostGroupNamed) + " more: --json names up to 100");
}

Json GroupFollowedJson(const EnvironmentDelivery& followed) {
  Json behind = Json::Array();
  for (const auto& one : followed.behind) {
    Json json = DeliveryJson(one.delivery);
    behind.Append(json.Set("machine", one.machine));
  }
  return Json::Object({{"of", followed.environment},
                       {"known", followed.known},
                       {"machines", followed.machines},
                       {"followed", followed.followed},
                       {"behind", std::move(behind)}});
}

}  // namespace grantfs
