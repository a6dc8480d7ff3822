#include <linux/close_range.h>
#include <linux/fuse.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "grantfs/util/text.h"
#include "mount/caller_internal.h"
#include "mount/channel_internal.h"
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

std::string PackCaller(const Caller& caller) {
  return std::to_string(caller.pid) + '\0' + caller.executable + '\0' + caller.cgroup;
}

/// What is not understood is what the kernel said alone.
Caller UnpackCaller(std::string_view text, Caller caller) {
  const auto parts = Split(text, '\0');
  unsigned long long pid = 0;
  if (parts.size() != 3 || !ParseNumber(parts[0], 0xffffffff, &pid)) return caller;
  caller.pid = static_cast<std::uint32_t>(pid);
  caller.executable = parts[1];
  caller.cgroup = parts[2];
  return caller;
}

void ServeQuestions(int socket) {
  while (const auto question = ReceiveMessage(socket)) {
    std::uint32_t who[3];
    if (question->kind != kQuestion || question->text.size() != sizeof who) return;
    std::memcpy(who, question->text.data(), sizeof who);
    const std::string answer = PackCaller(ResolveCaller(who[0], who[1], who[2]));
    if (!SendMessage(socket, kAnswer, answer.size() < kMaxMessageBytes ? answer : "")) return;
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

std::optional<Caller> Inspector::Ask(std::uint32_t thread, std::uint32_t uid, std::uint32_t gid) {
  Caller said{.pid = thread, .uid = uid, .gid = gid, .executable = {}, .cgroup = {}};
  if (thread == 0) return said;
  const std::uint32_t who[] = {thread, uid, gid};
  const std::lock_guard lock(mutex_);
  if (!SendMessage(socket_.get(), kQuestion, {reinterpret_cast<const char*>(who), sizeof who}))
    return std::nullopt;
  const auto answer = ReceiveMessage(socket_.get());
  return answer ? std::optional(UnpackCaller(answer->text, std::move(said))) : std::nullopt;
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
