#include <sqlite3.h>

#include <new>
#include <vector>

#include "wal_file_internal.h"

namespace grantfs {
namespace {

/// SQLite's own writing cuts off what is beyond.
constexpr std::size_t kMostGathered = 0x1ffff;

sqlite3_vfs* SystemVfs() {
  static sqlite3_vfs* const vfs = sqlite3_vfs_find(nullptr);
  return vfs;
}

/// A write-ahead log that is open. The system's own file stands behind it in memory.
struct WalFile {
  sqlite3_file base;
  std::vector<unsigned char>* gathered;
  sqlite3_int64 begins;  ///< where what was gathered belongs
};

WalFile* Log(sqlite3_file* file) { return reinterpret_cast<WalFile*>(file); }
sqlite3_file* SystemFile(sqlite3_file* file) { return reinterpret_cast<sqlite3_file*>(Log(file) + 1); }
const sqlite3_io_methods* System(sqlite3_file* file) { return SystemFile(file)->pMethods; }

/// What could not be written stays: a transaction may go on after a statement that could not read.
int WriteGathered(sqlite3_file* file) {
  auto& gathered = *Log(file)->gathered;
  if (gathered.empty()) return SQLITE_OK;
  const int code = System(file)->xWrite(SystemFile(file), gathered.data(), static_cast<int>(gathered.size()),
                                        Log(file)->begins);
  if (code == SQLITE_OK) gathered.clear();
  return code;
}

/// The same, for SQLite's own writing: after a failure of that it rolls the transaction back, and writes
/// anew.
int WriteGatheredOrDrop(sqlite3_file* file) {
  const int code = WriteGathered(file);
  Log(file)->gathered->clear();
  return code;
}

/// Calls one of the system's functions once what was gathered is written.
template <auto kFunction, typename... Arguments>
int Behind(sqlite3_file* file, Arguments... arguments) {
  if (const int code = WriteGathered(file); code != SQLITE_OK) return code;
  return (System(file)->*kFunction)(SystemFile(file), arguments...);
}

int WriteLog(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
  auto& gathered = *Log(file)->gathered;
  const auto count = static_cast<std::size_t>(size);
  const bool goes_on = offset == Log(file)->begins + static_cast<sqlite3_int64>(gathered.size());
  if (!gathered.empty() && (!goes_on || gathered.size() + count > kMostGathered)) {
    if (const int code = WriteGatheredOrDrop(file); code != SQLITE_OK) return code;
  }
  if (gathered.empty()) Log(file)->begins = offset;
  try {
    const auto* const bytes = static_cast<const unsigned char*>(data);
    gathered.insert(gathered.end(), bytes, bytes + count);
  } catch (const std::bad_alloc&) {
    return SQLITE_IOERR_NOMEM;
  }
  return SQLITE_OK;
}

int SyncLog(sqlite3_file* file, int flags) {
  if (const int code = WriteGatheredOrDrop(file); code != SQLITE_OK) return code;
  return System(file)->xSync(SystemFile(file), flags);
}

int CloseLog(sqlite3_file* file) {
  const int written = WriteGathered(file);
  const int closed = System(file)->xClose(SystemFile(file));
  delete Log(file)->gathered;
  return written != SQLITE_OK ? written : closed;
}

int SectorSize(sqlite3_file* file) { return System(file)->xSectorSize(SystemFile(file)); }
int Characteristics(sqlite3_file* file) { return System(file)->xDeviceCharacteristics(SystemFile(file)); }

// Locks are of the database's file alone.
const sqlite3_io_methods kMethods = {
    .iVersion = 1,
    .xClose = CloseLog,
    .xRead = Behind<&sqlite3_io_methods::xRead, void*, int, sqlite3_int64>,
    .xWrite = WriteLog,
    .xTruncate = Behind<&sqlite3_io_methods::xTruncate, sqlite3_int64>,
    .xSync = SyncLog,
    .xFileSize = Behind<&sqlite3_io_methods::xFileSize, sqlite3_int64*>,
    .xLock = [](sqlite3_file*, int) { return SQLITE_IOERR_LOCK; },
    .xUnlock = [](sqlite3_file*, int) { return SQLITE_OK; },
    .xCheckReservedLock = [](sqlite3_file*, int*) { return SQLITE_IOERR_CHECKRESERVEDLOCK; },
    .xFileControl = Behind<&sqlite3_io_methods::xFileControl, int, void*>,
    .xSectorSize = SectorSize,
    .xDeviceCharacteristics = Characteristics,
};

int OpenFile(sqlite3_vfs*, const char* path, sqlite3_file* file, int flags, int* out_flags) {
  if ((flags & SQLITE_OPEN_WAL) == 0) return SystemVfs()->xOpen(SystemVfs(), path, file, flags, out_flags);
  file->pMethods = nullptr;
  SystemFile(file)->pMethods = nullptr;
  if (const int code = SystemVfs()->xOpen(SystemVfs(), path, SystemFile(file), flags, out_flags);
      code != SQLITE_OK)
    return code;
  Log(file)->gathered = new (std::nothrow) std::vector<unsigned char>();
  Log(file)->begins = 0;
  if (Log(file)->gathered == nullptr) {
    System(file)->xClose(SystemFile(file));
    return SQLITE_NOMEM;
  }
  file->pMethods = &kMethods;
  return SQLITE_OK;
}

}  // namespace

const char* GatheringVfs() {
  static sqlite3_vfs vfs = [] {
    sqlite3_vfs own = *SystemVfs();
    own.pNext = nullptr;
    own.zName = "grantfs-gathering";
    own.szOsFile += static_cast<int>(sizeof(WalFile));
    own.xOpen = OpenFile;
    return own;
  }();
  static const int registered = sqlite3_vfs_register(&vfs, 0);
  return registered == SQLITE_OK ? vfs.zName : nullptr;
}

}  // namespace grantfs
