#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "grantfs/log/log.h"
#include "grantfs/util/result.h"

namespace grantfs {

class ReportDirectory;

/// The directories of a tree that were filled last: each holds much, and there may be thousands of them, so
/// that the others are made again when somebody looks into them. Threads: safe.
class FilledReports {
 public:
  using Fill = std::function<void(ReportDirectory&)>;
  using DirectoryPtr = std::shared_ptr<const ReportDirectory>;
  static constexpr std::size_t kMaxFilled = 8;

  /// @param key  which one.  @param fill  makes it, if it is not there.
  DirectoryPtr Get(const void* key, const Fill& fill);

 private:
  std::mutex mutex_;
  std::vector<std::pair<const void*, DirectoryPtr>> filled_;  ///< the last one was asked for last
};

/// A directory of texts and directories, as `ls` and `cat` show them. Texts are made when somebody first
/// wants them. One thread builds it; then it is immutable and all threads may read it.
class ReportDirectory {
 public:
  using Text = std::shared_ptr<const std::string>;
  using Make = std::function<std::string()>;
  using Fill = FilledReports::Fill;
  /// Of one that is filled when it is wanted: holds what was made. Of others it holds nothing: the tree does.
  using Ptr = FilledReports::DirectoryPtr;
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

  /// A directory that is filled whenever somebody looks into it and `filled`, which is the whole tree's, has
  /// it no more. Not within one that is filled. A name that is taken gets "~" behind it, or "~" and a number.
  ///
  /// @param fill runs on any thread, on several at once; adds to what it is given, and to nothing else.
  void AddDirectory(const std::string& name, std::shared_ptr<FilledReports> filled, Fill fill);

  /// What a path ("machines/web-1", "" = this one) leads to; nullptr where it leads to no directory.
  Ptr FindDirectory(std::string_view path) const;
  /// Whether it leads to one, which is not filled for that.
  bool HasDirectory(std::string_view path) const;
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
    std::unique_ptr<ReportDirectory> directory;  ///< else it is one that is filled, or a file
    Fill fill;
    std::shared_ptr<FilledReports> filled;
    bool IsDirectory() const { return directory != nullptr || fill != nullptr; }
    Make make;
    std::once_flag once;
    Text text;
  };
  std::string FreeName(const std::string& name) const;
  Entry* Find(std::string_view name) const;
  Entry* FindEntry(std::string_view path, Ptr* holds) const;
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
