#include <algorithm>

#include "core_internal.h"
#include "grantfs/api/tls.h"
#include "grantfs/net/tls_identity.h"
#include "records_internal.h"

// The server's TLS key and the one that follows it. Which of them clients accept is said by the vault's list
// alone; so the server shows no key that the list does not name, and lets go of none that it names.

namespace grantfs {
namespace {

constexpr std::size_t kMaxCommonName = 64;
constexpr char kMade[] = "tls.made";
constexpr char kSwitched[] = "tls.switched";

/// Asked again where it is written: the list may have moved on.
Status MayAskForTls(const Vault::Core& core, const VaultCaller& caller) {
  if (!caller.IsPerson()) return NotVisible();
  return core.state.Get()->IsVaultOwner(caller.id) ? Status() : Status(RoleMissing("tls"));
}

Result<api::TlsResponse> TlsNow(StoreReader& reader) {
  const auto server = GRANTFS_TRY(reader.Server());
  if (!server) return Error{Code::kConflict, "the directory has no server's keys yet"};
  api::TlsResponse response;
  response.current = GRANTFS_TRY(PinOf(server->tls_certificate));
  if (const auto next = GRANTFS_TRY(reader.NextTls())) {
    response.next = GRANTFS_TRY(PinOf(next->certificate));
    response.made = next->made;
  }
  return response;
}

bool Names(const StatePtr& state, const Hash& pin) {
  const auto& pins = state->vault->pins();
  return std::find(pins.begin(), pins.end(), pin) != pins.end();
}

// An append that names a key or lets go of it may have been committed before this, and be published after it.
bool IsListed(const Vault::Core& core, const Hash& pin) {
  return Names(core.state.Get(), pin) && Names(core.ahead.Get(), pin);
}
bool MayBeListed(const Vault::Core& core, const Hash& pin) {
  return Names(core.state.Get(), pin) || Names(core.ahead.Get(), pin);
}

Status RecordTls(const Vault::Core& core, StoreWriter& writer, const VaultCaller& caller, const char* type,
                 const Hash& pin) {
  AuditRecord record = MakeRecord(core.clock(), caller, type, "", pin.Hex(), kDone);
  record.severity = AuditSeverity::kCritical;
  GRANTFS_TRY(writer.Audit(record));
  return {};
}

Status WriteNext(const Vault::Core& core, StoreWriter& writer, const VaultCaller& caller, bool fresh) {
  GRANTFS_CHECK(MayAskForTls(core, caller));
  const auto now = GRANTFS_TRY(TlsNow(writer));
  if (now.next && !fresh) return {};
  if (now.next && MayBeListed(core, *now.next))
    return Error{Code::kConflict,
                 "the vault's list names the next key, so clients are learning it: switch to it (grantfs tls "
                 "switch), then make another",
                 0, now.next->Hex()};
  const auto server = GRANTFS_TRY(writer.Server());
  TlsIdentity made = GRANTFS_TRY(MakeTlsIdentity(server->name.substr(0, kMaxCommonName)));
  const Hash pin = GRANTFS_TRY(PinOf(made.certificate_pem));
  GRANTFS_CHECK(
      writer.PutNextTls({std::move(made.certificate_pem), std::move(made.private_key_pem), core.Now()}));
  return RecordTls(core, writer, caller, kMade, pin);
}

Status WriteSwitch(const Vault::Core& core, StoreWriter& writer, const VaultCaller& caller,
                   const Hash& next) {
  GRANTFS_CHECK(MayAskForTls(core, caller));
  const auto now = GRANTFS_TRY(TlsNow(writer));
  if (now.current == next) return {};  // a lost answer
  if (now.next != next)
    return Error{Code::kConflict, "is not the server's next key: grantfs tls show says which is", 0,
                 next.Hex()};
  if (!IsListed(core, next))
    return Error{Code::kConflict,
                 "the vault's list does not name this key, so no client would accept it: grantfs tls next "
                 "signs it",
                 0, next.Hex()};
  GRANTFS_CHECK(writer.SwitchTls());
  return RecordTls(core, writer, caller, kSwitched, next);
}

}  // namespace

Result<api::TlsResponse> Vault::ShowTls(const VaultCaller& caller) const {
  GRANTFS_CHECK(MayAskForTls(*core_, caller));
  const auto reader = GRANTFS_TRY(core_->store.Read());
  return TlsNow(*reader);
}

void Vault::MakeNextTls(const VaultCaller& caller, const api::TlsNextRequest& request,
                        Done<api::TlsResponse> done) {
  if (const Status may = MayAskForTls(*core_, caller); !may) return done(may.error());
  core_->store.Write([core = core_.get(), caller, fresh = request.fresh](
                         StoreWriter& writer) { return WriteNext(*core, writer, caller, fresh); },
                     [this, caller, done = std::move(done)](Status status) {
                       done(status ? ShowTls(caller) : Result<api::TlsResponse>(status.error()));
                     });
}

void Vault::OnTlsSwitch(std::function<Status()> switched) {
  const std::lock_guard lock(core_->claim_mutex);
  core_->tls_switched = std::move(switched);
}

// The key is the server's from the commit on: where it cannot be shown at once, a restart shows it.
void Vault::SwitchTls(const VaultCaller& caller, const api::TlsSwitchRequest& request,
                      Done<api::TlsResponse> done) {
  if (const Status may = MayAskForTls(*core_, caller); !may) return done(may.error());
  core_->store.Write([core = core_.get(), caller, next = request.next](
                         StoreWriter& writer) { return WriteSwitch(*core, writer, caller, next); },
                     [this, caller, done = std::move(done)](Status status) {
                       std::function<Status()> switched;
                       {
                         const std::lock_guard lock(core_->claim_mutex);
                         switched = core_->tls_switched;
                       }
                       if (status && switched) status = switched();
                       done(status ? ShowTls(caller) : Result<api::TlsResponse>(status.error()));
                       for (const auto& sender : core_->alerts) sender->Poke();
                     });
}

}  // namespace grantfs
