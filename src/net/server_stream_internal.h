#pragma once

#include <functional>
#include <mutex>
#include <string>

namespace grantfs::net {

/// What a ResponseStream and its connection share. Threads: safe.
class StreamState {
 public:
  explicit StreamState(std::size_t max_backlog) : max_backlog_(max_backlog) {}

  struct Outcome {
    bool accepted = false;
    bool tell = false;  ///< the connection must be told to look
  };
  /// For the writers.
  Outcome Write(const std::string& chunk);
  Outcome Close();
  /// False if the stream has ended already, and `closed` is to be run by the caller.
  bool SetClosed(std::function<void()>& closed);

  /// For the connection. The peer was too slow.
  bool HasOverflowed();
  /// What is to be sent next, "" if nothing; `*last` if nothing comes after it.
  std::string TakeOutput(bool* last);
  /// That many bytes have left.
  void Sent(std::size_t bytes);
  /// Ends it; returns what is to be run, or nothing.
  std::function<void()> End();

 private:
  const std::size_t max_backlog_;
  std::mutex mutex_;
  // All guarded by mutex_.
  std::string pending_;
  std::size_t backlog_ = 0;  // bytes queued here or being sent by the connection
  bool told_ = false;        // the connection will look, and has not yet
  bool closing_ = false;
  bool overflow_ = false;
  bool ended_ = false;
  std::function<void()> closed_;
};

}  // namespace grantfs::net
