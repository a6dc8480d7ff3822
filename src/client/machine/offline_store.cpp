#include <unistd.h>

#include <filesystem>

#include "grantfs/json/json.h"
#include "grantfs/util/file.h"
#include "grantfs/util/text.h"
#include "offline_store_internal.h"

namespace grantfs {
namespace {

constexpr char kContactFile[] = "/contact.json";
constexpr std::size_t kMaxKeptFile = std::size_t{2} << 20;
constexpr std::size_t kMaxKeptBytes = std::size_t{256} << 20;
constexpr std::int64_t kLatest = 253'402'300'799;  // 9999-12-31

}  // namespace

OfflineStore::Contact OfflineStore::LoadContact() const {
  const auto content = ReadFile(directory_ + kContactFile, 4096);
  const auto json = content ? ParseJson(AsText(*content)) : Result<Json>(content.error());
  if (!json) return {};
  JsonReader in(*json, "contact");
  const Contact contact{in.Number("heard", 0, kLatest), in.Number("greatest", 0, kLatest)};
  return in.Finish() ? contact : Contact{};
}

Status OfflineStore::SaveContact(const Contact& contact) {
  GRANTFS_CHECK(MakeDirectories(directory_, 0700));
  const std::string text =
      Json::Object({{"heard", contact.heard}, {"greatest", contact.greatest}}).Dump() + "\n";
  return WriteFileAtomic(directory_ + kContactFile, AsBytes(text), 0600);
}

std::string OfflineStore::PathOf(std::uint64_t number) const {
  return directory_ + "/" + std::to_string(number) + ".json";
}

std::vector<api::ReadResponse> OfflineStore::Load() {
  std::vector<api::ReadResponse> loaded;
  std::error_code failed;
  for (std::filesystem::directory_iterator at(directory_, failed), end; !failed && at != end;
       at.increment(failed)) {
    unsigned long long number = 0;
    if (!ParseNumber(at->path().stem().string(), ~0ULL >> 1, &number)) continue;
    kept_[number] = {};
    const auto content = ReadFile(at->path(), kMaxKeptFile);
    const auto json = content ? ParseJson(AsText(*content)) : Result<Json>(content.error());
    auto version = json ? api::ReadResponse::FromJson(*json) : Result<api::ReadResponse>(json.error());
    if (!version || version->secret != number) continue;
    kept_[number] = {version->version, content->size()};
    bytes_ += content->size();
    loaded.push_back(*std::move(version));
  }
  return loaded;
}

Status OfflineStore::Save(const api::ReadResponse& version) {
  const std::string text = version.ToJson().Dump();
  Remove(version.secret);
  if (bytes_ + text.size() > kMaxKeptBytes)
    return Error{Code::kNoSpace, "more is granted for offline use than is kept (256 MiB)", 0, directory_};
  GRANTFS_CHECK(MakeDirectories(directory_, 0700));
  GRANTFS_CHECK(WriteFileAtomic(PathOf(version.secret), AsBytes(text), 0600));
  kept_[version.secret] = {version.version, text.size()};
  bytes_ += text.size();
  return {};
}

void OfflineStore::Remove(std::uint64_t number) {
  const auto at = kept_.find(number);
  if (at == kept_.end()) return;
  ::unlink(PathOf(number).c_str());
  bytes_ -= at->second.bytes;
  kept_.erase(at);
}

}  // namespace grantfs
