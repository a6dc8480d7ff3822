#pragma once

#include <memory>
#include <vector>

#include "grantfs/server/server.h"
#include "grantfs/vault/alerts.h"

namespace grantfs {

/// The sinks that `serve` was given. Errors, each a sentence: kInvalid, kNotFound, kDenied, kIo.
Result<std::vector<std::shared_ptr<AlertSink>>> MakeAlertSinks(const AlertOptions& options);

Result<std::shared_ptr<AlertSink>> MakeWebhookSink(const AlertOptions& options);
Result<std::shared_ptr<AlertSink>> MakeCommandSink(const std::string& path);
Result<std::shared_ptr<AlertSink>> MakeSyslogSink(const std::string& socket);

}  // namespace grantfs
