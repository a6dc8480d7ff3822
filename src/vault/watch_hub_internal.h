#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <set>
#include <thread>
#include <unordered_map>
#include <vector>

#include "grantfs/api/machine.h"
#include "grantfs/api/watch.h"
#include "grantfs/util/clock.h"
#include "grantfs/vault/watch.h"
#include "state_internal.h"

namespace grantfs {

/// One change, and whom it concerns.
struct WatchEvent {
  api::ChangeKind what = api::ChangeKind::kVault;
  std::uint64_t secret = 0;
  std::string environment;
  std::vector<std::uint64_t> machines;  ///< by number, ordered; kEnvironment: also all with grants in it
  bool machines_alone = false;          ///< of a freeze: of machines, these and no other
  std::uint64_t except = 0;             ///< a machine that is told of it otherwise
};

/// The open watches: sends them changes and, each second, a beat, all from one thread of its own; knows which
/// machines listen and how far they have followed. Threads: all functions are safe.
class WatchHub {
 public:
  struct Subscriber {
    Hash id;
    std::uint64_t machine = 0;           ///< 0: a person
    std::int64_t not_after = 0;          ///< the stream ends then
    std::set<std::string> environments;  ///< of a machine: where it has grants
    std::shared_ptr<WatchSink> sink;
  };

  /// @param upkeep  runs once a second on the hub's thread, with true once a minute; must not wait.
  WatchHub(const Clock& clock, std::size_t max_of_one, std::function<void(bool)> upkeep);
  ~WatchHub() { Close(); }
  /// Ends all streams and answers all that wait. Nothing is sent afterwards.
  void Close();

  /// The change that the beats name.
  void SetChange(std::uint64_t change);
  /// Errors: kThrottled.
  Result<std::uint64_t> Add(Subscriber subscriber, const Head& vault_head);
  void Remove(std::uint64_t number);
  void AddEnvironments(std::uint64_t number, std::set<std::string> environments);
  /// Ends the streams of one identity.
  void Expel(const Hash& id);
  void Publish(std::uint64_t change, const std::vector<WatchEvent>& events, const VaultState& state);

  void Acknowledge(const Hash& id, std::uint64_t change);
  std::size_t Count();
  /// At once.
  api::PresenceResponse PresenceOf(const Hash& id);
  using PresenceDone = std::function<void(Result<api::PresenceResponse>)>;
  void Presence(const api::PresenceRequest& request, PresenceDone done);

 private:
  struct Followed {
    std::size_t streams = 0;
    std::uint64_t acknowledged = 0;
    std::int64_t last_seen = 0;
  };
  struct Waiter {
    api::PresenceRequest request;
    std::chrono::steady_clock::time_point until;
    PresenceDone done;
  };
  using Answers = std::vector<std::pair<PresenceDone, api::PresenceResponse>>;

  void Run();
  void Beat();
  /// An event of a change, and its line for all whom it concerns.
  struct Told {
    Told(std::uint64_t change, const WatchEvent& told);
    const WatchEvent* event;
    std::string last;
    std::string more;  ///< where another line of the change follows
  };
  /// Sends a subscriber the lines that concern it. False: its stream has ended.
  bool Tell(Subscriber& subscriber, const std::vector<Told>& told, const VaultState& state);
  bool Concerns(const Subscriber& subscriber, const WatchEvent& event, const VaultState& state) const;
  std::shared_ptr<WatchSink> Drop(std::unordered_map<std::uint64_t, Subscriber>::iterator at);
  void Fail(const std::vector<std::uint64_t>& numbers);
  api::PresenceResponse Of(const Hash& id) const;
  /// Takes out the waiters that can be answered. @param now  absent: all of them.
  Answers Ready(std::optional<std::chrono::steady_clock::time_point> now);
  std::chrono::steady_clock::time_point NextWake() const;

  const Clock& clock_;
  const std::size_t max_of_one_;
  const std::function<void(bool)> upkeep_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool closing_ = false;
  std::uint64_t change_ = 0;
  std::uint64_t next_number_ = 1;
  std::unordered_map<std::uint64_t, Subscriber> subscribers_;
  std::unordered_map<Hash, Followed> followed_;
  std::vector<Waiter> waiters_;
  std::chrono::steady_clock::time_point next_beat_;
  unsigned beats_ = 0;
  std::thread thread_;
};

}  // namespace grantfs
