// A mount of its own process, so that it can be killed: fake_mount MOUNTPOINT [CONDITION...] shows
// "shop/prod/db-password" with "content" (with conditions: to all whom they let), prints "ready" when it can
// be read, and ends with status 0 after a clean end.
//
// fake_mount --workers MOUNTPOINT [CONDITION] does the same with workers, which end when "shop/prod/poison"
// is opened; it takes orders in MOUNTPOINT-orders, and "shop/prod/free" has no condition. fake_mount --broken
// MOUNTPOINT has a worker that cannot start; fake_mount --hangs WHERE HEARTBEAT_MS MOUNTPOINT has workers
// that stand still: the "first" before it is ready, those "next" before they serve, or end then ("ends"), or
// stand still all at a "request", which opens "shop/prod/tar", which the first one does "itself", or at
// "another" filesystem's file, MOUNTPOINT-hung/never; fake_mount --hostile KIND MOUNTPOINT one that
// is hostile once it was read from (BeHostile), and shows "shop/prod/done" when that was done; the next ones
// are as they should be. fake_mount --workers MOUNTPOINT stands has a first worker whose source never
// answers.
//
// A copy of it by another name is another program, for an upgrade: "ends-first" ends before it serves,
// "refuses-first" says why not, "stops-first" never comes to serve, and "ends-later" ends when
// "shop/prod/db-password" is opened; "heals" is as it should be.

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "fake_source.h"
#include "grantfs/crypto/random.h"
#include "grantfs/mount/mount.h"
#include "grantfs/mount/supervisor.h"
#include "hostile_worker.h"

namespace grantfs {
namespace {

constexpr std::chrono::milliseconds kDeadline{300};
constexpr uid_t kUser = 60843;
constexpr std::string_view kHostile = "hostile:";
constexpr std::string_view kHangs = "hangs:";

void SayReady() {
  std::printf("ready\n");
  std::fflush(stdout);
}

std::string OwnName() {
  char path[4096] = {};
  const ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
  const std::string name(path, size > 0 ? static_cast<std::size_t>(size) : 0);
  return name.substr(name.rfind('/') + 1);
}

/// @param kind "broken", "stands", "good", "hangs:" and where, or a condition.
Result<std::unique_ptr<SecretSource>> Source(const std::string& kind,
                                             const std::string& program = OwnName()) {
  if (kind == "broken" || program == "refuses-first")
    return Error{Code::kIntegrity, "the source is broken", 0, "fake"};
  if (program == "ends-first") std::abort();
  if (program == "heals") return Source("good", "");
  while (program == "stops-first") pause();
  auto source = std::make_unique<FakeSource>();
  source->Put("shop/prod/db-password", "content");
  source->Put("shop/prod/poison", "never read");
  source->Poison("shop/prod/poison");
  if (program == "ends-later") source->Poison("shop/prod/db-password");
  if (kind == "hangs:request" || kind == "hangs:itself") {
    source->Put("shop/prod/tar", "never read");
    source->Tar("shop/prod/tar");
    source->Change("shop/prod/tar", [](GrantedSecret& grant) { grant.mode = 0444; });
  }
  if (kind == "stands") {
    source->SetSilent(true);
    source->IgnoreDeadlines(true);
  } else if (kind != "good" && !kind.starts_with(kHangs)) {
    source->Put("shop/prod/free", "content");
    source->Change("shop/prod/db-password", [&](GrantedSecret& grant) { grant.conditions = {kind}; });
  }
  return std::unique_ptr<SecretSource>(std::move(source));
}

/// On a thread of its own, as soon as it is there.
void OpenSoon(const std::string& path) {
  std::thread([path] {
    while (open(path.c_str(), O_RDONLY | O_CLOEXEC) < 0) poll(nullptr, 0, 5);
  }).detach();
}

/// Never goes, as its thread.
Result<std::unique_ptr<SecretSource>> HostileSource(const std::string& kind) {
  auto source = std::make_unique<FakeSource>();
  source->Put("shop/prod/db-password", "content");
  auto* const shown = source.get();
  std::thread([kind, shown] {
    while (shown->OpenCount() == 0) poll(nullptr, 0, 1);
    BeHostile(kind, [shown] { shown->Put("shop/prod/done", "x"); });
  }).detach();
  return std::unique_ptr<SecretSource>(std::move(source));
}

Status RunAlone(const std::string& point, const std::vector<std::string>& conditions) {
  FakeSource source;
  source.Put("shop/prod/db-password", "content");
  if (!conditions.empty()) {
    source.Change("shop/prod/db-password", [&](GrantedSecret& grant) {
      grant.mode = 0444;
      grant.conditions = conditions;
    });
  }
  MountOptions options;
  options.mount_point = point;
  options.source = &source;
  options.open_deadline = kDeadline;
  options.ready = SayReady;
  return RunMount(options);
}

Status RunWithWorkers(const std::string& point, const std::string& kind, int heartbeat = 0) {
  SupervisorOptions options;
  options.mount_point = point;
  options.open_deadline = kDeadline;
  options.worker_words = {"worker", kind};
  options.user = options.group = kUser;
  // Longer than a look at a process may take.
  const bool looks = kind != "good" && kind != "broken" && kind != "stands" && !kind.starts_with(kHostile);
  options.heartbeat = std::chrono::milliseconds(heartbeat > 0 ? heartbeat : looks ? 20000 : 2000);
  options.control_directory = point + "-orders";
  options.ready = SayReady;
  options.relay_log = true;
  options.on_change = "true";
  return RunSupervisor(options);
}

}  // namespace
}  // namespace grantfs

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.empty() || !grantfs::InitCrypto()) return 2;
  if (words[0] == "worker") {
    // KIND is one of Source's (one that hangs does so here, too; "stands": the first worker's alone), or
    // "hostile:" and one of BeHostile's.
    const std::string kind = words[1];
    const bool hostile = kind.starts_with(grantfs::kHostile);
    _exit(grantfs::RunWorker({words.begin() + 2, words.end()}, [=](bool first, grantfs::KeptMemory*) {
      if (first && kind == "hangs:itself") grantfs::OpenSoon(words[3] + "/shop/prod/tar");
      if (first && kind == "hangs:another") grantfs::OpenSoon(words[3] + "-hung/never");
      if (kind == "stands" && !first) return grantfs::Source("good");
      if (kind == "hangs:ends" && !first && grantfs::OwnName() != "heals") std::abort();
      while (kind == (first ? "hangs:first" : "hangs:next")) pause();
      if (!hostile) return grantfs::Source(kind);
      return first ? grantfs::HostileSource(kind.substr(grantfs::kHostile.size())) : grantfs::Source("good");
    }));
  }
  const grantfs::Status status =
      words[0] == "--workers"   ? grantfs::RunWithWorkers(words[1], words.size() > 2 ? words[2] : "good")
      : words[0] == "--hostile" ? grantfs::RunWithWorkers(words[2], std::string(grantfs::kHostile) + words[1])
      : words[0] == "--hangs"
          ? grantfs::RunWithWorkers(words[3], std::string(grantfs::kHangs) + words[1], std::stoi(words[2]))
      : words[0] == "--broken" ? grantfs::RunWithWorkers(words[1], "broken")
                               : grantfs::RunAlone(words[0], {words.begin() + 1, words.end()});
  if (!status) std::fprintf(stderr, "fake_mount: %s\n", Describe(status.error()).c_str());
  return status ? 0 : 1;
}
