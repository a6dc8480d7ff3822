#include "commands_internal.h"
#include "grantfs/crypto/random.h"
#include "owner_internal.h"
#include "rotation_internal.h"
#include "secret_io_internal.h"
#include "table_internal.h"

namespace grantfs {
namespace {

constexpr std::uint64_t kLeastGenerated = 8, kMostGenerated = 4096;
constexpr std::uint64_t kLeastWords = 4, kMostWords = 64;

Result<SecretMemory> GeneratedWords(Terminal& terminal, const Arguments& arguments) {
  if (arguments.Has("generate") || arguments.Has("alphabet"))
    return Error{Code::kInvalid, "words have letters of their own: leave --generate and --alphabet out", 0,
                 "--words"};
  const std::uint64_t words = GRANTFS_TRY(arguments.Number("words", kMostWords, 0));
  if (words < kLeastWords)
    return Error{Code::kInvalid, "a passphrase has 4 to 64 words, of 16 bits each", 0, "--words"};
  terminal.Note("made " + std::to_string(words) + " words with " + std::to_string(words * kBitsOfWord) +
                " bits of randomness");
  return RandomWords(words);
}

Result<SecretMemory> Generated(Terminal& terminal, const Arguments& arguments) {
  if (arguments.Has("file") || arguments.Flag("empty") || arguments.Flag("trim"))
    return Error{Code::kInvalid,
                 "a generated value is read from nowhere: leave --file, --empty and --trim out", 0,
                 arguments.Has("words") ? "--words" : "--generate"};
  if (arguments.Has("words")) return GeneratedWords(terminal, arguments);
  const std::uint64_t length = GRANTFS_TRY(arguments.Number("generate", kMostGenerated, 0));
  if (length < kLeastGenerated)
    return Error{Code::kInvalid, "a generated value has 8 to 4096 characters", 0, "--generate"};
  const std::string name = arguments.Text("alphabet", "letters");
  const std::string_view letters = AlphabetNamed(name);
  if (!letters.empty()) return RandomText(letters, length);
  return Error{Code::kInvalid, "is none of letters, hex and symbols", 0, "--alphabet " + name};
}

Result<SecretMemory> Read(Context& context, const SecretName& name) {
  if (context.arguments.Has("generate") || context.arguments.Has("words"))
    return Generated(context.terminal, context.arguments);
  if (context.arguments.Has("alphabet"))
    return Error{Code::kInvalid, "is for a value that is generated: give --generate LENGTH too", 0,
                 "--alphabet"};
  SecretMemory value = GRANTFS_TRY(
      ReadSecretInput(context.terminal, {.file = context.arguments.Text("file"),
                                         .prompt = "value of " + name.Full(),
                                         .twice = true,
                                         .max_bytes = kMaxSecretBytes,
                                         .too_large = "a value has at most 1 MiB; this one is larger"}));
  return context.arguments.Flag("trim") ? WithoutNewlines(value) : std::move(value);
}

Result<SecretValue> ReadValue(Context& context, const SecretName& name) {
  SecretMemory value = GRANTFS_TRY(Read(context, name));
  if (value.size() == 0 && !context.arguments.Flag("empty"))
    return Error{Code::kInvalid, "the value is empty; if it is meant to be, say --empty", 0, name.Full()};
  if (context.terminal.ErrIsTerminal() && EndsInNewline(value))
    context.terminal.Note("note: the value ends in a newline, which belongs to it; --trim takes it off");
  return SecretValue(std::move(value));
}

Result<SetSecretOptions> Options(const Arguments& arguments) {
  SetSecretOptions options = {.owner = arguments.Text("owner"),
                              .description = arguments.Text("description"),
                              .reason = arguments.Text("reason")};
  if (arguments.Has("if-version"))
    options.after = static_cast<std::uint32_t>(GRANTFS_TRY(arguments.Number("if-version", 0xffffff, 0)));
  options.rotate_after = GRANTFS_TRY(RotateAfter(arguments));
  options.expires_after = GRANTFS_TRY(ExpiresAfter(arguments));
  const std::string label = arguments.Text("label", kCurrentLabel);
  if (label != kCurrentLabel && label != kNextLabel)
    return Error{Code::kInvalid, "a version is set as current or as next", 0, "--label " + label};
  if (label == kNextLabel) options.label = label;
  return options;
}

Status SetTemplateText(Context& context, OwnerSession& session, const SecretName& name,
                       const SetSecretOptions& options) {
  if (!context.arguments.Has("file") && context.terminal.InIsTerminal())
    return Error{Code::kInvalid,
                 "a template is longer than a line: give its text with --file or on standard input", 0,
                 name.Full()};
  SecretMemory text = GRANTFS_TRY(Read(context, name));
  const auto result = GRANTFS_TRY(session.SetTemplate(name, SecretValue(std::move(text)), options));
  OutSetTemplate(context, result, 0);
  return {};
}

void OutResult(Terminal& terminal, const SecretName& name, const SetSecretResult& result,
               const std::string& label) {
  const std::string full = name.Full();
  terminal.OutLine((result.created ? "made " : "set ") + full + ": version " +
                   std::to_string(result.version) + (label.empty() ? "" : " as " + label) + ", sealed to " +
                   Count(result.sealed_to, "machine") + AndRotation(result));
  if (result.sealed_to == 0) terminal.Note("next: grantfs grant MACHINE " + full);
  if (!label.empty())
    terminal.Note("next: grantfs grant MACHINE " + full + " --label next; then grantfs secret promote " +
                  full);
}

Status RunSecretSetCommand(Context& context) {
  const SecretName name = GRANTFS_TRY(ParseSecretName(context.arguments.At(0)));
  const SetSecretOptions options = GRANTFS_TRY(Options(context.arguments));
  const bool is_template = context.arguments.Flag("template");
  if (is_template && (context.arguments.Has("generate") || context.arguments.Has("words") ||
                      context.arguments.Flag("empty")))
    return Error{Code::kInvalid, "a template names secrets: it is neither generated nor empty", 0,
                 "--template"};
  const auto session = GRANTFS_TRY(OpenOwner(context));
  if (is_template) return SetTemplateText(context, *session, name, options);
  const SecretValue value = GRANTFS_TRY(ReadValue(context, name));
  const SetSecretResult result = GRANTFS_TRY(session->SetSecret(name, value, options));
  if (context.json())
    context.terminal.OutJson(Json::Object({{"name", name.Full()},
                                           {"number", result.number},
                                           {"version", result.version},
                                           {"created", result.created},
                                           {"sealed_to", result.sealed_to},
                                           {"label", options.label.empty() ? kCurrentLabel : kNextLabel},
                                           {"rotate_after", result.rotate_after},
                                           {"expires_after", result.expires_after}}));
  else
    OutResult(context.terminal, name, result, options.label);
  if (!result.created && (context.arguments.Has("owner") || context.arguments.Has("description")))
    context.terminal.Note(
        "note: the secret keeps its owner and description: grantfs secret describe changes them");
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
                {"trim", "", "take the newlines at its end off"},
                {"empty", "", "let the value be empty, which is refused else"},
                {"template", "",
                 "a text in which {{ db-password }} stands for that secret, and {{ db-password | json }} for "
                 "the same quoted (json, shell, dotenv, url, base64): each mount makes the file"},
                {"generate", "LENGTH", "make a random value of so many characters, shown to nobody"},
                {"alphabet", "NAME", "of these: letters (and digits; default), hex, symbols"},
                {"words", "NUMBER",
                 "make a passphrase of so many words (4 to 64) of five letters, 16 bits each (proquints)"},
                {"label", "LABEL",
                 "current (default), or next: machines that are granted next read it, all others go on with "
                 "what is current until grantfs secret promote"},
                {"if-version", "NUMBER", "only if this is the current version; 0: only if it is new"},
                {"owner", "TEXT", "of a new secret: who answers for it"},
                {"description", "TEXT", "of a new secret: what it is"},
                kRotateAfterOption,
                kExpiresOption,
                {"reason", "TEXT", "why; it stands in the signed statement"}},
    .examples = {{"grantfs secret set shop/prod/db-password",
                  R"(value of shop/prod/db-password (not shown):
the same again (not shown):
made shop/prod/db-password: version 1, sealed to 0 machines)"},
                 {"grantfs secret set --generate 32 --rotate-after 90d shop/prod/session-key",
                  "made shop/prod/session-key: version 1, sealed to 0 machines, to be rotated after 90d"},
                 {"pass show db | grantfs secret set --trim --if-version 1 shop/prod/db-password",
                  "set shop/prod/db-password: version 2, sealed to 1 machine"},
                 {"echo 'postgres://app:{{ db-password | url }}@db/shop' | grantfs secret set --template "
                  "shop/prod/db-url",
                  "made shop/prod/db-url: version 1, sealed to 0 machines"}},
    .next =
        R"(grantfs grant web-1 shop/prod/db-password; machines that are granted it already have the new version.)",
    .failure = "the secret was not set",
    .run = RunSecretSetCommand,
    .stray_argument =
        "a value is not given as an argument, where others can see it; give it on standard input",
};

}  // namespace grantfs
