#include <linux/fuse.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "mount/kernel/kernel_link_internal.h"

namespace grantfs {

namespace {

// FUSE_DIRECT_IO_ALLOW_MMAP of Linux 6.6, bit 36 of the two words of flags.
constexpr std::uint32_t kAllowMmapFlag2 = 1U << (36 - 32);
// A read of up to 1 MiB is one request. Were it as small as a write, a read came in pieces, and a refusal or
// a restart between two of them cut a value short.
constexpr std::uint16_t kMaxPages = 256;
constexpr int kInitDeadlineMs = 10'000;

struct InitMessage {
  fuse_in_header header;
  fuse_init_in body;
};
struct InitAnswer {
  fuse_out_header header;
  fuse_init_out body;
};

InitMessage ParseInit(std::span<const std::uint8_t> bytes) {
  InitMessage message{};
  std::memcpy(&message, bytes.data(), std::min(bytes.size(), sizeof message));
  return message;
}

InitAnswer AnswerTo(const InitMessage& asked, bool shared_mmap) {
  InitAnswer answer{};
  answer.header.len = sizeof answer;
  answer.header.unique = asked.header.unique;
  answer.body.major = FUSE_KERNEL_VERSION;
  answer.body.minor = std::min<std::uint32_t>(asked.body.minor, FUSE_KERNEL_MINOR_VERSION);
  answer.body.max_readahead = asked.body.max_readahead;
  answer.body.flags = asked.body.flags & (kLibraryFlags | FUSE_BIG_WRITES | FUSE_MAX_PAGES);
  answer.body.max_background = kMaxBackground;
  answer.body.congestion_threshold = kMaxBackground * 3 / 4;
  answer.body.max_write = kMaxWrite;
  answer.body.time_gran = 1;
  answer.body.max_pages = kMaxPages;
  if (shared_mmap) {
    answer.body.flags |= FUSE_INIT_EXT;
    answer.body.flags2 = kAllowMmapFlag2;
  }
  return answer;
}

}  // namespace

// Not FUSE_ASYNC_DIO: a caller that need not wait for its read can be in the middle of execve(2), where the
// kernel lets nobody look at a process until its reads are over. The look would wait for the read, and the
// read for the look.
const std::uint32_t kLibraryFlags = FUSE_ASYNC_READ | FUSE_DO_READDIRPLUS | FUSE_PARALLEL_DIROPS;

Status AnswerInit(int fuse, MountShared* shared) {
  pollfd watched{fuse, POLLIN, 0};
  if (poll(&watched, 1, kInitDeadlineMs) != 1 || (watched.revents & POLLIN) == 0)
    return Error{Code::kIo, "the kernel does not begin to use the mount", 0, {}};
  std::vector<std::uint8_t> bytes(8192);
  const ssize_t got = read(fuse, bytes.data(), bytes.size());
  const bool is_init = got >= static_cast<ssize_t>(sizeof(fuse_in_header) + 8) &&
                       static_cast<std::size_t>(got) <= sizeof shared->init &&
                       ParseInit(bytes).header.opcode == FUSE_INIT;
  if (!is_init) return Error{Code::kIo, "the kernel ended the mount before it began", errno, {}};
  bytes.resize(static_cast<std::size_t>(got));
  std::copy(bytes.begin(), bytes.end(), shared->init);
  shared->init_bytes = static_cast<std::uint32_t>(got);
  const InitAnswer answer = AnswerTo(ParseInit(bytes), OffersSharedMmap(bytes));
  if (write(fuse, &answer, sizeof answer) != sizeof answer)
    return Error{Code::kIo, "the kernel does not take the answer to its first request", errno, {}};
  return {};
}

std::vector<std::uint8_t> InitOf(const MountShared& shared) {
  const auto size = std::min<std::size_t>(shared.init_bytes, sizeof shared.init);
  std::vector<std::uint8_t> init(shared.init, shared.init + size);
  init.resize(std::max(size, sizeof(fuse_in_header)));
  return init;
}

bool OffersSharedMmap(std::span<const std::uint8_t> init) {
  const InitMessage message = ParseInit(init);
  return (message.body.flags & FUSE_INIT_EXT) != 0 && (message.body.flags2 & kAllowMmapFlag2) != 0;
}

bool AnswerEio(int fuse, std::uint64_t unique) {
  fuse_out_header answer{};
  answer.len = sizeof answer;
  answer.error = -EIO;
  answer.unique = unique;
  return write(fuse, &answer, sizeof answer) == sizeof answer;
}

namespace {

fuse_in_header HeaderOf(std::span<const std::uint8_t> request) {
  fuse_in_header header{};
  if (!request.empty()) std::memcpy(&header, request.data(), std::min(request.size(), sizeof header));
  return header;
}

std::uint64_t HandleIn(std::span<const std::uint8_t> release) {
  fuse_release_in body{};
  const auto bytes = release.subspan(std::min(release.size(), sizeof(fuse_in_header)));
  if (!bytes.empty()) std::memcpy(&body, bytes.data(), std::min(bytes.size(), sizeof body));
  return body.fh;
}

// Those that this filesystem answers with more than an error.
constexpr std::pair<std::uint32_t, const char*> kOperationNames[] = {
    {FUSE_LOOKUP, "LOOKUP"},   {FUSE_GETATTR, "GETATTR"},         {FUSE_OPEN, "OPEN"},
    {FUSE_READ, "READ"},       {FUSE_RELEASE, "RELEASE"},         {FUSE_OPENDIR, "OPENDIR"},
    {FUSE_READDIR, "READDIR"}, {FUSE_READDIRPLUS, "READDIRPLUS"}, {FUSE_RELEASEDIR, "RELEASEDIR"},
    {FUSE_RENAME, "RENAME"},   {FUSE_RENAME2, "RENAME"},
};

}  // namespace

std::string NameOfRequest(std::span<const std::uint8_t> request) {
  if (request.empty()) return "a request that has its answer";  // and whose thread stopped there
  const fuse_in_header header = HeaderOf(request);
  std::string name = "operation " + std::to_string(header.opcode);
  for (const auto& [opcode, known] : kOperationNames) {
    if (opcode == header.opcode) name = known;
  }
  return name + " of node " + std::to_string(header.nodeid);
}

void RefuseRequest(int fuse, Slots* slots, std::span<const std::uint8_t> request, const RefusedFiles& files) {
  const fuse_in_header header = HeaderOf(request);
  // What has no answer is not waited for; an INTERRUPT's request is answered anyway.
  if (header.opcode == FUSE_INTERRUPT || header.opcode == FUSE_FORGET || header.opcode == FUSE_BATCH_FORGET ||
      header.opcode == FUSE_NOTIFY_REPLY)
    return;
  if (header.opcode == FUSE_RELEASE && files.closed) files.closed(HandleIn(request));
  const bool waited = AnswerEio(fuse, header.unique);
  // Where the kernel did not wait, a worker may have answered already, and the file is open.
  if (header.opcode == FUSE_OPEN && waited && files.not_opened) files.not_opened(header.unique);
  slots->Answered(header.unique);
}

void RefuseLeft(int fuse, Slots* slots, const RefusedFiles& files) {
  for (const unsigned slot : slots->TakeOver()) {
    const auto request = slots->RequestIn(slot);
    if (HeaderOf(request).opcode == FUSE_INTERRUPT)
      slots->AdmitInterrupt(slot);
    else
      RefuseRequest(fuse, slots, request, files);
  }
}

void RefuseEverything(int fuse, Slots* slots, const RefusedFiles& files) {
  slots->MakePresent();
  RefuseLeft(fuse, slots, files);
  std::vector<std::uint8_t> buffer(8192);
  for (;;) {
    const ssize_t got = slots->Read(fuse, buffer.data(), buffer.size());
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got < static_cast<ssize_t>(sizeof(fuse_in_header))) return;
    RefuseRequest(fuse, slots, std::span(buffer).first(static_cast<std::size_t>(got)), files);
  }
}

}  // namespace grantfs
