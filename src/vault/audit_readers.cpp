#include <algorithm>
#include <map>
#include <tuple>

#include "core_internal.h"

// Who has read which version of a secret last: the records of its reads, put together by reader.

namespace grantfs {
namespace {

/// Each is parsed, which takes some microseconds.
constexpr std::size_t kMaxScanned = 5'000;
constexpr std::size_t kPage = 500;

using ReaderKey = std::tuple<std::string, bool, std::uint32_t, std::string>;
using Readers = std::map<ReaderKey, api::AuditReader>;

std::int64_t NumberIn(const Json& object, const char* name, std::int64_t absent = 0) {
  const Json* const found = object.Find(name);
  return found != nullptr && found->is(Json::Kind::kNumber) ? found->AsNumber() : absent;
}

std::string TextIn(const Json& object, const char* name) {
  const Json* const found = object.Find(name);
  return found != nullptr && found->is(Json::Kind::kString) ? found->AsString() : std::string();
}

const Json* ObjectIn(const Json& object, const char* name) {
  const Json* const found = object.Find(name);
  return found != nullptr && found->is(Json::Kind::kObject) ? found : nullptr;
}

/// A read under a lease is recorded when it is told, which may be much later.
std::int64_t ReadTime(const Json& body, std::int64_t recorded_ms) {
  const Json* const lease = ObjectIn(body, "lease");
  if (lease == nullptr) return recorded_ms;
  return std::max(NumberIn(*lease, "time"), NumberIn(body, "last") * 1000);
}

Result<api::AuditReader> ReaderOf(const AuditEntry& entry) {
  const Json body = GRANTFS_TRY(ParseJson(*entry.body));
  if (!body.is(Json::Kind::kObject)) return Error{Code::kIntegrity, "a record's body is no object"};
  api::AuditReader reader;
  reader.actor = entry.columns->actor;
  reader.name = TextIn(body, "name");
  if (const Json* const process = ObjectIn(body, "caller")) {
    reader.process = true;
    reader.uid = static_cast<std::uint32_t>(NumberIn(*process, "uid"));
    reader.executable = TextIn(*process, "executable");
  }
  reader.version = static_cast<std::uint32_t>(NumberIn(body, "version"));
  reader.time_ms = std::clamp<std::int64_t>(ReadTime(body, entry.columns->time_ms), 0, kMaxLeafTimeMs);
  reader.record = entry.sequence;
  reader.count = static_cast<std::uint64_t>(std::max<std::int64_t>(NumberIn(body, "count", 1), 1));
  return reader;
}

/// False: there are too many.
bool Add(Readers& readers, api::AuditReader reader) {
  ReaderKey key(reader.actor, reader.process, reader.uid, reader.executable);
  const auto found = readers.find(key);
  if (found == readers.end()) {
    if (readers.size() == api::kMaxAuditReaders) return false;
    readers.emplace(std::move(key), std::move(reader));
    return true;
  }
  api::AuditReader& known = found->second;
  reader.count += known.count;
  // Of reads within one millisecond the one that is recorded later is the later.
  if (std::tie(reader.time_ms, reader.record) > std::tie(known.time_ms, known.record))
    known = std::move(reader);
  else
    known.count = reader.count;
  return true;
}

api::AuditReadersResponse ResponseOf(Readers& readers, std::optional<std::uint64_t> next) {
  api::AuditReadersResponse response;
  response.next = next;
  for (auto& [key, reader] : readers) response.readers.push_back(std::move(reader));
  return response;
}

}  // namespace

Result<api::AuditReadersResponse> Vault::AuditReaders(const VaultCaller& caller,
                                                      const api::AuditReadersRequest& request) const {
  GRANTFS_CHECK(core_->state.Get()->CheckMember(caller, request.environment, Operation::kReadAudit));
  const auto reader = GRANTFS_TRY(core_->store.Read());
  AuditQuery query;
  query.environment = request.environment;
  query.object = request.environment + "/" + request.path;
  query.type = kAuditReadType;
  query.outcome = "done";
  query.before = request.before;
  query.limit = kPage;
  Readers readers;
  for (std::size_t scanned = 0; scanned < kMaxScanned;) {
    query.scan = kMaxScanned - scanned;
    const auto found = GRANTFS_TRY(reader->SearchAudit(query));
    scanned += found.scanned;
    for (const AuditEntry& entry : found.records) {
      auto one = ReaderOf(entry);
      if (one && !Add(readers, *std::move(one))) return ResponseOf(readers, entry.sequence + 1);
    }
    query.before = found.next;
    if (!found.next) break;
  }
  return ResponseOf(readers, query.before);
}

}  // namespace grantfs
