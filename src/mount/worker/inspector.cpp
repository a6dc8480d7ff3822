#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <thread>
#include <utility>

#include "mount/base/channel_internal.h"
#include "mount/callers/facts_text_internal.h"
#include "mount/worker/inspector_internal.h"
#include "mount/worker/worker_helper_internal.h"

namespace grantfs {

namespace {

// What is stuck takes a line each, and so may what the threads are at: it is not known yet to be stuck.
// Beside both there is one for each thread.
constexpr std::size_t kLinesForStuck = 8;
constexpr std::ptrdiff_t kMostStuckOfUser = 4;
constexpr std::ptrdiff_t kMostStuckAtSame = 2;

// A process may be in 65536 groups, and a grant may name many executables: a message goes in pieces.
constexpr char kQuestion = 'q';
constexpr char kAnswer = 'a';
constexpr char kMore = 'm';
constexpr char kForget = 'f';  // what was sent of a question, the rest of which does not follow
constexpr std::size_t kMessagePieceBytes = kMaxMessageBytes - 16;
constexpr std::size_t kMaxWholeBytes = std::size_t{4} << 20;

using SteadyClock = std::chrono::steady_clock;

bool WaitFor(int socket, short events, std::optional<SteadyClock::time_point> end) {
  for (;;) {
    int left = -1;
    if (end) {
      const auto rest = std::chrono::ceil<std::chrono::milliseconds>(*end - SteadyClock::now()).count();
      left = static_cast<int>(std::max<std::int64_t>(rest, 0));
    }
    pollfd watched{socket, events, 0};
    const int ready = poll(&watched, 1, left);
    if (ready >= 0 || errno != EINTR) return ready == 1;
  }
}

enum class Passed { kWhole, kLate, kGone };

Passed SendPiece(int socket, char kind, std::string_view piece, std::optional<SteadyClock::time_point> end) {
  while (!SendMessage(socket, kind, piece)) {
    if (errno != EAGAIN) return Passed::kGone;
    if (!WaitFor(socket, POLLOUT, end)) return Passed::kLate;
  }
  return Passed::kWhole;
}

Passed SendWhole(int socket, char kind, std::string_view text, std::optional<SteadyClock::time_point> end) {
  for (; text.size() > kMessagePieceBytes; text.remove_prefix(kMessagePieceBytes)) {
    const Passed sent = SendPiece(socket, kMore, text.substr(0, kMessagePieceBytes), end);
    if (sent != Passed::kWhole) return sent;
  }
  return SendPiece(socket, kind, text, end);
}

Passed ReceiveWhole(int socket, char kind, std::optional<SteadyClock::time_point> end, std::string* text) {
  for (;;) {
    if (end && !WaitFor(socket, POLLIN, end)) return Passed::kLate;
    const auto piece = ReceiveMessage(socket);
    if (!piece) return Passed::kGone;
    if (piece->kind == kForget) {
      text->clear();
      continue;
    }
    *text += piece->text;
    if (piece->kind == kind) return Passed::kWhole;
    if (piece->kind != kMore || text->size() > kMaxWholeBytes) return Passed::kGone;
  }
}

/// Namespaces are compared with this process's, which are the supervisor's.
void ServeLine(int socket) {
  for (;;) {
    std::string text;
    if (ReceiveWhole(socket, kQuestion, std::nullopt, &text) != Passed::kWhole) return;
    const auto asked = UnpackQuestion(text);
    if (!asked) return;
    const ProcessFacts facts = LookUpProcess(asked->thread, asked->uid, asked->gid, asked->wanted);
    if (SendWhole(socket, kAnswer, PackFacts(facts), std::nullopt) != Passed::kWhole) return;
  }
}

/// A thread each. The first that finds the worker gone ends all, wherever they are.
void ServeLines(const std::vector<int>& sockets) {
  for (std::size_t i = 1; i < sockets.size(); ++i) {
    std::thread([socket = sockets[i]] {
      ServeLine(socket);
      _exit(0);
    }).detach();
  }
  ServeLine(sockets[0]);
}

ProcessFacts Unknown(std::uint32_t thread, std::uint32_t uid, std::uint32_t gid, const WantedFacts& wanted) {
  ProcessFacts facts;
  facts.caller = {.pid = thread, .uid = uid, .gid = gid, .executable = {}, .cgroup = {}};
  facts.executables.resize(wanted.executables.size());
  facts.late = true;
  return facts;
}

}  // namespace

Result<std::unique_ptr<Inspector>> Inspector::Start(uid_t user, gid_t group, unsigned threads) {
  const WorkerHelper helper{.name = "grantfs-inspect",
                            .user = user,
                            .group = group,
                            .look_at_processes = true,
                            .channels = 2 * threads + kLinesForStuck};
  auto sockets = GRANTFS_TRY(StartWorkerHelper(helper, ServeLines));
  return std::unique_ptr<Inspector>(new Inspector(std::move(sockets), threads));
}

Inspector::Inspector(std::vector<UniqueFd> sockets, unsigned threads) : threads_(threads) {
  for (UniqueFd& socket : sockets) {
    free_.push_back(lines_.size());
    lines_.push_back({.socket = std::move(socket), .executables = {}});
  }
}

/// With the lock held. Late answers are nobody's, and to half of a question none comes.
void Inspector::FreeUnstuck() {
  std::erase_if(stuck_, [this](std::size_t line) {
    if (lines_[line].half && SendMessage(lines_[line].socket.get(), kForget)) {
      lines_[line].half = false;
      free_.push_back(line);
      return true;
    }
    while (WaitFor(lines_[line].socket.get(), POLLIN, SteadyClock::time_point{})) {
      const auto piece = ReceiveMessage(lines_[line].socket.get());
      if (!piece) return false;  // whoever asks next finds out
      if (piece->kind != kAnswer) continue;
      free_.push_back(line);
      return true;
    }
    return false;
  });
}

/// With the lock held.
bool Inspector::WouldHang(std::uint32_t uid, const std::vector<WantedExecutable>& executables) const {
  if (executables.empty()) return false;
  const auto of_user = [&](std::size_t line) { return lines_[line].uid == uid; };
  const auto same = [&](std::size_t line) {
    return lines_[line].uid == uid && lines_[line].executables == executables;
  };
  return stuck_.size() + threads_ >= lines_.size() ||
         std::count_if(stuck_.begin(), stuck_.end(), of_user) >= kMostStuckOfUser ||
         std::count_if(stuck_.begin(), stuck_.end(), same) >= kMostStuckAtSame;
}

std::optional<std::size_t> Inspector::TakeLine(std::uint32_t uid, const WantedFacts& wanted, Time end) {
  std::unique_lock lock(mutex_);
  if (!stuck_.empty()) FreeUnstuck();
  if (WouldHang(uid, wanted.executables)) return std::nullopt;
  if (!freed_.wait_until(lock, end, [this] { return !free_.empty(); })) return std::nullopt;
  const std::size_t line = free_.back();
  free_.pop_back();
  return line;
}

std::optional<ProcessFacts> Inspector::Ask(std::uint32_t thread, std::uint32_t uid, std::uint32_t gid,
                                           const WantedFacts& wanted) {
  // Nothing of it is in procfs.
  if (thread == 0 || !wanted.any()) return LookUpProcess(0, uid, gid, wanted);
  const Time end = SteadyClock::now() + kDeadline;
  const auto line = TakeLine(uid, wanted, end);
  if (!line) return Unknown(thread, uid, gid, wanted);
  const int socket = lines_[*line].socket.get();
  std::string answer;
  const Passed sent = SendWhole(socket, kQuestion, PackQuestion({thread, uid, gid, wanted}), end);
  const Passed received = sent == Passed::kWhole ? ReceiveWhole(socket, kAnswer, end, &answer) : sent;
  {
    const std::lock_guard lock(mutex_);
    if (received == Passed::kLate) {
      lines_[*line].uid = uid;
      lines_[*line].executables = wanted.executables;
      lines_[*line].half = sent == Passed::kLate;
    }
    (received == Passed::kLate ? stuck_ : free_).push_back(*line);
    freed_.notify_one();
  }
  if (received == Passed::kLate) return Unknown(thread, uid, gid, wanted);
  auto facts = received == Passed::kWhole ? UnpackFacts(answer) : std::nullopt;
  if (facts && facts->executables.size() != wanted.executables.size()) return std::nullopt;
  return facts;
}

}  // namespace grantfs
