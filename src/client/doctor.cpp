#include "grantfs/client/doctor.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "client/homes/connect_internal.h"
#include "grantfs/api/lists.h"
#include "grantfs/client/home.h"
#include "grantfs/client/list_keeper.h"
#include "grantfs/client/tls.h"
#include "grantfs/store/audit_verify.h"
#include "grantfs/store/store.h"
#include "grantfs/tlog/checkpoint.h"
#include "grantfs/util/file.h"

namespace grantfs {
namespace {

using Level = Finding::Level;
constexpr std::uintmax_t kMiB = std::uintmax_t{1} << 20;
constexpr std::uintmax_t kLeastDisk = kMiB;  ///< a change to a list may need more
constexpr std::uintmax_t kHomeDisk = 16 * kMiB;
constexpr std::uintmax_t kDataDisk = 256 * kMiB;
constexpr std::int64_t kClockWorthANote = 5;
constexpr std::int64_t kClockWorthAWarning = 25;

class Doctor {
 public:
  Doctor(std::string home, std::string data, const ClientOptions& options)
      : directory_(std::move(home)), data_(std::move(data)), options_(options) {}

  std::vector<Finding> Run() {
    if (LookAtHome() && LookAtKnown() && LookAtSeed()) LookAtVault();
    LookAtData();
    return std::move(findings_);
  }

 private:
  void Add(Level level, const char* check, std::string sentence, std::string mend = {}) {
    findings_.push_back({level, check, std::move(sentence), std::move(mend)});
  }

  bool LookAtHome() {
    auto home = Home::OpenAny(directory_);
    if (!home && home.error().code == Code::kDenied) {
      Add(Level::kFailure, "home.mode", Describe(home.error()), "chmod 0700 " + directory_);
      return false;
    }
    if (!home) {
      Add(Level::kFailure, "home", Describe(home.error()),
          home.error().code == Code::kNotFound ? "grantfs enroll on a machine, grantfs init for a new vault"
                                               : "restore it from a backup, or enrol anew with another home");
      return false;
    }
    home_ = std::move(*home);
    Add(Level::kGood, "home.mode", "only its owner may enter " + directory_);
    LookAtDisk("home.disk", directory_, kHomeDisk);
    const HomeProfile& profile = home_->profile();
    if (profile.state == HomeProfile::State::kRequesting) {
      Add(Level::kWarning, "home.state", "the home has keys, and no vault yet",
          "grantfs approve - (an owner), then grantfs enroll --accept");
      return false;
    }
    if (profile.state != HomeProfile::State::kReady) {
      const bool enrolling = profile.state == HomeProfile::State::kEnrolling;
      Add(Level::kWarning, "home.state",
          enrolling ? "the home waits for an owner's approval" : "an interrupted init stands in the home",
          enrolling ? "grantfs approve " + profile.name + " (an owner), then grantfs enroll"
                    : "grantfs init");
    }
    return true;
  }

  bool LookAtSeed() {
    const auto is_protected = home_->IsKeyProtected();
    auto identity = home_->LoadIdentity();
    if (is_protected && *is_protected && !identity) {
      Add(Level::kWarning, "seed.passphrase", Describe(identity.error()),
          "grantfs doctor --passphrase-file FILE");
      return false;
    }
    if (!identity) {
      const std::string seed = home_->SeedPath();
      if (identity.error().code == Code::kDenied)
        Add(Level::kFailure, "seed.mode", Describe(identity.error()), "chmod 0600 " + seed);
      else
        Add(Level::kFailure, "seed", Describe(identity.error()),
            "restore " + seed + " from a backup, or enrol anew with another home");
      return false;
    }
    identity_ = std::move(*identity);
    Add(Level::kGood, "seed.mode", "only its owner may read the seed");
    Add(Level::kGood, "seed.passphrase",
        is_protected && *is_protected
            ? "the key is under a passphrase"
            : "the key is under no passphrase (grantfs key protect puts it under one)");
    return true;
  }

  bool LookAtKnown() {
    auto known = KnownStore::Open(home_->KnownPath(), KnownStore::Missing::kRefuse);
    Status good = known ? (*known)->CheckFile() : Status(known.error());
    if (good) {
      known_ = std::move(*known);
      ListKeeper keeper(known_.get(), nullptr, home_->profile().vault);
      good = keeper.Load();
    }
    if (const Status writable = home_->CheckWritable(); good && !writable) {
      Add(Level::kFailure, "known", Describe(writable.error()),
          "make the file and its filesystem writable for this user");
      return false;
    }
    if (good) {
      Add(Level::kGood, "known", "what this home has verified is whole");
      return true;
    }
    Add(Level::kFailure, "known", Describe(good.error()),
        "restore " + home_->KnownPath() + " from a backup, or enrol anew with another home");
    return false;
  }

  Result<std::unique_ptr<VaultConnection>> Connect(const KnownStore::Peer& peer) {
    const HomeProfile& profile = home_->profile();
    ListKeeper keeper(known_.get(), nullptr, profile.vault);
    GRANTFS_CHECK(keeper.Load());
    ConnectionOptions connection = ConnectionTo(profile, options_, peer);
    if (!keeper.vault().empty()) connection.pins = keeper.vault().pins();
    return VaultConnection::Create(std::move(connection), identity_->Id().Hex(), &identity_->signing_key());
  }

  void LookAtDisk(const char* check, const std::string& directory, std::uintmax_t enough) {
    std::error_code failed;
    const auto free = std::filesystem::space(directory, failed).available;
    if (failed) return;
    const std::string sentence = std::to_string(free / kMiB) + " MiB are free on the disk of " + directory;
    if (free >= enough) return Add(Level::kGood, check, sentence);
    Add(free < kLeastDisk ? Level::kFailure : Level::kWarning, check, sentence,
        "free some of it: nothing is noted, recorded or released without it");
  }

  void LookAtVault() {
    const auto peer = known_->ReadPeer();
    auto connection = peer ? Connect(*peer) : Result<std::unique_ptr<VaultConnection>>(peer.error());
    if (!connection) return Add(Level::kFailure, "vault.reach", Describe(connection.error()));
    const auto said = (*connection)->Get<api::StatusResponse>(api::kStatus);
    if (!said) return AddFailure(said.error());
    Add(Level::kGood, "vault.reach", "the vault answers at " + home_->profile().address.Text());
    LookAtPin();
    if (said->vault != home_->profile().vault) {
      return Add(Level::kFailure, "vault.id", "another vault answers at " + home_->profile().address.Text(),
                 "name the home of that vault with --home");
    }
    Add(Level::kGood, "vault.id", "it is the vault of this home");
    LookAtClock(said->time);
    LookAtLists(**connection);
    LookAtCheckpoint(said->checkpoint, peer->checkpoint);
  }

  /// Whether the server shows the one of two keys. Its own word is not asked: the handshake tells.
  bool Shows(const Hash& pin) {
    ConnectionOptions connection = ConnectionTo(home_->profile(), options_, {});
    connection.pins = {pin};
    auto other =
        VaultConnection::Create(std::move(connection), identity_->Id().Hex(), &identity_->signing_key());
    if (!other) return false;
    const auto said = (*other)->Get<api::StatusResponse>(api::kStatus);
    return said || said.error().code != Code::kIntegrity;
  }

  void LookAtPin() {
    ListKeeper keeper(known_.get(), nullptr, home_->profile().vault);
    if (!keeper.Load() || keeper.vault().empty())
      return Add(Level::kGood, "vault.pin", "it shows the key that this home expects");
    const auto& pins = keeper.vault().pins();
    const auto told = [&](const Hash& pin) {
      return pin.Hex().substr(0, 16) + " (named since " + FormatTime(PinSince(keeper.vault(), pin)) + ")";
    };
    if (pins.size() == 1)
      return Add(Level::kGood, "vault.pin", "it shows the key that the vault's list names: " + told(pins[0]));
    const std::string both =
        "the vault's list names the current key " + told(pins[0]) + " and the next " + told(pins[1]);
    if (Shows(pins[0]))
      return Add(Level::kNote, "vault.pin", both + "; it shows the current one",
                 "grantfs tls switch (an owner of the vault) ends the change");
    Add(Level::kWarning, "vault.pin", both + "; it shows the next one already, not the list's current",
        "grantfs tls switch (an owner of the vault) makes it the only one");
  }

  void AddFailure(const Error& error) {
    const std::string address = home_->profile().address.Text();
    if (error.code == Code::kIntegrity) {
      return Add(Level::kFailure, "vault.pin", Describe(error),
                 "if an owner says that its key was replaced, grantfs tls trust PIN; if the vault was made "
                 "anew, enrol "
                 "with another home; if neither, somebody is in between");
    }
    if (error.code == Code::kUnauthentic) {
      return Add(Level::kFailure, "vault.identity", Describe(error), "grantfs identity list (an owner)");
    }
    Add(Level::kFailure, "vault.reach", Describe(error),
        "start it with grantfs serve, or mend the way to " + address);
  }

  void LookAtClock(std::int64_t theirs) {
    const std::int64_t ours = options_.clock->WallSeconds();
    const std::int64_t apart = std::llabs(theirs - ours);
    const std::string sentence = "this clock and the vault's are " + std::to_string(apart) + " s apart";
    if (apart <= kClockWorthANote) return Add(Level::kGood, "clock", sentence);
    Add(apart <= kClockWorthAWarning ? Level::kNote : Level::kWarning, "clock", sentence,
        "timedatectl set-ntp true (on the one that is wrong)");
  }

  void LookAtLists(VaultConnection& connection) {
    ListKeeper keeper(known_.get(), &connection, home_->profile().vault);
    Status good = keeper.Load();
    if (good) good = keeper.RefreshVault();
    if (!good) {
      return Add(Level::kFailure, "vault.list", Describe(good.error()),
                 good.error().code == Code::kIntegrity
                     ? "do not use this vault before its owners have looked at it"
                     : "");
    }
    Add(Level::kGood, "vault.list", "the vault's list verifies, and goes on from what this home has seen");
    const std::int64_t level = keeper.vault().level();
    const std::string levels = "the vault's format level is " + std::to_string(level) + ", this program's " +
                               std::to_string(kFormatLevel);
    if (level < kFormatLevel)
      Add(Level::kNote, "vault.level", levels, "grantfs level raise (an owner), once every mount and client is upgraded");
    else
      Add(Level::kGood, "vault.level", levels);
    log_key_ = LogKey{keeper.vault().log_origin(), keeper.vault().log_key()};
  }

  void LookAtCheckpoint(const std::string& said, const std::string& remembered) {
    if (!log_key_ || remembered.empty()) return;
    const auto before = OpenCheckpoint(remembered, log_key_->key, log_key_->origin);
    const auto now = OpenCheckpoint(said, log_key_->key, log_key_->origin);
    if (before && now && now->size >= before->size) {
      return Add(Level::kGood, "audit", "the audit log is no shorter than when it was last verified");
    }
    Add(Level::kFailure, "audit",
        "the audit log is shorter than when it was last verified, or signed by another key",
        "grantfs audit verify");
  }

  void LookAtDataModes() {
    const auto others = [](const std::string& path) {
      struct stat found {};
      return ::stat(path.c_str(), &found) == 0 && (found.st_mode & 077) != 0;
    };
    const std::string database = data_ + "/" + kDatabaseFile;
    if (others(data_))
      return Add(Level::kFailure, "data.mode", "others may enter " + data_ + ", where the vault's keys lie",
                 "chmod 0700 " + data_);
    if (others(database))
      return Add(Level::kFailure, "data.mode", "others may read " + database + ", where the vault's keys lie",
                 "chmod 0600 " + database);
    Add(Level::kGood, "data.mode", "only its owner may enter " + data_);
  }

  // As a copy is judged: every page, then every record of its log.
  void LookAtDatabase() {
    const std::string database = data_ + "/" + kDatabaseFile;
    const std::string restore = "keep " + data_ + " as evidence, and start from the last grantfs backup";
    if (::access(database.c_str(), R_OK) != 0)
      return Add(Level::kNote, "data.integrity", database + " cannot be read by this user",
                 "run grantfs doctor as the user that serves the vault, or as root");
    const auto source = OpenAuditDatabase(database);
    if (!source) {
      const bool schema = source.error().code == Code::kUnsupported;
      return Add(Level::kFailure, schema ? "data.schema" : "data.integrity", Describe(source.error()),
                 schema ? "upgrade grantfs on this host" : restore);
    }
    Add(Level::kGood, "data.schema", "this grantfs knows the schema of " + database);
    Add(Level::kGood, "data.integrity", "every page of it is whole");
    AuditAnchor anchor;
    if (log_key_) {
      anchor.key = log_key_->key;
      anchor.origin = log_key_->origin;
    }
    const auto verdict = VerifyAudit(**source, anchor);
    if (!verdict) return Add(Level::kFailure, "data.log", Describe(verdict.error()), restore);
    if (verdict->good)
      return Add(Level::kGood, "data.log",
                 "the " + std::to_string(verdict->size) + " records of its audit log are what was written");
    const std::string where = verdict->bad ? "record " + std::to_string(*verdict->bad) : "the checkpoint";
    Add(Level::kFailure, "data.log", "its audit log is not what was written: " + where + ": " + verdict->what,
        restore);
  }

  // The owner's seed beside the vault undoes what the vault does not know.
  void LookAtData() {
    if (data_.empty() || !PathExists(data_ + "/" + kDatabaseFile)) return;
    LookAtDisk("data.disk", data_, kDataDisk);
    LookAtDataModes();
    LookAtDatabase();
    if (home_ && home_->profile().kind != IdentityKind::kMachine) {
      return Add(Level::kWarning, "seed.place",
                 "the seed of " + home_->profile().name +
                     " lies on the vault's own host: who takes the host takes the values",
                 "move " + directory_ + " to the owner's own computer, or take this for a trial only");
    }
    Add(Level::kNote, "seed.place", "a vault's data lies on this host");
  }

  const std::string directory_;
  const std::string data_;
  const ClientOptions options_;
  std::vector<Finding> findings_;
  std::optional<Home> home_;
  std::optional<PrivateIdentity> identity_;
  std::unique_ptr<KnownStore> known_;
  std::optional<LogKey> log_key_;
};

}  // namespace

std::vector<Finding> RunDoctor(const std::string& home_directory, const std::string& data_directory,
                               const ClientOptions& options) {
  return Doctor(home_directory, data_directory, options).Run();
}

}  // namespace grantfs
