#include "grantfs/trust/signed_list.h"

#include <algorithm>

#include "grantfs/trust/lists.h"

namespace grantfs {
namespace {

std::string Where(const ListId& id, std::uint64_t sequence) {
  return id.Text() + "#" + std::to_string(sequence);
}

/// What a restore leaves out. There are enough numbers for millions of restores: nobody ends a list, before
/// he is removed from it, by taking the last of them.
constexpr std::uint64_t kMaxLeftOut = std::uint64_t{1} << 32;

bool MaySealTail(const Act& act) {
  return std::holds_alternative<Vouch>(act) || std::holds_alternative<Void>(act);
}

Status CheckOneHead(const Head& named, const SignedList& list, const std::string& where) {
  if (named.sequence >= list.next_sequence()) {
    return Error{
        Code::kConflict,
        "the statement names a head above it that is newer than the one known here: read the lists again", 0,
        where};
  }
  const auto known = list.HashAt(named.sequence);
  if (!known || *known != named.hash) {
    return Error{Code::kIntegrity,
                 "the statement was made over another history than the one served here (a fork)", 0, where};
  }
  return {};
}

}  // namespace

std::optional<Head> SignedList::head() const {
  if (entries_.empty()) return std::nullopt;
  return entries_.back().statement->head();
}

SignedList::StatementPtr SignedList::At(std::uint64_t sequence) const {
  const auto index = IndexOf(sequence);
  return index ? entries_[*index].statement : nullptr;
}

// Nearly all lists have no gap, or nothing but one below what is asked for.
std::optional<std::size_t> SignedList::IndexOf(std::uint64_t sequence) const {
  if (sequence < first_ || sequence >= next_sequence()) return std::nullopt;
  const auto of = [](const Entry& entry) { return entry.statement->statement().sequence; };
  const std::uint64_t direct = sequence - first_;
  if (direct < entries_.size() && of(entries_[direct]) == sequence) return direct;
  const auto at =
      std::lower_bound(entries_.begin(), entries_.end(), sequence,
                       [&](const Entry& entry, std::uint64_t value) { return of(entry) < value; });
  if (at == entries_.end() || of(*at) != sequence) return std::nullopt;
  return static_cast<std::size_t>(at - entries_.begin());
}

std::vector<SignedList::StatementPtr> SignedList::Statements() const {
  std::vector<StatementPtr> all;
  all.reserve(entries_.size());
  for (const Entry& entry : entries_) all.push_back(entry.statement);
  return all;
}

SignedList::StatementPtr SignedList::LastRestore() const {
  const auto restores = [](const Entry& entry) {
    return entry.valid && !entry.voided && std::holds_alternative<Restore>(entry.statement->statement().act);
  };
  const auto at = std::find_if(entries_.rbegin(), entries_.rend(), restores);
  return at == entries_.rend() ? nullptr : at->statement;
}

std::optional<Hash> SignedList::HashAt(std::uint64_t sequence) const {
  const auto statement = At(sequence);
  if (statement == nullptr) return std::nullopt;
  return statement->hash();
}

bool SignedList::IsVoided(std::uint64_t sequence) const {
  const auto index = IndexOf(sequence);
  return index && entries_[*index].voided;
}

Status SignedList::CheckNew(const Statement&, const UpperLists&) const { return {}; }

Status SignedList::CheckClaimedState(const SignedStatement&) const { return {}; }

bool SignedList::MayFollow(const Hash&, const SeenHeads*, const UpperLists&) const { return true; }

void SignedList::PassOver(const Statement&) {}

Status SignedList::CheckLink(const Statement& statement) const {
  const std::string where = Where(id_, statement.sequence);
  if (statement.list != id_)
    return Error{Code::kIntegrity, "the statement belongs to another list", 0, where};
  const bool leaves_out =
      std::holds_alternative<Restore>(statement.act) && !entries_.empty() && MayLeaveOut() &&
      (statement.sequence < next_sequence() || statement.sequence - next_sequence() <= kMaxLeftOut);
  if (statement.sequence < next_sequence() || (statement.sequence > next_sequence() && !leaves_out)) {
    return Error{Code::kConflict, "the statement is not the next of its list: read the list again", 0, where};
  }
  if (entries_.empty() && first_ != 0) return {};  // a machine's view begins where it was told to
  const Hash previous = entries_.empty() ? Hash{} : entries_.back().statement->hash();
  if (statement.previous != previous) {
    return Error{Code::kConflict, "the statement does not follow the list's last one: read the list again", 0,
                 where};
  }
  return {};
}

// What nobody repairs: another vault's statement, or one over heads that are not those of the lists above.
Status SignedList::CheckHistory(const Statement& statement, const UpperLists& upper) const {
  const std::string where = Where(id_, statement.sequence);
  Hash vault;  // all zero in the genesis, which is what the id is the hash of
  if (id_.kind != ListKind::kVault) {
    vault = upper.vault->vault_id();
  } else if (!entries_.empty()) {
    vault = entries_.front().statement->hash();
  }
  if (statement.vault != vault)
    return Error{Code::kIntegrity, "the statement belongs to another vault", 0, where};
  if (statement.heads.vault) GRANTFS_CHECK(CheckOneHead(*statement.heads.vault, *upper.vault, where));
  if (statement.heads.environment)
    GRANTFS_CHECK(CheckOneHead(*statement.heads.environment, *upper.environment, where));
  return {};
}

Status SignedList::CheckSignature(const SignedStatement& signed_statement, const UpperLists& upper) const {
  const Statement& statement = signed_statement.statement();
  const std::string where = Where(id_, statement.sequence);
  const Identity* signer = SignerOf(statement, upper);
  if (signer == nullptr)
    return Error{Code::kDenied, "the statement's signer never had a role here", 0, where};
  if (!signed_statement.VerifySignature(signer->sign)) {
    return Error{Code::kIntegrity, "the statement's signature does not match", 0, where};
  }
  return {};
}

Status SignedList::CheckOrder(const Statement& statement) const {
  const auto last =
      std::find_if(entries_.rbegin(), entries_.rend(), [](const Entry& e) { return e.valid && !e.voided; });
  if (last == entries_.rend()) return {};
  const SeenHeads& before = last->statement->statement().heads;
  const auto went_back = [](const std::optional<Head>& was, const std::optional<Head>& is) {
    return was && is && is->sequence < was->sequence;
  };
  if (went_back(before.vault, statement.heads.vault) ||
      went_back(before.environment, statement.heads.environment)) {
    return Error{Code::kDenied, "the statement names an older head than the one before it did", 0,
                 Where(id_, statement.sequence)};
  }
  return {};
}

// All that decides here stands in the statement and in the lists up to the heads that it names, so that the
// verdict is the same for ever. It needs no signature: what has no right does not count, whoever made it.
Status SignedList::CheckRight(const SignedStatement& signed_statement, const UpperLists& upper) const {
  const Statement& statement = signed_statement.statement();
  GRANTFS_CHECK(CheckOrder(statement));
  const Permission needed = GRANTFS_TRY(Needed(statement));
  if (!Holds(statement.signer, needed, statement.act, &statement.heads, upper)) {
    return Error{Code::kDenied, "the statement's signer did not hold the role that the act needs", 0,
                 Where(id_, statement.sequence)};
  }
  return CheckConsent(signed_statement, upper);
}

Status SignedList::Take(const StatementPtr& signed_statement, const UpperLists& upper) {
  const Statement& statement = signed_statement->statement();
  if (std::holds_alternative<Void>(statement.act)) return TakeVoid(signed_statement, upper);
  if (FirstInvalid()) {
    return Error{Code::kDenied, "the statement follows one that does not count", 0,
                 Where(id_, statement.sequence)};
  }
  if (std::holds_alternative<Restore>(statement.act)) GRANTFS_CHECK(CheckRestore(statement));
  return Apply(signed_statement, upper);
}

// In a machine's view that begins with it, what was before is not known.
Status SignedList::CheckRestore(const Statement& statement) const {
  const auto& act = std::get<Restore>(statement.act);
  const auto refuse = [&](const char* why) {
    return Error{Code::kInvalid, why, 0, Where(id_, statement.sequence)};
  };
  if (statement.sequence == 0) return refuse("a list does not begin with a restore");
  if (head() && act.accepted != *head())
    return refuse("the restore accepts another statement than the one before it");
  if (act.accepted.hash != statement.previous || act.accepted.sequence >= statement.sequence)
    return refuse("the restore accepts another statement than the one before it");
  if (act.lost && (act.lost->sequence >= statement.sequence || act.lost->sequence < act.accepted.sequence))
    return refuse("what was lost lies behind the restore, and not before what it accepts");
  const bool vault = id_.kind == ListKind::kVault;
  const bool shaped = act.log_origin.empty() != vault && (act.numbers != 0) == vault &&
                      act.epoch.has_value() == (id_.kind == ListKind::kEnvironment) &&
                      (act.version == 0 || id_.kind == ListKind::kSecret) &&
                      (!act.two_owners || id_.kind == ListKind::kEnvironment);
  return shaped ? Status() : Status(refuse("the restore has what belongs into another kind of list"));
}

// Of what is written, not of what is read: a program that knows an act reads it at any level.
Status SignedList::CheckLevel(const Statement& statement, const UpperLists& upper) const {
  const Act& act = statement.act;
  const auto* vault = id_.kind == ListKind::kVault ? static_cast<const VaultList*>(this) : upper.vault;
  const std::int64_t needed = statement.consent ? std::max(LevelOf(act), kConsentLevel) : LevelOf(act);
  if (vault->empty() || needed <= vault->level()) return {};
  return Error{
      Code::kInvalid,
      "programs of the vault's format level do not know this act, and would refuse the whole list: once all "
      "are upgraded, an owner of the vault runs grantfs level raise",
      0, ActName(statement.act)};
}

Status SignedList::Append(StatementPtr statement, const UpperLists& upper) {
  GRANTFS_CHECK(CheckLink(statement->statement()));
  GRANTFS_CHECK(CheckHistory(statement->statement(), upper));
  GRANTFS_CHECK(CheckRight(*statement, upper));
  GRANTFS_CHECK(CheckSignature(*statement, upper));
  if (!MaySealTail(statement->statement().act)) GRANTFS_CHECK(CheckStanding(upper));
  GRANTFS_CHECK(CheckLevel(statement->statement(), upper));
  GRANTFS_CHECK(CheckNew(statement->statement(), upper));
  GRANTFS_CHECK(Take(statement, upper));
  entries_.push_back({std::move(statement)});
  return {};
}

Status SignedList::Receive(StatementPtr statement, const UpperLists& upper) {
  if (auto linked = CheckLink(statement->statement()); !linked) {
    Error error = linked.error();
    error.code = Code::kIntegrity;
    return error;
  }
  GRANTFS_CHECK(CheckHistory(statement->statement(), upper));
  Status stands = CheckRight(*statement, upper);
  if (stands) GRANTFS_CHECK(CheckSignature(*statement, upper));
  if (stands) stands = Take(statement, upper);
  const bool valid = stands.has_value();
  had_invalid_ = had_invalid_ || !valid;
  entries_.push_back({std::move(statement), valid});
  return {};
}

std::optional<std::size_t> SignedList::FirstInvalid() const {
  if (!had_invalid_) return std::nullopt;
  const auto bad =
      std::find_if(entries_.begin(), entries_.end(), [](const Entry& e) { return !e.valid && !e.voided; });
  if (bad == entries_.end()) return std::nullopt;
  return static_cast<std::size_t>(bad - entries_.begin());
}

// From the end backwards: an entry counts if its signer holds what its act needs, or somebody after it does.
std::optional<std::size_t> SignedList::FirstUncountedAt(const SeenHeads* at, const UpperLists& upper) const {
  std::optional<std::size_t> first;
  bool publisher_follows = false;
  for (std::size_t i = entries_.size(); i-- > 0;) {
    const Entry& entry = entries_[i];
    if (entry.voided) continue;
    if (!entry.valid) {
      first = i;
      continue;
    }
    const Statement& statement = entry.statement->statement();
    const auto needed = Needed(statement);
    const bool since = HeldSince(statement, at, upper);
    const auto holds = [&](Permission permission) {
      return since && Holds(statement.signer, permission, statement.act, at, upper);
    };
    const bool own = needed && holds(*needed);
    if (!own && !(publisher_follows && needed && *needed == Permission::kPublish)) first = i;
    const Permission all = id_.kind == ListKind::kVault || id_.kind == ListKind::kMachines
                               ? Permission::kVaultOwner
                               : Permission::kOwner;
    if (holds(all) && MayFollow(statement.signer, at, upper))
      break;  // one who may do everything follows all that is before: only what could never stand is left
    publisher_follows = publisher_follows || holds(Permission::kPublish);
  }
  const auto invalid = FirstInvalid();
  if (invalid && (!first || *invalid < *first)) first = invalid;
  return first;
}

std::optional<std::uint64_t> SignedList::FirstUncounted(const UpperLists& upper) const {
  const auto first = FirstUncountedAt(nullptr, upper);
  if (!first) return std::nullopt;
  return entries_[*first].statement->statement().sequence;
}

Status SignedList::CheckStanding(const UpperLists& upper) const {
  const auto first = FirstUncounted(upper);
  if (!first) return {};
  return Error{Code::kIntegrity,
               "the list has a statement that does not count: its signer has no right to it, or lost it and "
               "nobody vouched; "
               "the vault should not have accepted it, and an owner must void or vouch for it",
               0, Where(id_, *first)};
}

// A void takes back exactly the tail that does not count, as judged by the heads that the void itself names.
Status SignedList::TakeVoid(const StatementPtr& signed_statement, const UpperLists& upper) {
  const Statement& statement = signed_statement->statement();
  const auto& act = std::get<Void>(statement.act);
  const auto refuse = [&](const char* why) {
    return Error{Code::kInvalid, why, 0, Where(id_, statement.sequence)};
  };
  if (HashAt(act.from) != act.hash) return refuse("the void names a statement that is not in the list");
  const std::size_t from = *IndexOf(act.from);
  if (from == 0) return refuse("the first statement of a list cannot be voided");
  // What is before it and had only a voided act to follow it is followed by the void itself.
  const auto first = FirstUncountedAt(&statement.heads, upper);
  if (!first || from < *first) return refuse("the void would take back statements that count");
  if (from > *first) return refuse("the void does not reach back far enough");
  const std::vector<Entry> before = entries_;
  for (std::size_t i = from; i < entries_.size(); ++i) entries_[i].voided = true;
  Status rebuilt = Rebuild(upper);
  if (rebuilt) rebuilt = CheckClaimedState(*signed_statement);
  if (rebuilt) return {};
  entries_ = before;
  RebuildWhatStands(upper);
  return rebuilt;
}

// What stood before stands again, unless a list above this one has taken back since what it stood by (an
// epoch that was voided): that, and what follows it, does not count then.
void SignedList::RebuildWhatStands(const UpperLists& upper) {
  Reset();
  bool stands = true;
  for (Entry& entry : entries_) {
    const Statement& statement = entry.statement->statement();
    if (!entry.valid || std::holds_alternative<Void>(statement.act)) continue;
    if (entry.voided) {
      PassOver(statement);
      continue;
    }
    stands = stands && Apply(entry.statement, upper).has_value();
    entry.valid = stands;
    had_invalid_ = had_invalid_ || !stands;
  }
}

Status SignedList::Rebuild(const UpperLists& upper) {
  Reset();
  for (const Entry& entry : entries_) {
    const Statement& statement = entry.statement->statement();
    if (!entry.valid || std::holds_alternative<Void>(statement.act)) continue;
    if (entry.voided) {
      PassOver(statement);
      continue;
    }
    GRANTFS_CHECK(Apply(entry.statement, upper));
  }
  return {};
}

}  // namespace grantfs
