#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "grantfs/util/result.h"
#include "mount/kernel/slots_internal.h"

namespace grantfs {

// What the mount and the kernel agree upon once (FUSE_INIT), whichever process serves afterwards.

/// A request fits a page, and so a slot.
inline constexpr std::uint32_t kMaxWrite = 4096;
/// Reads of the page cache that may wait at once while others are served.
inline constexpr std::uint16_t kMaxBackground = 64;
/// What libfuse has to know of what was agreed; its names for these flags are the kernel's.
extern const std::uint32_t kLibraryFlags;

/// Reads the kernel's FUSE_INIT from a descriptor that was just mounted, keeps it in `shared`, and answers.
/// Errors: kIo (also where the kernel does not begin within 10 s).
Status AnswerInit(int fuse, MountShared* shared);

/// What AnswerInit kept.
std::vector<std::uint8_t> InitOf(const MountShared& shared);
/// The kernel lets files that bypass its cache be mapped shared (Linux 6.6).
bool OffersSharedMmap(std::span<const std::uint8_t> init);

/// Answers one request with EIO. @return false if the kernel does not wait for it any more.
bool AnswerEio(int fuse, std::uint64_t unique);

/// "READ of node 12", for the log. @param request  may be empty: it was answered meanwhile.
std::string NameOfRequest(std::span<const std::uint8_t> request);

/// What a refusal ends: the kernel says of none of these a second time that it is closed.
struct RefusedFiles {
  std::function<void(std::uint64_t handle)> closed;      ///< its RELEASE was refused
  std::function<void(std::uint64_t unique)> not_opened;  ///< the OPEN of that number was refused
};

/// Answers a request with EIO and frees its slot. The request may be gone with that.
///
/// @param files  is told what that ends; what is empty is not told.
void RefuseRequest(int fuse, Slots* slots, std::span<const std::uint8_t> request, const RefusedFiles& files);

/// Answers what is in the slots with EIO. The process that served before must be dead.
void RefuseLeft(int fuse, Slots* slots, const RefusedFiles& files = {});

/// Answers everything with EIO, what is in the slots first, until the filesystem is unmounted or the process
/// is killed. The process that served before must be dead.
void RefuseEverything(int fuse, Slots* slots, const RefusedFiles& files = {});

}  // namespace grantfs
