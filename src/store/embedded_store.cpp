#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <future>
#include <utility>

#include "commit_loop_internal.h"
#include "directory_internal.h"
#include "grantfs/store/store.h"
#include "reader_pool_internal.h"
#include "schema_internal.h"

namespace grantfs {
namespace {

/// Where each begins: so many bytes, or one part of so many of a disk that is small.
struct DiskBound {
  DiskRoom room;
  std::uint64_t bytes;
  std::uint64_t part;
};
constexpr DiskBound kDiskBounds[] = {{DiskRoom::kReserve, std::uint64_t{64} << 20, 25},
                                     {DiskRoom::kNearlyFull, std::uint64_t{256} << 20, 10},
                                     {DiskRoom::kLow, std::uint64_t{1} << 30, 4}};

class EmbeddedStore final : public Store {
 public:
  EmbeddedStore(UniqueFd lock, std::string path, std::unique_ptr<CommitLoop> loop,
                const StoreOptions& options)
      : lock_(std::move(lock)),
        path_(std::move(path)),
        loop_(std::move(loop)),
        readers_(std::make_shared<ReaderPool>(path_, options.max_readers, options.reader_wait)) {}

  // The readers go before the writing connection, which then folds the log; the lock goes last.
  ~EmbeddedStore() override {
    loop_->Close();
    readers_.reset();
    loop_.reset();
  }

  void Write(Job job, Done done) override { loop_->Write(std::move(job), std::move(done)); }
  Result<std::unique_ptr<StoreReader>> Read() override { return readers_->Read(); }

  DiskRoom Room(unsigned percent) const override {
    struct statvfs disk {};
    if (::statvfs(path_.c_str(), &disk) != 0)
      return DiskRoom::kEnough;  // the next commit tells what is wrong
    const std::uint64_t free = std::uint64_t{disk.f_bavail} * disk.f_frsize;
    const std::uint64_t all = std::uint64_t{disk.f_blocks} * disk.f_frsize;
    for (const DiskBound& bound : kDiskBounds)
      if (free < std::min(bound.bytes, all / bound.part) / 100 * percent) return bound.room;
    return DiskRoom::kEnough;
  }

  StoreFigures Figures() const override {
    StoreFigures figures = loop_->Figures();
    struct stat file {};
    struct statvfs disk {};
    if (::stat(path_.c_str(), &file) == 0) figures.database_bytes = static_cast<std::uint64_t>(file.st_size);
    if (::statvfs(path_.c_str(), &disk) == 0)
      figures.disk_free_bytes = std::uint64_t{disk.f_bavail} * disk.f_frsize;
    return figures;
  }

  Status Backup(const std::string& path) override {
    Database connection = GRANTFS_TRY(Database::Open(path_, {.mode = OpenMode::kReadOnly}));
    return connection.BackupInto(path);
  }

 private:
  UniqueFd lock_;
  const std::string path_;
  std::unique_ptr<CommitLoop> loop_;
  std::shared_ptr<ReaderPool> readers_;
};

}  // namespace

Status Store::WriteAndWait(Job job) {
  auto promise = std::make_shared<std::promise<Status>>();
  auto future = promise->get_future();
  Write(std::move(job), [promise](Status status) { promise->set_value(std::move(status)); });
  return future.get();
}

Result<std::unique_ptr<Store>> OpenEmbeddedStore(const StoreOptions& options) {
  GRANTFS_CHECK(PrepareDirectory(options.directory));
  UniqueFd lock = GRANTFS_TRY(LockDirectory(options.directory));
  const std::string path = options.directory + "/" + kDatabaseFile;
  Database database = GRANTFS_TRY(Database::Open(path));
  GRANTFS_CHECK(QuickCheck(database, CheckedPages::kAllButRecords));
  GRANTFS_CHECK(MigrateStore(database));
  // So that a copy of the file alone, without its log, is a vault's database from the first moment.
  GRANTFS_CHECK(database.Checkpoint());
  auto loop = std::make_unique<CommitLoop>(std::move(database), options);
  GRANTFS_CHECK(loop->Load());
  loop->Start();
  return std::unique_ptr<Store>(
      std::make_unique<EmbeddedStore>(std::move(lock), path, std::move(loop), options));
}

}  // namespace grantfs
