#include <algorithm>

#include "bundle_internal.h"
#include "grantfs/log/log.h"
#include "machine_internal.h"

// What a machine serves without asking: under a lease, and offline.

namespace grantfs {
namespace {

/// Beside the ciphertext that is in it once more.
constexpr std::size_t kMostKeptEvidence = 4096;

std::chrono::milliseconds LeaseTime(std::int64_t seconds) { return std::chrono::seconds(seconds); }

JournalEntry EntryOf(const SecretSource::OpenRequest& request, std::uint32_t version, const Grant& terms,
                     const Clock& clock) {
  JournalEntry entry;
  entry.time_ms = clock.WallMilliseconds();
  entry.open = request.open_id;
  entry.secret = request.number;
  entry.version = version;
  entry.record = terms.record;
  // The vault may have recorded it already, and knows it again by its id alone.
  if (request.again && entry.aggregate()) entry.record = kRecordEach;
  entry.caller = {request.caller.pid, request.caller.uid, request.caller.gid, request.caller.executable,
                  request.caller.cgroup};
  return entry;
}

}  // namespace

std::int64_t MachineSessionImpl::Now() const {
  const std::int64_t wall = options_.clock->WallSeconds();
  if (heard_boot_ns_.load() >= 0 || contact_.greatest == 0) return wall;
  const auto since = std::chrono::duration_cast<std::chrono::seconds>(options_.clock->Boot() - contact_boot_);
  return std::max(wall, contact_.greatest + since.count());
}

std::optional<std::chrono::nanoseconds> MachineSessionImpl::SinceContact() const {
  const std::int64_t heard = heard_boot_ns_.load();
  if (heard >= 0) return options_.clock->Boot() - std::chrono::nanoseconds(heard);
  if (contact_.heard == 0) return std::nullopt;
  return std::chrono::seconds(std::max<std::int64_t>(Now() - contact_.heard, 0));
}

// The signer's clock named that moment; ours may have been set since, but never counts as having gone back.
bool MachineSessionImpl::IsRotationDue(const SecretView& secret) const {
  const std::int64_t due = secret.publish ? secret.publish->RotationDue(secret.time) : 0;
  return due != 0 && due <= latest_.Seconds();
}

bool MachineSessionImpl::HasExpired(const SecretView& secret) const {
  const std::int64_t end = secret.publish ? secret.publish->ExpiresAt(secret.time) : 0;
  return end != 0 && end <= latest_.Seconds();
}

bool MachineSessionImpl::LifeIsOver(const SecretView& secret) const {
  const std::int64_t end = EarlierEnd(home_.profile().not_after, secret.terms.grantee.not_after);
  return end != 0 && end <= latest_.Seconds();
}

bool MachineSessionImpl::LeaseRuns(const SecretView& secret, bool unreachable) const {
  const Grant& terms = secret.terms;
  if (refused_ || IsRotationDue(secret) || HasExpired(secret) || LifeIsOver(secret)) return false;
  if (terms.lease > 0 && HeardBeatWithin(LeaseTime(terms.lease))) return true;
  if (terms.offline == 0 || !(unreachable || lost_)) return false;
  const auto since = SinceContact();
  return since && *since <= LeaseTime(terms.offline);
}

Error MachineSessionImpl::WithoutLease(std::uint64_t number, Error error) const {
  const auto shown = view();
  const auto at = shown->secrets.find(number);
  if (at == shown->secrets.end()) return error;
  const Grant& terms = at->second->terms;
  if (terms.lease == 0 && terms.offline == 0) return error;
  if (LifeIsOver(*at->second))
    return {Code::kExpired, kWhereLifeIsOver, 0, at->second->environment + "/" + at->second->path};
  if (HasExpired(*at->second))
    return {Code::kExpired, "the secret has expired: an owner can set a new value", 0,
            at->second->environment + "/" + at->second->path};
  error.where = IsRotationDue(*at->second)
                    ? "the vault does not answer, and no lease reaches past the secret's rotation, which is "
                      "overdue: an owner can run grantfs secret set"
                    : "the vault does not answer, and this version is under no lease (any more)";
  return error;
}

// While the stream stands, whatever it told and is not looked at yet may be a revocation. When it has ended,
// only what it told of this very secret is, or a freeze.
bool MachineSessionImpl::IsUnsettled(std::uint64_t number) const {
  std::set<std::string> frozen;
  {
    const std::lock_guard guard(work_mutex_);
    for (const Work* work : {&work_, &doing_}) {
      if (work->secrets.contains(number)) return true;
      if (listens_ && (work->everything || work->upper)) return true;
      frozen.insert(work->frozen.begin(), work->frozen.end());
    }
  }
  if (frozen.empty()) return false;
  const auto shown = view();
  const auto at = shown->secrets.find(number);
  return at == shown->secrets.end() || frozen.contains("") || frozen.contains(at->second->environment);
}

bool MachineSessionImpl::LeaseStands(std::uint64_t number) const {
  const auto shown = view();
  const auto stands = [&](std::uint64_t one) {
    const auto at = shown->secrets.find(one);
    return at != shown->secrets.end() && shown->FreezeOf(at->second->environment) == nullptr &&
           LeaseRuns(*at->second, false) && !IsUnsettled(one);
  };
  const auto bundle = shown->bundles.find(number);
  if (bundle == shown->bundles.end()) return stands(number);
  const BundleView::Parts& parts = bundle->second->parts;  // the template is the first of them
  return !parts.empty() &&
         std::all_of(parts.begin(), parts.end(), [&](const auto& part) { return stands(part.number); });
}

void MachineSessionImpl::Hold(const api::ReadResponse& response, const VersionPublish& publish,
                              SecretMemory key) {
  const auto shown = view();
  const auto at = shown->secrets.find(response.secret);
  if (at == shown->secrets.end() || shown->FreezeOf(at->second->environment) != nullptr) return;
  const Grant& terms = at->second->terms;
  if (terms.lease == 0 && terms.offline == 0) return;
  if (IsRotationDue(*at->second) || HasExpired(*at->second)) return;
  if (terms.lease == 0) key = SecretMemory();  // opens that are rare may take their time
  held_.Put({response, publish, std::move(key)});
  if (terms.lease > 0) leases_.Put(response);
  if (terms.offline == 0) return;
  const std::lock_guard guard(keeper_mutex_);
  to_keep_.insert(response.secret);
}

HeldVersions::Held MachineSessionImpl::FindHeld(const OpenRequest& request, const MachineView& shown,
                                                bool unreachable) const {
  const auto at = shown.secrets.find(request.number);
  if (at == shown.secrets.end() || !at->second->publish) return nullptr;
  const SecretView& secret = *at->second;
  if (secret.terms.lease == 0 && secret.terms.offline == 0) return nullptr;
  if (shown.FreezeOf(secret.environment) != nullptr) return nullptr;
  if (!LeaseRuns(secret, unreachable) || IsUnsettled(request.number)) return nullptr;
  auto held = held_.Find(request.number);
  if (!held || held->response.statement != secret.version) return nullptr;
  return request.version == 0 || request.version == held->publish.version ? held : nullptr;
}

bool MachineSessionImpl::ServeHeld(const OpenRequest& request, const MachineView& shown, bool unreachable,
                                   OpenDone* done) {
  const auto held = FindHeld(request, shown, unreachable);
  if (!held) return false;
  const Grant& terms = shown.secrets.at(request.number)->terms;
  auto opened = OpenHeld(held, terms.lease > 0);
  if (!opened) {
    Log(LogLevel::kWarning, "what is kept of a secret cannot be opened; asking the vault", opened.error());
    held_.Erase(request.number);
    leases_.Erase(request.number);
    return false;
  }
  JournalEntry entry = EntryOf(request, held->publish.version, terms, *options_.clock);
  if (request.again && journal_->HasCounted(request.open_id)) {
    (*done)(std::move(opened));
    return true;
  }
  if (terms.record == kRecordSync) {
    auto value = std::make_shared<OpenedSecret>(*std::move(opened));
    journal_->RecordDurably(std::move(entry), [done = std::move(*done), value](const Status& recorded) {
      done(recorded ? Result<OpenedSecret>(std::move(*value)) : Result<OpenedSecret>(recorded.error()));
    });
    return true;
  }
  if (const Status recorded = journal_->Record(std::move(entry)); !recorded) opened = recorded.error();
  (*done)(std::move(opened));
  return true;
}

std::optional<Result<OpenedSecret>> MachineSessionImpl::OpenAtOnce(const OpenRequest& request) {
  const auto shown = view();
  const auto at = shown->secrets.find(request.number);
  if (at == shown->secrets.end() || at->second->terms.record == kRecordSync || IsTemplate(*at->second))
    return std::nullopt;
  if (!CheckLocally(*shown, request.number, Now())) return std::nullopt;
  std::optional<Result<OpenedSecret>> served;
  OpenDone done = [&served](Result<OpenedSecret> result) { served.emplace(std::move(result)); };
  ServeHeld(request, *shown, false, &done);
  return served;
}

Result<OpenedSecret> MachineSessionImpl::OpenHeld(const HeldVersions::Held& shared, bool keep_key) {
  const HeldVersion& held = *shared;
  if (held.key.size() > 0 && !held.context.empty()) {
    auto value = GRANTFS_TRY(DecryptValue(held.key, held.context, held.response.ciphertext));
    return OpenedSecret{std::move(value), held.publish.version, 0,
                        held.evidence.empty()
                            ? EvidenceOf(held.publish, held.response.sealed, held.response.ciphertext)
                            : held.evidence};
  }
  const ValueContext context{home_.profile().vault, held.publish.environment, held.response.secret,
                             held.publish.version, held.publish.epoch};
  auto key = GRANTFS_TRY(held.key.size() > 0 ? held.key.Clone()
                                             : OpenDataKey(me_.unseal_key(), held.response.sealed,
                                                           held.publish.commitment, context));
  auto value = GRANTFS_TRY(DecryptVersion(key, context, held.publish, held.response.ciphertext));
  std::string evidence = EvidenceOf(held.publish, held.response.sealed, held.response.ciphertext);
  if (keep_key) {
    held_.PutKey(shared, std::move(key), context.Encode(),
                 evidence.size() <= kMostKeptEvidence ? evidence : std::string());
  }
  return OpenedSecret{std::move(value), held.publish.version, 0, std::move(evidence)};
}

void MachineSessionImpl::DropHeld() {
  const auto shown = view();
  const auto over = [&](const HeldVersion& held) {
    const auto at = shown->secrets.find(held.response.secret);
    if (refused_ || at == shown->secrets.end() || !at->second->publish) return true;
    const SecretView& secret = *at->second;
    if (shown->FreezeOf(secret.environment) != nullptr) return true;
    return held.response.statement != secret.version || !LeaseRuns(secret, true);
  };
  held_.EraseIf([&](const HeldVersion& held) {
    if (!over(held)) return false;
    leases_.Erase(held.response.secret);
    return true;
  });
}

}  // namespace grantfs
