// A mount of its own process, so that it can be killed: fake_mount MOUNTPOINT [CONDITION...] shows
// "shop/prod/db-password" with "content" (with conditions: to all whom they let), prints "ready" when it can
// be read, and ends with status 0 after a clean end.

#include <cstdio>

#include "fake_source.h"
#include "grantfs/crypto/random.h"
#include "grantfs/mount/mount.h"

int main(int argc, char** argv) {
  if (argc < 2 || !grantfs::InitCrypto()) return 2;
  grantfs::FakeSource source;
  source.Put("shop/prod/db-password", "content");
  if (argc > 2) {
    source.Change("shop/prod/db-password", [&](grantfs::GrantedSecret& grant) {
      grant.mode = 0444;
      grant.conditions.assign(argv + 2, argv + argc);
    });
  }
  grantfs::MountOptions options;
  options.mount_point = argv[1];
  options.source = &source;
  options.open_deadline = std::chrono::milliseconds(300);
  options.ready = [] {
    std::printf("ready\n");
    std::fflush(stdout);
  };
  const grantfs::Status status = RunMount(options);
  if (!status) std::fprintf(stderr, "fake_mount: %s\n", Describe(status.error()).c_str());
  return status ? 0 : 1;
}
