#include "commands_internal.h"
#include "grantfs/client/recovery.h"
#include "owner_internal.h"
#include "recovery_internal.h"
#include "secret_io_internal.h"
#include "table_internal.h"

namespace grantfs {
namespace {

constexpr std::size_t kMaxCodeBytes = 256;

Result<Hash> HashOption(const Arguments& arguments, const char* name, const char* what) {
  const auto hash = Hash::FromHex(arguments.Text(name));
  if (hash) return *hash;
  return Error{Code::kInvalid, what, 0, std::string("--") + name};
}

Result<VaultPlace> PlaceOf(const Arguments& arguments) {
  VaultPlace place;
  place.address = GRANTFS_TRY(ParseAddress(arguments.At(0)));
  place.vault = GRANTFS_TRY(HashOption(arguments, "vault", "takes the vault's id, 64 digits: grantfs recovery show, in any "
                                                          "home of the vault, prints the whole line"));
  place.pin = GRANTFS_TRY(HashOption(arguments, "pin", "takes the vault's pin, 64 digits: grantfs recovery show, in any "
                                                      "home of the vault, prints the whole line"));
  return place;
}

void OutResult(Context& context, const RecoverResult& result) {
  Terminal& terminal = context.terminal;
  if (context.json()) {
    const auto texts = [](const std::vector<std::string>& all) { return Json::Array({all.begin(), all.end()}); };
    terminal.OutJson(Json::Object({{"name", result.name},
                                   {"fingerprint", result.fingerprint},
                                   {"environments", texts(result.environments)},
                                   {"problems", texts(result.problems)},
                                   {"other_owners", texts(result.owners)}}));
  } else {
    terminal.OutLine(result.name + ", fingerprint " + result.fingerprint + ", is an owner of the vault" +
                     (result.environments.empty() ? "" : " and of " + JoinWords(result.environments)));
  }
  for (const std::string& problem : result.problems) terminal.Note("not done: " + problem);
  if (!result.owners.empty())
    terminal.Note("still an owner: " + JoinWords(result.owners) +
                  "; where that key is lost or stolen: grantfs offboard NAME");
}

Status RunRecoverCommand(Context& context) {
  const VaultPlace place = GRANTFS_TRY(PlaceOf(context.arguments));
  const std::string name = GRANTFS_TRY(OwnerName(context.arguments));
  GRANTFS_CHECK(CheckHomeIsFree(context.home));
  const SecretMemory code = GRANTFS_TRY(ReadSecretInput(
      context.terminal,
      {.file = context.arguments.Text("file"), .prompt = "recovery code", .max_bytes = kMaxCodeBytes}));
  const RecoverResult result = GRANTFS_TRY(RecoverOwner(context.home, place, code, name, context.Client()));
  OutResult(context, result);
  if (result.problems.empty()) return {};
  return Error{Code::kIo, "not everything was recovered: another owner there has to add the new one (grantfs member add)",
               0, Count(result.problems.size(), "environment")};
}

}  // namespace

const Command kRecoverCommand = {
    .name = "recover",
    .arguments = "HOST[:PORT]",
    .min_arguments = 1,
    .max_arguments = 1,
    .summary = "be an owner again by the recovery code",
    .about =
        R"(For when no owner has his key any more. On a new computer: takes the recovery code that grantfs init (or
grantfs recovery replace) printed once, makes new keys, and makes them, in the recovery identity's name, an
owner of the vault and of every environment. Every client verifies that as it verifies an owner's act. What
else the lost owner was stays until you end it with grantfs offboard.)",
    .options = {{"vault", "ID", "the vault's id; init printed this line, grantfs recovery show does in any home"},
                {"pin", "PIN", "SHA-256 of the key that the vault's server shows"},
                {"name", "NAME", "the new owner's name in the vault (default: your login name)"},
                {"file", "FILE", "read the code from FILE in place of standard input"}},
    .examples = {{"grantfs recover vault.lan --vault 6f1d... --pin 9a0c... --name bea",
                  R"(recovery code (not shown):
bea, fingerprint p2ma-..., is an owner of the vault and of shop/prod
still an owner: ann; where that key is lost or stolen: grantfs offboard NAME)"},
                 {"grantfs recover vault.lan --vault 6f1d... --pin 9a0c... --file /media/usb/recovery --json",
                  R"({"name": "bea", "environments": ["shop/prod"], ...})"}},
    .next = "grantfs offboard, for who is lost; then grantfs recovery replace: this code has been used.",
    .failure = "nothing was recovered",
    .run = RunRecoverCommand,
    .stray_argument =
        "a recovery code is not given as an argument, where others can see it; give it on standard input",
};

}  // namespace grantfs
