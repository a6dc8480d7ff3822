#include <linux/fuse.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "mount/session_internal.h"
#include "mount/signals_internal.h"

namespace grantfs {

namespace {

// FUSE_DIRECT_IO_ALLOW_MMAP of Linux 6.6, bit 36 of the two words of flags; libfuse 3.14 does not know it.
constexpr std::uint32_t kAllowMmapFlag2 = 1U << (36 - 32);
// A read of up to 1 MiB is one request. libfuse asks for as few pages as a write would need, so that a read
// came in pieces, and a refusal or a restart between two of them cut a value short.
constexpr std::uint16_t kMaxPages = 256;
// Reads of the page cache that may wait at once while others are served.
constexpr unsigned kMaxBackground = 64;

thread_local std::uint64_t current_unique = 0;

int WakeSignal() { return SIGRTMIN; }

}  // namespace

Result<std::unique_ptr<Session>> Session::Create(UniqueFd fuse, const fuse_lowlevel_ops& operations,
                                                 void* owner) {
  std::unique_ptr<Session> session(new Session);
  session->owner_ = owner;
  session->event_.Reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!session->event_) return Error{Code::kIo, "cannot make an event descriptor", errno, {}};
  fuse_lowlevel_ops all = operations;
  all.init = OnInit;
  char name[] = "grantfs";
  char* arguments[] = {name, nullptr};
  fuse_args args = FUSE_ARGS_INIT(1, arguments);
  session->session_ = fuse_session_new(&args, &all, sizeof all, session.get());
  fuse_opt_free_args(&args);  // libfuse replaced them with a copy
  if (session->session_ == nullptr) return Error{Code::kIo, "libfuse makes no session", 0, {}};
  static const fuse_custom_io io = {
      .writev = Write, .read = Read, .splice_receive = nullptr, .splice_send = nullptr};
  if (fuse_session_custom_io(session->session_, &io, fuse.get()) != 0) {
    return Error{Code::kIo, "libfuse refuses the descriptor of /dev/fuse", 0, {}};
  }
  (void)fuse.Release();  // libfuse closes it
  return session;
}

Session::~Session() {
  Stop();
  if (session_ != nullptr) fuse_session_destroy(session_);
}

void Session::OnInit(void*, fuse_conn_info* connection) {
  // Not FUSE_CAP_ASYNC_DIO: a caller that need not wait for its read can be in the middle of execve(2), where
  // the kernel lets nobody look at a process until its reads are over. The look would wait for the read, and
  // the read for the look.
  connection->want =
      connection->capable & (FUSE_CAP_ASYNC_READ | FUSE_CAP_READDIRPLUS | FUSE_CAP_PARALLEL_DIROPS);
  connection->max_write = 4096;
  connection->max_background = kMaxBackground;
}

std::uint64_t Session::CurrentUnique() { return current_unique; }

ssize_t Session::Read(int fd, void* buffer, size_t size, void* self) {
  const ssize_t got = read(fd, buffer, size);
  if (got >= static_cast<ssize_t>(sizeof(fuse_in_header))) {
    const auto* header = static_cast<const fuse_in_header*>(buffer);
    current_unique = header->unique;
    if (header->opcode == FUSE_INIT)
      static_cast<Session*>(self)->NoteInit(buffer, static_cast<std::size_t>(got));
  }
  return got;
}

void Session::NoteInit(const void* message, std::size_t size) {
  fuse_in_header header;
  std::memcpy(&header, message, sizeof header);
  fuse_init_in init{};
  std::memcpy(&init, static_cast<const char*>(message) + sizeof header,
              std::min(sizeof init, size - sizeof header));
  shared_mmap_ = (init.flags & FUSE_INIT_EXT) != 0 && (init.flags2 & kAllowMmapFlag2) != 0;
  init_unique_ = header.unique;
}

ssize_t Session::Write(int fd, iovec* parts, int count, void* self) {
  auto* session = static_cast<Session*>(self);
  const auto* header = static_cast<const fuse_out_header*>(parts[0].iov_base);
  if (!session->initialised_ && header->unique != 0 && header->unique == session->init_unique_) {
    return session->WriteInit(fd, parts, count);
  }
  return writev(fd, parts, count);
}

/// Accepts what libfuse does not know.
ssize_t Session::WriteInit(int fd, const iovec* parts, int count) {
  struct {
    fuse_out_header header;
    fuse_init_out init;
  } reply{};
  std::size_t size = 0;
  for (int i = 0; i < count; ++i) {
    const std::size_t part = std::min(parts[i].iov_len, sizeof reply - size);
    std::memcpy(reinterpret_cast<char*>(&reply) + size, parts[i].iov_base, part);
    size += part;
  }
  if (reply.header.error == 0 && size == sizeof reply) {
    if ((reply.init.flags & FUSE_MAX_PAGES) != 0) reply.init.max_pages = kMaxPages;
    if (shared_mmap_) {
      reply.init.flags |= FUSE_INIT_EXT;
      reply.init.flags2 |= kAllowMmapFlag2;
    }
  }
  const ssize_t wrote = write(fd, &reply, size);
  initialised_ = wrote >= 0 && reply.header.error == 0;
  const int error = errno;
  Signal();
  errno = error;
  return wrote;
}

void Session::Signal() {
  const std::uint64_t one = 1;
  // It can only fail where it is readable already.
  [[maybe_unused]] const ssize_t wrote = write(event_.get(), &one, sizeof one);
}

Status Session::Start(unsigned threads) {
  struct sigaction action {};
  action.sa_handler = [](int) {};  // without SA_RESTART: it only wakes a thread from its read
  if (sigaction(WakeSignal(), &action, nullptr) != 0)
    return Error{Code::kIo, "cannot set a signal handler", errno, {}};
  for (unsigned i = 0; i < threads; ++i) {
    threads_.emplace_back([this] { Serve(); });
    pthread_setname_np(threads_.back().native_handle(), "fuse");
  }
  return {};
}

void Session::Serve() {
  BlockAllSignals(WakeSignal());
  fuse_buf buffer{};
  while (!fuse_session_exited(session_)) {
    const int size = fuse_session_receive_buf(session_, &buffer);
    if (size == -EINTR || size == -EAGAIN) continue;
    if (size <= 0) break;
    fuse_session_process_buf(session_, &buffer);
  }
  std::free(buffer.mem);
  {
    std::lock_guard lock(ended_mutex_);
    ++ended_threads_;
    ended_changed_.notify_one();
  }
  Signal();
}

void Session::Stop() {
  if (session_ == nullptr) return;
  fuse_session_exit(session_);
  // A signal between a thread's look at the flag and its read is lost, hence again until all have ended.
  std::unique_lock lock(ended_mutex_);
  const auto all_ended = [this] { return ended_threads_ == threads_.size(); };
  while (!all_ended()) {
    for (std::thread& thread : threads_) pthread_kill(thread.native_handle(), WakeSignal());
    ended_changed_.wait_for(lock, std::chrono::milliseconds(2), all_ended);
  }
  lock.unlock();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
  requests_.Close();
}

void Session::InvalidateEntry(NodeId parent, const std::string& name) {
  fuse_lowlevel_notify_inval_entry(session_, parent, name.c_str(), name.size());
}

void Session::InvalidateAttributes(NodeId node) { fuse_lowlevel_notify_inval_inode(session_, node, -1, 0); }

void Session::InvalidatePages(NodeId node) { fuse_lowlevel_notify_inval_inode(session_, node, 0, 0); }

}  // namespace grantfs
