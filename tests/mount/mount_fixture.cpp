#include "mount_fixture.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "../support/eventually.h"
#include "grantfs/crypto/random.h"
#include "mount/base/mount_table_internal.h"

namespace grantfs {

std::string WhyNoMount() {
  if (geteuid() != 0) return "mounting needs root";
  if (access("/dev/fuse", R_OK | W_OK) != 0) return "there is no /dev/fuse";
  return "";
}

std::string MakeTestDirectory() {
  char name[] = "/tmp/grantfs-mount-XXXXXX";
  if (mkdtemp(name) == nullptr) std::abort();
  chmod(name, 0755);
  return name;
}

void RemoveTestDirectory(const std::string& directory) {
  if (directory.empty()) return;
  for (const char* name : {"/m", "/bind"}) {
    while (TopMount(directory + name) && umount2((directory + name).c_str(), MNT_DETACH) == 0) {
    }
  }
  std::error_code ignored;
  std::filesystem::remove_all(directory, ignored);
}

void MountTest::SetUp() {
  if (const std::string why = WhyNoMount(); !why.empty()) GTEST_SKIP() << why;
  static const bool started = InitCrypto().has_value();
  ASSERT_TRUE(started);
  directory_ = MakeTestDirectory();
  point_ = directory_ + "/m";
}

void MountTest::TearDown() {
  if (runner_.joinable()) {
    Detach();
    EXPECT_TRUE(Join());
  }
  EXPECT_FALSE(TopMount(point_)) << "a mount was left";
  RemoveTestDirectory(directory_);
}

void MountTest::Mount(const std::function<void(MountOptions&)>& change) {
  MountOptions options;
  options.mount_point = point_;
  options.source = &source_;
  options.watcher_bound = std::chrono::seconds(20);  // a slow machine is no reason for a test to fail
  options.log = [this](LogLevel, std::string_view line) {
    std::lock_guard lock(mutex_);
    lines_.emplace_back(line);
  };
  options.ready = [this] {
    std::lock_guard lock(mutex_);
    ready_ = true;
  };
  change(options);
  ready_ = false;
  result_.reset();
  runner_ = std::thread([this, options] {
    Status status = RunMount(options);
    std::lock_guard lock(mutex_);
    result_ = status;
  });
  ASSERT_TRUE(Eventually([this] {
    std::lock_guard lock(mutex_);
    return ready_ || result_;
  })) << "the mount does not begin";
  std::lock_guard lock(mutex_);
  ASSERT_TRUE(ready_) << Describe(result_->error());
}

Status MountTest::Join() {
  runner_.join();
  return *result_;
}

void MountTest::Detach() {
  umount2((directory_ + "/bind").c_str(), MNT_DETACH);
  umount2(point_.c_str(), MNT_DETACH);
}

int MountTest::Open(const std::string& path, int flags) {
  const int fd = open(path.c_str(), flags | O_CLOEXEC);
  return fd >= 0 ? fd : -errno;
}

int MountTest::OpenError(const std::string& name) const {
  const int fd = Open(At(name));
  if (fd < 0) return -fd;
  close(fd);
  return 0;
}

std::string MountTest::ReadFrom(int fd) {
  std::string content;
  char piece[65536];
  ssize_t got = 0;
  while ((got = pread(fd, piece, sizeof piece, static_cast<off_t>(content.size()))) > 0) {
    content.append(piece, static_cast<std::size_t>(got));
  }
  return got < 0 ? "errno " + std::to_string(errno) : content;
}

std::string MountTest::Read(const std::string& path) {
  const int fd = Open(path);
  if (fd < 0) return "errno " + std::to_string(-fd);
  UniqueFd closer(fd);
  return ReadFrom(fd);
}

bool MountTest::Logged(const std::string& text) const {
  std::lock_guard lock(mutex_);
  return std::any_of(lines_.begin(), lines_.end(),
                     [&](const std::string& line) { return line.find(text) != std::string::npos; });
}

}  // namespace grantfs
