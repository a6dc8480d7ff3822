#include "grantfs/client/machine_session.h"

#include "client/homes/connect_internal.h"
#include "grantfs/json/json.h"
#include "grantfs/log/log.h"
#include "machine_internal.h"

namespace grantfs {
namespace {

constexpr std::chrono::seconds kConnectedWithin{5};
constexpr std::chrono::seconds kLastReports{10};  ///< at the end, for a vault that takes them

Result<PrivateIdentity> IdentityOf(const HomeProfile& profile, const SecretMemory& seed) {
  return PrivateIdentity::FromSeed(seed, profile.kind, profile.name);
}

Result<std::unique_ptr<MachineSession>> BeginSession(Home home, PrivateIdentity identity,
                                                     MachineOptions options) {
  options.seed.reset();
  auto session =
      std::make_unique<MachineSessionImpl>(std::move(home), std::move(identity), std::move(options));
  GRANTFS_CHECK(session->Begin());
  return std::unique_ptr<MachineSession>(std::move(session));
}

}  // namespace

Result<Home> OpenMachineHome(const std::string& directory) {
  Home home = GRANTFS_TRY(Home::Open(directory));
  if (home.profile().kind == IdentityKind::kMachine) return home;
  return Error{
      Code::kInvalid,
      "this home is not a machine's: enrol this machine with grantfs enroll, or name its home with --home", 0,
      directory};
}

Result<std::unique_ptr<MachineSession>> MachineSession::Start(const std::string& home_directory,
                                                              MachineOptions options) {
  Home home = GRANTFS_TRY(OpenMachineHome(home_directory));
  PrivateIdentity identity = options.seed ? GRANTFS_TRY(IdentityOf(home.profile(), *options.seed))
                                          : GRANTFS_TRY(home.LoadIdentity());
  return BeginSession(std::move(home), std::move(identity), std::move(options));
}

Result<std::unique_ptr<MachineSession>> MachineSession::StartHanded(Home home, MachineOptions options) {
  PrivateIdentity identity = GRANTFS_TRY(IdentityOf(home.profile(), options.seed.value()));
  return BeginSession(std::move(home), std::move(identity), std::move(options));
}

Status MachineSessionImpl::Begin() {
  timer_ = std::make_unique<Timer>(options_.pausing);
  known_ = GRANTFS_TRY(KnownStore::Open(home_.KnownPath(), KnownStore::Missing::kRefuse));
  {
    const Transaction together = GRANTFS_TRY(known_->ReadTogether());
    GRANTFS_CHECK(Connect());
    reporter_ = std::make_unique<RefusalReporter>(vault_.get(), timer_.get(), options_.kept);
    GRANTFS_CHECK(LoadKept());
    LoadComplaints();
  }
  LoadOffline();
  LoadLeases();
  if (options_.watch) keeper_thread_ = std::thread([this] { RunKeeper(); });
  refresher_ = std::thread([this] { RunRefresher(); });
  if (options_.watch) OpenStream();
  reporter_->Resume();
  return {};
}

MachineSessionImpl::~MachineSessionImpl() {
  const bool keeps = keeper_thread_.joinable();
  if (reporter_) reporter_->Drain(kLastReports);
  {
    const std::lock_guard guard(work_mutex_);
    stop_ = true;
  }
  work_changed_.notify_all();
  round_ended_.notify_all();
  {
    const std::lock_guard guard(keeper_mutex_);
    keeper_stop_ = true;
    keeper_changed_.notify_all();
  }
  if (keeper_thread_.joinable()) keeper_thread_.join();
  if (vault_) vault_->Close();
  if (refresher_.joinable()) refresher_.join();
  std::set<std::shared_ptr<Pending>> pending;
  {
    const std::lock_guard guard(pending_mutex_);
    pending = pending_;
  }
  for (const auto& one : pending) one->Cancel();
  timer_.reset();
  if (keeps) KeepLast();
  vault_.reset();
  journal_.reset();
}

Status MachineSessionImpl::Connect() {
  const HomeProfile& profile = home_.profile();
  journal_ = Journal::Make({.directory = home_.JournalPath(),
                            .vault = profile.vault,
                            .key = &me_.signing_key(),
                            .clock = options_.clock});
  offline_ = std::make_unique<OfflineStore>(home_.OfflinePath());
  const auto peer = GRANTFS_TRY(known_->ReadPeer());
  complete_ = peer.change;
  ConnectionOptions connection =
      ConnectionTo(profile, {.deadline = options_.deadline, .clock = options_.clock, .progress = {}}, peer);
  connection.http = std::move(options_.http);
  connection.learnt = [this](const std::string& instance, std::int64_t offset) {
    const auto remember = [this, instance, offset] {
      if (auto kept = known_->RememberPeer(instance, offset); !kept)
        Log(LogLevel::kWarning, "could not remember the vault's instance", kept.error());
    };
    options_.watch ? LeaveToKeeper(remember) : remember();
  };
  vault_ = GRANTFS_TRY(VaultConnection::Create(std::move(connection), me_.Id().Hex(), &me_.signing_key()));
  keeper_ = std::make_unique<ListKeeper>(known_.get(), vault_.get(), profile.vault);
  GRANTFS_CHECK(keeper_->Load());
  if (!keeper_->vault().empty()) GRANTFS_CHECK(vault_->UsePins(keeper_->vault().pins()));
  keeper_->pins_changed = [this](const std::vector<Hash>& pins) { return vault_->UsePins(pins); };
  return {};
}

void MachineSessionImpl::LoadEnvironment(MachineView& next, const std::string& name) {
  if (next.environments.contains(name)) return;
  Status loaded = keeper_->LoadEnvironment(name);
  const EnvironmentList* list = keeper_->FindEnvironment(name);
  if (loaded && list != nullptr) loaded = list->CheckStanding({next.vault.get(), nullptr});
  if (loaded && list != nullptr) next.environments[name] = std::make_shared<const EnvironmentList>(*list);
  if (!loaded) next.environment_problems[name] = Describe(loaded.error());
}

Status MachineSessionImpl::LoadFreezes(MachineView& next) {
  const std::string text = GRANTFS_TRY(known_->Freezes());
  if (text.empty()) return {};
  const Json list = GRANTFS_TRY(ParseJson(text, {.max_bytes = api::kMaxResponseBytes}));
  if (!list.is(Json::Kind::kArray))
    return Error{Code::kIntegrity, "what it keeps of freezes is damaged", 0, home_.KnownPath()};
  for (const Json& item : list.Items()) next.freezes.push_back(GRANTFS_TRY(api::Freeze::FromJson(item)));
  return {};
}

// What does not verify any more is left out: the vault shows it again.
Status MachineSessionImpl::LoadKept() {
  auto next = std::make_shared<MachineView>();
  next->not_after = home_.profile().not_after;
  next->listing = std::make_shared<const Listing>();
  next->vault = std::make_shared<const VaultList>(keeper_->vault());
  GRANTFS_CHECK(LoadFreezes(*next));
  for (const std::uint64_t number : GRANTFS_TRY(known_->GrantedNumbers())) {
    const auto granted = GRANTFS_TRY(known_->FindGranted(number));
    if (!granted) continue;
    const auto name = GRANTFS_TRY(known_->NameOf(number));
    if (name) LoadEnvironment(*next, name->environment);
    auto secret = ViewFromText(granted->data, granted->statements, *next, me_.identity());
    if (secret) {
      next->secrets[number] = std::move(*secret);
    } else {
      next->refused[number] = Describe(secret.error());
    }
  }
  if (auto groups = LoadGroups(*next); !groups) return groups;
  if (!next->refused.empty()) complete_ = 0;
  if (!next->vault->empty()) {
    if (auto standing = next->vault->CheckStanding({}); !standing)
      next->vault_problem = Describe(standing.error());
  }
  Show(std::move(next));
  return {};
}

std::shared_ptr<const MachineView> MachineSessionImpl::view() const {
  const std::lock_guard guard(view_mutex_);
  return view_;
}

void MachineSessionImpl::Show(std::shared_ptr<MachineView> next) {
  const auto before = view();
  next->bundles = MakeBundles(*next, before ? &before->bundles : nullptr);
  next->listing = MakeListing(*next, before ? before->listing : std::make_shared<const Listing>());
  const bool changed = before && next->listing->generation != before->listing->generation;
  {
    const std::lock_guard guard(view_mutex_);
    view_ = std::move(next);
  }
  laid_out_ = true;
  DropHeld();
  if (!changed) return;
  const std::lock_guard guard(subscriber_mutex_);
  if (subscriber_) subscriber_();
}

void MachineSessionImpl::Subscribe(std::function<void()> changed) {
  const std::lock_guard guard(subscriber_mutex_);
  subscriber_ = std::move(changed);
}

std::shared_ptr<const Listing> MachineSessionImpl::CurrentListing() const { return view()->listing; }

SourceStatus MachineSessionImpl::CurrentStatus() const {
  SourceStatus status;
  const HomeProfile& profile = home_.profile();
  status.vault_id = profile.vault.Hex();
  status.vault_address = profile.address.Text();
  status.machine = profile.name;
  status.connected = listens_ && HeardBeatWithin(kConnectedWithin);
  status.refused = refused_;
  status.settled = leases_.LastHeard().has_value();
  status.notices = view()->Notices();
  status.unsent = options_.watch ? journal_->Waiting() : Journal::CountWaiting(home_.JournalPath());
  if (const std::string problem = journal_->Problem(); !problem.empty())
    status.notices.push_back("the journal of reads: " + problem);
  const ReadChecks::Figures checked = checks_.figures();
  status.proved = checked.proved;
  status.unproved = checked.left_out;
  const std::lock_guard guard(status_mutex_);
  status.log_problem = log_problem_;
  const auto add = [&status](const std::string& problem) {
    if (!problem.empty()) status.log_problem += (status.log_problem.empty() ? "" : "; ") + problem;
  };
  add(record_problem_);
  for (const KeptComplaint& kept : complaints_)
    if (log_problem_.empty() && record_problem_.empty()) add(DescribeComplaint(kept));
  status.last_heard = last_heard_;
  status.problem = problem_;
  status.untold = journal_problem_;
  return status;
}

bool MachineSessionImpl::HeardWithin(std::chrono::milliseconds within) const {
  // A revocation may be among what it could not look at (its disk is full, say).
  return !behind_ && HeardBeatWithin(within);
}

bool MachineSessionImpl::HeardBeatWithin(std::chrono::milliseconds within) const {
  const std::int64_t heard = heard_boot_ns_.load();
  if (heard < 0) return false;
  return options_.clock->Boot() - std::chrono::nanoseconds(heard) <= within;
}

bool MachineSessionImpl::SetProblem(std::string problem) {
  const std::lock_guard guard(status_mutex_);
  const bool other = problem != problem_;
  problem_ = std::move(problem);
  return other;
}

Status MachineSessionImpl::WaitUntilCurrent(std::chrono::milliseconds wait) {
  const auto end = Timer::Clock::now() + wait;
  std::unique_lock lock(work_mutex_);
  if (!options_.watch && rounds_ == 0) {
    work_.everything = true;
    failure_.reset();
    work_changed_.notify_all();
  }
  const auto settled = [&] {
    if (stop_ || rounds_ > 0) return true;
    return failure_ && (!options_.watch || failure_->code != Code::kUnreachable);
  };
  round_ended_.wait_until(lock, end, settled);
  if (rounds_ > 0) return {};
  if (failure_) return *failure_;
  return Error{Code::kUnreachable, "the vault did not answer in time: is it running, and the address right?",
               0, home_.profile().address.Text()};
}

}  // namespace grantfs
