#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "grantfs/sqlite/database.h"
#include "grantfs/store/reader.h"

namespace grantfs {

/// Read-only connections, opened as they are needed and kept. Threads: safe.
class ReaderPool : public std::enable_shared_from_this<ReaderPool> {
 public:
  ReaderPool(std::string path, std::size_t max_readers, std::chrono::milliseconds patience)
      : path_(std::move(path)), max_readers_(max_readers), patience_(patience) {}

  /// A view over one of them, which goes back when the view is dropped. Errors: kThrottled, and as
  /// Database::Open.
  Result<std::unique_ptr<StoreReader>> Read();
  void Return(std::unique_ptr<Database> connection);

 private:
  Result<std::unique_ptr<Database>> Take();

  const std::string path_;
  const std::size_t max_readers_;
  const std::chrono::milliseconds patience_;
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<Database>> idle_;
  std::size_t in_use_ = 0;
};

}  // namespace grantfs
