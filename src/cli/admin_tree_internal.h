#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "grantfs/client/admin_source.h"
#include "grantfs/client/readership.h"
#include "grantfs/json/json.h"
#include "grantfs/mount/reports.h"

namespace grantfs {

/// What a vault looks like as files: machines/NAME/{info,grants/...},
/// projects/PROJECT/ENVIRONMENT/SECRET/{info,versions,readers}, audit/{recent,critical}, info; beside each
/// text the same as .json. Machines that were removed are left out. What a machine may read by its groups, or
/// by a prefix that is granted to them, stands below its grants/ as well.
///
/// Below projects/ each secret is a directory, and no secret has others below it: so its name is shown as it
/// is, whatever it is called. Below grants/ it is a file with a .json beside it: there a part of a name that
/// ends in
/// ".json" has "~" behind it, and "~" at the end of a part is doubled, so that no file is taken for another's
/// .json. A name that would be longer than a file's may be is cut, and one that is taken nevertheless (by
/// what a lying vault serves) changed: both end in "~". The texts have all names whole.
std::shared_ptr<const ReportDirectory> BuildAdminTree(const AdminView& view);

/// What reports are made of: what there is, and who may read it by that.
struct AdminFacts {
  explicit AdminFacts(std::shared_ptr<const AdminSnapshot> of)
      : snapshot(std::move(of)), readership(snapshot->secrets, snapshot->groups) {}
  std::shared_ptr<const AdminSnapshot> snapshot;
  Readership readership;
};

/// One report: for people, and for programs.
struct AdminReport {
  std::string text;
  Json json;
};
AdminReport ReportVault(const AdminSnapshot& snapshot);
AdminReport ReportMachine(const AdminFacts& facts, const IdentityInfo& machine);
/// Why a machine may read a secret. @param now unix seconds.
AdminReport ReportGrant(const SecretSurvey& secret, const GrantInfo& info, std::int64_t now);
AdminReport ReportSecret(const AdminFacts& facts, const SecretSurvey& secret, std::int64_t now);
AdminReport ReportVersions(const SecretSurvey& secret);
/// Each machine by the grant by which it may read; groups whose machines are not known.
AdminReport ReportReaders(const AdminFacts& facts, const SecretSurvey& secret, std::int64_t now);
AdminReport ReportAudit(const AdminSnapshot& snapshot, const std::vector<AuditLine>& lines);

}  // namespace grantfs
