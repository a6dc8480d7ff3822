#include <fcntl.h>
#include <linux/fuse.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>

#include "grantfs/crypto/random.h"
#include "mount/kernel/slots_internal.h"

namespace grantfs {

namespace {

constexpr std::size_t kPage = 4096;
// The least that the kernel wants to have room for.
constexpr std::size_t kMinRead = 8192;
static_assert(sizeof(MountShared) <= kPage);
/// Where this thread has read a request into, which it mostly answers itself.
thread_local unsigned read_last = 0;
constexpr std::int64_t kAnyTime = std::numeric_limits<std::int64_t>::max();

std::uint32_t LengthOf(const std::uint8_t* header) {
  return __atomic_load_n(&reinterpret_cast<const fuse_in_header*>(header)->len, __ATOMIC_ACQUIRE);
}
// The headers of others' slots are looked at while the kernel may be writing there, on purpose: what it has
// written counts. The thread sanitizer takes it for a race.
[[gnu::no_sanitize("thread")]] std::uint64_t UniqueOf(const std::uint8_t* header) {
  return __atomic_load_n(&reinterpret_cast<const fuse_in_header*>(header)->unique, __ATOMIC_ACQUIRE);
}
[[gnu::no_sanitize("thread")]] std::uint32_t OpcodeOf(const std::uint8_t* header) {
  return __atomic_load_n(&reinterpret_cast<const fuse_in_header*>(header)->opcode, __ATOMIC_ACQUIRE);
}
std::uint64_t TargetOf(const std::uint8_t* header) {
  fuse_interrupt_in body;
  std::memcpy(&body, header + sizeof(fuse_in_header), sizeof body);
  return body.unique;
}

bool HasNoAnswer(std::uint32_t opcode) {
  return opcode == FUSE_FORGET || opcode == FUSE_BATCH_FORGET || opcode == FUSE_NOTIFY_REPLY;
}

}  // namespace

std::int64_t MonotonicNow() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

struct Slots::Control {
  std::atomic<std::uint32_t> blame[kCount];
};

namespace {
constexpr std::size_t kControlBytes = (Slots::kCount * sizeof(std::uint32_t) + kPage - 1) / kPage * kPage;
constexpr std::size_t kMemoryBytes = kPage + kControlBytes + Slots::kCount * Slots::kSlotBytes;
}  // namespace

Result<UniqueFd> Slots::Make() {
  UniqueFd fd(memfd_create("grantfs-requests", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  // No worker makes it smaller: whoever has it mapped would end with SIGBUS.
  if (!fd || ftruncate(fd.get(), static_cast<off_t>(kMemoryBytes)) != 0 ||
      fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
    return Error{Code::kIo, "cannot make the memory for requests", errno, {}};
  const std::uint64_t first[] = {MountShared::kLayout, RandomNumber()};
  const std::uint64_t handle = 1;
  if (pwrite(fd.get(), first, sizeof first, 0) != sizeof first ||
      pwrite(fd.get(), &handle, sizeof handle, offsetof(MountShared, next_handle)) != sizeof handle)
    return Error{Code::kIo, "cannot make the memory for requests", errno, {}};
  return fd;
}

Result<std::unique_ptr<Slots>> Slots::Map(int fd) {
  struct stat info {};
  if (fstat(fd, &info) != 0 || static_cast<std::size_t>(info.st_size) != kMemoryBytes)
    return Error{Code::kInvalid, "the memory for requests is of another version of grantfs", errno, {}};
  void* memory = mmap(nullptr, kMemoryBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) return Error{Code::kIo, "cannot map the memory for requests", errno, {}};
  std::unique_ptr<Slots> slots(new Slots);
  slots->memory_ = static_cast<std::uint8_t*>(memory);
  slots->shared_ = reinterpret_cast<MountShared*>(slots->memory_);
  slots->control_ = reinterpret_cast<Control*>(slots->memory_ + kPage);
  slots->requests_ = slots->memory_ + kPage + kControlBytes;
  if (slots->shared_->layout != MountShared::kLayout)
    return Error{Code::kInvalid, "the memory for requests is of another version of grantfs", 0, {}};
  madvise(memory, kMemoryBytes, MADV_NOHUGEPAGE);
  if (mlock(memory, kMemoryBytes) != 0) {
    return Error{
        Code::kIo, "cannot lock the memory for requests: raise the limit (ulimit -l) by 3 MiB", errno, {}};
  }
  slots->MakePresent();
  return slots;
}

Status Slots::AwaitOthers(int fd) {
  // Of a process, not of a description, which all processes of a mount share; and no child inherits it.
  struct flock whole {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  while (fcntl(fd, F_SETLKW, &whole) != 0) {
    if (errno != EINTR) return Error{Code::kIo, "cannot lock the memory for requests", errno, {}};
  }
  return {};
}

void Slots::ForgetWork() {
  for (auto& work : shared_->work) work.unique = 0;
}

/// Locking may fault a page for reading alone; the kernel must be able to write to it without a fault.
void Slots::MakePresent() {
  for (std::size_t at = 0; at < kMemoryBytes; at += kPage)
    __atomic_fetch_or(memory_ + at, std::uint8_t{0}, __ATOMIC_RELAXED);
}

Slots::~Slots() {
  if (memory_ != nullptr) munmap(memory_, kMemoryBytes);
}

std::vector<unsigned> Slots::TakeOver() {
  const std::lock_guard lock(mutex_);
  free_.clear();
  waiting_.fill(0);
  waiting_count_ = 0;
  interrupts_.clear();
  std::vector<unsigned> requests;
  std::vector<unsigned> interrupts;
  for (unsigned i = kCount; i-- > 0;) {  // so that the first is taken first
    std::uint8_t* header = At(i);
    const std::uint32_t length = LengthOf(header);
    const std::uint32_t opcode = OpcodeOf(header);
    if (length < sizeof(fuse_in_header) || UniqueOf(header) == 0 || HasNoAnswer(opcode)) {
      Put(i);
    } else if (opcode == FUSE_INTERRUPT) {
      interrupts.push_back(i);
    } else {
      Await(i);
      requests.push_back(i);
    }
  }
  std::sort(requests.begin(), requests.end(),
            [this](unsigned a, unsigned b) { return UniqueOf(At(a)) < UniqueOf(At(b)); });
  requests.insert(requests.end(), interrupts.begin(), interrupts.end());
  return requests;
}

std::span<const std::uint8_t> Slots::RequestIn(unsigned slot) const {
  return {At(slot), std::min<std::size_t>(LengthOf(At(slot)), kSlotBytes)};
}

bool Slots::IsHopeless(unsigned slot) const {
  return control_->blame[slot] >= kHopeless || LengthOf(At(slot)) > kSlotBytes;
}

bool Slots::AdmitInterrupt(unsigned slot) {
  const std::uint64_t target = TargetOf(At(slot));
  const std::lock_guard lock(mutex_);
  interrupts_[target].push_back({slot, UniqueOf(At(slot))});
  if (IsOutstanding(target)) return true;
  DropInterrupts(target);
  return false;
}

int Slots::Take() {
  std::unique_lock lock(mutex_);
  freed_.wait(lock, [this] { return stopped_ || !free_.empty(); });
  if (stopped_) return -1;
  const unsigned slot = free_.back();
  free_.pop_back();
  return static_cast<int>(slot);
}

/// With the lock held. Zeroed before it is free.
void Slots::Put(unsigned slot) {
  auto* header = reinterpret_cast<fuse_in_header*>(At(slot));
  __atomic_store_n(&header->len, 0U, __ATOMIC_SEQ_CST);
  __atomic_store_n(&header->opcode, 0U, __ATOMIC_RELAXED);
  __atomic_store_n(&header->unique, std::uint64_t{0}, __ATOMIC_SEQ_CST);
  control_->blame[slot] = 0;
  free_.push_back(slot);
  freed_.notify_one();
}

ssize_t Slots::Read(int fd, void* buffer, std::size_t size) {
  thread_local std::uint8_t rest[kMinRead - kSlotBytes];
  const int slot = Take();
  if (slot < 0) {
    errno = EINTR;
    return -1;
  }
  std::uint8_t* request = At(static_cast<unsigned>(slot));
  iovec parts[] = {{request, kSlotBytes}, {rest, sizeof rest}};
  const ssize_t got = readv(fd, parts, 2);
  const int error = errno;
  if (got <= 0 || static_cast<std::size_t>(got) > size) {
    const std::lock_guard lock(mutex_);
    Put(static_cast<unsigned>(slot));
    errno = got <= 0 ? error : EIO;
    return got <= 0 ? got : -1;
  }
  const std::size_t first = std::min(static_cast<std::size_t>(got), kSlotBytes);
  std::memcpy(buffer, request, first);
  std::memcpy(static_cast<std::uint8_t*>(buffer) + first, rest, static_cast<std::size_t>(got) - first);
  Admit(static_cast<unsigned>(slot));
  return got;
}

/// The slot holds a request: when is it free again?
void Slots::Admit(unsigned slot) {
  const std::uint32_t opcode = OpcodeOf(At(slot));
  if (opcode == FUSE_INTERRUPT) {
    AdmitInterrupt(slot);
    return;
  }
  const std::lock_guard lock(mutex_);
  if (HasNoAnswer(opcode)) return Put(slot);
  Await(slot);
  read_last = slot;
}

/// With the lock held.
void Slots::Await(unsigned slot) {
  waiting_[slot] = UniqueOf(At(slot));
  ++waiting_count_;
}

/// With the lock held.
std::optional<unsigned> Slots::SlotOf(std::uint64_t unique) const {
  if (waiting_[read_last] == unique) return read_last;
  const auto found = std::find(waiting_.begin(), waiting_.end(), unique);
  if (found == waiting_.end()) return std::nullopt;
  return static_cast<unsigned>(found - waiting_.begin());
}

/// By the headers, since the kernel writes a request's before it can send an INTERRUPT for it.
bool Slots::IsOutstanding(std::uint64_t unique) const {
  for (unsigned i = 0; i < kCount; ++i) {
    if (UniqueOf(At(i)) == unique && OpcodeOf(At(i)) != FUSE_INTERRUPT) return true;
  }
  return false;
}

/// With the lock held.
void Slots::DropInterrupts(std::uint64_t unique) {
  const auto found = interrupts_.find(unique);
  if (found == interrupts_.end()) return;
  for (const Interrupt& interrupt : found->second) Put(interrupt.slot);
  interrupts_.erase(found);
}

void Slots::Answered(std::uint64_t unique) {
  const std::lock_guard lock(mutex_);
  if (const auto slot = SlotOf(unique)) {
    waiting_[*slot] = 0;
    --waiting_count_;
    Put(*slot);
    return DropInterrupts(unique);
  }
  // libfuse's EAGAIN to an INTERRUPT whose request it does not know: the kernel queues it again.
  for (auto& [target, all] : interrupts_) {
    const auto own =
        std::find_if(all.begin(), all.end(), [&](const Interrupt& one) { return one.own == unique; });
    if (own == all.end()) continue;
    Put(own->slot);
    all.erase(own);
    if (all.empty()) interrupts_.erase(target);
    return;
  }
}

std::size_t Slots::Waiting() const {
  const std::lock_guard lock(mutex_);
  return waiting_count_;
}

void Slots::Stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  freed_.notify_all();
}

std::span<const std::uint8_t> Slots::Find(std::uint64_t unique) const {
  for (unsigned i = 0; i < kCount && unique != 0; ++i) {
    if (UniqueOf(At(i)) == unique) return RequestIn(i);
  }
  return {};
}

/// The slots of what the threads are at; an INTERRUPT is nothing to be at.
std::vector<unsigned> Slots::InWork(std::int64_t since_before) const {
  std::vector<unsigned> found;
  for (unsigned i = 0; i < kCount; ++i) {
    const std::uint64_t unique = UniqueOf(At(i));
    if (LengthOf(At(i)) == 0 || OpcodeOf(At(i)) == FUSE_INTERRUPT) continue;
    if (std::any_of(std::begin(shared_->work), std::end(shared_->work),
                    [&](const auto& work) { return work.unique == unique && work.since < since_before; }))
      found.push_back(i);
  }
  return found;
}

void Slots::Blame(const std::vector<unsigned>& slots, std::uint32_t weight) {
  for (const unsigned slot : slots) control_->blame[slot] += weight;
}

void Slots::CountDeath() {
  std::vector<unsigned> slots = InWork(kAnyTime);
  if (slots.empty()) {
    for (unsigned i = 0; i < kCount; ++i) {
      if (LengthOf(At(i)) != 0 && OpcodeOf(At(i)) != FUSE_INTERRUPT) slots.push_back(i);
    }
  }
  Blame(slots, kOwnDeath);
}

void Slots::CountHang(std::int64_t then) { Blame(InWork(then), kOwnDeath); }

void Slots::CountKill() { Blame(InWork(kAnyTime), kKill); }

}  // namespace grantfs
