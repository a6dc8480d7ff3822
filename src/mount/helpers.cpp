#include <linux/close_range.h>
#include <linux/fuse.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "mount/caller_internal.h"
#include "mount/channel_internal.h"
#include "mount/facts_text_internal.h"
#include "mount/helpers_internal.h"
#include "mount/privileges_internal.h"
#include "mount/signals_internal.h"

namespace grantfs {

namespace {

constexpr char kQuestion = 'q';
constexpr char kAnswer = 'a';
constexpr char kUse = 'f';

/// Nothing but its own socket stays open, least of all the worker's.
int KeepOnly(UniqueFd socket) {
  constexpr int kOwn = 3;
  int own = socket.Release();
  if (own != kOwn) {
    dup2(own, kOwn);
    own = kOwn;
  }
  syscall(SYS_close_range, kOwn + 1, ~0U, 0);
  return own;
}

/// Forks a process that runs `serve` with one end of a channel, and returns the other.
template <typename Serve>
Result<UniqueFd> StartHelper(const char* name, uid_t user, gid_t group, bool look_at_processes, Serve serve) {
  auto [ours, theirs] = GRANTFS_TRY(MakeChannel());
  const pid_t process = fork();
  if (process < 0) return Error{Code::kIo, "cannot make a process", errno, {}};
  if (process == 0) {
    BlockAllSignals();
    const int socket = KeepOnly(std::move(theirs));
    prctl(PR_SET_NAME, name, 0, 0, 0);
    if (DropPrivileges(user, group, look_at_processes)) serve(socket);
    _exit(0);
  }
  return std::move(ours);
}

// A process may be in 65536 groups, and a grant may name many executables: a message goes in pieces.

constexpr std::size_t kMessagePieceBytes = kMaxMessageBytes - 16;
constexpr std::size_t kMaxWholeBytes = std::size_t{4} << 20;
constexpr char kMore = 'm';
constexpr int kPieceDeadlineMs = 10'000;

bool SendPiece(int socket, char kind, std::string_view piece) {
  while (!SendMessage(socket, kind, piece)) {
    pollfd watched{socket, POLLOUT, 0};
    if (errno != EAGAIN || poll(&watched, 1, kPieceDeadlineMs) != 1) return false;
  }
  return true;
}

bool SendWhole(int socket, char kind, std::string_view text) {
  for (; text.size() > kMessagePieceBytes; text.remove_prefix(kMessagePieceBytes))
    if (!SendPiece(socket, kMore, text.substr(0, kMessagePieceBytes))) return false;
  return SendPiece(socket, kind, text);
}

std::optional<std::string> ReceiveWhole(int socket, char kind) {
  std::string text;
  while (const auto piece = ReceiveMessage(socket)) {
    text += piece->text;
    if (piece->kind == kind) return text;
    if (piece->kind != kMore || text.size() > kMaxWholeBytes) return std::nullopt;
  }
  return std::nullopt;
}

/// Namespaces are compared with this process's, which are the supervisor's.
void ServeQuestions(int socket) {
  while (const auto text = ReceiveWhole(socket, kQuestion)) {
    const auto asked = UnpackQuestion(*text);
    if (!asked) return;
    const ProcessFacts facts = LookUpProcess(asked->thread, asked->uid, asked->gid, asked->wanted);
    if (!SendWhole(socket, kAnswer, PackFacts(facts))) return;
  }
}

void WriteEntry(int fuse, NodeId parent, std::string_view name) {
  struct {
    fuse_out_header header;
    fuse_notify_inval_entry_out body;
    char name[1025];
  } message{};
  if (name.size() >= sizeof message.name) return;
  name.copy(message.name, name.size());
  message.header.len =
      static_cast<std::uint32_t>(sizeof message.header + sizeof message.body + name.size() + 1);
  message.header.error = FUSE_NOTIFY_INVAL_ENTRY;
  message.body.parent = parent;
  message.body.namelen = static_cast<std::uint32_t>(name.size());
  [[maybe_unused]] const ssize_t wrote = write(fuse, &message, message.header.len);
}

void WriteInode(int fuse, NodeId node, bool pages) {
  struct {
    fuse_out_header header;
    fuse_notify_inval_inode_out body;
  } message{};
  message.header.len = sizeof message;
  message.header.error = FUSE_NOTIFY_INVAL_INODE;
  message.body.ino = node;
  message.body.off = pages ? 0 : -1;
  [[maybe_unused]] const ssize_t wrote = write(fuse, &message, sizeof message);
}

void ServeNotifications(int socket) {
  UniqueFd fuse;
  while (auto message = ReceiveMessage(socket)) {
    NodeId node = 0;
    if (message->kind == kUse) {
      fuse = std::move(message->fd);
      continue;
    }
    if (message->text.size() < sizeof node) return;
    std::memcpy(&node, message->text.data(), sizeof node);
    if (message->kind == 'e')
      WriteEntry(fuse.get(), node, std::string_view(message->text).substr(sizeof node));
    else
      WriteInode(fuse.get(), node, message->kind == 'p');
    if (!SendMessage(socket, kAnswer)) return;
  }
}

}  // namespace

Result<std::unique_ptr<Inspector>> Inspector::Start(uid_t user, gid_t group) {
  auto socket = GRANTFS_TRY(StartHelper("grantfs-inspect", user, group, true, ServeQuestions));
  return std::unique_ptr<Inspector>(new Inspector(std::move(socket)));
}

std::optional<ProcessFacts> Inspector::Ask(std::uint32_t thread, std::uint32_t uid, std::uint32_t gid,
                                           const WantedFacts& wanted) {
  // Nothing of it is in procfs.
  if (thread == 0 || !wanted.any()) return LookUpProcess(0, uid, gid, wanted);
  std::optional<std::string> answer;
  {
    const std::lock_guard lock(mutex_);
    if (!SendWhole(socket_.get(), kQuestion, PackQuestion({thread, uid, gid, wanted}))) return std::nullopt;
    answer = ReceiveWhole(socket_.get(), kAnswer);
  }
  auto facts = answer ? UnpackFacts(*answer) : std::nullopt;
  if (facts && facts->executables.size() != wanted.executables.size()) return std::nullopt;
  return facts;
}

Result<std::unique_ptr<Notifier>> Notifier::Start(uid_t user, gid_t group) {
  auto socket = GRANTFS_TRY(StartHelper("grantfs-notify", user, group, false, ServeNotifications));
  return std::unique_ptr<Notifier>(new Notifier(std::move(socket)));
}

void Notifier::Use(int fuse) { SendMessage(socket_.get(), kUse, {}, fuse); }

bool Notifier::Send(NodeId node, const std::string* entry, bool pages) {
  std::string text(reinterpret_cast<const char*>(&node), sizeof node);
  if (entry != nullptr) text += *entry;
  const char kind = entry != nullptr ? 'e' : pages ? 'p' : 'i';
  return SendMessage(socket_.get(), kind, text) && ReceiveMessage(socket_.get()).has_value();
}

}  // namespace grantfs
