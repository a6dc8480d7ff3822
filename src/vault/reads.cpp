#include "grantfs/api/problem.h"
#include "granted_internal.h"

// Delivery: what is released was decided over one state of the database and is recorded on the disk before
// the answer goes out.

namespace grantfs {
namespace {

constexpr std::int64_t kGraceMs = 60'000;

/// What a machine asks for, as far as it may have it.
struct Granted {
  StoredSecret secret;
  GrantedBy grant;
  std::uint32_t label = 0;  ///< the version that the grant's label points at
};

/// As SecretState::ReadBy has it. @return 0 where a grant by this label reads nothing.
Result<std::uint32_t> ReadBy(StoreReader& reader, const StoredSecret& secret, const std::string& label) {
  if (secret.deleted) return 0;
  auto version = GRANTFS_TRY(reader.FindLabel(secret.number, label));
  if (!version && label == kNextLabel) version = GRANTFS_TRY(reader.FindLabel(secret.number, kCurrentLabel));
  return version.value_or(0);
}

/// Errors: kNotFound (no such grant), kExpired; with kExpired `found` is filled in.
Status FindGranted(StoreReader& reader, const VaultCaller& caller, std::uint64_t number, std::int64_t now,
                   Granted* found) {
  auto secret = GRANTFS_TRY(reader.GetSecret(number));
  if (!secret) return NotVisible();
  auto grant = GRANTFS_TRY(FindGrantedBy(reader, caller, *secret, now));
  if (!grant) return NotVisible();
  found->secret = *std::move(secret);
  found->grant = *std::move(grant);
  found->label = GRANTFS_TRY(ReadBy(reader, found->secret, found->grant.label));
  const std::int64_t end = found->grant.expires;
  if (end != 0 && end <= now) return Error{Code::kExpired, "the grant has expired", 0, found->secret.path};
  if (found->label == 0)
    return Error{Code::kNotFound, "the secret has no version yet, or is deleted", 0, found->secret.path};
  return {};
}

Status CheckVersion(StoreReader& reader, const Granted& granted, std::uint32_t version, bool grace,
                    std::int64_t now_ms) {
  if (version == granted.label) return {};
  const Error superseded{Code::kConflict, api::kWhereSuperseded, 0, granted.secret.path};
  if (!grace) return superseded;
  const std::uint64_t secret = granted.secret.number;
  const auto left = [&](const std::string& label) -> Result<bool> {
    const auto since = GRANTFS_TRY(reader.SupersededAt(secret, label, version));
    return since && now_ms - *since < kGraceMs;
  };
  if (GRANTFS_TRY(left(granted.grant.label))) return {};
  if (granted.grant.label != kNextLabel) return superseded;
  // Until a moment ago nothing was next, and this was read in its place.
  const bool stands = GRANTFS_TRY(reader.FindLabel(secret, kCurrentLabel)) == version;
  return stands || GRANTFS_TRY(left(kCurrentLabel)) ? Status() : Status(superseded);
}

Status CheckNotExpired(const StoredVersion& version, const StoredSecret& secret, std::int64_t now) {
  if (version.expires == 0 || now < version.expires) return {};
  return Error{Code::kExpired, "the secret has expired", 0, secret.path};
}

Error Lacking(const StoredSecret& secret) {
  return {Code::kIntegrity, "the vault lacks the version or the copy of its key: restore a backup", 0,
          secret.path};
}

Result<api::ReadResponse> Collect(const VaultState& state, StoreReader& reader, const Granted& granted,
                                  std::uint32_t number, std::int64_t now) {
  const StoredSecret& secret = granted.secret;
  const auto version = GRANTFS_TRY(reader.FindVersion(secret.number, number));
  auto copy =
      GRANTFS_TRY(reader.FindCopy(secret.number, number, granted.grant.recipient(), granted.grant.number));
  auto ciphertext = GRANTFS_TRY(reader.ReadCiphertext(secret.number, number));
  const auto vault = GRANTFS_TRY(reader.FindHead("vault"));
  const auto environment = GRANTFS_TRY(reader.FindHead(ListId::Environment(secret.environment).Text()));
  if (!version || !copy || !ciphertext || !vault || !environment || !secret.head ||
      state.FindEnvironment(secret.environment) == nullptr)
    return Lacking(secret);
  GRANTFS_CHECK(CheckNotExpired(*version, secret, now));
  api::ReadResponse response;
  response.secret = secret.number;
  response.version = number;
  response.statement = version->statement.hash;
  response.ciphertext = *std::move(ciphertext);
  response.sealed = std::move(copy->sealed);
  if (granted.grant.kind == GranteeKind::kGroup) {
    response.group = granted.grant.number;
    response.group_epoch = copy->recipient.epoch;
  }
  response.vault_head = *vault;
  response.environment_head = *environment;
  response.secret_head = *secret.head;
  return response;
}

/// That neither the secret was deleted nor the version destroyed since it was looked at.
Status CheckStillThere(StoreReader& reader, std::uint64_t secret, std::uint32_t version) {
  const auto stored = GRANTFS_TRY(reader.GetSecret(secret));
  if (!stored || stored->deleted) return NotVisible();
  return GRANTFS_TRY(reader.FindVersion(secret, version)) ? Status() : Status(NotVisible());
}

ReadRecord RecordOf(const StoredSecret& secret, std::uint32_t version, const std::string& open) {
  return {secret.environment, secret.path, secret.number, version, open, nullptr, nullptr};
}

WatchedRead WatchedOf(const VaultCaller& caller, const ReadRecord& read, std::int64_t now) {
  WatchedRead watched{caller, read.secret, read.environment, read.path, read.version, read.open, {},
                      now,    false};
  if (read.process != nullptr) watched.process = *read.process;
  return watched;
}

/// What the job of a delivery leaves behind.
struct Delivered {
  std::optional<Error> refused;      ///< by what a tripwire did
  std::vector<FrozenObject> frozen;  ///< by it
};

AuditRecord RecordOfDelivery(const Vault::Core& core, const WatchedRead& watched, const char* refusal) {
  ReadRecord read{watched.environment, watched.path, watched.secret, watched.version, watched.open};
  read.process = watched.process ? &*watched.process : nullptr;
  read.refusal = refusal;
  return MakeReadRecord(core.clock(), watched.caller, read);
}

/// Records the read, and what it touches. @return its place in the log.
Result<std::uint64_t> RecordDelivery(Vault::Core& core, StoreWriter& writer, const WatchedRead& read,
                                     const Tripwires::TokenPtr& token, Delivered* delivered) {
  *delivered = {};  // it may run more than once
  const auto watch = GRANTFS_TRY(WatchOf(writer, read.secret, read.environment));
  const Trip trip = core.tripwires.Judge(read, watch, core.Now(), token);
  const char* refusal = trip.refuses() ? api::kWhereNotDelivered : nullptr;
  const auto record = GRANTFS_TRY(writer.Audit(RecordOfDelivery(core, read, refusal)));
  GRANTFS_CHECK(core.tripwires.Act(writer, *core.state.Get(), core.clock().WallMilliseconds(), read, watch,
                                   trip, record, &delivered->frozen));
  if (refusal != nullptr) {
    const Status frozen = CheckNotFrozen(writer, &read.caller.id, read.environment);
    if (!frozen) delivered->refused = frozen.error();
  }
  return record;
}

template <typename Response>
void RecordRefusal(Store& store, const Error& why, AuditRecord record, Vault::Done<Response> done) {
  store.Write(
      [record = std::move(record)](StoreWriter& writer) -> Status {
        GRANTFS_TRY(writer.Audit(record));
        return {};
      },
      [why, done = std::move(done)](Status status) { done(status ? why : Unrecorded(status.error())); });
}

/// Records, then answers. @param still  runs in the job before the record: an error of it releases nothing,
/// and a freeze that came between is recorded as one that came before.
template <typename Response>
void Deliver(Vault::Core& core, Response response, WatchedRead read,
             std::function<Status(StoreWriter&)> still, Vault::Done<Response> done) {
  auto answer = std::make_shared<Response>(std::move(response));
  const auto watched = std::make_shared<const WatchedRead>(std::move(read));
  const auto token = std::make_shared<Tripwires::Token>();
  const auto delivered = std::make_shared<Delivered>();
  core.store.Write(
      [&core, answer, token, delivered, watched, still = std::move(still)](StoreWriter& writer) -> Status {
        GRANTFS_CHECK(still(writer));
        answer->record = GRANTFS_TRY(RecordDelivery(core, writer, *watched, token, delivered.get()));
        return {};
      },
      [&core, answer, token, delivered, watched, done = std::move(done)](Status status) mutable {
        core.tripwires.Settle(token, status.has_value(), core.Now());
        if (!status) {
          const char* where = status.error().where;
          if (where != api::kWhereNotDelivered) return done(Unrecorded(status.error()));
          return RecordRefusal(core.store, status.error(), RecordOfDelivery(core, *watched, where),
                               std::move(done));
        }
        // Who has touched it is answered first.
        if (delivered->refused)
          done(*delivered->refused);
        else
          done(std::move(*answer));
        core.TellFrozen(delivered->frozen, delivered->refused ? 0 : watched->caller.machine);
      });
}

}  // namespace

Error Unrecorded(const Error& error) {
  const bool disk = error.code == Code::kNoSpace || error.code == Code::kIo || error.code == Code::kIntegrity;
  if (!disk) return error;
  return {Code::kUnrecorded, "the read could not be recorded, so nothing was released", error.sys, {}};
}

void Vault::MachineRead(const VaultCaller& caller, const api::ReadRequest& request,
                        Done<api::ReadResponse> done) {
  const StatePtr state = core_->state.Get();
  Granted granted;
  std::uint32_t version = request.version;
  const auto decide = [&]() -> Result<api::ReadResponse> {
    const auto reader = GRANTFS_TRY(core_->store.Read());
    GRANTFS_CHECK(FindGranted(*reader, caller, request.secret, core_->Now(), &granted));
    if (version == 0) version = granted.label;
    GRANTFS_CHECK(CheckNotFrozen(*reader, &caller.id, granted.secret.environment));
    GRANTFS_CHECK(CheckVersion(*reader, granted, version, request.grace, core_->clock().WallMilliseconds()));
    return Collect(*state, *reader, granted, version, core_->Now());
  };
  if (const Status room = core_->CheckRoom(); !room) return done(room.error());
  auto response = decide();
  ReadRecord read = RecordOf(granted.secret, version, request.open);
  read.process = &request.caller;
  if (!response) {
    const Error& why = response.error();
    if (why.code == Code::kNotFound) core_->CountRefusal(caller, kReadRefused);
    if (why.code != Code::kExpired && why.where != api::kWhereNotDelivered) return done(why);
    read.refusal = why.where;
    return RecordRefusal(core_->store, why, MakeReadRecord(core_->clock(), caller, read), std::move(done));
  }
  // The job comes after every append that was answered before: what was revoked, deleted, destroyed or frozen
  // by then is not released.
  const auto still = [core = core_.get(), caller, granted, version](StoreWriter& writer) -> Status {
    const StoredSecret& secret = granted.secret;
    GRANTFS_CHECK(CheckNotFrozen(writer, &caller.id, secret.environment));
    GRANTFS_CHECK(CheckStillThere(writer, secret.number, version));
    const auto stands = GRANTFS_TRY(FindGrantedBy(writer, caller, secret, core->Now()));
    const bool known = core->state.Get()->FindPrincipal(caller.id, core->Now()).has_value();
    const bool same =
        stands && stands->kind == granted.grant.kind && stands->number == granted.grant.number;
    return same && known ? Status() : Status(NotVisible());
  };
  Deliver(*core_, std::move(*response), WatchedOf(caller, read, core_->Now()), still, std::move(done));
}

Result<api::Nothing> Vault::MachineCheck(const VaultCaller& caller, const api::CheckRequest& request) const {
  const auto reader = GRANTFS_TRY(core_->store.Read());
  Granted granted;
  GRANTFS_CHECK(FindGranted(*reader, caller, request.secret, core_->Now(), &granted));
  GRANTFS_CHECK(CheckNotFrozen(*reader, &caller.id, granted.secret.environment));
  const auto version = GRANTFS_TRY(
      reader->FindVersion(request.secret, request.version == 0 ? granted.label : request.version));
  if (!version) return NotVisible(granted.secret.path);
  GRANTFS_CHECK(CheckNotExpired(*version, granted.secret, core_->Now()));
  return api::Nothing{};
}

void Vault::ReadValue(const VaultCaller& caller, const api::ValueRequest& request,
                      Done<api::ValueResponse> done) {
  const StatePtr state = core_->state.Get();
  StoredSecret secret;
  std::uint32_t version = request.version;
  const auto decide = [&]() -> Result<api::ValueResponse> {
    const auto reader = GRANTFS_TRY(core_->store.Read());
    secret = GRANTFS_TRY(core_->SecretFor(*state, *reader, caller, request.secret, Operation::kReadValue));
    if (version == 0) version = GRANTFS_TRY(reader->FindLabel(secret.number, kCurrentLabel)).value_or(0);
    if (version == 0 || secret.deleted || !GRANTFS_TRY(reader->FindVersion(secret.number, version)))
      return NotVisible(secret.path);
    GRANTFS_CHECK(CheckNotFrozen(*reader, nullptr, secret.environment));
    const std::uint64_t environment = state->vault->environments().at(secret.environment).number;
    auto copy =
        GRANTFS_TRY(reader->FindCopy(secret.number, version, RecipientKind::kEnvironment, environment));
    auto ciphertext = GRANTFS_TRY(reader->ReadCiphertext(secret.number, version));
    if (!copy || !ciphertext) return Lacking(secret);
    return api::ValueResponse{version, *std::move(ciphertext), copy->recipient.epoch, std::move(copy->sealed),
                              0};
  };
  if (const Status room = core_->CheckRoom(); !room) return done(room.error());
  auto response = decide();
  ReadRecord read = RecordOf(secret, version, request.open);
  if (!response) {
    const Error& why = response.error();
    if (why.where != api::kWhereNotDelivered) return done(why);
    read.refusal = why.where;
    return RecordRefusal(core_->store, why, MakeReadRecord(core_->clock(), caller, read), std::move(done));
  }
  const auto still = [core = core_.get(), caller, number = secret.number, version,
                      environment = secret.environment](StoreWriter& writer) -> Status {
    GRANTFS_CHECK(CheckNotFrozen(writer, nullptr, environment));
    GRANTFS_CHECK(CheckStillThere(writer, number, version));
    return core->state.Get()->CheckMember(caller, environment, Operation::kReadValue);
  };
  Deliver<api::ValueResponse>(*core_, std::move(*response), WatchedOf(caller, read, core_->Now()), still,
                              std::move(done));
}

}  // namespace grantfs
