#include <cstring>
#include <set>
#include <string>

#include "grantfs/log/log.h"
#include "grantfs/util/clock.h"
#include "grantfs/util/number_key.h"
#include "mount/tree/kept_files_internal.h"
#include "mount/tree/open_files_internal.h"

namespace grantfs {

namespace {

/// Followed by the name. Of one layout with every worker that may take it over (MountShared::kLayout).
struct HandleRecord {
  std::uint64_t node;
  std::uint64_t unique;
  std::uint64_t size;
  std::int64_t time;
  std::uint32_t version;
  std::uint32_t uid;
  std::uint32_t gid;
  std::uint32_t mode;
  std::uint32_t bound;
  std::uint32_t opener;
};

std::uint64_t EvidenceKey(const OpenFile& file) { return SecretNode(NumberOf(file.node), file.version); }

Bytes Pack(const OpenFile& file) {
  const HandleRecord record{
      file.node,           file.unique,         file.attributes.size, file.attributes.time, file.version,
      file.attributes.uid, file.attributes.gid, file.attributes.mode, file.bound ? 1U : 0U, file.opener};
  Bytes bytes(sizeof record + file.name.size());
  std::memcpy(bytes.data(), &record, sizeof record);
  std::memcpy(bytes.data() + sizeof record, file.name.data(), file.name.size());
  return bytes;
}

std::shared_ptr<OpenFile> Unpack(ByteView bytes) {
  HandleRecord record;
  if (bytes.size() < sizeof record) return nullptr;
  std::memcpy(&record, bytes.data(), sizeof record);
  auto file = std::make_shared<OpenFile>();
  file->node = record.node;
  file->unique = record.unique;
  file->version = record.version;
  file->bound = record.bound != 0;
  file->opener = record.opener;
  file->name = AsText(bytes.subspan(sizeof record));
  file->attributes = {record.size, record.time, record.uid, record.gid, record.mode};
  file->cached = true;  // perhaps
  return file;
}

}  // namespace

void KeptFiles::Keep(std::uint64_t handle, const OpenFile& file) {
  if (kept_ == nullptr) return;
  const std::uint64_t key = file.report ? handle : EvidenceKey(file);
  const std::uint32_t kind = file.report ? kKeptReport : kKeptEvidence;
  Status kept;
  if (file.report || !kept_->Has(kind, NumberKey(key)))
    kept = kept_->Put(kind, NumberKey(key), AsBytes(file.report ? *file.report : file.evidence));
  if (kept) kept = kept_->Put(kKeptHandle, NumberKey(handle), Pack(file));
  if (!kept && limiter_.Pass(SystemClock().Boot()) >= 0)
    Log(LogLevel::kWarning, "an open file will not outlive a restart of the worker", kept.error());
}

// The handle first: without it the rest counts for nothing.
void KeptFiles::Forget(std::uint64_t handle, const OpenFile& file, bool last) {
  if (kept_ == nullptr) return;
  kept_->Erase(kKeptHandle, NumberKey(handle));
  if (file.report)
    kept_->Erase(kKeptReport, NumberKey(handle));
  else if (last)
    kept_->Erase(kKeptEvidence, NumberKey(EvidenceKey(file)));
}

void KeptFiles::Forget(std::uint64_t handle) {
  if (kept_ != nullptr) kept_->Erase(kKeptHandle, NumberKey(handle));
}

void KeptFiles::ForgetOpen(std::uint64_t unique) {
  if (kept_ == nullptr) return;
  std::vector<std::uint64_t> handles;
  kept_->ForEach(kKeptHandle, [&](ByteView handle, ByteView record) {
    const auto file = Unpack(record);
    if (file && file->unique == unique) handles.push_back(NumberKey::In(handle));
  });
  for (const std::uint64_t handle : handles) Forget(handle);
}

std::string KeptFiles::EvidenceOf(const OpenFile& file) const {
  if (kept_ == nullptr) return "";
  return ToText(kept_->Get(kKeptEvidence, NumberKey(EvidenceKey(file))).value_or(Bytes()));
}

void KeptFiles::KeepBound(NodeId node, bool bound) {
  if (kept_ == nullptr) return;
  if (!bound)
    kept_->Erase(kKeptBound, NumberKey(node));
  else if (auto kept = kept_->Put(kKeptBound, NumberKey(node), {}); !kept)
    Log(LogLevel::kWarning, "a single-file bind mount will not outlive a restart of the worker",
        kept.error());
}

std::vector<std::pair<std::uint64_t, std::shared_ptr<OpenFile>>> KeptFiles::OpenFiles() {
  std::vector<std::pair<std::uint64_t, std::shared_ptr<OpenFile>>> files;
  kept_->ForEach(kKeptHandle, [&](ByteView handle, ByteView record) {
    if (auto file = Unpack(record)) files.emplace_back(NumberKey::In(handle), std::move(file));
  });
  std::set<std::uint64_t> evidence, reports;
  for (const auto& [handle, file] : files) {
    if (KindOf(file->node) == NodeKind::kSecret) {
      evidence.insert(EvidenceKey(*file));
      file->value = std::make_shared<OpenValue>();
    } else {
      reports.insert(handle);
      file->report =
          std::make_shared<std::string>(ToText(kept_->Get(kKeptReport, NumberKey(handle)).value_or(Bytes())));
    }
  }
  const auto drop_others = [&](std::uint32_t kind, const std::set<std::uint64_t>& used) {
    std::vector<std::uint64_t> others;
    kept_->ForEach(kind, [&](ByteView key, ByteView) {
      if (!used.contains(NumberKey::In(key))) others.push_back(NumberKey::In(key));
    });
    for (const std::uint64_t key : others) kept_->Erase(kind, NumberKey(key));
  };
  drop_others(kKeptEvidence, evidence);
  drop_others(kKeptReport, reports);
  return files;
}

std::vector<NodeId> KeptFiles::BoundNodes() const {
  std::vector<NodeId> nodes;
  kept_->ForEach(kKeptBound, [&](ByteView node, ByteView) { nodes.push_back(NumberKey::In(node)); });
  return nodes;
}

}  // namespace grantfs
