#include <fcntl.h>
#include <sys/fsuid.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <ctime>
#include <thread>
#include <vector>

#include "../support/eventually.h"
#include "mount/kernel/requests_internal.h"
#include "mount_fixture.h"
#include "program.h"

namespace grantfs {
namespace {

class RefusalTest : public MountTest {
 protected:
  int ReadError(int fd) {
    char piece[16];
    return pread(fd, piece, sizeof piece, 0) < 0 ? errno : 0;
  }
  int SendfileError(int fd) {
    UniqueFd target(memfd_create("copy", MFD_CLOEXEC));
    off_t start = 0;
    return sendfile(target.get(), fd, &start, 7) < 0 ? errno : 0;
  }
};

TEST_F(RefusalTest, HasTheErrnoOfItsReason) {
  source_.Put(kName, "x");
  Mount();
  const std::pair<Code, int> table[] = {
      {Code::kNotFound, ENOENT},     {Code::kDenied, EACCES},     {Code::kUnsupported, EACCES},
      {Code::kExpired, EKEYEXPIRED}, {Code::kUnreachable, EIO},   {Code::kThrottled, EIO},
      {Code::kUnrecorded, EIO},      {Code::kIntegrity, EBADMSG}, {Code::kUnauthentic, EACCES},
  };
  for (const auto& [code, error] : table) {
    source_.FailOpens(Error{code, "as the test wants", 0, {}});
    EXPECT_EQ(OpenError(kName), error) << CodeName(code);
  }
  EXPECT_TRUE(Logged(std::string(kName) + " refused to " + std::to_string(getpid())));
  EXPECT_TRUE(Logged("as the test wants"));
  source_.FailOpens(std::nullopt);
  EXPECT_EQ(OpenError(kName), 0);
}

TEST_F(RefusalTest, OfARevokedSecretComesToWhoHasItOpen) {
  source_.Put(kName, "content");
  Mount();
  UniqueFd fd(Open(At(kName)));
  EXPECT_EQ(ReadFrom(fd.get()), "content");
  source_.Revoke(kName);
  EXPECT_TRUE(Eventually([&] { return ReadError(fd.get()) == EACCES; }));
  EXPECT_EQ(OpenError(kName), ENOENT);
}

TEST_F(RefusalTest, OfARevokedSecretComesBeforeTheListing) {
  source_.Put(kName, "content");
  Mount();
  EXPECT_EQ(Read(At(kName)), "content");
  source_.LetListingLag(true);
  source_.Revoke(kName);
  EXPECT_EQ(OpenError(kName), ENOENT);
}

TEST_F(RefusalTest, OfASecretThatWasMadeAnewLeadsToTheNewOne) {
  source_.Put(kName, "old");
  Mount();
  EXPECT_EQ(Read(At(kName)), "old");
  source_.Change(kName, [](GrantedSecret& grant) { grant.number = 4000; });
  EXPECT_TRUE(Eventually([&] { return Read(At(kName)) == "old"; }));
}

TEST_F(RefusalTest, OfAnExpiredGrantNamesIt) {
  source_.Put(kName, "content");
  Mount();
  UniqueFd fd(Open(At(kName)));
  source_.Change(kName, [](GrantedSecret& grant) { grant.expires = time(nullptr) - 1; });
  EXPECT_TRUE(Eventually([&] { return OpenError(kName) == EKEYEXPIRED; }));
  EXPECT_EQ(ReadError(fd.get()), EKEYEXPIRED);
  EXPECT_TRUE(
      Eventually([&] { return Read(At(".grantfs/status")).find("expired     1 ") != std::string::npos; }));
  source_.Change(kName, [](GrantedSecret& grant) { grant.expires = time(nullptr) + 1000; });
  EXPECT_TRUE(Eventually([&] { return Read(At(kName)) == "content"; }));
}

TEST_F(RefusalTest, OfAGrantThatCannotBeEnforcedIsExplained) {
  source_.Put(kName, "content");
  source_.Change(kName,
                 [](GrantedSecret& grant) { grant.unenforceable = "the condition \"moon\" is unknown"; });
  Mount();
  EXPECT_EQ(OpenError(kName), EACCES);
  EXPECT_EQ(source_.OpenCount(), 0U);
  EXPECT_NE(Read(At(".grantfs/status")).find("refused     1 "), std::string::npos);
  EXPECT_NE(Read(At(".grantfs/grants")).find("refused: the condition \"moon\" is unknown"),
            std::string::npos);
}

TEST_F(RefusalTest, OfWhatIsFrozenMeetsOpenFilesAndEndsWithTheFreeze) {
  source_.Put(kName, "content");
  Mount();
  UniqueFd fd(Open(At(kName)));
  EXPECT_EQ(ReadError(fd.get()), 0);
  source_.Change(kName, [](GrantedSecret& grant) {
    grant.frozen = "shop/prod was frozen by ann at 2026-01-31T12:00:00Z: a leak";
  });
  EXPECT_TRUE(Eventually([&] { return OpenError(kName) == EACCES; }));
  EXPECT_EQ(ReadError(fd.get()), EACCES);
  EXPECT_NE(Read(At(".grantfs/status")).find("frozen      shop/prod was frozen by ann at "),
            std::string::npos);
  EXPECT_NE(Read(At(".grantfs/grants")).find("frozen: shop/prod was frozen by ann"), std::string::npos);
  EXPECT_NE(
      Read(At(std::string(".grantfs/why/") + kName)).find("frozen by ann at 2026-01-31T12:00:00Z: a leak"),
      std::string::npos);
  source_.Change(kName, [](GrantedSecret& grant) { grant.frozen.clear(); });
  EXPECT_TRUE(Eventually([&] { return OpenError(kName) == 0; }));
  EXPECT_EQ(ReadError(fd.get()), 0);
}

TEST_F(RefusalTest, OfAStrictGrantMeetsThePageCacheAlone) {
  source_.Put(kName, "content");
  source_.Change(kName, [](GrantedSecret& grant) { grant.strict = true; });
  Mount();
  UniqueFd fd(Open(At(kName)));
  EXPECT_EQ(ReadFrom(fd.get()), "content");
  UniqueFd target(memfd_create("copy", MFD_CLOEXEC));
  EXPECT_EQ(sendfile(target.get(), fd.get(), nullptr, 7), -1);
  EXPECT_EQ(errno, EACCES);
  int ends[2] = {-1, -1};
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const UniqueFd read_end(ends[0]);
  const UniqueFd write_end(ends[1]);
  off64_t start = 0;
  EXPECT_EQ(splice(fd.get(), &start, write_end.get(), nullptr, 7, 0), -1);
  EXPECT_EQ(errno, EACCES);
  EXPECT_NE(OutputOf({READER, "mmap", At(kName), "0"}).find("SIGBUS 1"), std::string::npos);
  EXPECT_EQ(OutputOf({"cat", At(kName)}), "content");
}

TEST_F(RefusalTest, OfARevokedSecretComesFromThePageCacheToo) {
  source_.Put(kName, "content");
  Mount();
  UniqueFd fd(Open(At(kName)));
  EXPECT_EQ(SendfileError(fd.get()), 0);  // its page is cached
  source_.Revoke(kName);
  EXPECT_TRUE(Eventually([&] { return SendfileError(fd.get()) == EACCES; }));
}

TEST_F(RefusalTest, OfAGrantThatBecomesStrictMeetsPagesThatWereCached) {
  source_.Put(kName, "content");
  Mount();
  UniqueFd fd(Open(At(kName)));
  EXPECT_EQ(SendfileError(fd.get()), 0);
  source_.Change(kName, [](GrantedSecret& grant) { grant.strict = true; });
  EXPECT_TRUE(Eventually([&] { return SendfileError(fd.get()) == EACCES; }));
  EXPECT_EQ(ReadFrom(fd.get()), "content");
}

TEST_F(RefusalTest, FindsNoPagesOfAFileThatWasClosed) {
  source_.Put(kName, "content");
  Mount();
  {
    UniqueFd fd(Open(At(kName)));
    EXPECT_EQ(SendfileError(fd.get()), 0);
  }
  source_.Change(kName, [](GrantedSecret& grant) { grant.strict = true; });
  // What is still cached would be sent without a question.
  EXPECT_TRUE(Eventually([&] {
    UniqueFd fd(Open(At(kName)));
    return SendfileError(fd.get()) == EACCES;
  }));
}

TEST_F(RefusalTest, OfASilentVaultComesAtTheDeadlineAndListsGoOn) {
  source_.Put(kName, "content");
  source_.SetSilent(true);
  Mount([](MountOptions& options) { options.open_deadline = std::chrono::milliseconds(500); });
  Program cat({"cat", At(kName)});
  ASSERT_TRUE(Eventually([&] { return source_.OpenCount() == 1; }));
  EXPECT_EQ(OutputOf({"ls", At("shop/prod")}), "db-password\n");
  struct stat info {};
  EXPECT_EQ(stat(At(kName).c_str(), &info), 0);
  EXPECT_EQ(cat.Wait(), 1);
  EXPECT_EQ(OpenError(kName), EIO);
  EXPECT_TRUE(Logged("the vault did not answer within the deadline"));
}

TEST_F(RefusalTest, OfASourceThatForgetsItsDeadlineComesAllTheSame) {
  source_.Put(kName, "content");
  source_.SetSilent(true);
  source_.IgnoreDeadlines(true);
  Mount([](MountOptions& options) { options.open_deadline = std::chrono::milliseconds(100); });
  EXPECT_EQ(OpenError(kName), EIO);
  EXPECT_TRUE(Logged("the source did not answer within the deadline"));
  EXPECT_TRUE(Eventually([&] { return source_.cancelled() == 1; }));
}

TEST_F(RefusalTest, OfAForgedAnswerIsEbadmsg) {
  source_.Put(kName, "content");
  Mount();
  source_.Change(kName, [](GrantedSecret& grant) { grant.size = 3; });
  EXPECT_TRUE(Eventually([&] { return OpenError(kName) == EBADMSG; }));
}

TEST_F(RefusalTest, OfAnOpenFileIsAskedForWhenTheVaultIsNotHeard) {
  source_.Put(kName, "content");
  Mount();
  UniqueFd fd(Open(At(kName)));
  EXPECT_EQ(ReadFrom(fd.get()), "content");
  EXPECT_EQ(source_.checks(), 0U);
  source_.SetHeard(false);
  EXPECT_EQ(ReadFrom(fd.get()), "content");
  EXPECT_GT(source_.checks(), 0U);
  source_.FailChecks(Error{Code::kUnreachable, "the vault is away", 0, {}});
  EXPECT_EQ(ReadError(fd.get()), EIO);
  source_.FailChecks(Error{Code::kDenied, "frozen", 0, {}});
  EXPECT_EQ(ReadError(fd.get()), EACCES);
  source_.FailChecks(Error{Code::kNotFound, "revoked", 0, {}});
  EXPECT_EQ(ReadError(fd.get()), EACCES);
  source_.FailChecks(Error{Code::kConflict, "superseded", 0, {}});
  EXPECT_EQ(ReadError(fd.get()), 0);
  source_.SetHeard(true);
  source_.FailChecks(Error{Code::kDenied, "frozen", 0, {}});
  EXPECT_EQ(ReadError(fd.get()), 0);
}

TEST_F(RefusalTest, ComesForAWholeReadAndNotInItsMiddle) {
  source_.Put(kName, std::string(1024 * 1024, 'x'));
  Mount();
  UniqueFd fd(Open(At(kName)));
  source_.SetHeard(false);  // each request of the kernel is a check
  std::string buffer(3 * 4096, ' ');
  char* before_page = buffer.data() + 4096 - reinterpret_cast<std::uintptr_t>(buffer.data()) % 4096 - 100;
  EXPECT_EQ(pread(fd.get(), before_page < buffer.data() ? before_page + 4096 : before_page, 200, 0), 200);
  EXPECT_EQ(source_.checks(), 1U);
  buffer.resize(1024 * 1024);
  EXPECT_EQ(pread(fd.get(), buffer.data(), buffer.size(), 0), 1024 * 1024);
  EXPECT_LE(source_.checks(), 1U + 2U);  // two where the buffer does not begin with a page
}

TEST_F(RefusalTest, NamesTheCaller) {
  source_.Put(kName, "content");
  Mount();
  EXPECT_EQ(OutputOf({"setpriv", "--reuid=0", "--regid=12", "--clear-groups", "cat", At(kName)}), "content");
  EXPECT_EQ(Read(At(kName)), "content");
  const auto opens = source_.Opens();
  ASSERT_EQ(opens.size(), 2U);
  EXPECT_EQ(opens[0].caller.gid, 12U);
  EXPECT_NE(opens[0].caller.executable.find("/cat"), std::string::npos);
  EXPECT_EQ(opens[1].caller.pid, static_cast<std::uint32_t>(getpid()));
  EXPECT_NE(opens[1].caller.executable.find("mount_test"), std::string::npos);
  EXPECT_NE(opens[0].open_id, opens[1].open_id);
  for (const auto& open : opens) {
    EXPECT_EQ(open.open_id.find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyz-"), std::string::npos);
    EXPECT_TRUE(!open.open_id.empty() && open.open_id.size() <= 64) << open.open_id;
  }
}

TEST_F(RefusalTest, NamesTheProcessOfAThread) {
  source_.Put(kName, "content");
  Mount();
  std::thread([&] { EXPECT_EQ(Read(At(kName)), "content"); }).join();
  EXPECT_EQ(source_.Opens().at(0).caller.pid, static_cast<std::uint32_t>(getpid()));
}

TEST_F(RefusalTest, IsNoneForAProgramThatGivesUpWaiting) {
  source_.Put(kName, "content");
  source_.SetSilent(true);
  source_.IgnoreDeadlines(true);
  Mount([](MountOptions& options) { options.open_deadline = std::chrono::hours(1); });
  for (int signal : {SIGKILL, SIGINT}) {
    const std::size_t before = source_.OpenCount();
    Program cat({"cat", At(kName)});
    ASSERT_TRUE(Eventually([&] { return source_.OpenCount() > before; }));
    cat.Kill(signal);
    EXPECT_TRUE(Eventually([&] { return cat.Ended(); })) << "signal " << signal;
    EXPECT_EQ(cat.Wait(), 128 + signal);
  }
  EXPECT_TRUE(Eventually([&] { return source_.cancelled() == 2; }));
  source_.SetSilent(false);
  EXPECT_EQ(Read(At(kName)), "content");
}

/// Threads of several users that open a file all at once.
class Flood {
 public:
  Flood(const std::string& path, const std::vector<uid_t>& users, std::size_t of_each) {
    for (std::size_t i = 0; i < users.size() * of_each; ++i) {
      threads_.emplace_back([this, path, user = users[i % users.size()]] {
        setfsuid(user);  // of this thread
        const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
        ++(fd ? opened : errno == EIO ? refused : failed);
      });
    }
  }
  void Join() {
    for (std::thread& thread : threads_) thread.join();
  }
  std::atomic<std::size_t> opened{0}, refused{0}, failed{0};

 private:
  std::vector<std::thread> threads_;
};

TEST_F(RefusalTest, OfWhoFloodsTheVaultComesAtOnceAndHindersNobodyElse) {
  if (geteuid() != 0) GTEST_SKIP() << "only root is several users";
  source_.Put(kName, "content");
  source_.Change(kName, [](GrantedSecret& grant) { grant.mode = 0444; });
  source_.SetSilent(true);
  source_.IgnoreDeadlines(true);
  Mount([](MountOptions& options) { options.open_deadline = std::chrono::hours(1); });
  ASSERT_EQ(chmod(directory_.c_str(), 0755), 0);
  constexpr std::size_t kTooMany = 50;
  Flood one(At(kName), {60851}, Requests::kMostOfUser + kTooMany);
  EXPECT_TRUE(Eventually([&] {
    return one.refused == kTooMany && source_.OpenCount() == Requests::kMostOfUser;
  })) << one.refused
      << " refused, " << source_.OpenCount() << " wait";
  EXPECT_TRUE(Logged("throttled"));
  EXPECT_TRUE(Eventually([&] {
    return Read(At(".grantfs/status")).find("throttled   50 reads refused") != std::string::npos;
  })) << Read(At(".grantfs/status"));
  // Many users together leave room for what waits for nobody, and for interrupts.
  Flood others(At(kName), {60852, 60853, 60854, 60855, 60856}, Requests::kMostOfUser);
  const std::size_t most = Requests::kMostWaiting - Requests::kMostOfUser;
  EXPECT_TRUE(Eventually([&] { return source_.OpenCount() == Requests::kMostWaiting; }));
  EXPECT_TRUE(Eventually([&] { return others.refused == 5 * Requests::kMostOfUser - most; }));
  EXPECT_EQ(OutputOf({"ls", At("shop/prod")}), "db-password\n");
  EXPECT_EQ(OpenError(kName), EIO);
  source_.SetSilent(false);
  one.Join();
  others.Join();
  EXPECT_EQ(one.opened, Requests::kMostOfUser);
  EXPECT_EQ(others.opened, most);
  EXPECT_EQ(one.failed + others.failed, 0U);
  EXPECT_EQ(Read(At(kName)), "content") << "who waited has left";
}

TEST_F(RefusalTest, LeavesNothingBehindWhenManyGiveUp) {
  source_.Put(kName, std::string(100, 'x'));
  Mount();
  for (int round = 0; round < 60; ++round) {
    source_.SetSilent(round % 2 == 0);
    std::vector<Program> readers;
    for (int i = 0; i < 5; ++i) readers.emplace_back(std::vector<std::string>{"cat", At(kName)});
    if (round % 2 == 0) source_.SetSilent(false);
    for (Program& reader : readers) reader.Kill(round % 3 == 0 ? SIGINT : SIGKILL);
    for (Program& reader : readers) EXPECT_TRUE(Eventually([&] { return reader.Ended(); }));
  }
  EXPECT_TRUE(Eventually([&] {
    return Read(At(".grantfs/status")).find("shown, 0 open") != std::string::npos;
  })) << Read(At(".grantfs/status"));
}

}  // namespace
}  // namespace grantfs
