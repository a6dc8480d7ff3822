#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "grantfs/api/machine.h"
#include "grantfs/crypto/secret.h"
#include "grantfs/trust/acts.h"

namespace grantfs {

/// A version as the vault delivered it and the lists bear it out: ciphertext and sealed key, never plaintext.
struct HeldVersion {
  api::ReadResponse response;
  VersionPublish publish;
  SecretMemory key;  ///< the opened data key, so that an open need not open it; may be empty
  // What else is the same for each open by that key, once the ciphertext was found to be the statement's.
  Bytes context = {};         ///< ValueContext, encoded; may be empty
  std::string evidence = {};  ///< EvidenceOf; may be empty
};

/// What a machine may serve without asking again, one version a secret. Threads: safe.
class HeldVersions {
 public:
  using Held = std::shared_ptr<const HeldVersion>;
  /// In place of what was held of that secret. What is too much is not held.
  void Put(HeldVersion version);
  Held Find(std::uint64_t number) const;
  /// The same with its opened key (and what goes with it), in place of `held` if that still is what is held.
  void PutKey(const Held& held, SecretMemory key, Bytes context = {}, std::string evidence = {});
  void Erase(std::uint64_t number);
  /// Wipes those that the function wants gone.
  void EraseIf(const std::function<bool(const HeldVersion&)>& gone);

 private:
  /// With the lock held.
  Held Take(std::map<std::uint64_t, Held>::iterator at);
  mutable std::mutex mutex_;
  std::map<std::uint64_t, Held> versions_;
  std::size_t bytes_ = 0;
  std::size_t keys_ = 0;
};

}  // namespace grantfs
