#include "commands_internal.h"
#include "doctor_mounts_internal.h"
#include "grantfs/client/doctor.h"
#include "grantfs/util/file.h"
#include "table_internal.h"

namespace grantfs {
namespace {

const char* LevelName(Finding::Level level) {
  switch (level) {
    case Finding::Level::kGood:
      return "good";
    case Finding::Level::kNote:
      return "note";
    case Finding::Level::kWarning:
      return "warning";
    case Finding::Level::kFailure:
      return "failure";
  }
  std::abort();
}

Json ToJson(const Finding& finding) {
  return Json::Object({{"level", LevelName(finding.level)},
                       {"check", finding.check},
                       {"found", finding.sentence},
                       {"mend", finding.mend}});
}

Status RunDoctorCommand(Context& context) {
  const auto mounts = LookAtMounts(context.home);
  auto findings = RunDoctor(context.home, PathExists(context.data) ? context.data : "", context.Client());
  findings.insert(findings.end(), mounts.begin(), mounts.end());
  std::size_t failures = 0;
  Json list = Json::Array();
  Table table({"LEVEL", "CHECK", "FOUND"});
  for (const Finding& finding : findings) {
    failures += finding.level == Finding::Level::kFailure ? 1 : 0;
    list.Append(ToJson(finding));
    table.Add({LevelName(finding.level), finding.check, finding.sentence});
    if (!finding.mend.empty()) table.Add({" ", " ", "mend: " + finding.mend});
  }
  if (context.json())
    context.terminal.OutJson(Json::Object({{"findings", std::move(list)}}));
  else
    context.terminal.Out(table.Text());
  if (failures == 0) return {};
  return Error{Code::kIo, "mend what is said above; then run it again", 0, Count(failures, "failure")};
}

}  // namespace

const Command kDoctorCommand = {
    .name = "doctor",
    .arguments = "",
    .min_arguments = 0,
    .max_arguments = 0,
    .summary = "look for what is wrong, and say what mends it",
    .about =
        R"(Looks at the home, its files, modes and disk, the clock, the way to the vault, the vault's identity and lists,
at the mounts of this home and the programs that serve them, and at the vault's data where that is on this host. Each finding that needs something says what; the
exit code is 1 if one is a failure.)",
    .options = {{"passphrase-file", "FILE",
                 "the passphrase of the key there (grantfs key protect), in a file of yours (0600); else it "
                 "is asked for"}},
    .examples = {{"grantfs doctor",
                  R"(LEVEL    CHECK        FOUND
good     home.mode    only its owner may enter /etc/grantfs
...
failure  vault.reach  vault.lan:7843: no connection could be made (Connection refused)
                      mend: start it with grantfs serve, or mend the way to vault.lan:7843)"},
                 {"grantfs doctor --json",
                  "{\"findings\": [{\"level\": \"good\", \"check\": \"home.mode\", ...}]}"}},
    .next = "do what the lines that begin with mend say.",
    .failure = "not everything is well",
    .run = RunDoctorCommand,
    .uses_data = true,
};

}  // namespace grantfs
