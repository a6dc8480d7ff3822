#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "grantfs/crypto/encoding.h"
#include "grantfs/crypto/random.h"
#include "grantfs/json/json.h"
#include "grantfs/util/file.h"
#include "grantfs/util/text.h"
#include "journal_file_internal.h"

namespace grantfs {
namespace {

std::string HeaderLine(const std::string& id) {
  return Json::Object({{"format", "grantfs-journal"}, {"level", 1}, {"journal", id}}).Dump() + "\n";
}

Error NotWritten(int sys, const std::string& path) {
  const bool full = sys == ENOSPC || sys == EDQUOT;
  return {Code::kUnrecorded,
          full ? "the disk is full, so the read cannot be recorded: make room"
               : "the read cannot be recorded: look at the disk that the home is on",
          sys, PathForMessages(path)};
}

// The whole of it or nothing: @return errno, 0 = written.
int WriteWhole(int fd, const std::string& text) {
  ssize_t written = -1;
  do {
    written = ::write(fd, text.data(), text.size());
  } while (written < 0 && errno == EINTR);
  if (written < 0) return errno;
  return static_cast<std::size_t>(written) == text.size() ? 0 : ENOSPC;
}

Result<std::string> ReadAt(int fd, std::uint64_t from, std::uint64_t size, const std::string& path) {
  std::string text(size, '\0');
  std::size_t done = 0;
  while (done < size) {
    const ssize_t got = ::pread(fd, text.data() + done, size - done, static_cast<off_t>(from + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0)
      return Error{Code::kIo, "the journal cannot be read", got < 0 ? errno : 0, PathForMessages(path)};
    done += static_cast<std::size_t>(got);
  }
  return text;
}

/// The lines of a file, read in pieces: one that was left may have 64 MiB.
class Lines {
 public:
  Lines(int fd, std::uint64_t from, std::uint64_t end, const std::string& path)
      : fd_(fd), read_(from), end_(end), behind_(from), path_(path) {}

  /// Lives until the next one. @return none where there is no further line, or none of a bearable length.
  Result<std::optional<std::string_view>> Next() {
    for (;;) {
      const std::size_t end = piece_.find('\n', at_);
      if (end != std::string::npos) {
        const std::string_view line = std::string_view(piece_).substr(at_, end - at_);
        at_ = end + 1;
        behind_ += line.size() + 1;
        return std::optional(line);
      }
      if (read_ == end_ || piece_.size() - at_ > kMaxJournalEntryBytes)
        return std::optional<std::string_view>();
      piece_.erase(0, std::exchange(at_, 0));
      const std::uint64_t size = std::min<std::uint64_t>(end_ - read_, kPieceBytes);
      piece_ += GRANTFS_TRY(ReadAt(fd_, read_, size, path_));
      read_ += size;
    }
  }
  /// Offset behind the last line.
  std::uint64_t behind() const { return behind_; }

 private:
  static constexpr std::size_t kPieceBytes = std::size_t{256} << 10;
  const int fd_;
  std::uint64_t read_;
  const std::uint64_t end_;
  std::uint64_t behind_;
  const std::string& path_;
  std::string piece_;
  std::size_t at_ = 0;
};

Result<bool> HasLineEnd(int fd, std::uint64_t from, std::uint64_t end, const std::string& path) {
  constexpr std::uint64_t kPieceBytes = std::uint64_t{256} << 10;
  for (; from < end; from += kPieceBytes) {
    const std::string piece = GRANTFS_TRY(ReadAt(fd, from, std::min(end - from, kPieceBytes), path));
    if (piece.find('\n') != std::string::npos) return true;
  }
  return false;
}

bool SameFile(int fd, const std::string& path) {
  struct stat mine {
  }, there{};
  return ::fstat(fd, &mine) == 0 && ::stat(path.c_str(), &there) == 0 && mine.st_ino == there.st_ino &&
         mine.st_dev == there.st_dev;
}

bool IsEntry(std::string_view line) { return line.starts_with("{\"sequence\":"); }

}  // namespace

void GiveToOwnerOf(const std::string& directory, int fd) {
  struct stat info {};
  if (::stat(directory.c_str(), &info) != 0 || info.st_uid == ::geteuid()) return;
  // Without the right to, it stays whose it is, and that user's next process sends it.
  [[maybe_unused]] const int given = ::fchown(fd, info.st_uid, info.st_gid);
}

// Locked before it has its name, so that nobody takes it for one that was left behind.
Result<std::unique_ptr<JournalFile>> JournalFile::Create(const std::string& directory) {
  Status made;
  if (!PathExists(directory)) {
    made = MakeDirectories(directory, 0700);
    if (made) made = SyncDirectoryOf(directory);
  }
  if (!made) return NotWritten(made.error().sys, directory);
  const std::string id = HexEncode(RandomBytes(16));
  std::unique_ptr<JournalFile> file(new JournalFile(directory + "/" + id + kJournalSuffix, id));
  const std::string fresh = file->path_ + kNewSuffix;
  UniqueFd fd(::open(fresh.c_str(), O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd || ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) return NotWritten(errno, file->path_);
  GiveToOwnerOf(directory, fd.get());
  file->fd_ = std::make_shared<const UniqueFd>(std::move(fd));
  Status written = file->Write(HeaderLine(id));
  if (written && ::rename(fresh.c_str(), file->path_.c_str()) != 0) written = NotWritten(errno, file->path_);
  if (!written) {
    ::unlink(fresh.c_str());
    ::unlink(file->path_.c_str());
    return NotWritten(written.error().sys, file->path_);
  }
  file->header_ = file->cut_offset_ = file->size_;
  return file;
}

Result<std::unique_ptr<JournalFile>> JournalFile::Adopt(const std::string& path,
                                                        const JournalSigner& signer) {
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW));
  if (!fd && errno == ENOENT) return std::unique_ptr<JournalFile>();
  if (!fd)
    return Error{Code::kIo, "a journal that was left behind cannot be opened", errno, PathForMessages(path)};
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0 || !SameFile(fd.get(), path))
    return std::unique_ptr<JournalFile>();
  // Who runs as root and takes over what another user's processes left does not write to root's own files.
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode) || info.st_nlink != 1)
    return Error{Code::kDenied, "it has the name of a journal, and is another file: take it away", 0,
                 PathForMessages(path)};
  const std::size_t slash = path.rfind('/') + 1;
  const std::string id = path.substr(slash, path.size() - slash - (sizeof kJournalSuffix - 1));
  std::unique_ptr<JournalFile> file(new JournalFile(path, id));
  file->fd_ = std::make_shared<const UniqueFd>(std::move(fd));
  GRANTFS_CHECK(file->Recover(signer));
  return file;
}

// Reads it as far as it is whole. What a kill or a power cut has torn off is the end of one entry, or
// zeros; whole lines behind a bad place tell of another damage, and are kept for whoever wants to look.
Status JournalFile::Recover(const JournalSigner& signer) {
  struct stat info {};
  if (::fstat(fd_->get(), &info) != 0)
    return Error{Code::kIo, "a journal cannot be read", errno, PathForMessages(path_)};
  const auto size = static_cast<std::uint64_t>(info.st_size);
  const std::string header = HeaderLine(id_);
  std::uint64_t good = 0;
  Lines lines(fd_->get(), 0, size, path_);
  auto line = GRANTFS_TRY(lines.Next());
  if (line && std::string(*line) + "\n" == header) {
    do {
      good = lines.behind();
      line = GRANTFS_TRY(lines.Next());
    } while (line && Accept(*line, signer));
  }
  header_ = cut_offset_ = std::min<std::uint64_t>(header.size(), size);
  size_ = good;
  if (good == size) return {};
  const bool torn = !GRANTFS_TRY(HasLineEnd(fd_->get(), good, size, path_));
  const std::string rest = Count(size - good, "byte") + " behind entry " + std::to_string(head_sequence_);
  if (torn) {
    damage_ = "a torn end was cut: " + rest;
  } else {
    damage_ = "it is damaged, and " + rest + " are not sent; they are kept in " + PathForMessages(path_) +
              kDamagedSuffix;
    const std::string text = GRANTFS_TRY(ReadAt(fd_->get(), 0, size, path_));
    GRANTFS_CHECK(WriteFileAtomic(path_ + kDamagedSuffix, AsBytes(text), 0600));
  }
  if (::ftruncate(fd_->get(), static_cast<off_t>(good)) != 0)
    return Error{Code::kIo, "the damaged end of a journal cannot be cut", errno, PathForMessages(path_)};
  if (good == 0) {
    GRANTFS_CHECK(Write(header));
    header_ = cut_offset_ = size_;
  }
  return {};
}

bool JournalFile::Accept(std::string_view line, const JournalSigner& signer) {
  if (IsEntry(line)) {
    const auto entry = JournalEntry::Parse(line);
    if (!entry || (any_ && (entry->sequence != head_sequence_ + 1 || entry->previous != head_))) return false;
    if (!any_) cut_sequence_ = entry->sequence - 1;
    any_ = true;
    head_sequence_ = entry->sequence;
    head_ = JournalHash(line);
    return true;
  }
  const auto json = ParseJson(line, {.max_bytes = kMaxJournalEntryBytes});
  if (!json) return false;
  JsonReader in(*json, "signature");
  const auto sequence = static_cast<std::uint64_t>(in.Number("signed", 1, std::int64_t{1} << 53));
  const auto bytes = HexDecode(in.String("signature", 128), 64);
  if (!in.Finish() || !bytes || bytes->size() != 64) return false;
  if (!any_) return true;  // of what was cut
  if (sequence != head_sequence_) return false;
  Signature signature;
  std::copy(bytes->begin(), bytes->end(), signature.bytes.begin());
  sealed_sequence_ = sequence;
  return VerifyJournal(signer.key->verify_key(), signer.vault, id_, sequence, head_, signature);
}

Status JournalFile::Write(const std::string& lines) {
  if (lines.empty()) return {};
  if (broken_) return NotWritten(EIO, path_);
  const int failed = WriteWhole(fd_->get(), lines);
  if (failed != 0) {
    broken_ = ::ftruncate(fd_->get(), static_cast<off_t>(size_)) != 0;
    return NotWritten(failed, path_);
  }
  size_ += lines.size();
  return {};
}

Status JournalFile::Append(const JournalEntry& entry) {
  std::string unchained;
  entry.AppendUnchained(&unchained);
  return Append(std::vector<std::string_view>{unchained});
}

Status JournalFile::Append(const std::vector<std::string_view>& unchained) {
  std::string lines;
  std::uint64_t sequence = head_sequence_;
  Hash head = head_;
  for (const std::string_view rest : unchained) {
    const std::string line = ChainedText(++sequence, head, rest);
    head = JournalHash(line);
    lines.append(line).push_back('\n');
  }
  GRANTFS_CHECK(Write(lines));
  head_sequence_ = sequence;
  head_ = head;
  return {};
}

Status JournalFile::Seal(const JournalSigner& signer) {
  if (sealed_sequence_ == head_sequence_ || waiting() == 0) return {};
  const Signature signature = SignJournal(*signer.key, signer.vault, id_, head_sequence_, head_);
  GRANTFS_CHECK(Write(
      Json::Object({{"signed", head_sequence_}, {"signature", HexEncode(signature.bytes)}}).Dump() + "\n"));
  sealed_sequence_ = head_sequence_;
  return {};
}

Result<JournalFile::Piece> JournalFile::Read(std::size_t max_entries, std::size_t max_bytes) const {
  Piece piece;
  const std::uint64_t size = std::min<std::uint64_t>(size_ - cut_offset_, max_bytes);
  const std::string text = GRANTFS_TRY(ReadAt(fd_->get(), cut_offset_, size, path_));
  piece.last = cut_sequence_;
  for (std::size_t from = 0, end = 0; piece.entries.size() < max_entries; from = end + 1) {
    end = text.find('\n', from);
    if (end == std::string::npos) break;
    const std::string_view line = std::string_view(text).substr(from, end - from);
    if (!IsEntry(line)) continue;
    piece.entries.emplace_back(line);
    ++piece.last;
    piece.bytes = end + 1;
  }
  if (!piece.entries.empty()) piece.head = JournalHash(piece.entries.back());
  return piece;
}

Status JournalFile::ForEach(const std::function<void(std::string_view entry)>& visit) const {
  Lines lines(fd_->get(), cut_offset_, size_, path_);
  while (const auto line = GRANTFS_TRY(lines.Next()))
    if (IsEntry(*line)) visit(*line);
  return {};
}

Status JournalFile::WriteAnew() {
  std::uint64_t entries = 0;
  Hash head;
  bool chained = true;
  GRANTFS_CHECK(ForEach([&](std::string_view text) {
    const auto entry = JournalEntry::Parse(text);
    chained = chained && entry && entry->sequence == cut_sequence_ + ++entries &&
              (entries == 1 || entry->previous == head);
    head = JournalHash(text);
  }));
  if (!chained || entries != waiting() || (entries > 0 && head != head_))
    return Error{Code::kUnrecorded, "what was recorded is not in the journal any more: the disk has lost it",
                 0, PathForMessages(path_)};
  if (const Status written = Rewrite(cut_offset_); !written) return NotWritten(written.error().sys, path_);
  broken_ = false;
  return SyncDirectoryOf(path_);
}

Status JournalFile::Cut(const Piece& piece, std::uint64_t above) {
  cut_sequence_ = piece.last;
  cut_offset_ += piece.bytes;
  if (cut_sequence_ != head_sequence_) {
    return cut_offset_ - header_ > above ? Rewrite(cut_offset_) : Status();
  }
  // Where this does not outlive a power cut, they are sent once more, and the vault has them already.
  if (::ftruncate(fd_->get(), static_cast<off_t>(header_)) != 0)
    return Error{Code::kIo, "what was sent cannot be cut from the journal", errno, PathForMessages(path_)};
  size_ = cut_offset_ = header_;
  return {};
}

// The rest in a new file, locked before it has the name.
Status JournalFile::Rewrite(std::uint64_t from) {
  const std::string rest = GRANTFS_TRY(ReadAt(fd_->get(), from, size_ - from, path_));
  const std::string fresh = path_ + kNewSuffix;
  ::unlink(fresh.c_str());  // of a process that ended at this, or a link that leads elsewhere
  UniqueFd fd(::open(fresh.c_str(), O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  const bool good = fd && ::flock(fd.get(), LOCK_EX | LOCK_NB) == 0 &&
                    WriteWhole(fd.get(), HeaderLine(id_) + rest) == 0 && ::fdatasync(fd.get()) == 0 &&
                    ::rename(fresh.c_str(), path_.c_str()) == 0;
  if (!good) {
    const int sys = errno;
    ::unlink(fresh.c_str());
    return Error{Code::kIo, "what was sent cannot be cut from the journal", sys, PathForMessages(path_)};
  }
  fd_ = std::make_shared<const UniqueFd>(std::move(fd));
  cut_offset_ = header_;
  size_ = header_ + rest.size();
  return {};
}

void JournalFile::RemoveUnfinished(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  if (fd && ::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) ::unlink(path.c_str());
}

void JournalFile::Remove() { ::unlink(path_.c_str()); }

}  // namespace grantfs
