#include <poll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <thread>
#include <utility>

#include "grantfs/mount/supervisor.h"
#include "grantfs/util/text.h"
#include "mount/base/channel_internal.h"
#include "mount/base/privileges_internal.h"
#include "mount/base/signals_internal.h"
#include "mount/callers/known_callers_internal.h"
#include "mount/files/filesystem_internal.h"
#include "mount/files/operations_internal.h"
#include "mount/worker/inspector_internal.h"
#include "mount/worker/notifier_internal.h"
#include "mount/worker/remote_helpers_internal.h"
#include "mount/worker/worker_internal.h"

namespace grantfs {

namespace {

constexpr std::chrono::milliseconds kBeat{500};
constexpr std::chrono::milliseconds kDrainMoment{100};
/// While others serve, and once nobody does: with the moment between well within what the supervisor waits.
constexpr std::chrono::milliseconds kHandOver{700}, kLastHandOver{200};

/// Without its helpers a worker would say too little or too late: the next one has its own. No request is to
/// blame.
[[noreturn]] void GiveUp(const char* why) {
  Log(LogLevel::kError, why);
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

/// Beats on a thread of its own, until it goes.
class Beating {
 public:
  explicit Beating(const std::function<void()>& beat)
      : thread_([this, beat] {
          BlockAllSignals();
          std::unique_lock lock(mutex_);
          do {
            beat();
          } while (!ended_.wait_for(lock, kBeat, [this] { return end_; }));
        }) {}
  Beating(const Beating&) = delete;
  Beating& operator=(const Beating&) = delete;
  ~Beating() {
    {
      const std::lock_guard lock(mutex_);
      end_ = true;
    }
    ended_.notify_one();
    thread_.join();
  }

 private:
  std::mutex mutex_;
  std::condition_variable ended_;
  bool end_ = false;
  std::thread thread_;
};

/// Everything of one worker, in the order in which it comes to be. It never goes: the process ends instead.
class Worker {
 public:
  Worker(WorkerWords words, const MakeSource& make_source, const std::function<void()>& warm_up)
      : words_(std::move(words)), make_source_(make_source), warm_up_(warm_up) {}

  /// While it is privileged and has one thread.
  Status Unprivilege() {
    prctl(PR_SET_NAME, "grantfs-worker", 0, 0, 0);
    if (IsPrivileged()) {
      SetMemoryLimit();
      inspector_ = GRANTFS_TRY(Inspector::Start(words_.user, words_.group, words_.threads));
    }
    notifier_ = GRANTFS_TRY(Notifier::Start(words_.user, words_.group));
    if (auto watch = inspector_ ? ExecWatch::Open() : nullptr)
      known_callers_ = std::make_unique<KnownCallers>(std::move(watch));
    return DropPrivileges(words_.user, words_.group, false);
  }

  Status Prepare() {
    slots_ = GRANTFS_TRY(Slots::Map(kSlotsDescriptor));
    if (words_.first) {
      kept_ = GRANTFS_TRY(KeptMemory::Attach(kKeptDescriptor));  // nobody else has it
      source_ = GRANTFS_TRY(make_source_(true, kept_.get()));
    } else if (warm_up_) {
      warm_up_();
    }
    return {};
  }

  /// libfuse's part, which needs no other process to be dead.
  Status TakeFuse(UniqueFd fuse) {
    if (!fuse) return Error{Code::kIo, "the supervisor sent no descriptor of the mount", 0, {}};
    if (!notifier_->Use(fuse.get()))
      return Error{Code::kIo, "the process that sends notifications is gone", errno, {}};
    session_ = GRANTFS_TRY(Session::Create(std::move(fuse), slots_.get(), FuseOperations()));
    session_->NotifyBy([this](NodeId node, const std::string* entry, bool pages) {
      if (!notifier_->Send(node, entry, pages))
        GiveUp("the process that sends notifications is gone or hangs");
      return true;
    });
    return {};
  }

  Status Serve() {
    // A take-over may take its time; that this process lives is to be seen meanwhile.
    const Beating beating([this] { SayAlive(); });
    // The supervisor that says so has seen the end of its own workers, not of those of a supervisor before
    // it.
    GRANTFS_CHECK(Slots::AwaitOthers(kSlotsDescriptor));
    slots_->ForgetWork();
    if (!kept_) kept_ = GRANTFS_TRY(KeptMemory::Attach(kKeptDescriptor));
    if (!source_) source_ = GRANTFS_TRY(make_source_(false, kept_.get()));
    MountOptions options;
    options.root = words_.root;
    options.threads = words_.threads;
    options.source = source_.get();
    options.log = [](LogLevel level, std::string_view line) { Log(level, line); };
    options.open_deadline = words_.open_deadline;
    options.mounter = {words_.mounter, words_.mounter_group};
    OtherProcesses others;
    others.kept = kept_.get();
    others.start_helper = [this](const std::string&, dev_t) { return helpers_.StartRotation(); };
    if (inspector_) others.look_up = [this](auto... asked) { return LookUp(asked...); };
    if (words_.on_change) {
      on_change_ = GRANTFS_TRY(OnChange::Start(
          [this] { return helpers_.StartOnChange(); }, options.log,
          {.kept = kept_.get(), .at_once = words_.first, .supervisor = slots_->shared().taken_over}));
      others.on_change = on_change_.get();
    }
    filesystem_ = std::make_shared<Filesystem>(options, words_.point, session_.get(), std::move(others));
    filesystem_->Start();
    return session_->Start(words_.threads, filesystem_.get());
  }

  /// Until it is told to end, or there is nothing to serve any more.
  int UntilEnd() {
    for (;;) {
      pollfd watched[] = {{kControlDescriptor, POLLIN, 0}, {session_->event_fd(), POLLIN, 0}};
      poll(watched, 2, static_cast<int>(kBeat.count()));
      Beat();
      if (session_->ended()) {
        SendMessage(kControlDescriptor, kGoneMessage);
        Finish();
        return kUnmountedStatus;
      }
      if (watched[0].revents == 0) continue;
      const auto message = ReceiveMessage(kControlDescriptor);
      if (!message) return 1;  // there is no supervisor any more
      if (message->kind == kEndMessage) filesystem_->Interrupt();
      if (message->kind != kDrainMessage) continue;
      filesystem_->Interrupt();
      filesystem_->ReportDenials(true);
      source_->HandOver(kHandOver);  // most of it while others serve on
      session_->Drain(kDrainMoment);
      source_->HandOver(kLastHandOver);
      return kDrainedStatus;
    }
  }

 private:
  ProcessFacts LookUp(std::uint32_t thread, std::uint32_t uid, std::uint32_t gid, const WantedFacts& wanted) {
    if (!known_callers_ || thread == 0 || !wanted.only_account()) return Inspect(thread, uid, gid, wanted);
    ProcessFacts facts;
    if (auto known = known_callers_->Find(thread, uid, gid)) {
      facts.caller = *std::move(known);
      return facts;
    }
    auto look = known_callers_->Begin(thread);
    facts = Inspect(thread, uid, gid, wanted);
    if (!facts.late) known_callers_->Keep(thread, std::move(look), facts.caller);
    return facts;
  }

  ProcessFacts Inspect(std::uint32_t thread, std::uint32_t uid, std::uint32_t gid,
                       const WantedFacts& wanted) {
    auto facts = inspector_->Ask(thread, uid, gid, wanted);
    if (!facts) GiveUp("the process that looks at callers is gone");
    return *std::move(facts);
  }

  /// What is still to be told to the vault is told, as far as that takes no long time.
  void Finish() {
    filesystem_->Interrupt();
    session_->Stop();
    filesystem_->Stop();
    source_.reset();
  }

  /// It stands for all threads, but for those at the kernel's requests, which the supervisor sees.
  void Beat() {
    if (filesystem_->Lives()) SayAlive();
  }
  void SayAlive() { slots_->shared().beat = MonotonicNow(); }

  const WorkerWords words_;
  const MakeSource& make_source_;
  const std::function<void()>& warm_up_;
  std::unique_ptr<Inspector> inspector_;
  std::unique_ptr<KnownCallers> known_callers_;
  std::unique_ptr<Notifier> notifier_;
  RemoteHelpers helpers_{kHelpersDescriptor};
  std::unique_ptr<OnChange> on_change_;
  std::unique_ptr<Slots> slots_;
  std::unique_ptr<SecretSource> source_;
  std::unique_ptr<Session> session_;
  std::unique_ptr<KeptMemory> kept_;
  std::shared_ptr<Filesystem> filesystem_;
};

/// The supervisor's words up to the one to go.
Status UntilGo(Worker* worker, std::string_view version) {
  GRANTFS_CHECK(worker->Prepare());
  // The first worker is ready before there is a mount.
  bool ready = SendMessage(kControlDescriptor, kReadyMessage, version);
  while (ready) {
    auto message = ReceiveMessage(kControlDescriptor);
    if (!message) break;
    if (message->kind == kPingMessage) SendMessage(kControlDescriptor, kAwakeMessage);
    if (message->kind == kFuseMessage) GRANTFS_CHECK(worker->TakeFuse(std::move(message->fd)));
    if (message->kind == kGoMessage) return worker->Serve();
  }
  _exit(1);  // there is no supervisor any more
}

bool ParseId(const std::string& word, std::uint32_t* id) {
  unsigned long long number = 0;
  if (!ParseNumber(word, 0xfffffffe, &number)) return false;
  *id = static_cast<std::uint32_t>(number);
  return true;
}

}  // namespace

std::vector<std::string> WorkerWords::ToWords() const {
  return {first ? "first" : "next",
          point,
          root,
          std::to_string(threads),
          std::to_string(open_deadline.count()),
          std::to_string(mounter),
          std::to_string(mounter_group),
          std::to_string(user),
          std::to_string(group),
          on_change ? "on-change" : ""};
}

Result<WorkerWords> WorkerWords::Parse(const std::vector<std::string>& words) {
  WorkerWords parsed;
  std::uint32_t deadline = 0;
  const auto is_either = [](const std::string& word, std::string_view one, std::string_view other) {
    return word == one || word == other;
  };
  const bool good = words.size() == 10 && is_either(words[0], "first", "next") &&
                    is_either(words[9], "on-change", "") && ParseId(words[3], &parsed.threads) &&
                    parsed.threads >= 1 && parsed.threads <= MountShared::kMaxThreads &&
                    ParseId(words[4], &deadline) && ParseId(words[5], &parsed.mounter) &&
                    ParseId(words[6], &parsed.mounter_group) && ParseId(words[7], &parsed.user) &&
                    ParseId(words[8], &parsed.group);
  if (!good) return Error{Code::kInvalid, "only a running mount starts this", 0, {}};
  parsed.first = words[0] == "first";
  parsed.point = words[1];
  parsed.root = words[2];
  parsed.on_change = words[9] == "on-change";
  parsed.open_deadline = std::chrono::milliseconds(deadline);
  return parsed;
}

int RunWorker(const std::vector<std::string>& words, const MakeSource& make_source,
              const std::function<void()>& warm_up, std::string_view version) {
  // A terminal and a service manager signal all processes of a mount; the supervisor decides.
  for (const int ignored : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) std::signal(ignored, SIG_IGN);
  auto parsed = WorkerWords::Parse(words);
  if (!parsed) {
    Log(LogLevel::kError, "no worker", parsed.error());
    return 2;
  }
  static Worker* const worker = new Worker(*std::move(parsed), make_source, warm_up);
  Status status = worker->Unprivilege();
  if (status) status = UntilGo(worker, version);
  if (!status) {
    SendMessage(kControlDescriptor, kErrorMessage, PackError(status.error()));
    return 1;
  }
  SendMessage(kControlDescriptor, kServingMessage, version);
  return worker->UntilEnd();
}

}  // namespace grantfs
