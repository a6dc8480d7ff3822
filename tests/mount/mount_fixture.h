#pragma once

#include <gtest/gtest.h>

#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "fake_source.h"
#include "grantfs/mount/mount.h"
#include "grantfs/util/unique_fd.h"

namespace grantfs {

/// The secret of tests that need but one.
inline constexpr const char* kName = "shop/prod/db-password";

/// A real mount of a FakeSource in a directory of its own. Skipped, with the reason, where that may not be.
class MountTest : public ::testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  /// Mounts and waits until files can be read. Fails the test where RunMount does.
  void Mount() {
    Mount([](MountOptions&) {});
  }
  void Mount(const std::function<void(MountOptions&)>& change);
  /// Waits until RunMount has returned.
  Status Join();
  /// Unmounts the mount point, and the bind mount that a test made at "bind", whether files are open or not.
  void Detach();

  std::string At(const std::string& name) const { return point_ + "/" + name; }
  /// open(2), or the negative errno.
  static int Open(const std::string& path, int flags = 0);
  /// The errno of opening a file to read it, 0 if that works.
  int OpenError(const std::string& name) const;
  /// The content; "errno N" if it cannot be read.
  static std::string Read(const std::string& path);
  static std::string ReadFrom(int fd);
  bool Logged(const std::string& text) const;

  FakeSource source_;
  std::string directory_;  ///< holds the mount point and whatever a test makes
  std::string point_;

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
  std::optional<Status> result_;
  bool ready_ = false;
  std::thread runner_;
};

/// Empty, or why no filesystem can be mounted here.
std::string WhyNoMount();

/// A directory for one test.
std::string MakeTestDirectory();
/// Unmounts whatever a test left below it and removes it.
void RemoveTestDirectory(const std::string& directory);

}  // namespace grantfs
