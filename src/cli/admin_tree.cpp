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
  explicit AdminTreeBuilder(const AdminView& view)
      : facts_(std::make_shared<const AdminFacts>(view.snapshot)) {
    if (!view.problem.empty())
      stale_ = "this is of " + FormatTime(view.time) + ": " + Printable(view.problem);
  }

  std::shared_ptr<const ReportDirectory> Build() {
    const AdminSnapshot& all = *facts_->snapshot;
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
  using Facts = std::shared_ptr<const AdminFacts>;

  /// The text and, beside it, the JSON.
  static void AddTo(ReportDirectory& directory, const Facts& facts, const std::string& stale,
                    const std::string& name, const MakeReport& make) {
    constexpr std::string_view kJson = ".json";
    constexpr std::size_t kSpareBytes = 8;  // for what tells several names apart that are cut to the same
    const std::string fit = ReportDirectory::Fit(name, kJson.size() + kSpareBytes);
    const std::string got = directory.AddFile(fit, [make, kept = facts, stale] {
      return (stale.empty() ? "" : "stale: " + stale + "\n") + make().text;
    });
    directory.AddFile(got + ".json",
                      [make, kept = facts, stale] { return make().json.Set("stale", stale).Dump() + "\n"; });
  }
  void Add(ReportDirectory* directory, const std::string& name, const MakeReport& make) {
    AddTo(*directory, facts_, stale_, name, make);
  }

  void AddMachines() {
    std::map<std::string, std::vector<IdentityInfo>> by_name;  // two of one name: what a lying vault serves
    for (const IdentityInfo& machine : facts_->snapshot->machines)
      if (!machine.removed) by_name[machine.name].push_back(machine);
    if (!facts_->snapshot->machines_known) {
      for (const auto& [id, name] : facts_->readership.machines()) by_name[name].push_back(Named(name, id));
    }
    for (const auto& [name, machines] : by_name) AddMachine(name, machines);
  }

  /// As much as grants and groups tell of a machine.
  static IdentityInfo Named(const std::string& name, const std::string& id) {
    IdentityInfo machine;
    machine.name = name;
    machine.id = id;
    return machine;
  }

  // What it may read by groups and prefixes is put together when somebody looks.
  void AddMachine(const std::string& name, const std::vector<IdentityInfo>& machines) {
    ReportDirectory* directory = machines_->Enter(name);
    for (const IdentityInfo& machine : machines)
      Add(directory, "info", [all = facts_.get(), machine] { return ReportMachine(*all, machine); });
    directory->AddDirectory(
        "grants", filled_, [facts = facts_, stale = stale_, machines](ReportDirectory& grants) {
          for (const IdentityInfo& machine : machines) {
            for (GrantInfo& grant : facts->readership.OfMachine(machine.id, SystemClock().WallSeconds()))
              AddGrant(grants, facts, stale, std::make_shared<const GrantInfo>(std::move(grant)));
          }
        });
  }

  static void AddGrant(ReportDirectory& grants, const Facts& facts, const std::string& stale,
                       const std::shared_ptr<const GrantInfo>& grant) {
    const SecretSurvey* secret = facts->readership.FindSecret(grant->secret);
    const std::string full = grant->secret.Full();
    const std::size_t slash = full.rfind('/');
    const std::string_view last = std::string_view(full).substr(slash + 1);
    ReportDirectory* directory = EnterParts(&grants, std::string_view(full).substr(0, slash), BesideJson);
    AddTo(*directory, facts, stale, BesideJson(last),
          [secret, grant] { return ReportGrant(*secret, *grant, SystemClock().WallSeconds()); });
  }

  void AddSecret(ReportDirectory* projects, const SecretSurvey& secret) {
    ReportDirectory* directory = EnterParts(projects, secret.info.name.Full(), Unchanged);
    Add(directory, "info",
        [all = facts_.get(), &secret] { return ReportSecret(*all, secret, SystemClock().WallSeconds()); });
    Add(directory, "versions", [&secret] { return ReportVersions(secret); });
    Add(directory, "readers",
        [all = facts_.get(), &secret] { return ReportReaders(*all, secret, SystemClock().WallSeconds()); });
  }

  Facts facts_;
  std::string stale_;  ///< "" = it is not
  std::shared_ptr<FilledReports> filled_ = std::make_shared<FilledReports>();
  std::shared_ptr<ReportDirectory> root_ = std::make_shared<ReportDirectory>();
  ReportDirectory* machines_ = root_->Enter("machines");
};

}  // namespace

std::shared_ptr<const ReportDirectory> BuildAdminTree(const AdminView& view) {
  return AdminTreeBuilder(view).Build();
}

}  // namespace grantfs
