#include <unistd.h>

#include <cerrno>

#include "claim_line_internal.h"
#include "grantfs/log/log.h"

namespace grantfs {
namespace {

std::string ClaimPath(const std::string& directory) { return directory + "/" + kClaimFile; }

Status WriteToTerminal(ByteView text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Error{Code::kIo, "the claim could not be shown on the terminal", errno};
    text = text.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

Status ShowOnTerminal(const SecretMemory& line) {
  GRANTFS_CHECK(WriteToTerminal(
      AsBytes("The vault is new. On the owner's computer run 'grantfs init' and paste:\n\n")));
  GRANTFS_CHECK(WriteToTerminal(line.Expose()));
  return WriteToTerminal(AsBytes("\n\n"));
}

}  // namespace

void Say(const ServeOptions& options, const std::string& sentence) {
  if (options.say) return options.say(sentence);
  Log(LogLevel::kInfo, sentence);
}

void RemoveClaimFile(const std::string& data_directory) { ::unlink(ClaimPath(data_directory).c_str()); }

Status ShowNewClaim(Vault& vault, const ServeOptions& options, const Address& name, const Hash& pin) {
  InviteLine line;
  line.address = name.Text();
  line.pin = pin;
  line.secret = GRANTFS_TRY(vault.MakeClaim());
  const SecretMemory text = GRANTFS_TRY(EncodeInviteLine(line, true));
  RemoveClaimFile(options.data_directory);
  if (options.claim_on_terminal && ::isatty(STDOUT_FILENO) == 1) return ShowOnTerminal(text);
  const std::string path = ClaimPath(options.data_directory);
  GRANTFS_CHECK(WriteSecretFile(path.c_str(), text));
  Say(options, "the vault is new: its claim is in " + path +
                   "; on the owner's computer run 'grantfs init' and paste it");
  return {};
}

}  // namespace grantfs
