#include <linux/fuse.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "grantfs/log/log.h"
#include "mount/base/signals_internal.h"
#include "mount/kernel/session_internal.h"

namespace grantfs {

namespace {

// The number under which libfuse is fed the kernel's first request, whose answer the kernel has already.
constexpr std::uint64_t kInitUnique = std::uint64_t{1} << 62;

thread_local std::uint64_t current_unique = 0;
thread_local bool replaying = false;

int WakeSignal() { return SIGRTMIN; }

}  // namespace

Result<std::unique_ptr<Session>> Session::Create(UniqueFd fuse, Slots* slots,
                                                 const fuse_lowlevel_ops& operations) {
  std::unique_ptr<Session> session(new Session);
  session->slots_ = slots;
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
  session->FeedInit();
  return session;
}

Session::~Session() {
  Stop();
  if (session_ != nullptr) fuse_session_destroy(session_);
}

void Session::OnInit(void*, fuse_conn_info* connection) {
  connection->want = connection->capable & kLibraryFlags;
  connection->max_write = kMaxWrite;
  connection->max_background = kMaxBackground;
}

void Session::FeedInit() {
  std::vector<std::uint8_t> init = InitOf(slots_->shared());
  fuse_in_header header;
  std::memcpy(&header, init.data(), sizeof header);
  header.unique = kInitUnique;
  std::memcpy(init.data(), &header, sizeof header);
  shared_mmap_ = OffersSharedMmap(init);
  fuse_buf buffer{};
  buffer.mem = init.data();
  buffer.size = init.size();
  fuse_session_process_buf(session_, &buffer);
}

std::uint64_t Session::CurrentUnique() { return current_unique; }

bool Session::Replaying() { return replaying; }

ssize_t Session::Read(int fd, void* buffer, size_t size, void* self) {
  const ssize_t got = static_cast<Session*>(self)->slots_->Read(fd, buffer, size);
  if (got >= static_cast<ssize_t>(sizeof(fuse_in_header)))
    current_unique = static_cast<const fuse_in_header*>(buffer)->unique;
  return got;
}

ssize_t Session::Write(int fd, iovec* parts, int count, void* self) {
  const std::uint64_t unique = static_cast<const fuse_out_header*>(parts[0].iov_base)->unique;
  if (unique == kInitUnique) {
    std::size_t size = 0;
    for (int i = 0; i < count; ++i) size += parts[i].iov_len;
    return static_cast<ssize_t>(size);
  }
  const ssize_t wrote = writev(fd, parts, count);
  const int error = errno;
  // Refused as it stands, so the kernel still waits.
  if (wrote < 0 && error != ENOENT && unique != 0) AnswerEio(fd, unique);
  if (unique != 0) static_cast<Session*>(self)->slots_->Answered(unique);
  errno = error;
  return wrote;
}

void Session::Signal() {
  const std::uint64_t one = 1;
  // It can only fail where it is readable already.
  [[maybe_unused]] const ssize_t wrote = write(event_.get(), &one, sizeof one);
}

Status Session::Start(unsigned threads, void* owner) {
  owner_ = owner;
  struct sigaction action {};
  action.sa_handler = [](int) {};  // without SA_RESTART: it only wakes a thread from its read
  if (sigaction(WakeSignal(), &action, nullptr) != 0)
    return Error{Code::kIo, "cannot set a signal handler", errno, {}};
  left_ = slots_->TakeOver();
  for (unsigned i = 0; i < threads; ++i) {
    threads_.emplace_back([this, i] { Serve(i); });
    pthread_setname_np(threads_.back().native_handle(), "fuse");
  }
  return {};
}

void Session::Process(unsigned thread, fuse_buf* buffer) {
  MountShared::Work& work = slots_->shared().work[thread];
  work.since.store(MonotonicNow(), std::memory_order_relaxed);
  work.unique.store(current_unique, std::memory_order_release);
  fuse_session_process_buf(session_, buffer);
  work.unique.store(0, std::memory_order_release);
}

void Session::Replay(unsigned thread, unsigned slot) {
  // A copy: the slot is another request's as soon as this one is answered.
  const auto request = slots_->RequestIn(slot);
  std::vector<std::uint8_t> copy(request.begin(), request.end());
  const auto* header = reinterpret_cast<const fuse_in_header*>(copy.data());
  if (slots_->IsHopeless(slot)) return RefuseHopeless(slot);
  if (header->opcode == FUSE_INTERRUPT && !slots_->AdmitInterrupt(slot)) return;
  fuse_buf buffer{};
  buffer.mem = copy.data();
  buffer.size = copy.size();
  current_unique = header->unique;
  replaying = true;
  Process(thread, &buffer);
  replaying = false;
}

void Session::RefuseHopeless(unsigned slot) {
  const auto request = slots_->RequestIn(slot);
  Log(LogLevel::kError, "a request (" + NameOfRequest(request) +
                            ") ended every worker that tried it: it is answered with an error");
  RefuseRequest(fuse_session_fd(session_), slots_, request, refused_);
}

void Session::Serve(unsigned thread) {
  BlockAllSignals(WakeSignal());
  for (std::size_t i = next_left_++; i < left_.size(); i = next_left_++) Replay(thread, left_[i]);
  fuse_buf buffer{};
  while (!fuse_session_exited(session_)) {
    const int size = fuse_session_receive_buf(session_, &buffer);
    if (size == -EINTR || size == -EAGAIN) continue;
    if (size <= 0) break;
    Process(thread, &buffer);
  }
  std::free(buffer.mem);
  {
    std::lock_guard lock(ended_mutex_);
    ++ended_threads_;
    ended_changed_.notify_one();
  }
  Signal();
}

void Session::EndThreads() {
  fuse_session_exit(session_);
  slots_->Stop();
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
}

void Session::Stop() {
  if (session_ == nullptr) return;
  EndThreads();
  requests_.Close();
}

void Session::Drain(std::chrono::milliseconds moment) {
  EndThreads();
  const auto end = std::chrono::steady_clock::now() + moment;
  while (slots_->Waiting() > 0 && std::chrono::steady_clock::now() < end) poll(nullptr, 0, 1);
}

void Session::Notify(NodeId node, const std::string* entry, bool pages) {
  if (send_ && send_(node, entry, pages)) return;
  if (entry != nullptr) {
    fuse_lowlevel_notify_inval_entry(session_, node, entry->c_str(), entry->size());
  } else {
    fuse_lowlevel_notify_inval_inode(session_, node, pages ? 0 : -1, 0);
  }
}

void Session::InvalidateEntry(NodeId parent, const std::string& name) { Notify(parent, &name, false); }

void Session::InvalidateAttributes(NodeId node) { Notify(node, nullptr, false); }

void Session::InvalidatePages(NodeId node) { Notify(node, nullptr, true); }

}  // namespace grantfs
