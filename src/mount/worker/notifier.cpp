#include <linux/fuse.h>
#include <poll.h>
#include <unistd.h>

#include <cstring>

#include "mount/base/channel_internal.h"
#include "mount/worker/notifier_internal.h"
#include "mount/worker/worker_helper_internal.h"

namespace grantfs {

namespace {

constexpr char kSent = 'a';
constexpr char kUse = 'f';
constexpr std::chrono::milliseconds kStep{500};

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
    if (!SendMessage(socket, kSent)) return;
  }
}

}  // namespace

Result<std::unique_ptr<Notifier>> Notifier::Start(uid_t user, gid_t group) {
  const WorkerHelper helper{.name = "grantfs-notify", .user = user, .group = group};
  auto sockets =
      GRANTFS_TRY(StartWorkerHelper(helper, [](const std::vector<int>& own) { ServeNotifications(own[0]); }));
  return std::unique_ptr<Notifier>(new Notifier(std::move(sockets[0])));
}

bool Notifier::Use(int fuse) { return SendMessage(socket_.get(), kUse, {}, fuse); }

/// In steps, so that a time in which the whole machine or cgroup stood still counts little.
bool Notifier::AwaitAnswer() const {
  for (auto waited = std::chrono::milliseconds(0); waited < kPatience; waited += kStep) {
    pollfd watched{socket_.get(), POLLIN, 0};
    if (poll(&watched, 1, static_cast<int>(kStep.count())) == 1) return true;
  }
  return false;
}

bool Notifier::Send(NodeId node, const std::string* entry, bool pages) {
  const std::lock_guard lock(mutex_);
  std::string text(reinterpret_cast<const char*>(&node), sizeof node);
  if (entry != nullptr) text += *entry;
  const char kind = entry != nullptr ? 'e' : pages ? 'p' : 'i';
  return SendMessage(socket_.get(), kind, text) && AwaitAnswer() && ReceiveMessage(socket_.get()).has_value();
}

}  // namespace grantfs
