#include "commands_internal.h"
#include "owner_internal.h"
#include "secret_io_internal.h"

namespace grantfs {
namespace {

Result<VersionChoice> Choice(const Arguments& arguments) {
  if (arguments.Has("version") && arguments.Has("label"))
    return Error{Code::kInvalid, "a version is chosen by its number or by a label", 0,
                 "--version and --label"};
  VersionChoice choice;
  choice.version = static_cast<std::uint32_t>(GRANTFS_TRY(arguments.Number("version", kMaxVersion, 0)));
  if (arguments.Has("version") && choice.version == 0)
    return Error{Code::kInvalid, "versions are counted from 1", 0, "--version"};
  choice.label = arguments.Text("label", "current");
  GRANTFS_CHECK(CheckLabel(choice.label));
  return choice;
}

Status RunSecretGetCommand(Context& context) {
  const SecretName name = GRANTFS_TRY(ParseSecretName(context.arguments.At(0)));
  const VersionChoice choice = GRANTFS_TRY(Choice(context.arguments));
  const auto session = GRANTFS_TRY(OpenOwner(context));
  const GotSecret got = GRANTFS_TRY(session->GetSecret(name, choice));
  if (!context.json()) {
    OutSecret(context.terminal, got.value);
    return {};
  }
  return OutJsonWithValue(context.terminal,
                          Json::Object({{"name", name.Full()},
                                        {"version", got.version},
                                        {"size", got.value.size()},
                                        {"record", got.record}}),
                          "value_base64", got.value);
}

}  // namespace

const Command kSecretGetCommand = {
    .name = "secret get",
    .arguments = "PROJECT/ENVIRONMENT/NAME",
    .min_arguments = 1,
    .max_arguments = 1,
    .summary = "print a secret's value",
    .about =
        R"(Writes a value to standard output, byte for byte, with nothing added. Owners and readers of the
environment may do that; the vault records it like a machine's read.)",
    .options = {{"version", "NUMBER", "this version in place of the current one"},
                {"label", "LABEL", "the version that LABEL points at: current (default), previous, next"}},
    .examples =
        {{"grantfs secret get shop/prod/db-password", "correct horse battery staple"},
         {"grantfs secret get --label previous shop/prod/tls/server.key > old.key", "(writes a file)"},
         {"grantfs secret get --json shop/prod/db-password",
          "{\"name\": \"shop/prod/db-password\", \"version\": 1, ..., \"value_base64\": \"Y29ycmVj...\"}"}},
    .next = "grantfs secret history shop/prod/db-password; grantfs audit list shows this read.",
    .failure = "the secret was not read",
    .run = RunSecretGetCommand,
};

}  // namespace grantfs
