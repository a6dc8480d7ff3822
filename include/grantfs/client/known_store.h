#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "grantfs/sqlite/database.h"
#include "grantfs/trust/names.h"
#include "grantfs/trust/signed_list.h"
#include "grantfs/util/result.h"

namespace grantfs {

/// What a home has verified, so that nothing of it is ever taken back: `known.db`. Several processes may have
/// it open; every change is one transaction that refuses what contradicts what stands there. Threads: safe.
///
/// Errors of all functions, beside their own: kIntegrity (the file is damaged), kConflict (locked for long),
/// kNoSpace, kIo.
class KnownStore {
 public:
  enum class Missing { kRefuse, kMake };
  /// Errors: kNotFound, kUnsupported (of a newer program).
  static Result<std::unique_ptr<KnownStore>> Open(const std::string& path, Missing missing);

  // ---- lists

  /// The newest point of a list that was ever verified.
  Result<std::optional<Head>> HighestHead(const ListId& list);
  /// What was kept of a list, in order and without gaps. Unverified still: the file is trusted for no more
  /// than forgetting.
  Result<std::vector<SignedList::StatementPtr>> Statements(const ListId& list);
  /// The same of a list that is to receive them (SignedList::ParseAhead).
  Result<std::vector<SignedList::StatementPtr>> Statements(const SignedList& list, const UpperLists& upper);
  /// The same as it lies there, for who reads it on another thread.
  struct Kept {
    std::string envelope;
    Hash hash;
  };
  /// Threads: any number. Errors: kIntegrity.
  Result<std::vector<SignedList::StatementPtr>> ReadKept(const std::vector<Kept>& kept) const;

  /// A list's statements that were verified just now, in order and without gaps.
  struct Verified {
    ListId list;
    std::vector<SignedList::StatementPtr> statements;  ///< new ones; may be empty
    std::optional<Head> head;  ///< the newest of the list, if it is more than a statement of these
    /// They are the whole list, which goes on from a backup, and take the place of what was kept, of which
    /// this was the newest.
    std::optional<Head> replaces = {};
    /// Of the vault's list, where it names another log from here on: the checkpoint is forgotten.
    bool other_log = false;
  };
  /// Errors: kIntegrity (contradicts what this home has verified: a fork, as seen by two processes).
  Status Remember(const std::vector<Verified>& lists);

  // ---- secrets

  /// By which number it is known, if at all.
  Result<std::optional<std::uint64_t>> NumberOf(const SecretName& name);
  /// The secret of that number was destroyed: the number stays taken, and its name is free for another.
  Status FreeName(std::uint64_t number);
  /// Refuses two secrets with one number, and two numbers for one name. Errors: kIntegrity.
  Status RememberNumber(std::uint64_t number, const SecretName& name);
  Result<std::optional<SecretName>> NameOf(std::uint64_t number);
  struct Numbered {
    std::uint64_t number = 0;
    SecretName name;
  };
  /// All of an environment that were ever seen, but those whose end was; "": of all.
  Result<std::vector<Numbered>> NumbersIn(const std::string& environment);

  // ---- many secrets at once

  /// What is known of a secret that goes by this number and name.
  struct SecretKnown {
    std::vector<Kept> kept;
    std::optional<Head> highest;
    std::optional<std::uint64_t> number;  ///< by which the name is known
  };
  struct NamedSecret {
    std::uint64_t number = 0;
    SecretName name;
  };
  /// One state of the file, in the order of `secrets`.
  Result<std::vector<SecretKnown>> KnownOf(const std::vector<NamedSecret>& secrets);
  struct VerifiedSecret {
    NamedSecret secret;
    Verified list;
  };
  /// As RememberNumber and Remember for each, in one transaction: all or nothing.
  Status RememberSecrets(const std::vector<VerifiedSecret>& secrets);

  // ---- a machine's grants

  struct Granted {
    std::uint64_t number = 0;
    std::string data;  ///< the session's own text
    /// Of the secret's list: those from `first` on are kept. To be remembered: new ones; read: all that are
    /// kept.
    std::vector<SignedList::StatementPtr> statements;
    std::uint64_t first = 0;
    Head head;
  };
  /// Until it goes, all that is read is of one moment, and the file is locked and looked at once. Nothing is
  /// remembered meanwhile, and no other thread is at work.
  Result<Transaction> ReadTogether();
  Result<std::vector<std::uint64_t>> GrantedNumbers();
  /// One at a time: what is kept of all together has the size of the file. @return none if it is gone.
  Result<std::optional<Granted>> FindGranted(std::uint64_t number);
  /// `gone`: no longer granted; what is granted anew must have a higher head (MinimumSequence).
  /// @param gone  each with the sequence of the newest restore of its environment, 0 = none
  Status UpdateGranted(const std::vector<Granted>& changed,
                       const std::map<std::uint64_t, std::uint64_t>& gone);
  /// The lowest sequence that the list of this secret may end at. 0 = any.
  Result<std::uint64_t> MinimumSequence(std::uint64_t number);
  /// The sequence of the newest restore of its environment that was known when it was last gone. 0 = none.
  Result<std::uint64_t> GoneSince(std::uint64_t number);

  // ---- the vault's server

  struct Peer {
    std::string instance;           ///< of the server's process, as last learnt; "" = none
    std::int64_t clock_offset = 0;  ///< seconds to add to this clock
    std::uint64_t change = 0;       ///< of the vault, up to which the listing is complete
    std::string checkpoint;         ///< of the audit log, the last one verified; "" = none
  };
  Result<Peer> ReadPeer();
  Status RememberPeer(const std::string& instance, std::int64_t clock_offset);
  Status RememberChange(std::uint64_t change);
  /// A machine's: what the vault last said is frozen, as a JSON list. @return "" if it said nothing yet.
  Status RememberFreezes(const std::string& freezes);
  Result<std::string> Freezes();
  /// Its copies of groups' keys, likewise.
  Status RememberGroups(const std::string& groups);
  Result<std::string> Groups();
  /// One that was verified; a lower one than is remembered changes nothing.
  Status RememberCheckpoint(const std::string& checkpoint);
  /// What is to be told to the vault of its audit log (log_judge_internal.h). @return "" if there is nothing.
  Result<std::string> Complaints();
  Status ChangeComplaints(const std::function<std::string(const std::string&)>& change);

  // ---- for a process that keeps a file of its own (mount_home.h)

  /// The whole file as it is now.
  Result<Bytes> Image();
  /// From now on knows no less than that file: its heads, minimums and numbers. Nobody changes it meanwhile.
  /// Errors: kIntegrity (they contradict each other).
  Status TakeHeadsOf(const std::string& path);

  /// Reads the whole file. Errors: kIntegrity with what is wrong.
  Status CheckFile();

 private:
  explicit KnownStore(Database database) : database_(std::move(database)) {}
  Result<std::vector<Kept>> ReadRows(const ListId& list);
  Result<std::vector<SignedList::StatementPtr>> CheckKept(const std::vector<Kept>& kept,
                                                          std::vector<SignedList::StatementPtr> parsed) const;
  Result<std::optional<std::uint64_t>> FindNumber(const SecretName& name);
  Status PutNumber(std::uint64_t number, const SecretName& name);
  Status RememberList(const Verified& list);
  Status RememberGranted(const Granted& granted);
  Status RememberStatement(const std::string& list, const SignedStatement& statement);
  Status RememberHead(const std::string& list, const Head& head);
  Result<std::optional<Head>> FindHighest(const ListId& list);
  // known_heads.cpp
  Status TakeNumber(std::uint64_t number, const SecretName& name);
  Status TakeVault(const std::vector<SignedList::StatementPtr>& theirs);
  Status PutText(const char* name, const std::string& value);
  Result<std::string> GetText(const char* name);
  std::mutex mutex_;
  Database database_;
};

}  // namespace grantfs
