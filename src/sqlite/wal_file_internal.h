#pragma once

namespace grantfs {

/// The name of a VFS that gathers what is written to a write-ahead log and writes it at once when it is
/// synced, or read: SQLite by itself makes two system calls for each page. nullptr: there is none, use
/// SQLite's own.
///
/// For connections with synchronous=FULL alone: others may read a frame once it was synced, which is then the
/// one moment before they are told of it. What was not synced yet may be lost with the process, as it may
/// with the machine. Threads: safe.
const char* GatheringVfs();

}  // namespace grantfs
