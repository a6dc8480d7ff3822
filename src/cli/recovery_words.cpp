#include <pwd.h>
#include <unistd.h>

#include <cerrno>

#include "grantfs/trust/names.h"
#include "grantfs/util/file.h"
#include "recovery_internal.h"
#include "secret_io_internal.h"

namespace grantfs {

Result<std::string> OwnerName(const Arguments& arguments) {
  std::string name = arguments.Text("name");
  if (name.empty())
    if (const passwd* entry = ::getpwuid(::geteuid())) name = entry->pw_name;
  if (name.empty()) return Error{Code::kInvalid, "this user has no name; give one with --name"};
  GRANTFS_CHECK(CheckIdentityName(name));
  return name;
}

Json TextsJson(const std::vector<std::string>& all) { return Json::Array({all.begin(), all.end()}); }

std::string RecoverLine(const HomeProfile& profile) {
  return "grantfs recover " + profile.address.Text() + " --vault " + profile.vault.Hex() + " --pin " +
         profile.pins.front().Hex();
}

// A file that cannot be made must be known before the code exists.
Status CheckRecoveryFile(const std::string& path) {
  if (path.empty()) return {};
  if (PathExists(path))
    return Error{Code::kConflict, "exists already; name another file for the recovery code", 0, path};
  if (::access(DirectoryOf(path).c_str(), W_OK | X_OK) == 0) return {};
  return Error{Code::kIo, "the recovery code could not be written there; name another file", errno, path};
}

Status OutRecoveryCode(Context& context, const SecretMemory& code, Json document, const std::string& note) {
  Terminal& terminal = context.terminal;
  const std::string path = context.arguments.Text("recovery-file");
  const Status written = path.empty() ? Status(Error{}) : WriteSecretFile(path.c_str(), code);
  if (!path.empty() && !written)
    terminal.Note("the recovery code could not be written, so it is shown: " + Describe(written.error()));
  if (written) {
    if (context.json()) terminal.OutJson(document);
    terminal.Note("the recovery code is in " + path + ": take it off this computer, and keep it");
  } else if (context.json()) {
    GRANTFS_CHECK(OutJsonWithLine(terminal, document, "recovery_code", code));
  } else {
    terminal.Note(note);
    OutSecretLine(terminal, code);
  }
  return terminal.OutStatus();
}

}  // namespace grantfs
