#include <filesystem>

#include "grantfs/crypto/random.h"
#include "sample_internal.h"

// store_make_sample FILE: writes a sample database of the newest schema; once for each schema, into
// tests/store/data. Its pages are small, so that the file is.
int main(int argc, char** argv) {
  using namespace grantfs;
  char dir[] = "/tmp/grantfs-sample-XXXXXX";
  if (argc != 2 || !InitCrypto() || ::mkdtemp(dir) == nullptr) return 2;
  Status done;
  {
    auto store = OpenEmbeddedStore({.directory = dir});
    done = store ? FillSample(**store) : Status(store.error());
  }
  if (done) {
    auto database = Database::Open(std::string(dir) + "/" + kDatabaseFile, {.wal = false});
    done = database ? database->Exec("PRAGMA journal_mode=DELETE; PRAGMA page_size=1024; VACUUM")
                    : database.error();
    if (done) done = database->BackupInto(argv[1]);
  }
  std::filesystem::remove_all(dir);
  return done ? 0 : 1;
}
