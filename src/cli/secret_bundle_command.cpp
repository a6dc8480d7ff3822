#include <algorithm>
#include <set>

#include "commands_internal.h"
#include "grantfs/crypto/template.h"
#include "owner_internal.h"

namespace grantfs {
namespace {

struct BundlePart {
  std::string variable;
  std::string path;
};

/// How a bundle of this kind is written: what stands before, between and behind its parts.
struct BundleKind {
  const char* name;
  const char* begin;
  const char* before;  ///< the variable
  const char* behind;
  const char* filter;
  const char* between;
  const char* end;
};
constexpr BundleKind kBundleKinds[] = {
    {"dotenv", "", "", "=", "dotenv", "\n", "\n"},
    {"json", "{\n", "  \"", "\": ", "json", ",\n", "\n}\n"},
    {"shell", "", "export ", "=", "shell", "\n", "\n"},
};

Result<BundleKind> KindOf(const Arguments& arguments) {
  const std::string name = arguments.Text("as");
  for (const BundleKind& kind : kBundleKinds)
    if (name == kind.name) return kind;
  if (name.empty())
    return Error{Code::kInvalid, "say what is made of them: dotenv, json or shell", 0, "--as"};
  return Error{Code::kInvalid,
               "is none of dotenv, json and shell; grantfs secret set --template takes any text", 0,
               "--as " + name};
}

bool IsVariable(const std::string& name) {
  const auto good = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !name.empty() && (name[0] < '0' || name[0] > '9') && std::all_of(name.begin(), name.end(), good);
}

Result<BundlePart> ParseBundlePart(const std::string& text) {
  const auto equals = text.find('=');
  BundlePart part{text.substr(0, equals), text.substr(equals == std::string::npos ? 0 : equals + 1)};
  if (equals == std::string::npos) part.variable = VariableOf(part.path);
  GRANTFS_CHECK(CheckSecretPath(part.path));
  if (!IsVariable(part.variable))
    return Error{Code::kInvalid, "a variable has letters, digits and _, and begins with no digit", 0,
                 part.variable};
  const bool nameable = part.path.find_first_of("|{}\t") == std::string::npos && part.path.front() != ' ' &&
                        part.path.back() != ' ';
  if (!nameable)
    return Error{Code::kInvalid,
                 "no template can name a secret with |, braces, or blanks around it: choose another name", 0,
                 part.path};
  return part;
}

Result<std::vector<BundlePart>> ParseBundleParts(const Arguments& arguments) {
  std::vector<BundlePart> parts;
  std::set<std::string> variables;
  for (std::size_t i = 1; i < arguments.positional().size(); ++i) {
    parts.push_back(GRANTFS_TRY(ParseBundlePart(arguments.positional()[i])));
    if (!variables.insert(parts.back().variable).second)
      return Error{Code::kInvalid, "the variable comes twice: name one of them OTHER=secret", 0,
                   parts.back().variable};
  }
  return parts;
}

std::string BundleText(const BundleKind& kind, const std::vector<BundlePart>& parts) {
  std::string text = kind.begin;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) text += kind.between;
    text +=
        kind.before + parts[i].variable + kind.behind + "{{ " + parts[i].path + " | " + kind.filter + " }}";
  }
  return text + kind.end;
}

Status RunSecretBundleCommand(Context& context) {
  const SecretName name = GRANTFS_TRY(ParseSecretName(context.arguments.At(0)));
  const BundleKind kind = GRANTFS_TRY(KindOf(context.arguments));
  const auto parts = GRANTFS_TRY(ParseBundleParts(context.arguments));
  SecretValue text = GRANTFS_TRY(TemplateFrom(BundleText(kind, parts)));
  const auto session = GRANTFS_TRY(OpenOwner(context));
  const SetSecretOptions options = {.owner = context.arguments.Text("owner"),
                                    .description = context.arguments.Text("description"),
                                    .reason = context.arguments.Text("reason")};
  const SetSecretResult result = GRANTFS_TRY(session->SetTemplate(name, std::move(text), options));
  OutSetTemplate(context, result, parts.size());
  return {};
}

}  // namespace

const Command kSecretBundleCommand = {
    .name = "secret bundle",
    .arguments = "PROJECT/ENVIRONMENT/NAME PART...",
    .min_arguments = 2,
    .max_arguments = 251,
    .summary = "make one file of several secrets",
    .about =
        R"(Defines a file that each machine's mount makes, when it is opened, of the values that its parts have at that
moment: a .env file, a JSON object, or a script for a shell to read. A PART is a secret of the same
environment by its name there, or VARIABLE=NAME; without it db-password becomes DB_PASSWORD. A machine
sees the file only if it is granted every part, and each part's read is recorded by itself.)",
    .options = {{"as", "KIND", "dotenv, json or shell"},
                {"owner", "TEXT", "of a new bundle: who answers for it"},
                {"description", "TEXT", "of a new bundle: what it is"},
                {"reason", "TEXT", "why; it stands in the signed statement"}},
    .examples = {{"grantfs secret bundle shop/prod/app.env --as dotenv db-password api-key",
                  R"(made shop/prod/app.env: version 1, of 2 secrets, sealed to 0 machines
next: grantfs grant MACHINE shop/prod/app.env --with-parts)"},
                 {"grantfs secret bundle shop/prod/app.json --as json PASSWORD=db-password",
                  "made shop/prod/app.json: version 1, of 1 secret, sealed to 0 machines"},
                 {"grantfs secret bundle shop/prod/app.sh --as shell db-password tls/server.key",
                  "set shop/prod/app.sh: version 2, of 2 secrets, sealed to 1 machine"}},
    .next =
        "grantfs grant web-1 shop/prod/app.env --with-parts; for any other text grantfs secret set "
        "--template.",
    .failure = "the bundle was not made",
    .run = RunSecretBundleCommand,
};

}  // namespace grantfs
