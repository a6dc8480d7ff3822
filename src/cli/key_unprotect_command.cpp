#include "commands_internal.h"
#include "grantfs/client/home.h"

namespace grantfs {
namespace {

Status RunKeyUnprotectCommand(Context& context) {
  const Home home = GRANTFS_TRY(Home::Open(context.home));
  GRANTFS_CHECK(home.Unprotect());
  if (context.json())
    context.terminal.OutJson(Json::Object({{"home", context.home}, {"protected", false}}));
  else
    context.terminal.OutLine("the key of " + context.home + " is under no passphrase any more");
  return {};
}

}  // namespace

const Command kKeyUnprotectCommand = {
    .name = "key unprotect",
    .arguments = "",
    .min_arguments = 0,
    .max_arguments = 0,
    .summary = "take the passphrase off this home's key",
    .about =
        R"(Writes the seed of this home without a passphrase again (0600), as it is after init and enroll. Asks for
the passphrase, or takes it from --passphrase-file.)",
    .options = {},
    .examples = {{"grantfs key unprotect", R"(passphrase of this home's key (not shown):
the key of /etc/grantfs is under no passphrase any more)"},
                 {"sudo grantfs key unprotect --passphrase-file /root/passphrase",
                  "the key of /etc/grantfs is under no passphrase any more"}},
    .next = "grantfs doctor",
    .failure = "the key is as it was",
    .run = RunKeyUnprotectCommand,
};

}  // namespace grantfs
