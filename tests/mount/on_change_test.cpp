#include <signal.h>
#include <sys/stat.h>

#include <atomic>
#include <cerrno>
#include <fstream>
#include <sstream>

#include "../support/eventually.h"
#include "mount/tree/kept_files_internal.h"
#include "mount/watchers/on_change_internal.h"
#include "mount_fixture.h"
#include "watcher.h"

namespace grantfs {
namespace {

/// Mounts with a command that may use $DIR, the test's directory.
class OnChangeTest : public MountTest {
 protected:
  void MountWith(const std::string& command, std::chrono::seconds limit = std::chrono::seconds(600)) {
    Mount([&](MountOptions& options) {
      options.on_change = "DIR=" + directory_ + "\n" + command;
      options.on_change_limit = limit;
    });
  }
  std::string FileText(const std::string& name) const {
    std::ifstream file(directory_ + "/" + name);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
  bool Becomes(const std::string& name, const std::string& text) const {
    return Eventually([&] { return FileText(name) == text; });
  }
  void Touch(const std::string& name) const { std::ofstream(directory_ + "/" + name).put('x'); }
  bool StatusSays(const std::string& text) const {
    return Eventually([&] { return Read(At(".grantfs/status")).find(text) != std::string::npos; });
  }
  pid_t PidIn(const std::string& name) const { return std::atoi(FileText(name).c_str()); }
  /// Ended, whether somebody has waited for it or not.
  static bool IsGone(pid_t pid) {
    std::string line;
    std::getline(std::ifstream("/proc/" + std::to_string(pid) + "/stat"), line);
    const std::size_t end = line.rfind(") ");
    return pid > 1 && (end == std::string::npos || line[end + 2] == 'Z');
  }
};

TEST_F(OnChangeTest, RunsWithTheNamesWhenTheMountShowsWhatChanged) {
  source_.Put(kName, "one");
  source_.Put("shop/prod/token", "t");
  MountWith(
      R"(printf '%s|' "$#" "$@" >> $DIR/out; for name; do cat "$GRANTFS_MOUNT/$name" >> $DIR/out 2>&1; done)");
  EXPECT_TRUE(StatusSays("the command has not run yet"));
  source_.Put(kName, "second");
  ASSERT_TRUE(Becomes("out", "1|shop/prod/db-password|second")) << FileText("out");
  EXPECT_TRUE(StatusSays("succeeded"));
  source_.Put("shop/prod/a b'c", "odd");
  ASSERT_TRUE(Becomes("out", "1|shop/prod/db-password|second1|shop/prod/a b'c|odd")) << FileText("out");
}

TEST_F(OnChangeTest, NamesWhatCameWentAndLooksDifferentBelowTheRoot) {
  source_.Put(kName, "one");
  source_.Put("bank/live/pin", "p");
  Mount([&](MountOptions& options) {
    options.root = "shop/prod";
    options.on_change = "echo \"$@\" >> " + directory_ + "/out";
  });
  source_.Put("bank/live/pin", "another");
  source_.Change(kName, [](GrantedSecret& grant) { grant.mode = 0440; });
  ASSERT_TRUE(Becomes("out", "db-password\n")) << FileText("out");
  source_.Put("shop/prod/tls/key", "k");
  ASSERT_TRUE(Becomes("out", "db-password\ntls/key\n")) << FileText("out");
  source_.Revoke("shop/prod/tls/key");
  ASSERT_TRUE(Becomes("out", "db-password\ntls/key\ntls/key\n")) << FileText("out");
}

TEST_F(OnChangeTest, CollectsWhatChangesWhileItRuns) {
  source_.Put(kName, "one");
  MountWith(R"(echo "$@" >> $DIR/out; until [ -e $DIR/go ]; do sleep 0.02; done)");
  source_.Put("shop/prod/a", "a");
  ASSERT_TRUE(Becomes("out", "shop/prod/a\n"));
  EXPECT_TRUE(StatusSays("runs now"));
  for (const char* name : {"shop/prod/b", "shop/prod/c", "shop/prod/b", "shop/prod/d"}) {
    source_.Put(name, "x");
    ASSERT_TRUE(Eventually([&] { return Read(At(name)) == "x"; }));
  }
  source_.Put(kName, "second");
  EXPECT_TRUE(StatusSays("runs now; 4 changed since"));
  EXPECT_EQ(FileText("out"), "shop/prod/a\n");
  Touch("go");
  EXPECT_TRUE(Becomes("out", "shop/prod/a\nshop/prod/b shop/prod/c shop/prod/d shop/prod/db-password\n"))
      << FileText("out");
}

TEST_F(OnChangeTest, AFailureIsSeenInStatusAndLogAndDoesNotEndIt) {
  source_.Put(kName, "one");
  MountWith(R"(echo "cannot reload" >&2; [ -e $DIR/good ] || exit 3)");
  source_.Put(kName, "second");
  EXPECT_TRUE(StatusSays("failed with exit status 3"));
  EXPECT_TRUE(Logged("on-change: the command failed with exit status 3"));
  EXPECT_TRUE(Logged("on-change: cannot reload"));
  Touch("good");
  source_.Put(kName, "third");
  EXPECT_TRUE(StatusSays("succeeded"));
}

TEST_F(OnChangeTest, WhatItPrintsIsBoundedInTheLog) {
  source_.Put(kName, "one");
  MountWith(
      R"(i=0; while [ $i -lt 1000 ]; do echo "line $i."; i=$((i+1)); done; head -c 100000 /dev/zero | tr '\0' y)");
  source_.Put(kName, "second");
  EXPECT_TRUE(StatusSays("succeeded"));
  EXPECT_TRUE(Logged("on-change: line 99."));
  EXPECT_FALSE(Logged("on-change: line 100."));
  EXPECT_TRUE(Logged("on-change: left out 901 more lines"));
}

TEST_F(OnChangeTest, ACommandThatHangsIsKilledWithWhatItStarted) {
  source_.Put(kName, "one");
  MountWith(R"([ -e $DIR/again ] && exit 0; sleep 1000 & echo $! > $DIR/child; echo $$ > $DIR/shell; wait)",
            std::chrono::seconds(2));
  source_.Put(kName, "second");
  EXPECT_TRUE(StatusSays("was killed, since it ran too long"));
  EXPECT_TRUE(Eventually([&] { return IsGone(PidIn("shell")); }));
  EXPECT_TRUE(Eventually([&] { return IsGone(PidIn("child")); }));
  Touch("again");
  source_.Put(kName, "third");
  EXPECT_TRUE(StatusSays("succeeded"));
}

TEST_F(OnChangeTest, HasNoDescriptorAndNoSignalMaskOfTheMounts) {
  source_.Put(kName, "one");
  MountWith(
      R"({ readlink /proc/$$/fd/*; grep -E '^Sig(Blk|Ign)' /proc/self/status; } > $DIR/part; mv $DIR/part $DIR/out)");
  source_.Put(kName, "second");
  ASSERT_TRUE(Eventually([&] { return FileText("out").find("SigIgn") != std::string::npos; }));
  const std::string out = FileText("out");
  for (const char* alien : {"socket:", "anon_inode:", "/dev/fuse", point_.c_str()})
    EXPECT_EQ(out.find(alien), std::string::npos) << out;
  EXPECT_NE(out.find("SigBlk:\t0000000000000000\n"), std::string::npos) << out;
  // Of the standard signals; the C library has two of its own.
  const std::size_t ignored = out.find("SigIgn:\t");
  EXPECT_EQ(std::strtoull(out.c_str() + ignored + 8, nullptr, 16) & 0x7fffffff, 0U) << out;
}

TEST_F(OnChangeTest, ItsProcessIsReplacedWhenItWasKilled) {
  source_.Put(kName, "one");
  MountWith(R"(echo "$@" >> $DIR/out)");
  const auto processes = ChildrenNamed("grantfs-change");
  ASSERT_EQ(processes.size(), 1U);
  ASSERT_EQ(kill(processes[0], SIGKILL), 0);
  ASSERT_TRUE(Eventually([&] { return IsGone(processes[0]); })) << "its socket is closed before that";
  source_.Put(kName, "second");
  EXPECT_TRUE(Becomes("out", "shop/prod/db-password\n")) << FileText("out");
}

// As when no process can be made: the one that was there has died.
TEST_F(OnChangeTest, WhatChangedWaitsUntilItsProcessCanBeStartedAgain) {
  std::atomic<bool> broken{false};
  std::atomic<int> starts{0};
  std::atomic<int> warnings{0};
  std::atomic<pid_t> process{-1};
  const auto starter = [&]() -> Result<HelperProcess> {
    ++starts;
    if (broken) return Error{Code::kIo, "cannot make a helper's process", EAGAIN, {}};
    auto started = StartOnChange({"echo \"$@\" >> " + directory_ + "/out", point_, std::chrono::seconds(60)});
    if (started) process = started->pid;
    return started;
  };
  const auto on_change = *OnChange::Start(starter, [&](LogLevel, const std::string&) { ++warnings; }, {});
  broken = true;
  ASSERT_EQ(kill(process, SIGKILL), 0);
  ASSERT_TRUE(Eventually([&] { return IsGone(process); }));
  on_change->Changed({"shop/prod/a", "shop/prod/b"});
  ASSERT_TRUE(Eventually([&] { return starts >= 3; })) << "it is tried again";
  EXPECT_NE(on_change->Report().find("could not be run"), std::string::npos) << on_change->Report();
  EXPECT_NE(on_change->Report().find("2 changed since"), std::string::npos) << on_change->Report();
  EXPECT_EQ(warnings, 1);
  broken = false;
  EXPECT_TRUE(Becomes("out", "shop/prod/a shop/prod/b\n")) << FileText("out");
}

TEST_F(OnChangeTest, ARunThatEndedWithItsSupervisorIsMadeAgain) {
  const UniqueFd memory = *KeptMemory::Make(1 << 20);
  const auto starter = [&] {
    return StartOnChange(
        {"echo \"$@\" >> " + directory_ + "/out; [ -e " + directory_ + "/goes-on ] || sleep 1000", point_,
         std::chrono::seconds(60)});
  };
  const auto quiet = [](LogLevel, const std::string&) {};
  const auto kept_names = [&](KeptMemory* kept) {
    std::size_t count = 0;
    kept->ForEach(kKeptChanged, [&](ByteView, ByteView) { ++count; });
    return count;
  };
  const auto begin = [&](KeptMemory* kept, std::uint64_t supervisor) {
    return *OnChange::Start(starter, quiet, {.kept = kept, .at_once = false, .supervisor = supervisor});
  };
  {
    const auto kept = *KeptMemory::Attach(memory.get());
    ASSERT_TRUE(kept->Put(kKeptChanged, AsBytes("../out-of-it"), {}));
    const auto first = begin(kept.get(), 0);
    EXPECT_EQ(kept_names(kept.get()), 0U) << "what no mount shows is not run for";
    first->Changed({"shop/prod/a"});
    ASSERT_TRUE(Becomes("out", "shop/prod/a\n"));
    EXPECT_EQ(kept_names(kept.get()), 1U) << "until it has ended";
  }
  std::ofstream(directory_ + "/goes-on").put('x');
  const auto kept = *KeptMemory::Attach(memory.get());
  const auto second = begin(kept.get(), 1);
  EXPECT_TRUE(Becomes("out", "shop/prod/a\nshop/prod/a\n")) << FileText("out");
  EXPECT_TRUE(Eventually([&] { return kept_names(kept.get()) == 0; }));
}

TEST_F(OnChangeTest, EndsWithTheMount) {
  source_.Put(kName, "one");
  MountWith(R"(echo $$ > $DIR/part; mv $DIR/part $DIR/shell; exec sleep 1000)");
  source_.Put(kName, "second");
  ASSERT_TRUE(Eventually([&] { return PidIn("shell") > 1; }));
  Detach();
  EXPECT_TRUE(Join());
  EXPECT_TRUE(Eventually([&] { return IsGone(PidIn("shell")); }));
}

}  // namespace
}  // namespace grantfs
