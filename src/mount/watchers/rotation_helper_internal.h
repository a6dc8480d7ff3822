#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "grantfs/util/result.h"
#include "grantfs/util/unique_fd.h"
#include "mount/base/helper_process_internal.h"
#include "mount/base/node_id_internal.h"

namespace grantfs {

/// What the rotation helper is asked to do; it answers each with an errno, 0 if it was done.
enum class HelperAct : std::uint32_t {
  kBegin,          ///< take a clone of the mount and make it writable; comes before the others
  kRename,         ///< `name` of the hidden directory over `path`
  kRemove,         ///< unlink `path`
  kMakeDirectory,  ///< at `path`
  kTouch,          ///< open `path` for writing, set its time, close it
  kTouchNode,      ///< the same with the file of that node, if the kernel knows it (else ESTALE)
  kEnd,            ///< read-only again, and let go of the clone
};

struct HelperRequest {
  HelperAct act = HelperAct::kBegin;
  NodeId node = 0;
  std::string name;
  std::string path;  ///< below the mount point
};

/// The one process that writes to the mount, so that the kernel tells watchers what a rotation is.
///
/// It works on a clone of the mount of its own, made for each batch and dropped after it: so it never keeps a
/// filesystem busy that was unmounted. It ends when the socket to it is closed. Threads: one at a time, but
/// pid(), Alive() and Interrupt() any.
class RotationHelper {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// @param point  the mount point, canonical; must be mounted when a batch begins.
  /// @param device st_dev of the mount: another one there is left alone.
  /// May be called while threads run: the child uses nothing but its stack and system calls. Errors: kIo.
  static Result<std::unique_ptr<RotationHelper>> Start(const std::string& point, dev_t device);
  /// Its process alone, for a user of it in another one. The same errors.
  /// @param ends_with_caller it is killed when the calling thread ends.
  static Result<HelperProcess> StartProcess(const std::string& point, dev_t device, bool ends_with_caller);
  /// One that another process has started: `kill` has that one kill it.
  static std::unique_ptr<RotationHelper> Of(pid_t pid, UniqueFd socket, std::function<void()> kill);
  RotationHelper(const RotationHelper&) = delete;
  RotationHelper& operator=(const RotationHelper&) = delete;
  /// Kills it and waits until it is gone. The mount must not be what it waits for.
  ~RotationHelper();

  pid_t pid() const { return pid_; }
  bool Alive() const;

  /// @return 0, an errno, or ETIMEDOUT or EPIPE: then it is of no use any more.
  int Do(const HelperRequest& request, Time deadline);
  /// Ends a Do() that waits, and all later ones.
  void Interrupt();
  void Kill();
  /// @return false while it is still dying.
  bool Reaped();

 private:
  RotationHelper(pid_t pid, UniqueFd socket) : pid_(pid), socket_(std::move(socket)) {}

  pid_t pid_;
  bool reaped_ = false;
  UniqueFd socket_;
  std::function<void()> kill_;  ///< of one that is no child of this process
};

/// The child's side: serves requests of `socket`, closing every other descriptor, until the other end is
/// closed. Only system calls and its own stack, for it may be the child of a process with threads.
[[noreturn]] void RunRotationHelper(int socket, const char* point, dev_t device);

/// In the hidden directory, `.grantfs/.rotation`, each version that is to come has its secret's number as
/// name.
inline constexpr const char* kHiddenName = ".rotation";
inline constexpr std::size_t kMaxHelperMessageBytes = 8192;

}  // namespace grantfs
