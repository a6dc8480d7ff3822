// A mount of its own process, so that it can be killed: fake_mount MOUNTPOINT [CONDITION...] shows
// "shop/prod/db-password" with "content" (with conditions: to all whom they let), prints "ready" when it can
// be read, and ends with status 0 after a clean end.
//
// fake_mount --workers MOUNTPOINT does the same with workers, which end when "shop/prod/poison" is opened; it
// takes orders in MOUNTPOINT-orders. fake_mount --broken MOUNTPOINT has a worker that cannot start;
// fake_mount --hostile KIND MOUNTPOINT one that is hostile once it was read from (BeHostile), and shows
// "shop/prod/done" when that was done; the next ones are as they should be.

#include <poll.h>
#include <unistd.h>

#include <cstdio>
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

void SayReady() {
  std::printf("ready\n");
  std::fflush(stdout);
}

Result<std::unique_ptr<SecretSource>> Source(bool broken) {
  if (broken) return Error{Code::kIntegrity, "the source is broken", 0, "fake"};
  auto source = std::make_unique<FakeSource>();
  source->Put("shop/prod/db-password", "content");
  source->Put("shop/prod/poison", "never read");
  source->Poison("shop/prod/poison");
  return std::unique_ptr<SecretSource>(std::move(source));
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

Status RunWithWorkers(const std::string& point, const char* kind) {
  SupervisorOptions options;
  options.mount_point = point;
  options.open_deadline = kDeadline;
  options.worker_words = {"worker", kind};
  options.user = options.group = kUser;
  options.heartbeat = std::chrono::milliseconds(2000);
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
    const std::string kind = words[1];
    _exit(grantfs::RunWorker({words.begin() + 2, words.end()}, [=](bool first, grantfs::KeptMemory*) {
      const bool usual = kind == "good" || kind == "broken" || !first;
      return usual ? grantfs::Source(kind == "broken") : grantfs::HostileSource(kind);
    }));
  }
  const grantfs::Status status =
      words[0] == "--workers"   ? grantfs::RunWithWorkers(words[1], "good")
      : words[0] == "--hostile" ? grantfs::RunWithWorkers(words[2], words[1].c_str())
      : words[0] == "--broken"  ? grantfs::RunWithWorkers(words[1], "broken")
                                : grantfs::RunAlone(words[0], {words.begin() + 1, words.end()});
  if (!status) std::fprintf(stderr, "fake_mount: %s\n", Describe(status.error()).c_str());
  return status ? 0 : 1;
}
