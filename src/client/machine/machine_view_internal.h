#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bundle_internal.h"
#include "grantfs/api/machine.h"
#include "grantfs/client/secret_source.h"
#include "grantfs/trust/lists.h"
#include "group_keys_internal.h"
#include "kept_proof_internal.h"

namespace grantfs {

/// One granted secret as a machine has verified it. Immutable once it is shown.
struct SecretView {
  std::uint64_t number = 0;
  std::string environment;
  std::string path;
  KeptProof proof;
  std::weak_ptr<const SecretProof> unpacked;  ///< `proof`, while somebody keeps it so (RecentProofs)
  std::vector<Hash> signers;                  ///< of its list
  Grant terms;
  std::uint64_t group = 0;  ///< that it is granted to, 0 = this machine itself
  std::optional<EnvironmentGroups::PrefixKey> prefix;  ///< of a grant by prefix
  std::uint64_t prefix_sequence = 0;                   ///< of its statement in the environment's list
  std::optional<VersionPublish> publish;  ///< of the version that the label points at; none: of none yet
  Hash version;                           ///< of its statement
  std::int64_t time = 0;                  ///< of its statement: unix seconds
  std::string unenforceable;
  std::string problem;  ///< what the vault serves now does not verify, and why; the rest is as it was before
};

/// Of two times at which something ends, 0 = never.
inline std::int64_t EarlierEnd(std::int64_t a, std::int64_t b) {
  return a == 0 || b == 0 ? std::max(a, b) : std::min(a, b);
}

/// All that a machine has verified at one moment. Immutable.
struct MachineView {
  std::shared_ptr<const VaultList> vault;  ///< never null
  std::map<std::string, std::shared_ptr<const EnvironmentList>> environments;
  std::map<std::uint64_t, std::shared_ptr<const SecretView>> secrets;
  GroupKeyRing groups;                                      ///< that this machine is in
  Bundles bundles;                                          ///< of the templates among `secrets`
  std::vector<api::Freeze> freezes;                         ///< of this machine and its environments
  std::string vault_problem;                                ///< all of the vault is refused
  std::map<std::string, std::string> environment_problems;  ///< all of an environment is refused
  std::vector<std::string> group_problems;                  ///< keys of groups that are refused
  std::map<std::uint64_t, std::string> refused;             ///< never verified, so not listed: why
  std::shared_ptr<const Listing> listing;                   ///< never null
  std::int64_t not_after = 0;  ///< when the machine's life ends, as its home knows: unix seconds, 0 = never

  /// When the machine's life ends, as its home or the secret's grant says, whichever is sooner.
  std::int64_t EndOfMachine(const SecretView& secret) const;
  UpperLists UpperOf(const std::string& environment) const;
  /// What the vault has frozen of this machine, or of the environment; null if nothing.
  const api::Freeze* FreezeOf(const std::string& environment) const;
  /// A group that this machine is in: it holds the key of the newest epoch. nullptr: it is not.
  const EnvironmentGroups::Group* GroupOf(const std::string& environment, std::uint64_t number) const;
  /// Why nothing of this secret may be used, "" if it may.
  const std::string& ProblemOf(const SecretView& secret) const;
  std::vector<std::string> Notices() const;
  /// Something is refused.
  bool IsTroubled() const;
};

/// Why this program cannot enforce a grant, "" if it can.
std::string UnenforceableReason(const Grant& terms);

/// "this machine was frozen by ann at ...", "shop/prod was frozen by ...".
std::string SentenceOf(const api::Freeze& freeze);

/// @param before  is the answer if nothing differs; never null.
std::shared_ptr<const Listing> MakeListing(const MachineView& view,
                                           const std::shared_ptr<const Listing>& before);

/// What the home remembers of a secret beside its view.
struct SecretMark {
  std::optional<Head> highest;
  std::uint64_t minimum = 0;   ///< 0: it was never gone
  std::uint64_t restored = 0;  ///< the newest restore of its environment that was known when it was gone
};

struct VerifiedSecret {
  std::shared_ptr<SecretView> view;
  std::shared_ptr<SecretProof> proof;  ///< that `view` keeps packed
};
/// What proves a view, unpacked if need be. Errors: kIntegrity.
Result<std::shared_ptr<const SecretProof>> ProofOf(const SecretView& secret, const UpperLists& upper);

/// Verifies what a vault shows of a grant, against the view before it (nullptr: none).
/// Errors: kIntegrity; kConflict (a statement names newer heads than those of `upper`).
Result<VerifiedSecret> VerifyEvidence(const api::GrantEvidence& evidence, const SecretView* before,
                                      const UpperLists& upper, const Identity& machine,
                                      const SecretMark& mark);

/// The same lists judged anew by newer lists above them. Errors: kIntegrity.
Status VerifyAgain(const SecretView& secret, const UpperLists& upper, const Identity& machine);

/// Of a secret that is granted to a group: takes the terms that the environment's list has now. False: it has no
/// such grant any more, or one that needs the secret looked at.
bool RefreshGroupTerms(std::shared_ptr<const SecretView>& secret, const EnvironmentList& environment);

/// A read's answer, judged by what is verified.
struct ReadVerdict {
  enum class Kind { kGood, kNewer };
  Kind kind = Kind::kGood;
  VersionPublish publish;
};
/// @param asked   the view when the read was sent.  @param now  the newest.
/// @return kNewer: the vault names newer heads than `now`; refresh, and judge again.
/// Errors: kIntegrity, kNotFound (no longer granted).
Result<ReadVerdict> JudgeRead(const api::ReadResponse& response, const SecretSource::OpenRequest& request,
                              const MachineView& asked, const MachineView& now);

/// What a value is made of once more (SecretSource::Reopen), without its statement and its grant, which were
/// judged when it was opened.
std::string EvidenceOf(const VersionPublish& publish, const Bytes& sealed, const Bytes& ciphertext);

/// The text that known.db keeps of a view, without its statements: the evidence, and in further lines the
/// versions before it.
std::string ViewToText(const SecretView& secret, const SecretProof& proof);
/// Verifies it again. Errors: kIntegrity, kInvalid.
Result<std::shared_ptr<SecretView>> ViewFromText(const std::string& text,
                                                 const std::vector<SignedList::StatementPtr>& statements,
                                                 const MachineView& view, const Identity& machine);

}  // namespace grantfs
