#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <future>
#include <memory>

#include "grantfs/crypto/random.h"
#include "grantfs/store/audit_verify.h"
#include "grantfs/util/unique_fd.h"
#include "store_fixture_internal.h"
#include "support/small_disk.h"

namespace grantfs {
namespace {

class CrashTest : public StoreTest {};

AuditVerdict Verified(const std::string& database) {
  auto source = OpenAuditDatabase(database);
  if (!source) {
    ADD_FAILURE() << Describe(source.error());
    return {};
  }
  return Get(VerifyAudit(**source, {TestLogKey(), kTestOrigin, {}}));
}

// What a killed server had told others was done: its pipe's other end.
struct Acknowledged {
  std::uint64_t sequence;
  std::uint64_t change;
};

// In the child: records, and says so once that is on the disk, until it is killed.
[[noreturn]] void ServeUntilKilled(const std::string& dir, int pipe) {
  auto store = OpenEmbeddedStore({.directory = dir});
  if (!store) ::_exit(1);
  for (std::int64_t i = 0;; ++i) {
    auto made = std::make_shared<Acknowledged>();
    (*store)->Write(
        [made, i](StoreWriter& out) -> Status {
          made->sequence = GRANTFS_TRY(out.Audit(TestRecord(i)));
          made->change = GRANTFS_TRY(out.NextChange());
          return {};
        },
        [made, pipe](const Status& status) {
          if (status) (void)!::write(pipe, made.get(), sizeof *made);
        });
    if (i % 50 == 49) (void)(*store)->WriteAndWait([](StoreWriter&) { return Status(); });
  }
}

// Kills a serving child after it has acknowledged `least` records. @return the last that it acknowledged.
Acknowledged KillAfter(const std::string& dir, std::uint64_t least) {
  int ends[2];
  if (::pipe(ends) != 0) abort();
  const UniqueFd in(ends[0]);
  UniqueFd out(ends[1]);
  const pid_t child = ::fork();
  if (child == 0) ServeUntilKilled(dir, out.get());
  out.Reset();
  Acknowledged last{};
  std::uint64_t seen = 0;
  bool killed = false;
  for (Acknowledged one{}; ::read(in.get(), &one, sizeof one) == sizeof one; last = one) {
    if (++seen < least || killed) continue;
    ::kill(child, SIGKILL);
    killed = true;
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  return last;
}

TEST_F(CrashTest, NothingThatWasAcknowledgedIsLostToAKill) {
  OpenServing();
  store_.reset();
  for (std::uint64_t round = 0; round < 20; ++round) {
    const Acknowledged last = KillAfter(dir_, 1 + RandomNumber() % 400);
    Open();
    const std::uint64_t size = Get(Reader()->AuditSize());
    EXPECT_GT(size, last.sequence) << "round " << round;
    EXPECT_GE(Get(Reader()->CurrentChange()), last.change) << "round " << round;
    EXPECT_EQ(Get(Reader()->CurrentChange()), size) << "a job is there whole or not at all";
    store_.reset();
  }
  const AuditVerdict verdict = Verified(DatabasePath());
  EXPECT_TRUE(verdict.good) << verdict.what;
}

TEST_F(CrashTest, AKilledServersCopyIsVerifiedWithItsLog) {
  OpenServing();
  store_.reset();
  const Acknowledged last = KillAfter(dir_, 100);
  const AuditVerdict verdict = Verified(DatabasePath());
  EXPECT_TRUE(verdict.good) << verdict.what;
  EXPECT_GT(verdict.size, last.sequence);
}

Status Stage(Store& store, std::size_t bytes, std::uint32_t version) {
  return store.WriteAndWait([=](StoreWriter& out) {
    return out.StageCiphertext({TestHash(1), 1, version, TestHash(1)}, Bytes(bytes, 1), 1000);
  });
}

Status RecordOne(Store& store, std::int64_t number) {
  return store.WriteAndWait([=](StoreWriter& out) -> Status {
    GRANTFS_TRY(out.Audit(TestRecord(number)));
    return {};
  });
}

// Three in one group, the second of which needs more room than there is. @return how each of them ended.
std::array<Status, 3> CommitTogether(Store& store) {
  std::promise<void> gate;
  std::array<std::promise<Status>, 3> ends;
  store.Write(
      [opened = std::make_shared<std::future<void>>(gate.get_future())](StoreWriter&) {
        opened->wait();
        return Status();
      },
      nullptr);
  const auto queue = [&](std::size_t index, Store::Job job) {
    store.Write(std::move(job), [&, index](Status status) { ends[index].set_value(std::move(status)); });
  };
  const auto record = [](StoreWriter& out) -> Status {
    GRANTFS_TRY(out.Audit(TestRecord(1)));
    return {};
  };
  queue(0, record);
  queue(1, [](StoreWriter& out) -> Status {
    for (std::uint32_t i = 1; i <= 3; ++i) {
      GRANTFS_CHECK(out.StageCiphertext({TestHash(1), 1, i, TestHash(1)}, Bytes(kMaxSecretBytes, 1), 1000));
    }
    return {};
  });
  queue(2, record);
  gate.set_value();
  return {ends[0].get_future().get(), ends[1].get_future().get(), ends[2].get_future().get()};
}

bool IsNoSpace(const Status& status) { return !status && status.error().code == Code::kNoSpace; }

// A file that takes all the room that is left.
void FillUp(const std::string& path) {
  std::ofstream file(path, std::ios::binary);
  const std::string block(4096, 'x');
  while (file.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) continue;
}

// Runs in a child. 0: as it should be; 77: no such disk here; else where it went wrong.
int ServeOnAFullDisk() {
  if (!EnterSmallDisk("4m")) return 77;
  const std::string dir = "/vault";
  auto store = OpenEmbeddedStore({.directory = dir});
  if (!store || !(*store)->WriteAndWait([](StoreWriter& out) { return out.PutServer(TestServer()); }))
    return 1;
  std::int64_t recorded = 0;
  for (; recorded < 5; ++recorded) {
    if (!RecordOne(**store, recorded)) return 2;
  }
  FillUp(dir + "/filler");
  // The log may have some room of its own left; then there is none.
  std::int64_t refused = 0;
  for (int i = 0; i < 3000 && refused < 3; ++i) {
    const Status status = RecordOne(**store, i);
    if (status) ++recorded;
    if (!status && !IsNoSpace(status)) return 4;
    refused += status ? 0 : 1;
  }
  if (refused < 3) return 5;
  if (!IsNoSpace(Stage(**store, 1 << 20, 1))) return 6;
  auto reader = (*store)->Read();
  if (!reader || (*reader)->AuditSize().value() != static_cast<std::uint64_t>(recorded)) return 7;
  reader->reset();
  if (::unlink((dir + "/filler").c_str()) != 0) return 8;
  for (int i = 0; i < 5; ++i, ++recorded) {
    if (!RecordOne(**store, i)) return 9;
  }
  // Some room is left, but not for all.
  FillUp(dir + "/filler");
  std::filesystem::resize_file(dir + "/filler", std::filesystem::file_size(dir + "/filler") - (512 << 10));
  const auto ends = CommitTogether(**store);
  if (!ends[0] || !IsNoSpace(ends[1]) || !ends[2]) return 12;
  recorded += 2;
  store->reset();
  const auto source = OpenAuditDatabase(dir + "/" + kDatabaseFile);
  if (!source) return 10;
  const auto verdict = VerifyAudit(**source, {TestLogKey(), kTestOrigin, {}});
  return verdict && verdict->good && verdict->size == static_cast<std::uint64_t>(recorded) ? 0 : 11;
}

TEST_F(CrashTest, AFullDiskRefusesAndTheStoreRecovers) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) ::_exit(ServeOnAFullDisk());
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "this kernel or user may not mount a small disk of its own";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace grantfs
