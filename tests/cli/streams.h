#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "grantfs/util/unique_fd.h"

namespace grantfs {

/// A directory that goes with the test.
class TempDirectory {
 public:
  TempDirectory() {
    char name[] = "/tmp/grantfs-cli-XXXXXX";
    if (::mkdtemp(name) != nullptr) path_ = name;
  }
  ~TempDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline std::string FileText(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

/// A file to be written to by what is tested.
class Captured {
 public:
  explicit Captured(const std::string& path)
      : path_(path), fd_(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) {}
  int fd() const { return fd_.get(); }
  std::string Text() const { return FileText(path_); }

 private:
  std::string path_;
  UniqueFd fd_;
};

/// A pipe that holds `text` and then ends.
inline UniqueFd PipeWith(const std::string& text) {
  int ends[2] = {-1, -1};
  EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  EXPECT_EQ(::write(ends[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  ::close(ends[1]);
  return UniqueFd(ends[0]);
}

/// Both ends of a pseudo terminal.
struct Pty {
  UniqueFd outer, inner;
  Pty() {
    int master = -1, slave = -1;
    EXPECT_EQ(::openpty(&master, &slave, nullptr, nullptr, nullptr), 0);
    outer.Reset(master);
    inner.Reset(slave);
  }
};

}  // namespace grantfs
