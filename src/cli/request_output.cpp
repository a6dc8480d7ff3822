#include <algorithm>

#include "grantfs/util/clock.h"
#include "request_output_internal.h"
#include "table_internal.h"

namespace grantfs {
namespace {

constexpr std::size_t kShownDigits = 12;

const char* StateName(const RequestInfo& info, std::int64_t now) {
  switch (info.state) {
    case RequestState::kOpen:
      return info.expires <= now ? "expired" : "open";
    case RequestState::kFulfilled:
      return "fulfilled";
    case RequestState::kRefused:
      return "refused";
    case RequestState::kWithdrawn:
      return "withdrawn";
  }
  std::abort();
}

}  // namespace

std::string ShortId(const std::string& id) { return id.substr(0, kShownDigits); }

std::string RequestStateText(const RequestInfo& info, std::int64_t now) {
  std::string text = StateName(info, now);
  if (text == "open" && !info.waits_as.empty())
    return "approved once; waits for a second owner: " + ShortId(info.waits_as);
  if (text == "open" && !info.problem.empty()) return "open, but " + info.problem;
  if (info.state != RequestState::kOpen) text += " by " + info.settled_by;
  if (!info.settled_reason.empty()) text += ": " + info.settled_reason;
  return text;
}

Json ToJson(const RequestInfo& info, std::int64_t now) {
  Json json = Json::Object({{"id", info.id},
                            {"environment", info.environment},
                            {"type", AskName(info.ask)},
                            {"asks", info.what},
                            {"by", info.asker},
                            {"by_id", info.asker_id},
                            {"time", info.time},
                            {"expires", info.expires},
                            {"reason", info.reason},
                            {"state", StateName(info, now)},
                            {"problem", info.problem}});
  if (info.state != RequestState::kOpen)
    json.Set("settled", info.settled).Set("settled_by", info.settled_by).Set("answer", info.settled_reason);
  if (!info.waits_as.empty()) json.Set("waits_as", info.waits_as);
  return json;
}

std::vector<Option> AskOptions(std::vector<Option> more) {
  more.push_back({"reason", "TEXT", "why; whoever decides reads it, and the audit log keeps it"});
  more.push_back({"for", "TIME", "how long the request holds (default: 7d, 30d at most)"});
  return more;
}

Status AskAndTell(Context& context, OwnerSession& session, const std::string& environment, AnyAsk ask) {
  const std::int64_t seconds = GRANTFS_TRY(context.arguments.Seconds("for", kUsualRequestSeconds));
  const RequestInfo info =
      GRANTFS_TRY(session.AskFor(environment, std::move(ask), context.arguments.Text("reason"), seconds));
  if (context.json()) {
    context.terminal.OutJson(ToJson(info, SystemClock().WallSeconds()));
    return {};
  }
  context.terminal.OutLine("asked for " + ShortId(info.id) + ": " + info.what);
  context.terminal.Note("an owner of " + environment + " decides by " + FormatTime(info.expires) +
                        ": grantfs request approve " + ShortId(info.id));
  return {};
}

Result<AskedSecrets> SecretsAskedFor(OwnerSession& session, const std::vector<std::string>& patterns) {
  AskedSecrets asked;
  for (const SecretName& name : GRANTFS_TRY(session.ExpandSecrets(patterns))) {
    if (asked.environment.empty()) asked.environment = name.environment;
    if (name.environment != asked.environment)
      return Error{Code::kInvalid, "one request is about one environment: ask for the others by themselves",
                   0, name.Full()};
    asked.paths.push_back(name.path);
  }
  std::sort(asked.paths.begin(), asked.paths.end());
  asked.paths.erase(std::unique(asked.paths.begin(), asked.paths.end()), asked.paths.end());
  static_assert(kMaxAskedSecrets == 50, "the sentence says so");
  if (asked.paths.size() > kMaxAskedSecrets)
    return Error{Code::kInvalid, "a request names 50 secrets at most: ask for the rest by themselves", 0,
                 std::to_string(asked.paths.size()) + " secrets"};
  return asked;
}

void NoteWaiting(Terminal& terminal, const std::vector<std::string>& ids) {
  if (ids.empty()) return;
  std::string line =
      "two owners sign here: your signature is there, and another owner adds his with grantfs "
      "request approve";
  for (const std::string& id : ids) line += " " + ShortId(id);
  terminal.Note(line);
}

}  // namespace grantfs
