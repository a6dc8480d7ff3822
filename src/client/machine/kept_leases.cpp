#include <cstring>

#include "grantfs/util/number_key.h"
#include "kept_leases_internal.h"

namespace grantfs {
namespace {

// Kinds of records in the memory; the mount's own are below them (kept_files_internal.h).
constexpr std::uint32_t kKeptVersion = 16;
constexpr std::uint32_t kKeptContact = 17;
constexpr std::uint32_t kKeptAhead = 19;  // 18: refusal_reporter.cpp
/// The rest of the memory is for what is open.
constexpr std::size_t kMaxLeasedBytes = std::size_t{24} << 20;

}  // namespace

void KeptLeases::Put(const api::ReadResponse& version) {
  if (kept_ == nullptr) return;
  const std::string text = version.ToJson().Dump();
  const std::lock_guard lock(mutex_);
  EraseLocked(version.secret);
  if (bytes_ + text.size() > kMaxLeasedBytes) return;
  if (!kept_->Put(kKeptVersion, NumberKey(version.secret), AsBytes(text))) return;
  bytes_ += text.size();
  sizes_[version.secret] = text.size();
}

void KeptLeases::Erase(std::uint64_t number) {
  if (kept_ == nullptr) return;
  const std::lock_guard lock(mutex_);
  EraseLocked(number);
}

void KeptLeases::EraseLocked(std::uint64_t number) {
  const auto at = sizes_.find(number);
  if (at == sizes_.end()) return;
  kept_->Erase(kKeptVersion, NumberKey(number));
  bytes_ -= at->second;
  sizes_.erase(at);
}

void KeptLeases::Heard(const Contact& contact) {
  if (kept_ == nullptr) return;
  const ByteView bytes(reinterpret_cast<const std::uint8_t*>(&contact), sizeof contact);
  if (!kept_->Put(kKeptContact, {}, bytes)) Unsettled();
}

void KeptLeases::Unsettled() {
  if (kept_ != nullptr) kept_->Erase(kKeptContact, {});
}

std::optional<KeptLeases::Contact> KeptLeases::LastHeard() const {
  const auto bytes = kept_ != nullptr ? kept_->Get(kKeptContact, {}) : std::nullopt;
  Contact contact;
  if (!bytes || bytes->size() != sizeof contact) return std::nullopt;
  std::memcpy(&contact, bytes->data(), sizeof contact);
  return contact;
}

void KeptLeases::KeepAhead(std::chrono::milliseconds ahead) {
  const std::lock_guard lock(mutex_);
  // Clocks run a little differently: it need not be written down each time.
  if (kept_ == nullptr || (ahead_ && ahead < *ahead_ + std::chrono::seconds(1))) return;
  const std::int64_t count = ahead.count();
  const ByteView bytes(reinterpret_cast<const std::uint8_t*>(&count), sizeof count);
  if (kept_->Put(kKeptAhead, {}, bytes)) ahead_ = ahead;
}

std::optional<std::chrono::milliseconds> KeptLeases::KeptAhead() const {
  const auto bytes = kept_ != nullptr ? kept_->Get(kKeptAhead, {}) : std::nullopt;
  std::int64_t count = 0;
  if (!bytes || bytes->size() != sizeof count) return std::nullopt;
  std::memcpy(&count, bytes->data(), sizeof count);
  return std::chrono::milliseconds(count);
}

std::vector<api::ReadResponse> KeptLeases::Load() {
  std::vector<api::ReadResponse> loaded;
  if (kept_ == nullptr) return loaded;
  std::vector<std::uint64_t> broken;
  kept_->ForEach(kKeptVersion, [&](ByteView key, ByteView value) {
    const std::uint64_t number = NumberKey::In(key);
    const auto json = ParseJson(AsText(value));
    auto version = json ? api::ReadResponse::FromJson(*json) : Result<api::ReadResponse>(json.error());
    if (!version || version->secret != number) return broken.push_back(number);
    sizes_[number] = value.size();
    bytes_ += value.size();
    loaded.push_back(*std::move(version));
  });
  for (const std::uint64_t number : broken) kept_->Erase(kKeptVersion, NumberKey(number));
  return loaded;
}

}  // namespace grantfs
