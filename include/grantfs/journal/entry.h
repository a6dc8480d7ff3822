#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "grantfs/crypto/hash.h"
#include "grantfs/crypto/keys.h"
#include "grantfs/util/result.h"

namespace grantfs {

inline constexpr std::size_t kMaxJournalEntryBytes = 4096;
/// Of a path in an entry; what is longer is cut.
inline constexpr std::size_t kMaxJournalPathBytes = 768;

/// The kinds of record that a grant may ask for.
inline constexpr char kRecordEach[] = "each";            ///< on the disk within 10 ms
inline constexpr char kRecordSync[] = "sync";            ///< on the disk before the open succeeds
inline constexpr char kRecordAggregate[] = "aggregate";  ///< counted per caller and minute

/// The process that opened a file.
struct JournalCaller {
  std::uint32_t pid = 0;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::string executable;
  std::string cgroup;
};

/// One read that a machine served by itself (contrib/FORMATS.md, "The journal").
struct JournalEntry {
  std::uint64_t sequence = 0;  ///< in its journal, from 1
  Hash previous;               ///< of the entry before; zeros in the first
  std::int64_t time_ms = 0;    ///< of the read, of the first of several: unix milliseconds
  std::string open;            ///< recorded once: 1..64 of [0-9a-z-]
  std::uint64_t secret = 0;
  std::uint32_t version = 0;
  std::string record = kRecordEach;
  JournalCaller caller;      ///< of an aggregate: without pid
  std::uint64_t count = 1;   ///< of an aggregate
  std::int64_t last_ms = 0;  ///< of an aggregate: time of the last

  bool aggregate() const { return record == kRecordAggregate; }
  /// One line of JSON without its end; what is hashed and sent.
  std::string Text() const;
  /// The part of it behind sequence and previous hash, which are known last.
  void AppendUnchained(std::string* text) const;
  /// Errors: kInvalid.
  static Result<JournalEntry> Parse(std::string_view text);
};

/// Text() of what AppendUnchained has made.
std::string ChainedText(std::uint64_t sequence, const Hash& previous, std::string_view unchained);

/// What the next entry names as `previous`.
Hash JournalHash(std::string_view entry);

/// The machine's signature over a journal up to an entry.
/// @param journal  32 hexadecimal digits.  @param head  JournalHash of entry `sequence`.
Signature SignJournal(const SigningKey& key, const Hash& vault, std::string_view journal,
                      std::uint64_t sequence, const Hash& head);
bool VerifyJournal(const VerifyKey& key, const Hash& vault, std::string_view journal, std::uint64_t sequence,
                   const Hash& head, const Signature& signature);

}  // namespace grantfs
