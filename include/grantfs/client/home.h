#pragma once

#include <functional>
#include <string>
#include <vector>

#include "grantfs/net/address.h"
#include "grantfs/trust/identity.h"
#include "grantfs/trust/invitation.h"
#include "grantfs/util/result.h"

namespace grantfs {

/// Whose home it is, and of which vault (`identity.json`).
struct HomeProfile {
  /// A home counts from the moment its identity.json stands there; before kReady only `init` or `enroll` goes
  /// on with it.
  enum class State {
    kClaiming,    ///< `init` was interrupted
    kEnrolling,   ///< waits for an owner's approval, or to be let in by a standing invitation
    kRequesting,  ///< has keys and a name, and no vault: waits for the line that names one
    kReady,
  };
  State state = State::kReady;
  IdentityKind kind = IdentityKind::kUser;
  std::string name;
  Hash vault;
  Address address;
  std::vector<Hash> pins;      ///< of the first contact; later ones are in the vault's list
  bool standing = false;       ///< while enrolling: by a standing invitation
  std::int64_t not_after = 0;  ///< when its life in the vault ends: unix seconds, 0 = never
};

inline constexpr char kNextSeedSuffix[] = ".new";  ///< of the seed's file
inline constexpr char kNextHome[] = "/next";       ///< of the home of a new key, in the one that it is for

/// "claiming", "enrolling", "requesting", "ready": as identity.json has it.
const char* HomeStateName(HomeProfile::State state);

// clang-format off
/// The directory of one identity and its vault, 0700:
///
///     seed           0600: both private keys derive from it; 32 bytes, or 105 under a passphrase (crypto/passphrase.h)
///     seed.new       0600, for a moment: the seed while its passphrase changes
///     identity.json  0600, HomeProfile; written last, so that a home is whole or does not count
///     invite         0600, while enrolling: the invitation's secret
///     recovery       0600, while claiming: the recovery identity's seed, so that an interrupted init can show it
///     known.db       0600, what was verified (known_store.h)
///     reserve        0600, an owner's: room that revoking on a full disk gets, 1 MiB
///     journal/       0700 of the user that mounts work as, of a machine: what it served under leases and has not told the vault yet
///     offline/       0700 of the same user, of a machine: what it may serve with the vault away
///     mount-ID/      0700 of the user that mounts work as: a known.db of theirs (mount_home.h)
///     next/          0700, a home by itself, while a new key of the same person waits to take this one's place
///
/// Threads: none. Processes: several may use one home at once.
// clang-format on
class Home {
 public:
  /// Errors: kNotFound (there is none: what to run), kConflict (waits for approval, or an interrupted
  /// `init`), kDenied (a seed or directory that others may read, or of another user), kInvalid (damaged),
  /// kIo.
  static Result<Home> Open(const std::string& directory);
  /// As Open, in whatever state.
  static Result<Home> OpenAny(const std::string& directory);
  /// Whether an identity stands there, in whatever state.
  static bool Exists(const std::string& directory);

  /// Makes the directory with seed and known.db, and then identity.json. What an interrupted call left
  /// without identity.json is taken away first. Errors: kConflict (it has an identity: `where` says what to
  /// do), kDenied, kIo, kNoSpace.
  static Result<Home> Create(const std::string& directory, const HomeProfile& profile,
                             const SecretMemory& seed, const InviteSecret* invite,
                             const SecretMemory* recovery);

  /// What a process that may not enter the home itself was handed of it.
  struct HandedPaths {
    std::string known;
    std::string journal;
    std::string offline;
  };
  static Home Handed(HomeProfile profile, HandedPaths paths);

  const std::string& directory() const { return directory_; }
  const HomeProfile& profile() const { return profile_; }
  std::string ProfilePath() const;  ///< of a home that is a directory
  std::string SeedPath() const;     ///< the same
  std::string KnownPath() const { return Place(handed_.known, "/known.db"); }
  std::string JournalPath() const { return Place(handed_.journal, "/journal"); }
  std::string OfflinePath() const { return Place(handed_.offline, "/offline"); }
  /// Whether it can be noted here what was verified. Errors: kIo.
  Status CheckWritable() const;
  /// Sets room aside on this disk (the file reserve), as far as there is any; nothing to do where it is.
  /// Errors: kNoSpace, kIo.
  Status MakeReserve() const;
  /// Gives that room back, for what must be noted now.
  void GiveUpReserve() const;

  /// Where the passphrase of a key comes from that is under one. Set for the whole process, before it has
  /// other threads; empty: from nowhere.
  using PassphraseSource = std::function<Result<SecretMemory>()>;
  static void AskPassphraseBy(PassphraseSource source);
  /// Errors: as LoadIdentity.
  Result<bool> IsKeyProtected() const;
  /// Errors: kDenied (a file that others may read; the passphrase is wrong, or nobody knows it), kIntegrity
  /// (damaged), those of the source.
  Result<SecretMemory> LoadSeed() const;
  Result<PrivateIdentity> LoadIdentity() const;
  /// Puts the seed under a passphrase, in place of none or of the one before. After an error, and after a
  /// crash at any moment, it is as it was or as it is to be. Errors: as LoadSeed; kConflict (another process
  /// is at work here).
  Status Protect(const SecretMemory& passphrase) const;
  Status Unprotect() const;
  /// Puts the seed under the passphrase that the other home's is under, if it is under one and this is not.
  Status ProtectLike(const Home& other) const;
  /// The seed of `next`, a home of the same person or agent and vault, takes the place of this one's, and
  /// `next` is taken away: as Protect, at every moment the one key or the other is there. Errors: as
  /// LoadSeed; kIntegrity (another's home), kConflict (another process is at work here), kIo.
  Status TakeKeyOf(const Home& next) const;
  /// Only while enrolling. Errors: kNotFound, as LoadIdentity.
  Result<InviteSecret> LoadInvite() const;
  /// Only while claiming. Errors: kNotFound, as LoadIdentity.
  Result<SecretMemory> LoadRecoverySeed() const;
  /// The home is usable from now on, until then (0: for ever); forgets the invitation or the recovery seed.
  Status MarkReady(std::int64_t not_after = 0);
  /// Only while requesting: this is its vault, and it is usable from now on.
  Status Accept(HomeProfile profile);
  /// Forgets what was verified of a vault that is not this home's.
  Status ForgetKnown() const;
  /// Takes a home away that is not ready yet. Errors: kConflict for one that is.
  Status Discard();

 private:
  std::string Place(const std::string& handed, const char* name) const {
    return handed.empty() ? directory_ + name : handed;
  }

  std::string directory_;
  HandedPaths handed_;
  HomeProfile profile_;
};

/// Home::Open of a machine's. Errors: as that; kInvalid (another's).
Result<Home> OpenMachineHome(const std::string& directory);

}  // namespace grantfs
