#include <memory>

#include "grantfs/mount/reports.h"
#include "mount/reports/report_operations_internal.h"
#include "mount/supervisor/plain_mount_internal.h"

namespace grantfs {

Status RunReports(const ReportsOptions& given) {
  ReportsOptions options = given;
  if (!options.current) return Error{Code::kInvalid, "a mount of reports needs reports", 0, {}};
  if (!options.log) options.log = [](LogLevel level, std::string_view line) { Log(level, line); };
  std::unique_ptr<ReportFilesystem> filesystem;
  PlainMount mount;
  mount.mount_point = options.mount_point;
  mount.allow_other = options.allow_other;
  mount.source = kReportsSource;
  mount.threads = options.threads;
  mount.log = options.log;
  mount.ready = options.ready;
  mount.operations = &ReportOperations();
  mount.make = [&](const std::string&, Session*) {
    filesystem = std::make_unique<ReportFilesystem>(options);
    return filesystem.get();
  };
  return RunPlainMount(mount);
}

}  // namespace grantfs
