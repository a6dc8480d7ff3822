#include "alert_sinks_internal.h"

namespace grantfs {

Result<std::vector<std::shared_ptr<AlertSink>>> MakeAlertSinks(const AlertOptions& options) {
  std::vector<std::shared_ptr<AlertSink>> sinks;
  if (!options.webhook.empty()) sinks.push_back(GRANTFS_TRY(MakeWebhookSink(options)));
  if (options.webhook.empty() && (!options.webhook_key_file.empty() || !options.webhook_ca_file.empty()))
    return Error{Code::kInvalid, "a key or an authority for a webhook is given, and no webhook", 0,
                 "--alert-webhook"};
  if (!options.command.empty()) sinks.push_back(GRANTFS_TRY(MakeCommandSink(options.command)));
  if (!options.syslog.empty()) sinks.push_back(GRANTFS_TRY(MakeSyslogSink(options.syslog)));
  return sinks;
}

}  // namespace grantfs
