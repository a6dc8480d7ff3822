#include "commands_internal.h"
#include "grantfs/crypto/random.h"
#include "owner_internal.h"
#include "request_output_internal.h"

namespace grantfs {
namespace {

constexpr std::uint64_t kLeastAsked = 8, kMostAsked = 4096;

Status RunRequestRotationCommand(Context& context) {
  const Arguments& arguments = context.arguments;
  AskRotation ask;
  ask.length = static_cast<std::uint32_t>(GRANTFS_TRY(arguments.Number("generate", kMostAsked, 0)));
  ask.alphabet = arguments.Text("alphabet");
  if (arguments.Has("generate") && ask.length < kLeastAsked)
    return Error{Code::kInvalid, "a generated value has 8 to 4096 characters", 0, "--generate"};
  if (!ask.alphabet.empty() && (ask.length == 0 || AlphabetNamed(ask.alphabet).empty()))
    return Error{Code::kInvalid, "is letters, hex or symbols, and goes with --generate LENGTH", 0,
                 "--alphabet " + ask.alphabet};
  const auto session = GRANTFS_TRY(OpenOwner(context));
  const AskedSecrets asked = GRANTFS_TRY(SecretsAskedFor(*session, arguments.positional()));
  if (asked.paths.size() != 1)
    return Error{Code::kInvalid, "a request for a new value is about one secret", 0, arguments.At(0)};
  ask.path = asked.paths.front();
  return AskAndTell(context, *session, asked.environment, std::move(ask));
}

}  // namespace

const Command kRequestRotationCommand = {
    .name = "request rotation",
    .arguments = "SECRET",
    .min_arguments = 1,
    .max_arguments = 1,
    .summary = "ask for a new value of a secret",
    .about =
        R"(Asks for a secret to be rotated. Whoever sets a new current value (grantfs secret set, by an owner or a
writer) fulfils it. With --generate an owner's approval makes the value by chance, which nobody sees.)",
    .options = AskOptions({{"generate", "LENGTH", "the approval makes a random value of so many characters"},
                           {"alphabet", "NAME", "of it: letters (and digits; default), hex or symbols"}}),
    .examples = {{"grantfs request rotation shop/prod/db-password --reason 'it was in a chat'",
                  R"(asked for 93d07f1e6ab5: rotate shop/prod/db-password
an owner of shop/prod decides by 2026-02-07T12:00:00Z: grantfs request approve 93d07f1e6ab5)"},
                 {"grantfs request rotation shop/prod/session-key --generate 32",
                  "asked for e2c95b3310fd: rotate shop/prod/session-key, to 32 generated letters"}},
    .next = "grantfs request list --mine",
    .failure = "nothing was asked for",
    .run = RunRequestRotationCommand,
};

}  // namespace grantfs
