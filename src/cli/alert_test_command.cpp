#include <poll.h>

#include <algorithm>
#include <chrono>

#include "alert_words_internal.h"
#include "commands_internal.h"
#include "owner_internal.h"

namespace grantfs {
namespace {

constexpr int kLookMs = 200;

bool IsDone(const std::vector<AlertSinkInfo>& sinks, std::uint64_t record) {
  return std::all_of(sinks.begin(), sinks.end(),
                     [record](const AlertSinkInfo& sink) { return sink.reached > record; });
}

Status RunAlertTestCommand(Context& context) {
  const auto wait = std::chrono::seconds(GRANTFS_TRY(context.arguments.Seconds("wait", 30)));
  const auto session = GRANTFS_TRY(OpenOwner(context));
  const std::uint64_t record = GRANTFS_TRY(session->TestAlert());
  const auto end = std::chrono::steady_clock::now() + wait;
  auto sinks = GRANTFS_TRY(session->AlertSinks());
  while (!IsDone(sinks, record) && std::chrono::steady_clock::now() < end) {
    ::poll(nullptr, 0, kLookMs);
    sinks = GRANTFS_TRY(session->AlertSinks());
  }
  if (context.json())
    context.terminal.OutJson(Json::Object({{"record", record}, {"sinks", AlertSinksJson(sinks)}}));
  else
    for (const AlertSinkInfo& sink : sinks) context.terminal.OutLine(AlertSinkSentence(sink));
  if (sinks.empty())
    return Error{Code::kNotFound,
                 "it has no place to send alerts to: start it with --alert-webhook, --alert-command or "
                 "--alert-syslog",
                 0, "the vault"};
  if (IsDone(sinks, record)) return {};
  return Error{Code::kUnreachable, "it was not delivered everywhere in time; the vault goes on trying", 0,
               "the alert"};
}

}  // namespace

const Command kAlertTestCommand = {
    .name = "alert test",
    .arguments = "",
    .min_arguments = 0,
    .max_arguments = 0,
    .summary = "send an alert, and see whether it arrives",
    .about =
        R"(Makes a critical record, which the vault sends wherever it sends alerts (grantfs serve --alert-webhook,
--alert-command, --alert-syslog), and waits until each has taken it. For owners of the vault. What could not
be delivered stands in grantfs status too; the vault goes on trying, also after a restart.)",
    .options = {{"wait", "TIME", "how long to wait (default: 30s)"}},
    .examples = {{"grantfs alert test", R"(webhook: all alerts were delivered
syslog: all alerts were delivered)"},
                 {"grantfs alert test --wait 5s",
                  R"(webhook: 1 alert to be delivered, in vain since 2026-01-31T12:00:00Z: ...)"}},
    .next = "grantfs audit list shows the record.",
    .failure = "the alert did not arrive",
    .run = RunAlertTestCommand,
};

}  // namespace grantfs
