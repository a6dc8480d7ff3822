#pragma once

#include <fuse_lowlevel.h>
#include <sys/types.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "grantfs/util/result.h"
#include "grantfs/util/unique_fd.h"
#include "mount/node_id_internal.h"
#include "mount/requests_internal.h"

namespace grantfs {

/// libfuse's low-level session on a descriptor of /dev/fuse that somebody else mounted, served by plain
/// threads.
class Session {
 public:
  /// @param operations without `init`, which the session answers.
  /// @param owner what Owner() returns to the operations; outlives the session.
  /// Errors: kIo.
  static Result<std::unique_ptr<Session>> Create(UniqueFd fuse, const fuse_lowlevel_ops& operations,
                                                 void* owner);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  static Session& Of(fuse_req_t req) { return *static_cast<Session*>(fuse_req_userdata(req)); }
  void* owner() const { return owner_; }
  Requests& requests() { return requests_; }

  /// Starts the threads. Errors: kIo.
  Status Start(unsigned threads);
  /// Becomes readable when the kernel's first request (FUSE_INIT) was answered, and again when a thread has
  /// ended, which the first does when the filesystem is unmounted.
  int event_fd() const { return event_.get(); }
  bool initialised() const { return initialised_; }
  bool ended() const { return ended_threads_ > 0; }
  /// Ends the threads, whatever the kernel does. Answers what is still waiting.
  void Stop();

  /// The kernel lets files that bypass its cache be mapped shared (Linux 6.6).
  bool shared_mmap() const { return shared_mmap_; }

  /// The kernel's number of the request that this thread is serving; never used twice in the life of a mount.
  static std::uint64_t CurrentUnique();

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
  ssize_t WriteInit(int fd, const iovec* parts, int count);
  void NoteInit(const void* message, std::size_t size);
  void Serve();
  void Signal();

  fuse_session* session_ = nullptr;
  void* owner_ = nullptr;
  UniqueFd event_;
  Requests requests_;
  std::vector<std::thread> threads_;
  std::atomic<std::uint64_t> init_unique_{0};
  std::atomic<bool> shared_mmap_{false};
  std::atomic<bool> initialised_{false};
  std::mutex ended_mutex_;
  std::condition_variable ended_changed_;
  std::atomic<std::size_t> ended_threads_{0};
};

}  // namespace grantfs
