#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "grantfs/journal/journal.h"
#include "grantfs/util/unique_fd.h"

namespace grantfs {

inline constexpr char kJournalSuffix[] = ".journal";
inline constexpr char kNewSuffix[] = ".new";
inline constexpr char kDamagedSuffix[] = ".damaged";

/// What a file's signatures are checked with.
struct JournalSigner {
  Hash vault;
  const SigningKey* key = nullptr;
};

/// A new file of the home's owner becomes the directory's owner's, where that is another: the user that
/// mounts work as, who tells the vault what is in it.
void GiveToOwnerOf(const std::string& directory, int fd);

/// One file of entries, locked by the process that writes it. Threads: one at a time.
class JournalFile {
 public:
  /// A new one under a new id. That outlives a power cut when it and its directory (SyncDirectoryOf) are
  /// synced. Errors: kUnrecorded.
  static Result<std::unique_ptr<JournalFile>> Create(const std::string& directory);
  /// One that a process has left. @return nullptr: it is another's still, or gone, or held nothing and was
  /// taken away.  Errors: kIo.
  static Result<std::unique_ptr<JournalFile>> Adopt(const std::string& path, const JournalSigner& signer);

  /// Fills in sequence and previous hash, and writes it; a failure leaves the file as it was.
  /// Errors: kUnrecorded.
  Status Append(const JournalEntry& entry);
  /// Several, as JournalEntry::AppendUnchained makes them: all or none, with one write.
  Status Append(const std::vector<std::string_view>& unchained);
  /// Signs what was appended since the last signature. Errors: kUnrecorded.
  Status Seal(const JournalSigner& signer);

  /// After a sync that failed the kernel may have forgotten what it did not write, and call the next one
  /// good: all that waits is written into another file, which is on the disk when it takes this one's place.
  /// Errors: kUnrecorded (also if what is read back is not what was written).
  Status WriteAnew();

  struct Piece {
    std::vector<std::string> entries;
    std::uint64_t last = 0;
    Hash head;
    std::uint64_t bytes = 0;  ///< that they take in the file, from where it is cut
  };
  /// The oldest entries that are not cut yet. Errors: kIo.
  Result<Piece> Read(std::size_t max_entries, std::size_t max_bytes) const;
  /// Each entry that is not cut yet. Errors: kIo.
  Status ForEach(const std::function<void(std::string_view entry)>& visit) const;
  /// Takes the entries of the piece that was read last away; the file is written anew when more than `above`
  /// bytes of what was sent stand in front of what was not.
  Status Cut(const Piece& piece, std::uint64_t above);
  /// Takes the file away.
  void Remove();
  /// Takes one away that an ended process has not finished making.
  static void RemoveUnfinished(const std::string& path);

  const std::string& id() const { return id_; }
  const std::string& path() const { return path_; }
  /// Of what waits.
  std::uint64_t bytes() const { return size_ - cut_offset_; }
  std::uint64_t waiting() const { return head_sequence_ - cut_sequence_; }
  /// What was found out when it was adopted; "" = it was whole.
  const std::string& damage() const { return damage_; }
  /// Stays open as long as somebody syncs it.
  std::shared_ptr<const UniqueFd> fd() const { return fd_; }

 private:
  JournalFile(std::string path, std::string id) : path_(std::move(path)), id_(std::move(id)) {}
  Status Write(const std::string& lines);
  Status Recover(const JournalSigner& signer);
  bool Accept(std::string_view line, const JournalSigner& signer);
  Status Rewrite(std::uint64_t from);

  std::string path_;
  std::string id_;
  std::shared_ptr<const UniqueFd> fd_;
  std::uint64_t header_ = 0;  ///< its length
  std::uint64_t size_ = 0;
  std::uint64_t head_sequence_ = 0;
  Hash head_;
  std::uint64_t sealed_sequence_ = 0;
  std::uint64_t cut_sequence_ = 0;
  std::uint64_t cut_offset_ = 0;
  bool any_ = false;     ///< an entry was seen while recovering
  bool broken_ = false;  ///< a failed write could not be undone
  std::string damage_;
};

}  // namespace grantfs
