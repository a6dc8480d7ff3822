#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_set>

namespace grantfs::net {

class ServerConnection;

/// One event loop with a thread of its own. A connection stays with its loop for life, so it needs no lock.
class ServerThread {
 public:
  ServerThread() : work_(io_.get_executor()) {}
  void Start();

  boost::asio::io_context& io() { return io_; }
  bool IsCurrent() { return io_.get_executor().running_in_this_thread(); }

  /// Runs `task` on the loop; false, and not at all, after Stop().
  template <typename Task>
  bool Post(Task task) {
    const std::lock_guard lock(mutex_);
    if (stopped_) return false;
    boost::asio::post(io_, std::move(task));
    return true;
  }
  /// Post, but at once if this is the loop's own thread.
  template <typename Task>
  bool Dispatch(Task task) {
    if (!IsCurrent()) return Post(std::move(task));
    task();
    return true;
  }

  /// Takes no more tasks and joins the thread, which ends once all its connections are closed.
  void Stop();

  /// On the loop's thread only.
  std::unordered_set<std::shared_ptr<ServerConnection>> connections;

 private:
  void Run();

  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::mutex mutex_;
  bool stopped_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace grantfs::net
