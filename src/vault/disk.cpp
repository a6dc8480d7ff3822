#include "core_internal.h"
#include "grantfs/log/log.h"

// The disk that the log is on: it fills up with warnings, long before reads are refused, and what is left
// then is for critical records and for those who mend.

namespace grantfs {
namespace {

constexpr unsigned kEasedPercent = 125;

const char* Sentence(DiskRoom room) {
  switch (room) {
    case DiskRoom::kEnough:
      return "the vault's disk has room again";
    case DiskRoom::kLow:
      return "the vault's disk has less than 1 GiB left (or a quarter): make room before it is full";
    case DiskRoom::kNearlyFull:
      return "the vault's disk is nearly full: machines keep what they have served under leases until there "
             "is "
             "room";
    case DiskRoom::kReserve:
      return "the vault's disk is full but for its reserve: reads are refused until there is room";
  }
  std::abort();
}

}  // namespace

Status Vault::Core::CheckRoom() const {
  if (store.Room() < DiskRoom::kReserve) return {};
  return Error{
      Code::kUnrecorded,
      "its disk is full but for its reserve, so the read could not be recorded and nothing was released", 0,
      "the vault"};
}

void Vault::Core::WatchDisk() {
  const DiskRoom now = store.Room();
  const DiskRoom eased = store.Room(kEasedPercent);
  if (now <= room_told && eased >= room_told) return;
  const DiskRoom told = std::exchange(room_told, now > room_told ? now : eased);
  if (now < told && room_told != DiskRoom::kEnough) return;  // still on its way
  AuditRecord record;
  record.time_ms = clock().WallMilliseconds();
  record.severity = room_told == DiskRoom::kEnough ? AuditSeverity::kNotice : AuditSeverity::kCritical;
  record.type = room_told == DiskRoom::kEnough ? "disk.eased" : "disk.low";
  record.body = Json::Object({{"action", record.type}, {"outcome", kDone}, {"reason", Sentence(room_told)}});
  const auto write = [record](StoreWriter& writer) -> Status {
    GRANTFS_TRY(writer.Audit(record));
    return {};
  };
  store.Write(write, [text = Sentence(room_told)](Status status) {
    if (!status) Log(LogLevel::kError, text, status.error());
  });
  Log(LogLevel::kWarning, Sentence(room_told));
}

}  // namespace grantfs
