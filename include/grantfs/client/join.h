#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "grantfs/client/options.h"
#include "grantfs/crypto/secret.h"
#include "grantfs/trust/identity.h"
#include "grantfs/util/result.h"

namespace grantfs {

/// What `init` made.
struct InitResult {
  Hash vault;
  std::string address;
  std::string name;  ///< the owner's
  std::string fingerprint;
  /// To be shown once and kept offline; it stands nowhere else. Empty only where an init was cut off at its
  /// very end.
  SecretMemory recovery_code;
};

/// Makes a vault of an empty server: its genesis with a new root owner and a recovery identity, the machines
/// list, and the owner's home. An `init` that was interrupted (the vault was made, the answer lost) is
/// finished by calling it again.
///
/// @param claim_line  what `serve` printed.
/// @param owner_name  CheckIdentityName.
/// Errors: kInvalid (mistyped), kConflict (the home has an identity; somebody claimed the vault already),
/// kUnreachable, kIntegrity (another server than the claim's), kIo.  Blocks.
Result<InitResult> InitVault(const std::string& home_directory, const SecretMemory& claim_line,
                             const std::string& owner_name, const ClientOptions& options = {});

struct EnrolResult {
  bool approved = false;  ///< false: an owner has yet to approve it; the home waits
  IdentityKind kind = IdentityKind::kMachine;
  std::string name;
  std::string fingerprint;  ///< to be compared with what the approver sees
  Hash vault;
  std::string address;
  std::int64_t not_after = 0;  ///< of what is approved: when its life ends, 0 = never
};

/// What a machine is called that a standing invitation lets in.
struct MachineName {
  std::string given;  ///< by a person, or ""
  std::string host;   ///< otherwise
};

/// Makes the keys that an invitation is for, and asks to be let in. Runs for machines, users and agents.
///
/// @param invite_line  the pasted line; nullptr goes on with an enrolment that waits in this home.
/// @param wait         how long to wait for the approval before it returns with `approved` false.
/// @param waiting      runs once before the wait, for showing the fingerprint. May be empty.
/// @param name         of a machine that a standing invitation lets in, at once.
/// Errors: kInvalid (mistyped; a name that the invitation is not for), kDenied (the name is taken), kConflict
/// (the home has an identity; another enrolment used the invitation), kExpired (the invitation has expired or
/// was used), kNotFound (nullptr, and nothing waits), kUnauthentic, kUnreachable, kIntegrity, kIo.  Blocks.
Result<EnrolResult> Enrol(const std::string& home_directory, const SecretMemory* invite_line,
                          std::chrono::milliseconds wait,
                          const std::function<void(const EnrolResult&)>& waiting,
                          const ClientOptions& options = {}, const MachineName& name = {});

/// Makes a new key for the user or agent whose home this is, by an invitation of `grantfs invite --rekey`,
/// and asks to be let in with it. Until an owner has approved it the key waits beside the one of the home,
/// which is as it was; then it takes that one's place, under the same passphrase if that is under one.
///
/// @param invite_line, wait, waiting  as of Enrol
/// Errors: as Enrol and Home::LoadSeed; kInvalid (a machine's home; an invitation for somebody else). Blocks.
Result<EnrolResult> RekeyHome(const std::string& home_directory, const SecretMemory* invite_line,
                              std::chrono::milliseconds wait,
                              const std::function<void(const EnrolResult&)>& waiting,
                              const ClientOptions& options = {});

/// What a machine without an invitation asks with.
struct RequestResult {
  std::string line;  ///< for an owner's approve -; no secret
  std::string name;
  std::string fingerprint;
  std::int64_t expires = 0;
};
/// Makes keys here, and a request that they sign. Called again it makes another one of the same keys, unless
/// another name is given, which makes new keys. Asks no vault.
///
/// @param ttl  for how long it can be approved: seconds, up to kMaxEnrolRequestSeconds.
/// Errors: kInvalid (name, ttl), kConflict (the home has an identity, or one waits by an invitation), kIo.
Result<RequestResult> RequestEnrolment(const std::string& home_directory, const std::string& name,
                                       std::int64_t ttl, const ClientOptions& options = {});

/// Takes an owner's answer to such a request: trusts the vault that the line names once it shows the list
/// that the line speaks of, and knows this machine's key. Until then nothing of it is kept.
///
/// Errors: kInvalid (mistyped), kNotFound (nothing was asked here), kConflict (the home has an identity; the
/// line was made for another machine), kUnauthentic (the vault does not know this key), kUnreachable,
/// kIntegrity (another vault than the line's), kIo.  Blocks.
Result<EnrolResult> AcceptEnrolment(const std::string& home_directory, std::string_view line,
                                    const ClientOptions& options = {});

/// For what needs a machine's home: where an enrolment waits in it, asks once whether it was approved and
/// finishes it; a home that is ready is left alone. Errors: kConflict (not approved yet: what to run), as
/// Enrol.  Blocks.
Status FinishEnrolment(const std::string& home_directory, const ClientOptions& options = {});

}  // namespace grantfs
