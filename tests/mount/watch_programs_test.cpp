#include <unistd.h>

#include <fstream>
#include <sstream>

#include "../support/eventually.h"
#include "mount_fixture.h"
#include "program.h"

namespace grantfs {
namespace {

constexpr int kRotations = 100;

/// Programs that people use to follow a file, each beside a hundred rotations, none of which they may miss.
class WatchProgramsTest : public MountTest {
 protected:
  std::string Out(const std::string& name) const { return directory_ + "/" + name; }
  std::string TextOf(const std::string& name) const {
    std::ifstream file(Out(name));
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
  bool Prints(const std::string& name, const std::string& line) const {
    return Eventually([&] { return ("\n" + TextOf(name)).find("\n" + line + "\n") != std::string::npos; });
  }
  std::size_t Lines(const std::string& name, const std::string& beginning) const {
    std::size_t count = 0;
    std::istringstream text(TextOf(name));
    for (std::string line; std::getline(text, line);) count += line.starts_with(beginning) ? 1 : 0;
    return count;
  }
  /// A shell that becomes the program: what it prints goes to files "out" and "err" of that name.
  Program Started(const std::string& name, const std::string& command) const {
    return Program({"/bin/sh", "-c", "exec " + command + " >" + Out(name) + " 2>" + Out(name + ".err")});
  }
  static bool Has(const std::string& command) {
    return OutputOf({"/bin/sh", "-c", command + " >/dev/null 2>&1; echo $?"}) == "0\n";
  }
  static std::string Content(int i) { return "version " + std::to_string(i) + "\n"; }
};

TEST_F(WatchProgramsTest, InotifywaitOnTheDirectory) {
  if (!Has("command -v inotifywait")) GTEST_SKIP() << "there is no inotifywait (inotify-tools)";
  source_.Put(kName, Content(0));
  Mount();
  const Program program =
      Started("wait", "inotifywait -m -e moved_to -e close_write --format '%e %f' " + At("shop/prod"));
  ASSERT_TRUE(Prints("wait.err", "Watches established."));
  for (std::size_t i = 1; i <= kRotations; ++i) {
    source_.Put(kName, Content(static_cast<int>(i)));
    ASSERT_TRUE(Eventually([&] {
      return Lines("wait", "MOVED_TO db-password") == i &&
             Lines("wait", "CLOSE_WRITE,CLOSE db-password") == i;
    })) << i
        << TextOf("wait");
  }
}

TEST_F(WatchProgramsTest, InotifywaitOnTheFile) {
  if (!Has("command -v inotifywait")) GTEST_SKIP() << "there is no inotifywait (inotify-tools)";
  source_.Put(kName, Content(0));
  Mount();
  for (int i = 1; i <= kRotations; ++i) {
    const std::string name = "wait" + std::to_string(i);
    Program program = Started(name, "inotifywait -e delete_self --format %e " + At(kName));
    ASSERT_TRUE(Prints(name + ".err", "Watches established."));
    source_.Put(kName, Content(i));
    ASSERT_TRUE(Eventually([&] { return program.Ended(); })) << i;
    EXPECT_EQ(TextOf(name), "DELETE_SELF\n");
    EXPECT_EQ(Read(At(kName)), Content(i));
  }
}

TEST_F(WatchProgramsTest, TailFollowsTheName) {
  source_.Put(kName, Content(0));
  Mount();
  const Program program = Started("tail", "tail -n +1 -s 0.01 --max-unchanged-stats=1 -F " + At(kName));
  for (int i = 0; i <= kRotations; ++i) {
    if (i > 0) source_.Put(kName, Content(i));
    ASSERT_TRUE(Prints("tail", "version " + std::to_string(i))) << TextOf("tail") << TextOf("tail.err");
  }
  EXPECT_EQ(Lines("tail", "version "), static_cast<std::size_t>(kRotations) + 1);
}

TEST_F(WatchProgramsTest, PythonsWatchdog) {
  if (!Has("/usr/bin/python3 -c 'import watchdog.observers'"))
    GTEST_SKIP() << "there is no watchdog for /usr/bin/python3 (python3-watchdog)";
  source_.Put(kName, Content(0));
  Mount();
  std::ofstream(Out("follow.py")) << R"(
import sys, threading
from watchdog.events import FileSystemEventHandler
from watchdog.observers import Observer

class Follow(FileSystemEventHandler):
    def on_any_event(self, event):
        path = getattr(event, "dest_path", "") or event.src_path
        if event.event_type in ("created", "moved") and path.endswith("/db-password"):
            print(open(path).read(), end="", flush=True)

observer = Observer()
observer.schedule(Follow(), sys.argv[1])
observer.start()
print("follows", flush=True)
threading.Event().wait()
)";
  const Program program = Started("dog", "/usr/bin/python3 " + Out("follow.py") + " " + At("shop/prod"));
  ASSERT_TRUE(Prints("dog", "follows")) << TextOf("dog.err");
  for (int i = 1; i <= kRotations; ++i) {
    source_.Put(kName, Content(i));
    ASSERT_TRUE(Prints("dog", "version " + std::to_string(i))) << TextOf("dog") << TextOf("dog.err");
  }
}

}  // namespace
}  // namespace grantfs
