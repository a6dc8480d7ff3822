#include "commands_internal.h"
#include "owner_internal.h"
#include "secret_io_internal.h"
#include "table_internal.h"

namespace grantfs {
namespace {

Result<SecretValue> ReadValue(Context& context, const SecretName& name) {
  Terminal& terminal = context.terminal;
  SecretMemory value =
      GRANTFS_TRY(ReadSecretInput(terminal, {.file = context.arguments.Text("file"),
                                             .prompt = "value of " + name.Full(),
                                             .twice = true,
                                             .max_bytes = kMaxSecretBytes,
                                             .too_large = "a value has at most 1 MiB; this one is larger"}));
  if (value.size() == 0 && !context.arguments.Flag("empty"))
    return Error{Code::kInvalid, "the value is empty; if it is meant to be, say --empty", 0, name.Full()};
  if (terminal.ErrIsTerminal() && EndsInNewline(value))
    terminal.Note("note: the value ends in a newline, which belongs to it; printf %s VALUE has none");
  return SecretValue(std::move(value));
}

void OutResult(Terminal& terminal, const SecretName& name, const SetSecretResult& result) {
  const std::string full = name.Full();
  terminal.OutLine((result.created ? "made " : "set ") + full + ": version " +
                   std::to_string(result.version) + ", sealed to " + Count(result.sealed_to, "machine"));
  if (result.sealed_to == 0) terminal.Note("next: grantfs grant MACHINE " + full);
}

Status RunSecretSetCommand(Context& context) {
  const SecretName name = GRANTFS_TRY(ParseSecretName(context.arguments.At(0)));
  const auto session = GRANTFS_TRY(OpenOwner(context));
  const SecretValue value = GRANTFS_TRY(ReadValue(context, name));
  const SetSecretOptions options = {.owner = context.arguments.Text("owner"),
                                    .description = context.arguments.Text("description"),
                                    .reason = context.arguments.Text("reason")};
  const SetSecretResult result = GRANTFS_TRY(session->SetSecret(name, value, options));
  if (context.json())
    context.terminal.OutJson(Json::Object({{"name", name.Full()},
                                           {"number", result.number},
                                           {"version", result.version},
                                           {"created", result.created},
                                           {"sealed_to", result.sealed_to}}));
  else
    OutResult(context.terminal, name, result);
  return {};
}

}  // namespace

const Command kSecretSetCommand = {
    .name = "secret set",
    .arguments = "PROJECT/ENVIRONMENT/NAME",
    .min_arguments = 1,
    .max_arguments = 1,
    .summary = "store a new version of a secret",
    .about =
        R"(Encrypts a value on this computer and publishes it as the secret's next version; the first one makes the
secret. The value is what standard input holds, byte for byte (a newline at its end is kept), or what
you type at a prompt; it never stands in an argument, where other users could see it.)",
    .options = {{"file", "FILE", "read the value from FILE, byte for byte"},
                {"empty", "", "let the value be empty, which is refused else"},
                {"owner", "TEXT", "of a new secret: who answers for it"},
                {"description", "TEXT", "of a new secret: what it is"},
                {"reason", "TEXT", "why; it stands in the signed statement"}},
    .examples = {{"grantfs secret set shop/prod/db-password",
                  R"(value of shop/prod/db-password (not shown):
the same again (not shown):
made shop/prod/db-password: version 1, sealed to 0 machines)"},
                 {"openssl rand -hex 32 | tr -d '\\n' | grantfs secret set shop/prod/api-key",
                  "made shop/prod/api-key: version 1, sealed to 0 machines"},
                 {"grantfs secret set --file server.key shop/prod/tls/server.key",
                  "set shop/prod/tls/server.key: version 2, sealed to 3 machines"}},
    .next =
        R"(grantfs grant web-1 shop/prod/db-password; machines that are granted it already have the new version.)",
    .failure = "the secret was not set",
    .run = RunSecretSetCommand,
    .stray_argument =
        "a value is not given as an argument, where others can see it; give it on standard input",
};

}  // namespace grantfs
