#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "client/log/log_judge_internal.h"
#include "forward_clock_internal.h"
#include "grantfs/api/watch.h"
#include "grantfs/client/home.h"
#include "grantfs/client/list_keeper.h"
#include "grantfs/client/machine_session.h"
#include "grantfs/journal/journal.h"
#include "held_versions_internal.h"
#include "kept_leases_internal.h"
#include "machine_view_internal.h"
#include "offline_store_internal.h"
#include "read_checks_internal.h"
#include "refusal_reporter_internal.h"
#include "timer_internal.h"

namespace grantfs {

inline constexpr char kWhereLifeIsOver[] =
    "this machine was let into the vault for some time, which is over: let it enrol anew, with another home";

/// What a machine can say of an open by itself. @param now  unix seconds.
/// Errors: kNotFound, kIntegrity, kUnsupported, kExpired.
Status CheckLocally(const MachineView& view, std::uint64_t number, std::int64_t now);

/// The one implementation. What is shown is a MachineView that is replaced whole, by the refresher's thread
/// alone; opens judge their answers by it on the connection's threads; the timer's thread ends what takes too
/// long.
class MachineSessionImpl final : public MachineSession {
 public:
  MachineSessionImpl(Home home, PrivateIdentity identity, MachineOptions options)
      : home_(std::move(home)), me_(std::move(identity)), options_(std::move(options)) {}
  ~MachineSessionImpl() override;
  Status Begin();

  std::shared_ptr<const Listing> CurrentListing() const override;
  SourceStatus CurrentStatus() const override;
  std::shared_ptr<Pending> Open(OpenRequest request, std::chrono::milliseconds deadline,
                                OpenDone done) override;
  std::optional<Result<OpenedSecret>> OpenAtOnce(const OpenRequest& request) override;
  void Subscribe(std::function<void()> changed) override;
  bool HeardWithin(std::chrono::milliseconds within) const override;
  bool LeaseStands(std::uint64_t number) const override;
  std::shared_ptr<Pending> Check(std::uint64_t number, std::uint32_t version,
                                 std::chrono::milliseconds deadline, CheckDone done) override;
  void ReportRefusals(std::vector<RefusedRead> refusals) override { reporter_->Add(std::move(refusals)); }
  Result<SecretValue> Reopen(std::uint64_t number, std::uint32_t version,
                             const std::string& evidence) override;
  Status WaitUntilCurrent(std::chrono::milliseconds wait) override;

 private:
  class Opening;
  class Bundling;
  class BundleChecking;
  class Checking;
  /// What the refresher has to look at.
  struct Work {
    bool everything = false;  ///< all grants, page by page
    bool upper = false;       ///< vault and environments
    std::set<std::uint64_t> secrets;
    std::set<std::string> frozen;  ///< environments, "" = the machine: something was frozen or lifted there
    std::uint64_t change = 0;      ///< up to which the listing is complete when it is done
    bool empty() const { return !everything && !upper && secrets.empty() && frozen.empty() && change == 0; }
    /// A vault that names changes faster than they can be looked at is asked for everything instead.
    void Add(const Work& more);
  };
  /// An open that waits for its secret to be looked at anew.
  struct Waiter {
    std::uint64_t number = 0;
    std::function<void(Status)> looked;
  };

  /// A view in the making, on the refresher's thread. What is taken into it is remembered page by page, but
  /// shown now and then: each time, all that is granted is laid out anew.
  struct Draft {
    std::shared_ptr<MachineView> next;
    std::vector<KnownStore::Granted> keep;  ///< to be remembered
    std::size_t unshown = 0;                ///< secrets that were taken since the last was shown
    bool urgent = false;                    ///< of something that is shown it says something else
  };

  std::shared_ptr<const MachineView> view() const;
  void Show(std::shared_ptr<MachineView> next);
  /// @return whether it is another one than before.
  bool SetProblem(std::string problem);
  bool HeardBeatWithin(std::chrono::milliseconds within) const;

  // ---- machine_session.cpp
  Status Connect();
  Status LoadKept();
  void LoadEnvironment(MachineView& next, const std::string& name);
  Status LoadFreezes(MachineView& next);

  // ---- the refresher's thread (machine_refresh.cpp)
  void RunRefresher();
  void ServeWaiters();
  Status DoWork(const Work& work);
  Status RefreshSecrets(const std::set<std::uint64_t>& numbers);
  Status RefreshEverything();
  Status RefreshUpper();
  Status RefreshFreezes();
  void Finished(const Work& work);
  void Failed(const Work& work, const Error& error);
  Draft BeginDraft() const;
  /// What was taken into it and, `gone`, what is taken out of it. If that fails, the draft is not to be
  /// shown.
  Status Remember(Draft& draft, std::vector<std::uint64_t> gone);
  void ShowWithout(const std::vector<std::uint64_t>& gone);
  /// Whether it is to be shown before it is complete: what is new alone waits until it is half as much as is
  /// shown, so that the work for ever more pages does not grow with their square.
  bool IsDue(const Draft& draft) const;
  void Publish(Draft draft);
  void RememberFreezes(const MachineView& next);
  void RememberGroups(const MachineView& next);

  // ---- taking what the vault shows into a new view (machine_take.cpp). A refused list is a problem of all
  // below it, a refused secret one of its own; errors are those of the connection.
  Status TakeUpper(MachineView& next, const api::GrantsResponse& response);
  void TakeFreezes(MachineView& next, const api::GrantsResponse& response) const;
  /// The groups that the machine is in (machine_groups.cpp).
  Status TakeGroups(MachineView& next, const api::GrantsResponse& response);
  void UseGroups(MachineView& next, const std::vector<api::OwnGroupKey>& own);
  void ForgetForeign(MachineView& next);
  static std::string TextOfGroups(const MachineView& view);
  Status LoadGroups(MachineView& next);
  /// An answer's data key, sealed to the machine or to its group. Errors: kIntegrity.
  Result<SecretMemory> OpenKey(const api::ReadResponse& response, const VersionPublish& publish) const;
  Status TakeVault(MachineView& next, const Head* said);
  Status TakeEnvironment(MachineView& next, const std::string& name, const Head* said);
  Status TakeGrant(Draft& draft, api::GrantEvidence evidence);
  Result<VerifiedSecret> VerifyGrant(MachineView& next, const api::GrantEvidence& evidence,
                                     const SecretView* before);
  Result<api::GrantEvidence> Complete(api::GrantEvidence evidence);
  Result<api::GrantEvidence> AskFromTheStart(std::uint64_t number);
  void JudgeAgain(MachineView& next, const MachineView& before);

  // ---- the stream (machine_watch.cpp)
  void OpenStream();
  void Heard(std::string_view line);
  void HeardHello(const api::WatchLine& hello);
  void HeardBeat(const api::WatchLine& beat);
  void StreamEnded(const Status& status);
  void Refused();
  void Post(const Work& work);
  void Acknowledge(std::uint64_t change);

  // ---- files made of several secrets (bundle_open.cpp, bundle_check.cpp)
  /// As LookAgain, at several in one look.
  void LookAgainAtAll(const std::set<std::uint64_t>& numbers, std::function<void(Status)> looked,
                      Timer::Clock::time_point end, std::function<void()> late);

  // ---- opens (machine_open.cpp)
  /// Open and Check of one secret, whatever its type.
  std::shared_ptr<Pending> OpenOne(OpenRequest request, std::chrono::milliseconds deadline, OpenDone done);
  /// @param local  CheckLocally by what is `asked`.
  std::shared_ptr<Pending> AskVault(OpenRequest request, std::shared_ptr<const MachineView> asked,
                                    const Status& local, std::chrono::milliseconds deadline, OpenDone done);
  /// @param asked  by which CheckLocally found nothing against it.
  std::shared_ptr<Pending> OpenCounted(OpenRequest request, std::shared_ptr<const MachineView> asked,
                                       std::chrono::milliseconds deadline, OpenDone done);
  std::shared_ptr<Pending> CheckOne(std::uint64_t number, std::uint32_t version,
                                    std::chrono::milliseconds deadline, CheckDone done);
  /// Looks at a secret before all other work; `looked` runs once, on the refresher's thread. `late` runs at
  /// `end` in any case, on the timer's thread.
  void LookAgain(std::uint64_t number, std::function<void(Status)> looked, Timer::Clock::time_point end,
                 std::function<void()> late);
  void Forget(const std::shared_ptr<Pending>& pending);
  Status Unanswered(std::uint64_t number, Error error) const;

  // ---- leases and offline (machine_lease.cpp)
  /// Unix seconds; before the vault was heard, not before the latest time that this machine has seen.
  std::int64_t Now() const;
  /// Since the vault was last heard, in this process or before.
  std::optional<std::chrono::nanoseconds> SinceContact() const;
  /// No lease, and no offline use, reaches past that.
  bool IsRotationDue(const SecretView& secret) const;
  /// Likewise, because its value has expired.
  bool HasExpired(const SecretView& secret) const;
  bool LifeIsOver(const SecretView& secret) const;
  /// @param unreachable  the vault was asked and did not answer.
  bool LeaseRuns(const SecretView& secret, bool unreachable) const;
  /// An outage that a lease would have bridged is told as such.
  Error WithoutLease(std::uint64_t number, Error error) const;
  /// What was told of it is not looked at yet.
  bool IsUnsettled(std::uint64_t number) const;
  void Hold(const api::ReadResponse& response, const VersionPublish& publish, SecretMemory key);
  /// What is held, if it may be served; nullptr: ask the vault.
  HeldVersions::Held FindHeld(const OpenRequest& request, const MachineView& shown, bool unreachable) const;
  /// Records and serves what is held, if it may be. @return false: `done` was not used, ask the vault.
  bool ServeHeld(const OpenRequest& request, const MachineView& shown, bool unreachable, OpenDone* done);
  /// Of one secret's evidence (machine_reopen.cpp).
  Result<SecretValue> ReopenOne(std::uint64_t number, std::uint32_t version, std::string_view evidence) const;
  /// @param keep_key  that had to be opened, for the next time.
  Result<OpenedSecret> OpenHeld(const HeldVersions::Held& held, bool keep_key);
  /// What may not be served any more is wiped.
  void DropHeld();

  // ---- proofs that reads are in the log (machine_checks.cpp)
  void NoteRecorded(RecordedRead read);
  void NotePlaces(const Journal::Batch& batch, const std::vector<std::uint64_t>& places);
  void LoadComplaints();
  bool HasToCheck() const;
  void CheckReads();
  /// Ends this look; the next one comes so long after its beginning.
  void CheckLater(std::chrono::nanoseconds pause);
  void Checked(const ShownLog& asked, std::vector<RecordedRead> reads, Result<Json> answer);
  void FollowLog(const std::string& origin);
  void CheckRecords(const Checkpoint& log, std::vector<RecordedRead> reads,
                    const api::MachineRecordsResponse& response);
  void Complain(bool good);
  void Complained(const api::LogComplaintRequest& complaint, bool good, const Result<Json>& answer);
  void SetLogProblem(std::string problem);

  // ---- the keeper's thread (machine_keeper.cpp)
  void LoadOffline();
  void LoadLeases();
  /// What is held again, if it is what the lists show, with terms that want it held.
  void HoldAgain(api::ReadResponse version, std::int64_t Grant::*term);
  void RunKeeper();
  void WakeKeeper();
  /// For the keeper to do at once, of an answer's function: what it keeps may have to wait for the disk or
  /// for another process, and the thread that answers come on is every read's. Nothing is done once the
  /// session ends.
  void LeaveToKeeper(std::function<void()> work);
  void GiveBackMemory();
  void KeepOffline();
  void KeepContact();
  /// The last round, when nothing else goes on any more.
  void KeepLast();
  void HandOver(std::chrono::milliseconds most) override;
  bool MayBeKept(const MachineView& shown, std::uint64_t number, std::uint32_t version) const;
  void SendJournal();
  void Told(const Journal::Batch& batch, Result<Json> answer);
  void SetJournalProblem(std::string problem);

  Home home_;
  PrivateIdentity me_;
  MachineOptions options_;
  std::unique_ptr<KnownStore> known_;
  std::unique_ptr<Journal> journal_;  ///< outlives the connection, whose functions use it
  std::unique_ptr<VaultConnection> vault_;
  std::unique_ptr<RefusalReporter> reporter_;
  std::unique_ptr<ListKeeper> keeper_;  ///< the refresher's, after Begin
  RecentProofs recent_proofs_;          ///< the refresher's
  std::set<std::uint64_t> left_;        ///< the refresher's: secrets of groups that the machine has left

  mutable std::mutex view_mutex_;
  std::shared_ptr<const MachineView> view_;

  std::mutex subscriber_mutex_;
  std::function<void()> subscriber_;

  mutable std::mutex status_mutex_;
  std::string problem_;
  std::string journal_problem_;
  std::string log_problem_;
  std::string record_problem_;  ///< the last read that was not in the log, as long as this process lives
  std::vector<KeptComplaint> complaints_;  ///< as they are in known.db
  std::int64_t last_heard_ = 0;
  std::atomic<std::int64_t> heard_boot_ns_{-1};
  std::atomic<bool> listens_{false};  ///< the stream stands
  std::atomic<bool> behind_{false};   ///< the vault has said more than could be looked at

  std::atomic<bool> lost_{false};     ///< the stream, since it was last heard
  std::atomic<bool> refused_{false};  ///< the vault does not accept this machine any more

  HeldVersions held_;
  KeptLeases leases_{options_.kept};
  ForwardClock latest_{options_.clock};
  std::unique_ptr<OfflineStore> offline_;  ///< the keeper's, after Begin
  OfflineStore::Contact contact_;          ///< as it was at the start
  std::chrono::nanoseconds contact_boot_{};
  std::int64_t contact_kept_ = 0;  ///< the keeper's
  ReadChecks checks_;
  std::string checked_origin_;  ///< of the log that is checked: of who has set `checking_`
  std::atomic<bool> checking_{false};
  std::chrono::nanoseconds checking_since_{};  ///< of who has set `checking_`
  std::atomic<bool> log_good_{false};          ///< as it was shown last
  std::atomic<std::int64_t> check_after_boot_ns_{0};
  std::atomic<bool> places_unknown_{false};  ///< the vault does not say where it records a journal's entries
  std::atomic<bool> laid_out_{false};        ///< another view was shown
  bool garbage_ = false;                     ///< the keeper's: of one that was
  std::atomic<bool> telling_{false};
  std::atomic<std::int64_t> tell_after_boot_ns_{0};
  Timer::Clock::time_point tell_next_{};  ///< the keeper's; no time: at once
  std::mutex keeper_mutex_;
  std::condition_variable keeper_changed_;
  std::set<std::uint64_t> to_keep_;  ///< secrets that were held anew, for offline use
  std::vector<std::function<void()>> left_to_keeper_;
  bool keeper_stop_ = false;
  bool keeper_woken_ = false;
  bool keeper_works_ = false;            ///< a round is under way
  std::uint64_t handovers_asked_ = 0;    ///< rounds that keep all, asked for by HandOver
  std::uint64_t handovers_done_ = 0;     ///< of those
  std::condition_variable handed_over_;  ///< one was done

  mutable std::mutex work_mutex_;
  std::condition_variable work_changed_;
  Work work_;
  Work doing_;  ///< what was taken and is being done
  std::vector<Waiter> waiters_;
  bool stop_ = false;
  bool busy_ = false;                      ///< work that was taken is being done
  Timer::Clock::time_point not_before_{};  ///< work that failed is not tried again until then
  std::uint64_t complete_ = 0;             ///< the vault's change up to which the listing is complete
  std::uint64_t last_beat_ = 0;            ///< the change that the last heartbeat named
  std::uint64_t beats_ = 0;
  std::uint64_t rounds_ = 0;      ///< how often all that was asked for was done
  std::optional<Error> failure_;  ///< of the last round
  std::chrono::milliseconds backoff_{0};
  std::condition_variable round_ended_;

  std::mutex pending_mutex_;
  std::set<std::shared_ptr<Pending>> pending_;

  std::unique_ptr<Timer> timer_;
  std::thread refresher_;
  std::thread keeper_thread_;
};

}  // namespace grantfs
