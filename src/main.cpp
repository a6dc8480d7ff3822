#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>

#include "grantfs/cli/cli.h"
#include "grantfs/crypto/random.h"

namespace {

// A closed standard stream would be the next file that is opened: a database, say.
void OpenStandardStreams() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd)
    if (::fcntl(fd, F_GETFD) < 0 && ::open("/dev/null", O_RDWR) != fd) std::abort();
}

}  // namespace

int main(int argc, char** argv) {
  OpenStandardStreams();
  ::signal(SIGPIPE, SIG_IGN);
  try {
    if (const auto started = grantfs::InitCrypto(); !started) {
      std::fprintf(stderr, "grantfs: cannot start: %s\n", grantfs::Describe(started.error()).c_str());
      return EXIT_FAILURE;
    }
    return grantfs::RunCli(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "grantfs: stopped by an unexpected error: %s\n", error.what());
  } catch (...) {
    std::fprintf(stderr, "grantfs: stopped by an unexpected error\n");
  }
  return EXIT_FAILURE;
}
