#include <cstring>

#include "grantfs/log/log.h"
#include "grantfs/util/number_key.h"
#include "mount/tree/kept_files_internal.h"
#include "mount/tree/kept_shown_internal.h"

namespace grantfs {

namespace {

/// Followed by the environment and the path. Of one layout with every worker that may take it over
/// (MountShared::kLayout).
struct ShownRecord {
  std::uint64_t node;
  std::uint64_t size;
  std::int64_t time;
  std::uint32_t uid;
  std::uint32_t gid;
  std::uint32_t mode;
  std::uint32_t environment_bytes;
  std::uint32_t told;
  std::uint32_t reserved;
};

std::optional<ShownRecord> RecordIn(ByteView bytes) {
  ShownRecord record;
  if (bytes.size() < sizeof record) return std::nullopt;
  std::memcpy(&record, bytes.data(), sizeof record);
  if (record.environment_bytes > bytes.size() - sizeof record) return std::nullopt;
  return record;
}

/// With owner and group as numbers, which every machine knows.
GrantedSecret GrantOf(const ShownRecord& record, ByteView names) {
  GrantedSecret grant;
  grant.number = NumberOf(record.node);
  grant.version = VersionOf(record.node);
  grant.environment = AsText(names.first(record.environment_bytes));
  grant.path = AsText(names.subspan(record.environment_bytes));
  grant.size = record.size;
  grant.time = record.time;
  grant.owner = std::to_string(record.uid);
  grant.group = std::to_string(record.gid);
  grant.mode = record.mode;
  return grant;
}

Bytes PackShown(const SecretFile& file, bool told) {
  const GrantedSecret& grant = *file.grant;
  const FileAttributes& looks = file.attributes;
  const auto environment_bytes = static_cast<std::uint32_t>(grant.environment.size());
  const ShownRecord record{file.id,    looks.size,        looks.time,     looks.uid, looks.gid,
                           looks.mode, environment_bytes, told ? 1U : 0U, 0};
  Bytes bytes(sizeof record);
  std::memcpy(bytes.data(), &record, sizeof record);
  for (const std::string* text : {&grant.environment, &grant.path})
    bytes.insert(bytes.end(), text->begin(), text->end());
  return bytes;
}

void Warn(const Error& error) {
  Log(LogLevel::kWarning, "what changes while the worker is restarted may not be told to watchers", error);
}

}  // namespace

std::optional<KeptShown::Left> KeptShown::Load() const {
  if (kept_ == nullptr || !kept_->Get(kKeptShownWhole, {})) return std::nullopt;
  auto listing = std::make_shared<Listing>();
  Left left;
  kept_->ForEach(kKeptShown, [&](ByteView, ByteView value) {
    const auto record = RecordIn(value);
    if (!record) return;
    listing->secrets.push_back(GrantOf(*record, value.subspan(sizeof *record)));
    if (record->told == 0) left.untold.insert(NumberOf(record->node));
  });
  left.shown = std::move(listing);
  return left;
}

// The mark that it is whole comes last.
void KeptShown::Begin(const Tree& tree) {
  if (kept_ == nullptr) return;
  const std::lock_guard lock(mutex_);
  kept_->Erase(kKeptShownWhole, {});
  std::vector<std::uint64_t> others;
  kept_->ForEach(kKeptShown, [&](ByteView key, ByteView) {
    const std::uint64_t number = NumberKey::In(key);
    if (tree.FindSecret(number) == nullptr) others.push_back(number);
  });
  for (const std::uint64_t number : others) kept_->Erase(kKeptShown, NumberKey(number));
  Status whole;
  for (const auto& [number, file] : tree.secrets()) {
    if (whole) whole = kept_->Put(kKeptShown, NumberKey(number), PackShown(file, true));
  }
  if (whole) whole = kept_->Put(kKeptShownWhole, {}, {});
  if (!whole) Warn(whole.error());
}

void KeptShown::Show(const SecretFile& file) {
  if (kept_ == nullptr) return;
  const std::lock_guard lock(mutex_);
  Put(file, false);
}

void KeptShown::Told(const SecretChange& change) {
  if (kept_ == nullptr) return;
  const std::lock_guard lock(mutex_);
  const std::uint64_t number = NumberOf(change.after ? change.after->id : change.before->id);
  const auto bytes = kept_->Get(kKeptShown, NumberKey(number));
  if (change.after != nullptr) {
    if (!bytes || *bytes == PackShown(*change.after, false)) Put(*change.after, true);
    return;
  }
  const auto record = bytes ? RecordIn(*bytes) : std::nullopt;
  if (record && record->node == change.before->id) kept_->Erase(kKeptShown, NumberKey(number));
}

/// With the lock held. Half of it would have files vanish for a moment: better none.
void KeptShown::Put(const SecretFile& file, bool told) {
  const Status kept = kept_->Put(kKeptShown, NumberKey(NumberOf(file.id)), PackShown(file, told));
  if (!kept && kept_->Erase(kKeptShownWhole, {})) Warn(kept.error());
}

}  // namespace grantfs
