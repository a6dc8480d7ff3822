#include <gmock/gmock.h>

#include <atomic>
#include <future>
#include <thread>

#include "grantfs/store/audit_verify.h"
#include "store_fixture_internal.h"
#include "support/eventually.h"

namespace grantfs {
namespace {

/// Holds the writer's thread until it is let go, so that what is queued meanwhile becomes one group.
class Gate {
 public:
  Store::Job Job() {
    return [this](StoreWriter&) {
      open_.get_future().wait();
      return Status();
    };
  }
  void Open() { open_.set_value(); }

 private:
  std::promise<void> open_;
};

class GroupTest : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    OpenServing();
  }
  std::int64_t Checkpoints() {
    Database database = Get(Database::Open(DatabasePath(), {.mode = OpenMode::kReadOnly}));
    SqlStatement count = Get(database.Prepare("SELECT count(*) FROM audit_checkpoints"));
    EXPECT_TRUE(Get(count.Step()));
    return count.Int(0);
  }
};

TEST_F(GroupTest, QueuedJobsShareOneCommitAndOneCheckpoint) {
  Gate gate;
  std::atomic<int> done = 0;
  store_->Write(gate.Job(), nullptr);
  for (int i = 0; i < 100; ++i) {
    store_->Write(
        [i](StoreWriter& out) -> Status {
          GRANTFS_TRY(out.Audit(TestRecord(i)));
          return {};
        },
        [&](const Status& status) { done += status.has_value() ? 1 : 1000; });
  }
  gate.Open();
  ASSERT_TRUE(Eventually([&] { return done >= 100; }));
  EXPECT_EQ(done, 100);
  EXPECT_LE(Checkpoints(), 2) << "the gate's own group has none";
  EXPECT_EQ(Get(Reader()->AuditSize()), 100U);
}

TEST_F(GroupTest, AFailingJobIsUndoneAloneWithinItsGroup) {
  Gate gate;
  store_->Write(gate.Job(), nullptr);
  std::vector<std::future<Status>> results;
  for (int i = 0; i < 9; ++i) {
    auto promise = std::make_shared<std::promise<Status>>();
    results.push_back(promise->get_future());
    store_->Write(
        [i](StoreWriter& out) -> Status {
          GRANTFS_CHECK(out.AddSecret(static_cast<std::uint64_t>(i + 1), "shop/prod", std::to_string(i)));
          GRANTFS_TRY(out.Audit(TestRecord(i)));
          if (i % 3 == 1) return Error{Code::kDenied, "not this one"};
          if (i % 3 == 2) return out.AddSecret(100, "shop/prod", "0");  // taken
          return {};
        },
        [promise](Status status) { promise->set_value(std::move(status)); });
  }
  gate.Open();
  for (int i = 0; i < 9; ++i) {
    const Status status = results[static_cast<std::size_t>(i)].get();
    EXPECT_EQ(status.has_value(), i % 3 == 0) << i;
    if (!status) {
      EXPECT_EQ(status.error().code, i % 3 == 1 ? Code::kDenied : Code::kConflict) << i;
    }
  }
  auto reader = Reader();
  EXPECT_EQ(Get(reader->CountSecrets()), 3U);
  EXPECT_EQ(Get(reader->AuditSize()), 3U);
  EXPECT_EQ(Get(reader->ListSecrets("shop/prod", "", 10))[1].path, "3");
}

TEST_F(GroupTest, DoneRunsOnceInOrderAndAfterTheCommit) {
  constexpr int kJobs = 500;
  std::vector<int> order;
  std::atomic<int> wrong = 0;
  for (int i = 0; i < kJobs; ++i) {
    store_->Write(
        [](StoreWriter& out) -> Status {
          GRANTFS_TRY(out.NextChange());
          return {};
        },
        [&, i](const Status& status) {
          order.push_back(i);
          if (!status || Get(Reader()->CurrentChange()) < static_cast<std::uint64_t>(i + 1)) ++wrong;
        });
  }
  Must([](StoreWriter&) { return Status(); });
  ASSERT_EQ(order.size(), static_cast<std::size_t>(kJobs));
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
  EXPECT_EQ(wrong, 0) << "what was acknowledged can be read";
}

TEST_F(GroupTest, ManyThreadsReadAndWriteAtOnce) {
  constexpr int kThreads = 6;
  constexpr int kEach = 60;
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        AuditRecord record = TestRecord(t * 1000 + i);
        record.open_id = std::to_string(t) + "-" + std::to_string(i / 2);
        record.body.Set("version", i / 2);
        record.body.Set("object", "shop/prod/" + std::to_string(t));
        std::uint64_t sequence = 0;
        const Status done = Write([&](StoreWriter& out) -> Status {
          sequence = GRANTFS_TRY(out.Audit(record));
          return {};
        });
        auto reader = Reader();
        const auto entry = Get(reader->ReadAudit(sequence, 1, 1 << 20, true));
        if (!done || entry.empty() || entry[0].columns->object != "shop/prod/" + std::to_string(t)) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(Get(Reader()->AuditSize()), kThreads * kEach / 2U) << "each open once";
  store_.reset();
  EXPECT_TRUE(
      Get(VerifyAudit(*Get(OpenAuditDatabase(DatabasePath())), {TestLogKey(), kTestOrigin, {}})).good);
}

TEST_F(GroupTest, AViewStaysAsItIs) {
  auto view = Reader();
  EXPECT_EQ(Get(view->CurrentChange()), 0U);
  Must([](StoreWriter& out) -> Status {
    GRANTFS_TRY(out.NextChange());
    return {};
  });
  EXPECT_EQ(Get(view->CurrentChange()), 0U);
  EXPECT_EQ(Get(Reader()->CurrentChange()), 1U);
}

TEST_F(GroupTest, AJobSeesWhatItWrote) {
  Must([](StoreWriter& out) -> Status {
    GRANTFS_CHECK(out.AddSecret(1, "shop/prod", "a"));
    const auto found = GRANTFS_TRY(out.FindSecret("shop/prod", "a"));
    return found ? Status() : Status(Error{Code::kNotFound, "not seen"});
  });
}

TEST_F(GroupTest, ReadersAreBounded) {
  store_.reset();
  Open({.max_readers = 2, .reader_wait = std::chrono::milliseconds(20)});
  auto first = Reader();
  auto second = Reader();
  EXPECT_EQ(store_->Read().error().code, Code::kThrottled);
  second.reset();
  EXPECT_TRUE(store_->Read());
}

TEST_F(GroupTest, AFullQueueIsThrottled) {
  store_.reset();
  Open({.max_queued = 3});
  Gate gate;
  std::atomic<bool> started = false;
  store_->Write(
      [&, job = gate.Job()](StoreWriter& out) {
        started = true;
        return job(out);
      },
      nullptr);
  ASSERT_TRUE(Eventually([&] { return started.load(); }));
  std::atomic<int> good = 0;
  std::atomic<int> throttled = 0;
  for (int i = 0; i < 5; ++i) {
    store_->Write([](StoreWriter&) { return Status(); },
                  [&](const Status& status) {
                    if (status) ++good;
                    if (!status && status.error().code == Code::kThrottled) ++throttled;
                  });
  }
  ASSERT_TRUE(Eventually([&] { return throttled == 2; }));
  gate.Open();
  ASSERT_TRUE(Eventually([&] { return good == 3; }));
}

TEST_F(GroupTest, ClosingCommitsWhatIsQueuedAndRefusesTheRest) {
  Gate gate;
  std::atomic<int> good = 0;
  std::atomic<int> cancelled = 0;
  store_->Write(gate.Job(), nullptr);
  for (int i = 0; i < 10; ++i) {
    store_->Write(
        [](StoreWriter& out) -> Status {
          GRANTFS_TRY(out.NextChange());
          return {};
        },
        [&, store = store_.get()](const Status& status) {
          good += status.has_value() ? 1 : 0;
          // The loop may have ended by now: either way the answer comes.
          store->Write([](StoreWriter&) { return Status(); },
                       [&](const Status& late) {
                         if (late || late.error().code == Code::kCancelled) ++cancelled;
                       });
        });
  }
  std::thread closing([&] { store_.reset(); });
  gate.Open();
  closing.join();
  EXPECT_EQ(good, 10);
  EXPECT_EQ(cancelled, 10);
  Open();
  EXPECT_EQ(Get(Reader()->CurrentChange()), 10U);
}

TEST_F(GroupTest, ARefusalThatChangedNothingMayBePassedOver) {
  Must([](StoreWriter& out) -> Status {
    GRANTFS_CHECK(out.AddSecret(1, "shop/prod", "a"));
    EXPECT_EQ(out.AddSecret(2, "shop/prod", "a").error().code, Code::kConflict);
    EXPECT_EQ(out.RemoveGrant(1, GranteeKind::kMachine, 1).error().code, Code::kNotFound);
    EXPECT_EQ(out.StageCiphertext({TestHash(1), 1, 1, TestHash(2)}, Bytes(), 5).error().code, Code::kInvalid);
    return {};
  });
  EXPECT_EQ(Get(Reader()->CountSecrets()), 1U);
}

}  // namespace
}  // namespace grantfs
