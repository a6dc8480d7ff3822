#pragma once

namespace grantfs {

/// Runs one command of the program `grantfs`: argv[1] (and argv[2]) name it, `grantfs help` lists them all.
/// Results go to standard output, talk and errors to standard error. InitCrypto has been called, and SIGPIPE
/// is ignored.
///
/// @return the exit code: 0 done, 1 failed, 2 usage, 3 denied, 4 not found, 5 unreachable, 6 conflict,
/// 7 integrity.  Threads: from main, once.
int RunCli(int argc, const char* const* argv);

}  // namespace grantfs
