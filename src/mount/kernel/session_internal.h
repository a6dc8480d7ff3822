#pragma once

#include <fuse_lowlevel.h>
#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "grantfs/util/result.h"
#include "grantfs/util/unique_fd.h"
#include "mount/base/node_id_internal.h"
#include "mount/kernel/kernel_link_internal.h"
#include "mount/kernel/requests_internal.h"
#include "mount/kernel/slots_internal.h"

namespace grantfs {

/// Sends the kernel a notification. @return false if this is not the way to.
using SendNotification = std::function<bool(NodeId node, const std::string* entry, bool pages)>;

/// libfuse's low-level session on a descriptor of /dev/fuse that somebody else mounted and whose FUSE_INIT
/// was answered (AnswerInit), served by plain threads. It begins with what the process before it left
/// unanswered.
class Session {
 public:
  /// @param slots holds the kernel's FUSE_INIT, which libfuse is fed; outlives the session.
  /// @param operations without `init`, which the session answers.
  /// Errors: kIo.
  static Result<std::unique_ptr<Session>> Create(UniqueFd fuse, Slots* slots,
                                                 const fuse_lowlevel_ops& operations);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  static Session& Of(fuse_req_t req) { return *static_cast<Session*>(fuse_req_userdata(req)); }
  void* owner() const { return owner_; }
  Requests& requests() { return requests_; }
  Slots& slots() { return *slots_; }

  /// Who sends notifications in this process's place; none: it does so itself.
  void NotifyBy(SendNotification send) { send_ = std::move(send); }

  /// Who is told what the refusal of a request ends that ended every worker which tried it.
  void TellRefused(RefusedFiles files) { refused_ = std::move(files); }

  /// Takes the slots over and starts the threads. The process that served before must be dead.
  ///
  /// @param owner what Owner() returns to the operations; outlives the session.
  /// Errors: kIo.
  Status Start(unsigned threads, void* owner);
  /// Becomes readable when a thread has ended, which the first does when the filesystem is unmounted.
  int event_fd() const { return event_.get(); }
  bool ended() const { return ended_threads_ > 0; }
  /// Ends the threads, whatever the kernel does. Answers what is still waiting.
  void Stop();
  /// Ends the threads, and waits a moment for answers that are on their way; the rest is left in the slots.
  /// Nothing may follow but the end of the process.
  void Drain(std::chrono::milliseconds moment);

  /// The kernel lets files that bypass its cache be mapped shared (Linux 6.6).
  bool shared_mmap() const { return shared_mmap_; }

  /// The kernel's number of the request that this thread is serving; never used twice in the life of a mount.
  static std::uint64_t CurrentUnique();
  /// Whether it is one that a process before this one may have answered already.
  static bool Replaying();

  /// Tell the kernel that what it remembers is no longer so. Never from a thread that serves it: that
  /// deadlocks. They may wait for a directory's lock. What the kernel does not remember is no error.
  void InvalidateEntry(NodeId parent, const std::string& name);
  void InvalidateAttributes(NodeId node);
  /// Its pages too, mapped ones included. Waits for those that are being read.
  void InvalidatePages(NodeId node);

 private:
  Session() = default;
  static void OnInit(void* self, fuse_conn_info* connection);
  static ssize_t Read(int fd, void* buffer, size_t size, void* self);
  static ssize_t Write(int fd, iovec* parts, int count, void* self);
  void FeedInit();
  void Notify(NodeId node, const std::string* entry, bool pages);
  void Serve(unsigned thread);
  void Process(unsigned thread, fuse_buf* buffer);
  void Replay(unsigned thread, unsigned slot);
  void RefuseHopeless(unsigned slot);
  void EndThreads();
  void Signal();

  fuse_session* session_ = nullptr;
  void* owner_ = nullptr;
  UniqueFd event_;
  Requests requests_;
  Slots* slots_ = nullptr;
  SendNotification send_;
  RefusedFiles refused_;
  std::vector<unsigned> left_;  ///< slots of the process before
  std::atomic<std::size_t> next_left_{0};
  std::vector<std::thread> threads_;
  bool shared_mmap_ = false;
  std::mutex ended_mutex_;
  std::condition_variable ended_changed_;
  std::atomic<std::size_t> ended_threads_{0};
};

}  // namespace grantfs
