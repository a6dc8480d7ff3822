#include <algorithm>
#include <array>
#include <iomanip>
#include <set>
#include <sstream>

#include "grantfs/trust/conditions.h"
#include "grantfs/util/clock.h"
#include "grantfs/util/text.h"
#include "mount/callers/decide_internal.h"
#include "mount/reports/report_internal.h"

namespace grantfs {

namespace {

constexpr const char* kGrantsHint = " (.grantfs/grants names them and says why)";

/// Its rotation. The vault serves it all the same.
bool IsOverdue(const GrantedSecret& grant, std::int64_t now) {
  return grant.rotate_due != 0 && grant.rotate_due <= now;
}

struct Counts {
  std::set<std::string> frozen;  ///< a sentence for each freeze
  std::size_t shown = 0, expired = 0, unenforceable = 0, others = 0, overdue = 0;
};

Counts CountFiles(const ReportInput& input) {
  Counts counts;
  for (const auto& [number, file] : input.tree->secrets()) {
    ++counts.shown;
    if (input.only_user && file.attributes.uid != *input.only_user) ++counts.others;
    if (IsOverdue(*file.grant, input.now)) ++counts.overdue;
    if (!file.grant->frozen.empty()) {
      counts.frozen.insert(file.grant->frozen);
    } else if (!file.grant->unenforceable.empty()) {
      ++counts.unenforceable;
    } else if (RefuseOpen(*file.grant, input.now)) {
      ++counts.expired;
    }
  }
  return counts;
}

std::string Connection(const SourceStatus& source) {
  if (source.connected) return source.settled ? "connected, settled" : "connected";
  if (source.last_heard == 0) return "not connected, and not heard since the mount began";
  return "not connected, last heard " + FormatTime(source.last_heard);
}

std::string RotationOf(const GrantedSecret& grant, std::int64_t now) {
  if (grant.rotate_due == 0) return {};
  return (IsOverdue(grant, now) ? ", rotation overdue since " : ", to be rotated by ") +
         FormatTime(grant.rotate_due);
}

std::string LeaseOf(const GrantedSecret& grant) {
  std::string text;
  if (grant.lease > 0) text += ", lease " + FormatDuration(grant.lease);
  if (grant.offline > 0) text += ", offline " + FormatDuration(grant.offline);
  return text.empty() || grant.record == "each" ? text : text + ", record " + grant.record;
}

std::string StateOf(const GrantedSecret& grant, std::int64_t now) {
  if (!grant.frozen.empty()) return "frozen: " + Printable(grant.frozen);
  if (!grant.unenforceable.empty()) return "refused: " + Printable(grant.unenforceable);
  if (RefuseOpen(grant, now)) return "expired " + FormatTime(grant.expires);
  if (grant.expires != 0)
    return "until " + FormatTime(grant.expires) + LeaseOf(grant) + RotationOf(grant, now);
  return (grant.strict ? "granted, strict" : "granted") + LeaseOf(grant) + RotationOf(grant, now);
}

std::string VersionText(const GrantedSecret& grant) {
  return "  version " + std::to_string(grant.version) + "  " + Count(grant.size, "byte");
}

std::string MadeOf(const GrantedSecret& grant) {
  return "  made of " + Count(grant.parts, "secret") + "  at most " + Count(grant.size, "byte");
}

void AddLine(std::ostringstream* out, const char* name, const std::string& text) {
  *out << std::left << std::setw(12) << name << Printable(text) << "\n";
}

}  // namespace

std::string StatusReport(const ReportInput& input) {
  const Counts counts = CountFiles(input);
  std::ostringstream out;
  AddLine(&out, "mount", input.mount_point + (input.root.empty() ? "" : " shows " + input.root));
  AddLine(&out, "vault", input.source.vault_address + " " + input.source.vault_id);
  AddLine(&out, "machine", input.source.machine);
  AddLine(&out, "connection", Connection(input.source));
  if (!input.source.problem.empty()) AddLine(&out, "problem", input.source.problem);
  AddLine(&out, "files",
          std::to_string(counts.shown) + " shown, " + std::to_string(input.open_files) + " open");
  if (input.throttled > 0)
    AddLine(&out, "throttled",
            Count(input.throttled, "read") +
                " refused, since too many of one user's, or of all users', waited for the vault");
  if (input.source.unsent > 0)
    AddLine(&out, "to be told",
            Count(input.source.unsent, "read") + " under leases or offline" +
                (input.source.untold.empty() ? "" : ", since " + input.source.untold));
  if (input.source.proved + input.source.unproved > 0)
    AddLine(
        &out, "audit log",
        Count(input.source.proved, "read") + " of this machine found in it" +
            (input.source.unproved == 0 ? ""
                                        : ", " + std::to_string(input.source.unproved) + " not looked for"));
  if (!input.source.log_problem.empty()) AddLine(&out, "audit log", "CRITICAL: " + input.source.log_problem);
  const auto add_count = [&out](const char* name, std::size_t count, const char* what) {
    if (count > 0) AddLine(&out, name, std::to_string(count) + what + kGrantsHint);
  };
  if (input.only_user)
    AddLine(&out, "access",
            "user " + std::to_string(*input.only_user) +
                " alone: the kernel lets no other user in, not even root; a mount that root"
                " makes serves all users");
  add_count("others", counts.others, " of other owners, who cannot reach them in this mount");
  add_count("hidden", input.tree->hidden().size(), " granted without a file");
  add_count("expired", counts.expired, " whose grant has expired");
  add_count("overdue", counts.overdue, " to be rotated, for which no lease holds until they are");
  for (const std::string& freeze : counts.frozen) AddLine(&out, "frozen", freeze);
  add_count("refused", counts.unenforceable, " whose grant this mount cannot enforce");
  add_count("notices", input.source.notices.size(), " from the vault's lists");
  AddLine(&out, "worker", input.worker);
  AddLine(&out, "held by", input.holder);
  AddLine(&out, "kernel", "Linux " + input.kernel);
  AddLine(&out, "shared mmap",
          input.shared_mmap ? "yes" : "no: the kernel does not offer it (Linux 6.6 does)");
  AddLine(
      &out, "watchers",
      input.unseen_rotations.empty() ? "see rotations" : "do not see rotations: " + input.unseen_rotations);
  if (!input.on_change.empty()) AddLine(&out, "on-change", "the command " + input.on_change);
  return out.str();
}

std::string GrantsReport(const ReportInput& input) {
  std::vector<const SecretFile*> files;
  for (const auto& [number, file] : input.tree->secrets()) files.push_back(&file);
  std::sort(files.begin(), files.end(), [](const SecretFile* a, const SecretFile* b) {
    return std::tie(a->grant->environment, a->grant->path) < std::tie(b->grant->environment, b->grant->path);
  });
  std::ostringstream out;
  for (const SecretFile* file : files) {
    const GrantedSecret& grant = *file->grant;
    out << Printable(grant.environment + "/" + grant.path)
        << (grant.parts > 0 ? MadeOf(grant) : VersionText(grant)) << "  " << FormatTime(grant.time) << "  "
        << file->attributes.uid << ":" << file->attributes.gid << " " << std::oct << std::setw(4)
        << std::setfill('0') << std::right << file->attributes.mode << std::dec << std::setfill(' ') << "  "
        << StateOf(grant, input.now)
        << (grant.conditions.empty() ? "" : "  only " + Printable(JoinConditions(grant.conditions)))
        << (grant.by.empty() ? "" : "  by " + Printable(grant.by)) << "\n";
  }
  for (const HiddenSecret& hidden : input.tree->hidden()) {
    out << Printable(hidden.name) << "  hidden: " << Printable(hidden.reason) << "\n";
  }
  for (const std::string& notice : input.source.notices) out << "notice: " << Printable(notice) << "\n";
  return out.str();
}

std::string DenialsReport(const std::vector<Denial>& denials) {
  std::vector<std::array<std::string, 8>> rows = {
      {"LAST", "COUNT", "USER", "PROCESS", "SECRET", "EXECUTABLE", "CGROUP", "REASON"}};
  for (const Denial& denial : denials) {
    const Caller& caller = denial.read.caller;
    rows.push_back({FormatTime(denial.read.last), std::to_string(denial.read.count),
                    std::to_string(caller.uid), std::to_string(caller.pid), Printable(denial.name),
                    Printable(caller.executable), Printable(caller.cgroup), Printable(denial.read.reason)});
  }
  std::array<std::size_t, 8> widths{};
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::ostringstream out;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i + 1 < row.size(); ++i)
      out << std::left << std::setw(static_cast<int>(widths[i]) + 2) << row[i];
    out << row.back() << "\n";
  }
  return out.str();
}

}  // namespace grantfs
