#include <algorithm>
#include <cstring>
#include <numeric>

#include "grantfs/crypto/merkle.h"
#include "grantfs/crypto/random.h"
#include "grantfs/json/json.h"
#include "grantfs/store/audit.h"
#include "read_checks_internal.h"

namespace grantfs {
namespace {

constexpr std::size_t kOfBatch = 50;

/// Below `bound`. What bias there is does not matter for a sample.
std::uint64_t Chance(std::uint64_t bound) {
  const Bytes bytes = RandomBytes(sizeof(std::uint64_t));
  std::uint64_t value = 0;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value % bound;
}

bool Says(const Json& body, const char* name, std::string_view value) {
  const Json* const found = body.Find(name);
  return found != nullptr && found->is(Json::Kind::kString) && found->AsString() == value;
}

bool Says(const Json& body, const char* name, std::uint64_t value) {
  const Json* const found = body.Find(name);
  return found != nullptr && found->is(Json::Kind::kNumber) &&
         found->AsNumber() == static_cast<std::int64_t>(value);
}

bool IsOf(const RecordedRead& read, const Json& body, const Hash& me) {
  return Says(body, kAuditActor, me.Hex()) && Says(body, "secret", read.secret) &&
         Says(body, "version", std::uint64_t{read.version}) && Says(body, "open", read.open) &&
         (Says(body, kAuditOutcome, "done") || (read.told_later && Says(body, kAuditOutcome, "refused")));
}

}  // namespace

void ReadChecks::Add(RecordedRead read) {
  const std::lock_guard guard(mutex_);
  if (waiting_.size() < kMaxWaiting) {
    come_ = waiting_.size() + 1;
    return waiting_.push_back(std::move(read));
  }
  ++figures_.left_out;
  const std::uint64_t at = Chance(++come_);
  if (at < waiting_.size()) waiting_[at] = std::move(read);
}

std::vector<std::size_t> ReadChecks::SampleOf(std::size_t count) {
  std::vector<std::size_t> all(count);
  std::iota(all.begin(), all.end(), std::size_t{0});
  for (std::size_t at = 0; count > kOfBatch && at < kOfBatch; ++at)
    std::swap(all[at], all[at + Chance(count - at)]);
  all.resize(std::min(count, kOfBatch));
  return all;
}

std::vector<RecordedRead> ReadChecks::Take(std::size_t limit) {
  const std::lock_guard guard(mutex_);
  std::sort(waiting_.begin(), waiting_.end(),
            [](const RecordedRead& a, const RecordedRead& b) { return a.record < b.record; });
  std::vector<RecordedRead> taken;
  std::vector<RecordedRead> left;
  for (RecordedRead& read : waiting_) {
    const bool again = !taken.empty() && taken.back().record == read.record;
    // The same open, answered twice, has one record.
    if (again && taken.back().open == read.open) continue;
    (again || taken.size() == limit ? left : taken).push_back(std::move(read));
  }
  waiting_ = std::move(left);
  come_ = waiting_.size();
  return taken;
}

void ReadChecks::Return(std::vector<RecordedRead> reads) {
  for (RecordedRead& read : reads) Add(std::move(read));
}

void ReadChecks::Clear() {
  const std::lock_guard guard(mutex_);
  figures_.left_out += waiting_.size();
  waiting_.clear();
}

void ReadChecks::CountChecked(std::uint64_t proved, std::uint64_t gone) {
  const std::lock_guard guard(mutex_);
  figures_.proved += proved;
  figures_.left_out += gone;
}

ReadChecks::Figures ReadChecks::figures() const {
  const std::lock_guard guard(mutex_);
  Figures figures = figures_;
  figures.waiting = waiting_.size();
  return figures;
}

ReadProof CheckProven(const RecordedRead& read, const api::ProvenRecord& proven, const Checkpoint& log,
                      const Hash& me, std::int64_t gone_before_ms, std::string* what) {
  const auto bad = [what](const char* why) {
    *what = why;
    return ReadProof::kBad;
  };
  if (proven.leaf.empty()) return bad("the log has no such record");
  const auto header = ParseLeaf(proven.leaf);
  if (!header || header->sequence != read.record) return bad("another record stands in its place");
  if (!VerifyInclusion(MerkleLeafHash(proven.leaf), read.record, log.size, proven.proof, log.root))
    return bad("what the vault shows is not in the log that it has signed");
  if (header->type != kAuditReadType) return bad("a record of another kind stands in its place");
  if (!proven.body || !proven.salt)
    return header->time_ms < gone_before_ms ? ReadProof::kGone : bad("the vault does not show what it says");
  const auto hash = SaltedBodyHash(*proven.salt, AsBytes(*proven.body));
  if (!hash || *hash != header->body) return bad("what the vault shows of it is not what it has recorded");
  const auto body = ParseJson(*proven.body);
  if (!body || !body->is(Json::Kind::kObject) || !IsOf(read, *body, me))
    return bad("it is recorded as another read than it was");
  return ReadProof::kGood;
}

}  // namespace grantfs
