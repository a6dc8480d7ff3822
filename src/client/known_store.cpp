#include "grantfs/client/known_store.h"

#include "known_schema_internal.h"

namespace grantfs {
namespace {

std::int64_t Signed(std::uint64_t number) { return static_cast<std::int64_t>(number); }
std::uint64_t Unsigned(std::int64_t number) { return static_cast<std::uint64_t>(number); }

Error Forked(const std::string& list, std::uint64_t sequence) {
  return Error{
      Code::kIntegrity,
      "the vault serves another history than the one that this home has verified (a fork, or a rollback)", 0,
      list + "#" + std::to_string(sequence)};
}

struct StoredHead {
  Head head;
  std::uint64_t minimum = 0;
  std::uint64_t restored = 0;
};

Result<std::optional<StoredHead>> FindHead(Database& database, const std::string& list) {
  SqlStatement row =
      GRANTFS_TRY(database.Prepare("SELECT sequence, hash, minimum, restored FROM heads WHERE list = ?1"));
  row.BindAll(list);
  if (!GRANTFS_TRY(row.Step())) return std::optional<StoredHead>();
  return std::optional<StoredHead>(
      StoredHead{{Unsigned(row.Int(0)), GRANTFS_TRY(Hash::FromBytes(row.Blob(1)))},
                 Unsigned(row.Int(2)),
                 Unsigned(row.Int(3))});
}

}  // namespace

Result<std::unique_ptr<KnownStore>> KnownStore::Open(const std::string& path, Missing missing) {
  // A rollback journal: several processes write here, and two that fold one write-ahead log meet a fault of
  // SQLite 3.40.
  const DatabaseOptions options{.mode = missing == Missing::kMake ? OpenMode::kCreate : OpenMode::kReadWrite,
                                .wal = false};
  Database database = GRANTFS_TRY(Database::Open(path, options));
  GRANTFS_CHECK(Migrate(database, kKnownApplication, kKnownSchema));
  return std::unique_ptr<KnownStore>(new KnownStore(std::move(database)));
}

Result<std::optional<Head>> KnownStore::HighestHead(const ListId& list) {
  const std::lock_guard guard(mutex_);
  return FindHighest(list);
}

Result<std::optional<Head>> KnownStore::FindHighest(const ListId& list) {
  const auto stored = GRANTFS_TRY(FindHead(database_, list.Text()));
  return stored ? std::optional<Head>(stored->head) : std::nullopt;
}

Result<std::vector<SignedList::StatementPtr>> KnownStore::Statements(const ListId& list) {
  const std::lock_guard guard(mutex_);
  return ReadKept(GRANTFS_TRY(ReadRows(list)));
}

Result<std::vector<SignedList::StatementPtr>> KnownStore::Statements(const SignedList& list,
                                                                     const UpperLists& upper) {
  std::vector<Kept> kept;
  {
    const std::lock_guard guard(mutex_);
    kept = GRANTFS_TRY(ReadRows(list.id()));
  }
  const auto envelope = [&kept](std::size_t i) { return std::string_view(kept[i].envelope); };
  return CheckKept(kept, list.ParseAhead(kept.size(), envelope, upper));
}

Result<std::vector<KnownStore::Kept>> KnownStore::ReadRows(const ListId& list) {
  SqlStatement rows = GRANTFS_TRY(
      database_.Prepare("SELECT envelope, hash FROM statements WHERE list = ?1 ORDER BY sequence"));
  rows.BindAll(list.Text());
  std::vector<Kept> kept;
  while (GRANTFS_TRY(rows.Step())) kept.push_back({rows.Text(0), GRANTFS_TRY(Hash::FromBytes(rows.Blob(1)))});
  return kept;
}

Result<std::vector<SignedList::StatementPtr>> KnownStore::ReadKept(const std::vector<Kept>& kept) const {
  std::vector<SignedList::StatementPtr> parsed(kept.size());
  for (std::size_t i = 0; i < kept.size(); ++i) {
    auto one = SignedStatement::Parse(kept[i].envelope);
    if (one) parsed[i] = std::make_shared<const SignedStatement>(*std::move(one));
  }
  return CheckKept(kept, std::move(parsed));
}

Result<std::vector<SignedList::StatementPtr>> KnownStore::CheckKept(
    const std::vector<Kept>& kept, std::vector<SignedList::StatementPtr> parsed) const {
  std::size_t first = 0;
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (parsed[i] == nullptr || parsed[i]->hash() != kept[i].hash) {
      return Error{Code::kIntegrity, "the home's known.db is damaged: see grantfs doctor", 0,
                   database_.path()};
    }
    // Two processes may have kept different beginnings of a machine's view: what is behind the gap is whole.
    const Statement& said = parsed[i]->statement();
    const bool follows =
        i == first || said.sequence == parsed[i - 1]->statement().sequence + 1 ||
        (std::holds_alternative<Restore>(said.act) && said.previous == parsed[i - 1]->hash());
    if (!follows) first = i;
  }
  parsed.erase(parsed.begin(), parsed.begin() + static_cast<std::ptrdiff_t>(first));
  return parsed;
}

Status KnownStore::Remember(const std::vector<Verified>& lists) {
  const std::lock_guard guard(mutex_);
  Transaction transaction = GRANTFS_TRY(Transaction::Begin(database_));
  for (const Verified& list : lists) GRANTFS_CHECK(RememberList(list));
  return transaction.Commit();
}

Status KnownStore::RememberList(const Verified& list) {
  const std::string name = list.list.Text();
  if (list.other_log) GRANTFS_CHECK(PutText("checkpoint", ""));
  const auto known = GRANTFS_TRY(FindHead(database_, name));
  if (list.replaces) {
    // Another process of this home may have seen more meanwhile: then this was judged by too little.
    if (!known || known->head != *list.replaces) return Forked(name, list.replaces->sequence);
    GRANTFS_CHECK(database_.Run("DELETE FROM statements WHERE list = ?1", name));
  }
  for (const auto& statement : list.statements) {
    const Statement& said = statement->statement();
    // What takes the place of another history may go on otherwise from where that ended.
    const bool follows = known && !list.replaces;
    if (follows && said.sequence == known->head.sequence && statement->hash() != known->head.hash) {
      return Forked(name, said.sequence);
    }
    if (follows && said.sequence == known->head.sequence + 1 && said.previous != known->head.hash) {
      return Forked(name, said.sequence);
    }
    GRANTFS_CHECK(RememberStatement(name, *statement));
  }
  if (!list.statements.empty()) GRANTFS_CHECK(RememberHead(name, list.statements.back()->head()));
  if (list.head) GRANTFS_CHECK(RememberHead(name, *list.head));
  return {};
}

Status KnownStore::RememberStatement(const std::string& list, const SignedStatement& statement) {
  const std::int64_t sequence = Signed(statement.statement().sequence);
  GRANTFS_CHECK(
      database_.Run("INSERT INTO statements (list, sequence, hash, envelope) VALUES (?1, ?2, ?3, ?4) ON "
                    "CONFLICT DO NOTHING",
                    list, sequence, statement.hash().View(), statement.envelope()));
  if (database_.Changes() == 1) return {};
  SqlStatement same = GRANTFS_TRY(
      database_.Prepare("SELECT 1 FROM statements WHERE list = ?1 AND sequence = ?2 AND hash = ?3"));
  same.BindAll(list, sequence, statement.hash().View());
  if (!GRANTFS_TRY(same.Step())) return Forked(list, statement.statement().sequence);
  return {};
}

Status KnownStore::RememberHead(const std::string& list, const Head& head) {
  const auto known = GRANTFS_TRY(FindHead(database_, list));
  if (known && known->head.sequence == head.sequence && known->head.hash != head.hash) {
    return Forked(list, head.sequence);
  }
  if (known && known->head.sequence >= head.sequence) return {};
  return database_.Run(
      "INSERT INTO heads (list, sequence, hash) VALUES (?1, ?2, ?3) ON CONFLICT (list) DO UPDATE SET "
      "sequence = ?2, hash = ?3",
      list, Signed(head.sequence), head.hash.View());
}

Status KnownStore::RememberNumber(std::uint64_t number, const SecretName& name) {
  const std::lock_guard guard(mutex_);
  return PutNumber(number, name);
}

Status KnownStore::PutNumber(std::uint64_t number, const SecretName& name) {
  GRANTFS_CHECK(database_.Run(
      "INSERT INTO numbers (number, environment, path) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
      Signed(number), name.environment, name.path));
  if (database_.Changes() == 1) return {};
  SqlStatement same = GRANTFS_TRY(
      database_.Prepare("SELECT 1 FROM numbers WHERE number = ?1 AND environment = ?2 AND path = ?3"));
  same.BindAll(Signed(number), name.environment, name.path);
  if (GRANTFS_TRY(same.Step())) return {};
  return Error{Code::kIntegrity,
               "the vault names this secret by another number, or another secret by its number, than this "
               "home has seen",
               0, name.Full()};
}

Result<std::optional<std::uint64_t>> KnownStore::NumberOf(const SecretName& name) {
  const std::lock_guard guard(mutex_);
  return FindNumber(name);
}

Result<std::optional<std::uint64_t>> KnownStore::FindNumber(const SecretName& name) {
  SqlStatement row =
      GRANTFS_TRY(database_.Prepare("SELECT number FROM numbers WHERE environment = ?1 AND path = ?2"));
  row.BindAll(name.environment, name.path);
  if (!GRANTFS_TRY(row.Step())) return std::optional<std::uint64_t>();
  return std::optional<std::uint64_t>(Unsigned(row.Int(0)));
}

Result<std::vector<KnownStore::SecretKnown>> KnownStore::KnownOf(const std::vector<NamedSecret>& secrets) {
  const std::lock_guard guard(mutex_);
  Transaction transaction = GRANTFS_TRY(Transaction::BeginRead(database_));
  std::vector<SecretKnown> all;
  for (const NamedSecret& secret : secrets) {
    const ListId list = ListId::Secret(secret.number);
    SecretKnown known;
    known.kept = GRANTFS_TRY(ReadRows(list));
    if (const auto head = GRANTFS_TRY(FindHead(database_, list.Text()))) known.highest = head->head;
    known.number = GRANTFS_TRY(FindNumber(secret.name));
    all.push_back(std::move(known));
  }
  return all;
}

Status KnownStore::RememberSecrets(const std::vector<VerifiedSecret>& secrets) {
  const std::lock_guard guard(mutex_);
  Transaction transaction = GRANTFS_TRY(Transaction::Begin(database_));
  for (const VerifiedSecret& one : secrets) {
    GRANTFS_CHECK(PutNumber(one.secret.number, one.secret.name));
    GRANTFS_CHECK(RememberList(one.list));
  }
  return transaction.Commit();
}

// A slash at the end: no secret has such a name.
Status KnownStore::FreeName(std::uint64_t number) {
  const std::lock_guard guard(mutex_);
  return database_.Run("UPDATE numbers SET path = number || '/' WHERE number = ?1", Signed(number));
}

Result<std::optional<SecretName>> KnownStore::NameOf(std::uint64_t number) {
  const std::lock_guard guard(mutex_);
  SqlStatement row =
      GRANTFS_TRY(database_.Prepare("SELECT environment, path FROM numbers WHERE number = ?1"));
  row.BindAll(Signed(number));
  if (!GRANTFS_TRY(row.Step())) return std::optional<SecretName>();
  return std::optional<SecretName>(SecretName{row.Text(0), row.Text(1)});
}

Result<Transaction> KnownStore::ReadTogether() {
  const std::lock_guard guard(mutex_);
  return Transaction::BeginRead(database_);
}

Result<std::vector<KnownStore::Numbered>> KnownStore::NumbersIn(const std::string& environment) {
  const std::lock_guard guard(mutex_);
  SqlStatement rows =
      GRANTFS_TRY(database_.Prepare("SELECT number, environment, path FROM numbers WHERE (?1 = '' OR "
                                    "environment = ?1) AND path NOT LIKE '%/' "
                                    "ORDER BY number"));
  rows.BindAll(environment);
  std::vector<Numbered> all;
  while (GRANTFS_TRY(rows.Step())) all.push_back({Unsigned(rows.Int(0)), {rows.Text(1), rows.Text(2)}});
  return all;
}

Result<std::vector<std::uint64_t>> KnownStore::GrantedNumbers() {
  const std::lock_guard guard(mutex_);
  SqlStatement rows = GRANTFS_TRY(database_.Prepare("SELECT number FROM granted ORDER BY number"));
  std::vector<std::uint64_t> numbers;
  while (GRANTFS_TRY(rows.Step())) numbers.push_back(Unsigned(rows.Int(0)));
  return numbers;
}

Result<std::optional<KnownStore::Granted>> KnownStore::FindGranted(std::uint64_t number) {
  const std::lock_guard guard(mutex_);
  std::optional<Transaction> transaction;
  if (!database_.InTransaction()) transaction.emplace(GRANTFS_TRY(Transaction::BeginRead(database_)));
  Granted granted;
  granted.number = number;
  {
    SqlStatement row = GRANTFS_TRY(database_.Prepare("SELECT data FROM granted WHERE number = ?1"));
    row.BindAll(Signed(number));
    if (!GRANTFS_TRY(row.Step())) return std::optional<Granted>();
    granted.data = row.Text(0);
  }
  granted.statements = GRANTFS_TRY(ReadKept(GRANTFS_TRY(ReadRows(ListId::Secret(number)))));
  if (!granted.statements.empty()) {
    granted.first = granted.statements.front()->statement().sequence;
    granted.head = granted.statements.back()->head();
  }
  return std::optional<Granted>(std::move(granted));
}

Status KnownStore::RememberGranted(const Granted& granted) {
  const std::string list = ListId::Secret(granted.number).Text();
  GRANTFS_CHECK(
      database_.Run("DELETE FROM statements WHERE list = ?1 AND sequence < ?2", list, Signed(granted.first)));
  for (const auto& statement : granted.statements) GRANTFS_CHECK(RememberStatement(list, *statement));
  GRANTFS_CHECK(RememberHead(list, granted.head));
  return database_.Run(
      "INSERT INTO granted (number, data) VALUES (?1, ?2) "
      "ON CONFLICT (number) DO UPDATE SET data = ?2",
      Signed(granted.number), granted.data);
}

Status KnownStore::UpdateGranted(const std::vector<Granted>& changed,
                                 const std::map<std::uint64_t, std::uint64_t>& gone) {
  const std::lock_guard guard(mutex_);
  Transaction transaction = GRANTFS_TRY(Transaction::Begin(database_));
  for (const Granted& granted : changed) GRANTFS_CHECK(RememberGranted(granted));
  for (const auto& [number, restored] : gone) {
    GRANTFS_CHECK(database_.Run("DELETE FROM granted WHERE number = ?1", Signed(number)));
    GRANTFS_CHECK(database_.Run("DELETE FROM statements WHERE list = ?1", ListId::Secret(number).Text()));
    GRANTFS_CHECK(database_.Run("UPDATE heads SET minimum = sequence + 1, restored = ?2 WHERE list = ?1",
                                ListId::Secret(number).Text(), Signed(restored)));
  }
  return transaction.Commit();
}

Result<std::uint64_t> KnownStore::MinimumSequence(std::uint64_t number) {
  const std::lock_guard guard(mutex_);
  const auto stored = GRANTFS_TRY(FindHead(database_, ListId::Secret(number).Text()));
  return stored ? stored->minimum : 0;
}

Result<std::uint64_t> KnownStore::GoneSince(std::uint64_t number) {
  const std::lock_guard guard(mutex_);
  const auto stored = GRANTFS_TRY(FindHead(database_, ListId::Secret(number).Text()));
  return stored ? stored->restored : 0;
}

Result<Bytes> KnownStore::Image() {
  const std::lock_guard guard(mutex_);
  return database_.Image();
}

Status KnownStore::CheckFile() {
  const std::lock_guard guard(mutex_);
  return database_.IntegrityCheck();
}

}  // namespace grantfs
