#include "commands_internal.h"
#include "recovery_internal.h"

namespace grantfs {
namespace {

Status RunRecoveryShow(Context& context) {
  const Home home = GRANTFS_TRY(Home::Open(context.home));
  const std::string line = RecoverLine(home.profile());
  if (context.json())
    context.terminal.OutJson(Json::Object({{"command", line}}));
  else
    context.terminal.OutLine(line);
  return {};
}

}  // namespace

const Command kRecoveryShowCommand = {
    .name = "recovery show",
    .arguments = "",
    .min_arguments = 0,
    .max_arguments = 0,
    .summary = "print the command that uses the recovery code",
    .about =
        R"(Prints grantfs recover with the address, id and pin of this home's vault, to be kept beside the recovery code.
Nothing of it is secret. Any home of the vault knows it.)",
    .options = {},
    .examples = {{"grantfs recovery show", "grantfs recover vault.lan:7843 --vault 6f1d... --pin 9a0c..."},
                 {"grantfs recovery show --json", R"({"command": "grantfs recover ..."})"}},
    .next = "grantfs doctor --recovery-code FILE, to see whether the code is good.",
    .failure = "the command is not known",
    .run = RunRecoveryShow,
};

}  // namespace grantfs
