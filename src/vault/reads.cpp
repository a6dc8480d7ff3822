#include "granted_internal.h"
#include "grantfs/api/problem.h"

// Delivery: what is released is decided in the job that records it, and is on the disk before the answer goes
// out. The job comes after every append that was answered before: what was revoked, deleted, destroyed or
// frozen by then is not released. (And a view of its own for each read would find its pages changed by every
// commit.)

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

ReadRecord RecordOf(const WatchedRead& read, const char* refusal) {
  return {read.environment, read.path, read.secret,
          read.version,     read.open, read.process ? &*read.process : nullptr,
          refusal};
}

/// Decides over the database as it is in the job. @param read  what is known of it is filled in, for its
/// record.
template <typename Response>
using Decide = std::function<Result<Response>(StoreReader&, WatchedRead* read)>;

/// What the job of a delivery leaves behind.
template <typename Response>
struct Delivery {
  WatchedRead read;
  Response response;
  std::optional<Error> refused;
  std::vector<FrozenObject> frozen;  ///< by a tripwire
  bool judged = false;               ///< by the tripwires, in the run that counts
};

/// Records the read, and what it touches. @return its place in the log.
template <typename Response>
Result<std::uint64_t> RecordDelivery(Vault::Core& core, StoreWriter& writer, const Tripwires::TokenPtr& token,
                                     Delivery<Response>* delivery) {
  const WatchedRead& read = delivery->read;
  const auto watch = GRANTFS_TRY(WatchOf(writer, read.secret, read.environment));
  const Trip trip = core.tripwires.Judge(read, watch, core.Now(), token);
  const char* refusal = trip.refuses() ? api::kWhereNotDelivered : nullptr;
  const auto record =
      GRANTFS_TRY(writer.Audit(MakeReadRecord(core.clock(), read.caller, RecordOf(read, refusal))));
  GRANTFS_CHECK(core.tripwires.Act(writer, *core.state.Get(), core.clock().WallMilliseconds(), read, watch,
                                   trip, record, &delivery->frozen));
  if (refusal != nullptr) {
    const Status frozen = CheckNotFrozen(writer, &read.caller.id, read.environment);
    if (!frozen) delivery->refused = frozen.error();
  }
  return record;
}

/// Of refusals those are recorded that an administrator meant.
Status RecordRefusal(const Vault::Core& core, StoreWriter& writer, const WatchedRead& read,
                     const Error& why) {
  if (why.code != Code::kExpired && why.where != api::kWhereNotDelivered) return {};
  GRANTFS_TRY(writer.Audit(MakeReadRecord(core.clock(), read.caller, RecordOf(read, why.where))));
  return {};
}

/// Decides, records, then answers.
template <typename Response>
void Deliver(Vault::Core& core, WatchedRead read, Decide<Response> decide, Vault::Done<Response> done) {
  if (const Status room = core.CheckRoom(); !room) return done(room.error());
  const auto delivery = std::make_shared<Delivery<Response>>();
  delivery->read = std::move(read);
  const auto token = std::make_shared<Tripwires::Token>();
  core.store.Write(
      [&core, token, delivery, decide = std::move(decide)](StoreWriter& writer) -> Status {
        delivery->refused.reset();  // it may run more than once
        delivery->judged = false;
        delivery->frozen.clear();
        auto response = decide(writer, &delivery->read);
        if (!response) {
          delivery->refused = response.error();
          return RecordRefusal(core, writer, delivery->read, response.error());
        }
        delivery->response = *std::move(response);
        delivery->response.record = GRANTFS_TRY(RecordDelivery(core, writer, token, delivery.get()));
        delivery->judged = true;
        return {};
      },
      [&core, token, delivery, done = std::move(done)](Status status) mutable {
        core.tripwires.Settle(token, status.has_value() && delivery->judged, core.Now());
        if (!status) return done(Unrecorded(status.error()));
        const auto& refused = delivery->refused;
        if (refused && refused->code == Code::kNotFound && delivery->read.caller.IsMachine())
          core.CountRefusal(delivery->read.caller, kReadRefused);
        // Who has touched it is answered first.
        if (refused)
          done(*refused);
        else
          done(std::move(delivery->response));
        core.TellFrozen(delivery->frozen, refused ? 0 : delivery->read.caller.machine);
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
  WatchedRead asked{caller,       request.secret, {},          {}, request.version,
                    request.open, request.caller, core_->Now()};
  const auto decide = [core = core_.get(), version = request.version, grace = request.grace](
                          StoreReader& reader, WatchedRead* read) -> Result<api::ReadResponse> {
    const StatePtr state = core->state.Get();
    const std::int64_t now = core->Now();
    if (!state->FindPrincipal(read->caller.id, now)) return NotVisible();  // removed meanwhile
    Granted granted;
    const Status found = FindGranted(reader, read->caller, read->secret, now, &granted);
    read->environment = granted.secret.environment;
    read->path = granted.secret.path;
    read->version = version;
    GRANTFS_CHECK(found);
    if (version == 0) read->version = granted.label;
    GRANTFS_CHECK(CheckNotFrozen(reader, &read->caller.id, read->environment));
    GRANTFS_CHECK(CheckVersion(reader, granted, read->version, grace, core->clock().WallMilliseconds()));
    return Collect(*state, reader, granted, read->version, now);
  };
  Deliver<api::ReadResponse>(*core_, std::move(asked), decide, std::move(done));
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
  WatchedRead asked{caller, request.secret, {}, {}, request.version, request.open, {}, core_->Now()};
  const auto decide = [core = core_.get(), version = request.version](
                          StoreReader& reader, WatchedRead* read) -> Result<api::ValueResponse> {
    const StatePtr state = core->state.Get();
    const StoredSecret secret =
        GRANTFS_TRY(core->SecretFor(*state, reader, read->caller, read->secret, Operation::kReadValue));
    read->environment = secret.environment;
    read->path = secret.path;
    read->version = version;
    if (version == 0) read->version = GRANTFS_TRY(reader.FindLabel(secret.number, kCurrentLabel)).value_or(0);
    if (read->version == 0 || secret.deleted ||
        !GRANTFS_TRY(reader.FindVersion(secret.number, read->version)))
      return NotVisible(secret.path);
    GRANTFS_CHECK(CheckNotFrozen(reader, nullptr, secret.environment));
    const std::uint64_t environment = state->vault->environments().at(secret.environment).number;
    auto copy =
        GRANTFS_TRY(reader.FindCopy(secret.number, read->version, RecipientKind::kEnvironment, environment));
    auto ciphertext = GRANTFS_TRY(reader.ReadCiphertext(secret.number, read->version));
    if (!copy || !ciphertext) return Lacking(secret);
    return api::ValueResponse{read->version, *std::move(ciphertext), copy->recipient.epoch,
                              std::move(copy->sealed), 0};
  };
  Deliver<api::ValueResponse>(*core_, std::move(asked), decide, std::move(done));
}

}  // namespace grantfs
