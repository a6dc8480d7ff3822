#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "grantfs/client/secret_source.h"

namespace grantfs {

/// A whole source of secrets in memory: versions, grants, a listing that can lag behind, a vault that can
/// fall silent. It answers on a thread of its own. Threads: safe.
class FakeSource : public SecretSource {
 public:
  FakeSource();
  ~FakeSource() override;

  /// Publishes a new version of "shop/prod/name" (granted from then on) and returns its number.
  std::uint32_t Put(const std::string& name, const std::string& content);
  /// Changes the grant.
  void Change(const std::string& name, const std::function<void(GrantedSecret&)>& change);
  void Revoke(const std::string& name);
  /// The label moves back to an older version.
  void MoveTo(const std::string& name, std::uint32_t version);

  /// Whether listings follow by themselves, or only when an open finds out (and by ShowListing).
  void LetListingLag(bool lag);
  void ShowListing();

  void SetSilent(bool silent);        ///< neither opens nor checks are answered, but at the deadline
  void IgnoreDeadlines(bool ignore);  ///< nor there
  void SetHeard(bool heard);          ///< heartbeats
  void FailOpens(std::optional<Error> error);
  void FailChecks(std::optional<Error> error);
  void SetStatus(SourceStatus status);

  std::vector<RefusedRead> Refused() const;  ///< what was reported
  std::vector<OpenRequest> Opens() const;    ///< the first ten thousand
  std::size_t OpenCount() const;
  std::size_t checks() const;
  std::size_t cancelled() const;

  std::shared_ptr<const Listing> CurrentListing() const override;
  SourceStatus CurrentStatus() const override;
  std::shared_ptr<Pending> Open(OpenRequest request, std::chrono::milliseconds deadline,
                                OpenDone done) override;
  Result<SecretValue> Reopen(std::uint64_t number, std::uint32_t version,
                             const std::string& evidence) override;
  /// Who opens this secret ends the process.
  void Poison(const std::string& name);
  void Subscribe(std::function<void()> changed) override;
  bool HeardWithin(std::chrono::milliseconds within) const override;
  std::shared_ptr<Pending> Check(std::uint64_t number, std::uint32_t version,
                                 std::chrono::milliseconds deadline, CheckDone done) override;
  void ReportRefusals(std::vector<RefusedRead> refusals) override;

 private:
  struct Secret {
    GrantedSecret grant;
    std::map<std::uint32_t, std::string> contents;
    bool granted = false;
    bool poisonous = false;
  };
  /// `run` is called once: with no error, or with why it cannot be.
  struct Work {
    std::chrono::steady_clock::time_point deadline;
    std::function<void(std::optional<Error>)> run;
    bool done = false;
  };
  class PendingWork;

  std::shared_ptr<Pending> Queue(std::chrono::milliseconds deadline,
                                 std::function<void(std::optional<Error>)> run);
  void Run();
  void Changed();
  std::shared_ptr<const Listing> Listed();
  Result<OpenedSecret> Serve(const OpenRequest& request);
  Secret* Find(std::uint64_t number);

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::map<std::string, Secret> secrets_;
  std::shared_ptr<const Listing> listing_ = std::make_shared<Listing>();
  std::uint64_t generation_ = 0;
  std::uint64_t next_number_ = 1;
  bool lag_ = false, silent_ = false, ignore_deadlines_ = false, heard_ = true, stopped_ = false;
  std::optional<Error> open_error_, check_error_;
  SourceStatus status_;
  std::vector<OpenRequest> opens_;
  std::vector<RefusedRead> refused_;
  std::size_t open_count_ = 0, checks_ = 0, cancelled_ = 0;
  std::deque<std::shared_ptr<Work>> work_;

  std::mutex changed_mutex_;
  std::function<void()> changed_;
  std::thread thread_;
};

}  // namespace grantfs
