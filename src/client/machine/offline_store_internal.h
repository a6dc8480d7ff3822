#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "grantfs/api/machine.h"

namespace grantfs {

/// What a machine keeps on its disk for when the vault is away: `offline/NUMBER.json` (0600), each an answer
/// of the vault as it came, and `offline/contact.json`. Nothing of it is trusted: what is read is held
/// against the verified lists, and whoever could change the times is root. Threads: one at a time.
class OfflineStore {
 public:
  explicit OfflineStore(std::string directory) : directory_(std::move(directory)) {}

  /// When the vault was last heard, and the latest time that this machine's clock has shown since: so a
  /// clock that went back lengthens nothing. Unix seconds; 0 = never.
  struct Contact {
    std::int64_t heard = 0;
    std::int64_t greatest = 0;
  };
  Contact LoadContact() const;
  /// Errors: kIo, kNoSpace.
  Status SaveContact(const Contact& contact);

  /// What can be read; the rest is passed over.
  std::vector<api::ReadResponse> Load();
  /// Errors: kNoSpace (also: more than is kept), kIo.
  Status Save(const api::ReadResponse& version);
  void Remove(std::uint64_t number);
  struct Kept {
    std::uint32_t version = 0;  ///< 0: a file that could not be read
    std::size_t bytes = 0;
  };
  const std::map<std::uint64_t, Kept>& kept() const { return kept_; }

 private:
  std::string PathOf(std::uint64_t number) const;
  std::string directory_;
  std::map<std::uint64_t, Kept> kept_;  ///< by the secret's number
  std::size_t bytes_ = 0;
};

}  // namespace grantfs
