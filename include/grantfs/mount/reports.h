#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "grantfs/log/log.h"
#include "grantfs/util/result.h"

namespace grantfs {

/// A directory of texts and directories, as `ls` and `cat` show them. Texts are made when somebody first
/// wants them. One thread builds it; then it is immutable and all threads may read it.
class ReportDirectory {
 public:
  using Text = std::shared_ptr<const std::string>;
  using Make = std::function<std::string()>;
  static constexpr std::size_t kMaxNameBytes = 255;  ///< of a path between two slashes

  /// A name with room for so many bytes behind it: where it is too long for that, it is cut and ends in "~".
  static std::string Fit(const std::string& name, std::size_t room);

  /// The directory of that name, made where it is missing. It belongs to this one. A name that is a file's
  /// gets "~" behind it; one that is too long is cut as Fit does it.
  ReportDirectory* Enter(const std::string& name);
  /// A name that is taken gets "~" behind it, or "~" and a number.
  ///
  /// @param make runs once at most.
  /// @return the name that it got.
  std::string AddFile(const std::string& name, Make make);

  /// What a path ("machines/web-1", "" = this one) leads to; nullptr where it leads to no directory.
  const ReportDirectory* FindDirectory(std::string_view path) const;
  /// The text of the file that a path leads to; nullptr where it leads to none.
  Text Read(std::string_view path) const;

  struct Listed {
    std::string name;
    bool directory = false;
  };
  /// In the order of names.
  std::vector<Listed> List() const;

 private:
  struct Entry {
    std::unique_ptr<ReportDirectory> directory;  ///< else it is a file
    Make make;
    std::once_flag once;
    Text text;
  };
  std::string FreeName(const std::string& name) const;
  Entry* Find(std::string_view name) const;
  std::map<std::string, std::unique_ptr<Entry>, std::less<>> entries_;
};

struct ReportsOptions {
  std::string mount_point;  ///< as MountOptions has these
  bool allow_other = false;
  unsigned threads = 8;
  std::function<void(LogLevel, std::string_view line)> log;
  std::function<void()> ready;
  /// What there is to see now: asked at every look at it, on several threads at once; never nullptr. May take
  /// its time, which whoever looks then waits.
  std::function<std::shared_ptr<const ReportDirectory>()> current;
};

/// Shows a tree of texts, until the filesystem is unmounted or a signal arrives: mounting, unmounting,
/// signals and errors are RunMount's. Files are 0400, directories 0500, of whoever mounts. A file has the
/// size of the text that is read, also where it changes meanwhile: who has it open keeps it, who opens it
/// again gets the new one. Blocks. Threads: one at a time in a process, RunMount included.
Status RunReports(const ReportsOptions& options);

}  // namespace grantfs
