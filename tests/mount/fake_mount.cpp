// A mount of its own process, so that it can be killed: fake_mount MOUNTPOINT [CONDITION...] shows
// "shop/prod/db-password" with "content" (with conditions: to all whom they let), prints "ready" when it can
// be read, and ends with status 0 after a clean end.
//
// fake_mount --workers MOUNTPOINT [CONDITION] does the same with workers, which end when "shop/prod/poison"
// is opened; it takes orders in MOUNTPOINT-orders, and "shop/prod/free" has no condition. fake_mount --broken
// MOUNTPOINT has a worker that cannot start.

#include <unistd.h>

#include <cstdio>
#include <string>
#include <vector>

#include "fake_source.h"
#include "grantfs/crypto/random.h"
#include "grantfs/mount/mount.h"
#include "grantfs/mount/supervisor.h"

namespace grantfs {
namespace {

constexpr std::chrono::milliseconds kDeadline{300};
constexpr uid_t kUser = 60843;

void SayReady() {
  std::printf("ready\n");
  std::fflush(stdout);
}

/// @param kind "broken", "good", or a condition.
Result<std::unique_ptr<SecretSource>> Source(const std::string& kind) {
  if (kind == "broken") return Error{Code::kIntegrity, "the source is broken", 0, "fake"};
  auto source = std::make_unique<FakeSource>();
  source->Put("shop/prod/db-password", "content");
  source->Put("shop/prod/poison", "never read");
  source->Poison("shop/prod/poison");
  if (kind != "good") {
    source->Put("shop/prod/free", "content");
    source->Change("shop/prod/db-password", [&](GrantedSecret& grant) { grant.conditions = {kind}; });
  }
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

Status RunWithWorkers(const std::string& point, const std::string& kind) {
  SupervisorOptions options;
  options.mount_point = point;
  options.open_deadline = kDeadline;
  options.worker_words = {"worker", kind};
  options.user = options.group = kUser;
  // Longer than a look at a process may take.
  options.heartbeat = std::chrono::milliseconds(kind == "good" || kind == "broken" ? 2000 : 20000);
  options.control_directory = point + "-orders";
  options.ready = SayReady;
  return RunSupervisor(options);
}

}  // namespace
}  // namespace grantfs

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.empty() || !grantfs::InitCrypto()) return 2;
  if (words[0] == "worker") {
    _exit(grantfs::RunWorker({words.begin() + 2, words.end()},
                             [&](bool, grantfs::KeptMemory*) { return grantfs::Source(words[1]); }));
  }
  const grantfs::Status status =
      words[0] == "--workers"  ? grantfs::RunWithWorkers(words[1], words.size() > 2 ? words[2] : "good")
      : words[0] == "--broken" ? grantfs::RunWithWorkers(words[1], "broken")
                               : grantfs::RunAlone(words[0], {words.begin() + 1, words.end()});
  if (!status) std::fprintf(stderr, "fake_mount: %s\n", Describe(status.error()).c_str());
  return status ? 0 : 1;
}
