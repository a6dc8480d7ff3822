#include <optional>
#include <utility>

#include "reader_internal.h"
#include "reader_pool_internal.h"

namespace grantfs {
namespace {

class PooledReader final : public SqliteReader {
 public:
  PooledReader(std::shared_ptr<ReaderPool> pool, std::unique_ptr<Database> connection, Transaction view)
      : SqliteReader(*connection),
        pool_(std::move(pool)),
        connection_(std::move(connection)),
        view_(std::move(view)) {}
  ~PooledReader() override {
    view_.reset();
    pool_->Return(std::move(connection_));
  }

 private:
  std::shared_ptr<ReaderPool> pool_;
  std::unique_ptr<Database> connection_;
  std::optional<Transaction> view_;
};

}  // namespace

Result<std::unique_ptr<Database>> ReaderPool::Take() {
  std::unique_lock lock(mutex_);
  if (!returned_.wait_for(lock, patience_, [this] { return in_use_ < max_readers_; })) {
    return Error{Code::kThrottled, "too many are reading the vault's database: try again", 0, path_};
  }
  ++in_use_;
  if (idle_.empty()) return std::unique_ptr<Database>();
  auto connection = std::move(idle_.back());
  idle_.pop_back();
  return connection;
}

void ReaderPool::Return(std::unique_ptr<Database> connection) {
  {
    const std::lock_guard lock(mutex_);
    --in_use_;
    if (connection) idle_.push_back(std::move(connection));
  }
  returned_.notify_one();
}

Result<std::unique_ptr<StoreReader>> ReaderPool::Read() {
  auto connection = GRANTFS_TRY(Take());
  if (!connection) {
    auto opened = Database::Open(path_, {.mode = OpenMode::kReadOnly});
    if (!opened) {
      Return(nullptr);
      return opened.error();
    }
    connection = std::make_unique<Database>(std::move(*opened));
  }
  auto view = Transaction::BeginRead(*connection);
  if (!view) {
    Return(nullptr);  // and the connection is dropped
    return view.error();
  }
  return std::unique_ptr<StoreReader>(
      std::make_unique<PooledReader>(shared_from_this(), std::move(connection), std::move(*view)));
}

}  // namespace grantfs
