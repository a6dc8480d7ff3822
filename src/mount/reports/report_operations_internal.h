#pragma once

#include <fuse_lowlevel.h>

#include "mount/reports/report_nodes_internal.h"

namespace grantfs {

/// What the operations on reports work with: the owner of their session.
class ReportFilesystem {
 public:
  explicit ReportFilesystem(const ReportsOptions& options);

  std::shared_ptr<const ReportDirectory> Current() const { return options_.current(); }
  ReportNodes& nodes() { return nodes_; }
  struct stat Attributes(const ReportNodes::Node& node) const;

 private:
  const ReportsOptions& options_;
  ReportNodes nodes_;
};

/// The table of what the kernel may ask of reports. The session's owner is a ReportFilesystem.
const fuse_lowlevel_ops& ReportOperations();

}  // namespace grantfs
