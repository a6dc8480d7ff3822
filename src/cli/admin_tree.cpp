#include <map>

#include "admin_tree_internal.h"
#include "grantfs/util/clock.h"
#include "grantfs/util/text.h"

namespace grantfs {
namespace {

using MakeReport = std::function<AdminReport()>;

std::string Unchanged(std::string_view part) { return std::string(part); }

/// A part of a secret's name where files have a .json beside them: no two parts get the same name, and none
/// gets another's .json.
std::string BesideJson(std::string_view part) {
  std::string name(part);
  const std::size_t last = name.find_last_not_of('~');
  name.append(name.size() - (last == std::string::npos ? 0 : last + 1), '~');
  return part.ends_with(".json") ? name + "~" : name;
}

ReportDirectory* EnterParts(ReportDirectory* from, std::string_view path,
                            std::string (*name)(std::string_view)) {
  for (const std::string_view part : Split(path, '/')) from = from->Enter(name(part));
  return from;
}

/// Lays a view out. What the reports are made of lives as long as each of them.
class AdminTreeBuilder {
 public:
  explicit AdminTreeBuilder(const AdminView& view) : snapshot_(view.snapshot) {
    if (!view.problem.empty())
      stale_ = "this is of " + FormatTime(view.time) + ": " + Printable(view.problem);
  }

  std::shared_ptr<const ReportDirectory> Build() {
    const AdminSnapshot& all = *snapshot_;
    Add(root_.get(), "info", [&all] { return ReportVault(all); });
    AddMachines();
    ReportDirectory* projects = root_->Enter("projects");
    for (const std::string& environment : all.environments) EnterParts(projects, environment, Unchanged);
    for (const auto& secret : all.secrets) AddSecret(projects, *secret);
    ReportDirectory* audit = root_->Enter("audit");
    Add(audit, "recent", [&all] { return ReportAudit(all, all.recent); });
    Add(audit, "critical", [&all] { return ReportAudit(all, all.critical); });
    return root_;
  }

 private:
  /// The text and, beside it, the JSON.
  void Add(ReportDirectory* directory, const std::string& name, const MakeReport& make) {
    constexpr std::string_view kJson = ".json";
    constexpr std::size_t kSpareBytes = 8;  // for what tells several names apart that are cut to the same
    const std::string fit = ReportDirectory::Fit(name, kJson.size() + kSpareBytes);
    const std::string got = directory->AddFile(fit, [make, kept = snapshot_, stale = stale_] {
      return (stale.empty() ? "" : "stale: " + stale + "\n") + make().text;
    });
    directory->AddFile(got + ".json", [make, kept = snapshot_, stale = stale_] {
      return make().json.Set("stale", stale).Dump() + "\n";
    });
  }

  void AddMachines() {
    for (const IdentityInfo& machine : snapshot_->machines)
      if (!machine.removed) AddMachine(machine);
    for (const auto& secret : snapshot_->secrets) {
      for (const GrantInfo& grant : secret->grants) {
        if (!snapshot_->machines_known && grants_.count(grant.machine_id) == 0) AddMachine(GranteeOf(grant));
        if (const auto found = grants_.find(grant.machine_id); found != grants_.end())
          AddGrant(found->second, *secret, grant);
      }
    }
  }

  /// As much as a grant tells of its machine.
  static IdentityInfo GranteeOf(const GrantInfo& grant) {
    IdentityInfo machine;
    machine.name = grant.machine;
    machine.id = grant.machine_id;
    return machine;
  }

  void AddMachine(const IdentityInfo& machine) {
    ReportDirectory* directory = machines_->Enter(machine.name);
    Add(directory, "info", [all = snapshot_.get(), machine] { return ReportMachine(*all, machine); });
    grants_[machine.id] = directory->Enter("grants");
  }

  void AddGrant(ReportDirectory* grants, const SecretSurvey& secret, const GrantInfo& grant) {
    const std::string full = grant.secret.Full();
    const std::size_t slash = full.rfind('/');
    const std::string_view last = std::string_view(full).substr(slash + 1);
    ReportDirectory* directory = EnterParts(grants, std::string_view(full).substr(0, slash), BesideJson);
    Add(directory, BesideJson(last),
        [&secret, &grant] { return ReportGrant(secret, grant, SystemClock().WallSeconds()); });
  }

  void AddSecret(ReportDirectory* projects, const SecretSurvey& secret) {
    ReportDirectory* directory = EnterParts(projects, secret.info.name.Full(), Unchanged);
    Add(directory, "info",
        [all = snapshot_.get(), &secret] { return ReportSecret(*all, secret, SystemClock().WallSeconds()); });
    Add(directory, "versions", [&secret] { return ReportVersions(secret); });
    Add(directory, "readers", [all = snapshot_.get(), &secret] {
      return ReportReaders(*all, secret, SystemClock().WallSeconds());
    });
  }

  std::shared_ptr<const AdminSnapshot> snapshot_;
  std::string stale_;  ///< "" = it is not
  std::shared_ptr<ReportDirectory> root_ = std::make_shared<ReportDirectory>();
  ReportDirectory* machines_ = root_->Enter("machines");
  std::map<std::string, ReportDirectory*> grants_;  ///< by the machine's id
};

}  // namespace

std::shared_ptr<const ReportDirectory> BuildAdminTree(const AdminView& view) {
  return AdminTreeBuilder(view).Build();
}

}  // namespace grantfs
