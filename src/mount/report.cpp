#include <algorithm>
#include <iomanip>
#include <sstream>

#include "grantfs/util/clock.h"
#include "grantfs/util/text.h"
#include "mount/decide_internal.h"
#include "mount/report_internal.h"

namespace grantfs {

namespace {

constexpr const char* kGrantsHint = " (.grantfs/grants names them and says why)";

struct Counts {
  std::size_t shown = 0, expired = 0, unenforceable = 0;
};

Counts Count(const ReportInput& input) {
  Counts counts;
  for (const auto& [number, file] : input.tree->secrets()) {
    ++counts.shown;
    if (!file.grant->unenforceable.empty()) {
      ++counts.unenforceable;
    } else if (RefuseOpen(*file.grant, input.now)) {
      ++counts.expired;
    }
  }
  return counts;
}

std::string Connection(const SourceStatus& source) {
  if (source.connected) return "connected";
  if (source.last_heard == 0) return "not connected, and not heard since the mount began";
  return "not connected, last heard " + FormatTime(source.last_heard);
}

std::string StateOf(const GrantedSecret& grant, std::int64_t now) {
  if (!grant.unenforceable.empty()) return "refused: " + Printable(grant.unenforceable);
  if (RefuseOpen(grant, now)) return "expired " + FormatTime(grant.expires);
  if (grant.expires != 0) return "until " + FormatTime(grant.expires);
  return grant.strict ? "granted, strict" : "granted";
}

void AddLine(std::ostringstream* out, const char* name, const std::string& text) {
  *out << std::left << std::setw(12) << name << Printable(text) << "\n";
}

}  // namespace

std::string StatusReport(const ReportInput& input) {
  const Counts counts = Count(input);
  std::ostringstream out;
  AddLine(&out, "mount", input.mount_point + (input.root.empty() ? "" : " shows " + input.root));
  AddLine(&out, "vault", input.source.vault_address + " " + input.source.vault_id);
  AddLine(&out, "machine", input.source.machine);
  AddLine(&out, "connection", Connection(input.source));
  if (!input.source.problem.empty()) AddLine(&out, "problem", input.source.problem);
  AddLine(&out, "files",
          std::to_string(counts.shown) + " shown, " + std::to_string(input.open_files) + " open");
  const auto add_count = [&out](const char* name, std::size_t count, const char* what) {
    if (count > 0) AddLine(&out, name, std::to_string(count) + what + kGrantsHint);
  };
  add_count("hidden", input.tree->hidden().size(), " granted without a file");
  add_count("expired", counts.expired, " whose grant has expired");
  add_count("refused", counts.unenforceable, " whose grant this mount cannot enforce");
  add_count("notices", input.source.notices.size(), " from the vault's lists");
  AddLine(&out, "worker", input.worker);
  AddLine(&out, "kernel", "Linux " + input.kernel);
  AddLine(&out, "shared mmap",
          input.shared_mmap ? "yes" : "no: the kernel does not offer it (Linux 6.6 does)");
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
    out << Printable(grant.environment + "/" + grant.path) << "  version " << grant.version << "  "
        << grant.size << " bytes  " << FormatTime(grant.time) << "  " << file->attributes.uid << ":"
        << file->attributes.gid << " " << std::oct << std::setw(4) << std::setfill('0') << std::right
        << file->attributes.mode << std::dec << std::setfill(' ') << "  " << StateOf(grant, input.now)
        << "\n";
  }
  for (const HiddenSecret& hidden : input.tree->hidden()) {
    out << Printable(hidden.name) << "  hidden: " << Printable(hidden.reason) << "\n";
  }
  for (const std::string& notice : input.source.notices) out << "notice: " << Printable(notice) << "\n";
  return out.str();
}

}  // namespace grantfs
