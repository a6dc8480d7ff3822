#include <algorithm>
#include <utility>

#include "commands_internal.h"
#include "grantfs/util/clock.h"
#include "import_internal.h"
#include "owner_internal.h"
#include "rotation_internal.h"
#include "secret_io_internal.h"
#include "table_internal.h"

namespace grantfs {
namespace {

constexpr std::size_t kMostNamed = 5;

/// By --format, else by the file's name.
Result<bool> IsJson(const Arguments& arguments) {
  const std::string format = arguments.Text("format");
  if (format.empty()) return arguments.Text("file").ends_with(".json");
  if (format == "json" || format == "env") return format == "json";
  return Error{Code::kInvalid, "is neither env nor json", 0, "--format " + format};
}

Result<std::vector<Imported>> ReadValues(Context& context) {
  const std::string directory = context.arguments.Text("directory");
  const std::string file = context.arguments.Text("file");
  if (!directory.empty()) {
    if (file.empty() && !context.arguments.Has("format")) return ReadDirectoryOfValues(directory);
    return Error{Code::kInvalid, "values come from a directory, or from a file with a format: not both", 0,
                 "--directory"};
  }
  if (file.empty() && context.terminal.InIsTerminal())
    return Error{Code::kInvalid,
                 "there is nothing to import; name it by --file or --directory, or pipe it in"};
  const bool json = GRANTFS_TRY(IsJson(context.arguments));
  const SecretMemory text = GRANTFS_TRY(
      ReadSecretInput(context.terminal, {.file = file,
                                         .max_bytes = kMaxImportBytes,
                                         .too_large = "an import has at most 3 MiB; this is larger"}));
  auto values = json ? ParseJsonText(text) : ParseEnvText(text);
  if (values || file.empty()) return values;
  Error error = values.error();
  error.subject = file + ", " + error.subject;
  return error;
}

/// Those that are there already, a few by name.
Status CheckNoneExists(const std::vector<SetSecretResult>& planned) {
  std::string named;
  std::size_t existing = 0;
  for (const SetSecretResult& one : planned) {
    if (one.created) continue;
    if (++existing <= kMostNamed) named += (named.empty() ? "" : ", ") + one.name.Full();
  }
  if (existing == 0) return {};
  if (existing > kMostNamed) named += " and " + std::to_string(existing - kMostNamed) + " more";
  return Error{Code::kConflict, "there already; --replace gives what exists a new version", 0, named};
}

Json ToJson(const SetSecretResult& result, std::size_t bytes) {
  return Json::Object({{"name", result.name.Full()},
                       {"version", result.version},
                       {"created", result.created},
                       {"bytes", bytes},
                       {"sealed_to", result.sealed_to},
                       {"rotate_after", result.rotate_after}});
}

void OutResults(Context& context, const std::vector<SetSecretResult>& results,
                const std::vector<Imported>& values, const std::string& area) {
  const bool dry_run = context.arguments.Flag("dry-run");
  if (context.json()) {
    Json list = Json::Array();
    for (std::size_t i = 0; i < results.size(); ++i) list.Append(ToJson(results[i], values[i].value.size()));
    context.terminal.OutJson(Json::Object({{"secrets", std::move(list)}, {"dry_run", dry_run}}));
    return;
  }
  Table table({"SECRET", "VERSION", "BYTES", "MACHINES", "ROTATE AFTER"});
  for (std::size_t i = 0; i < results.size(); ++i)
    table.Add({results[i].name.Full(),
               std::to_string(results[i].version) + (results[i].created ? " (new)" : ""),
               std::to_string(values[i].value.size()), std::to_string(results[i].sealed_to),
               FormatDuration(results[i].rotate_after)});
  context.terminal.Out(table.Text());
  const auto made = static_cast<std::size_t>(
      std::count_if(results.begin(), results.end(), [](const auto& one) { return one.created; }));
  context.terminal.Note((dry_run ? "nothing was changed; this would store " : "stored ") +
                        Count(results.size(), "secret") + ", " + std::to_string(made) + " of them new");
  if (!dry_run) context.terminal.Note("next: grantfs grant MACHINE '" + area + "*'; then delete the file");
}

Status RunSecretImportCommand(Context& context) {
  const Area area = GRANTFS_TRY(ParseArea(context.arguments.At(0)));
  const auto session = GRANTFS_TRY(OpenOwner(context));
  const std::vector<Imported> values = GRANTFS_TRY(ReadValues(context));
  if (values.empty()) return Error{Code::kInvalid, "there is no value in it"};
  std::vector<NewValue> news;
  for (const Imported& one : values) news.push_back({{area.environment, area.prefix + one.path}, &one.value});
  const bool dry_run = context.arguments.Flag("dry-run"), replace = context.arguments.Flag("replace");
  SetSecretOptions options = {.reason = context.arguments.Text("reason"),
                              .dry_run = true,
                              .rotate_after = GRANTFS_TRY(RotateAfter(context.arguments))};
  std::vector<SetSecretResult> results;
  if (dry_run || !replace) results = GRANTFS_TRY(session->SetSecrets(news, options));
  if (!replace) {
    GRANTFS_CHECK(CheckNoneExists(results));
    options.after = 0;
  }
  options.dry_run = false;
  if (!dry_run) results = GRANTFS_TRY(session->SetSecrets(news, options));
  OutResults(context, results, values, area.environment + "/" + area.prefix);
  return {};
}

}  // namespace

const Command kSecretImportCommand = {
    .name = "secret import",
    .arguments = "PROJECT/ENVIRONMENT[/PREFIX/]",
    .min_arguments = 1,
    .max_arguments = 1,
    .summary = "store what a .env file, JSON or a directory holds",
    .about =
        R"(Stores each NAME=VALUE of a .env file, each string of a JSON object or each file of a directory as a
secret, all of them in one signed change or none: at most 250 at once. What programs read differently in
a .env file (a $, a quote in the middle) is refused with its line. Values stay in locked memory.)",
    .options = {{"file", "FILE", "read FILE, else standard input"},
                {"format", "FORMAT", "env or json (default: json for a FILE.json, else env)"},
                {"directory", "DIR", "a secret for each file below DIR, byte for byte"},
                {"replace", "", "give secrets that exist already a new version"},
                {"dry-run", "", "say what would be stored, and store nothing"},
                kRotateAfterOption,
                {"reason", "TEXT", "why; it stands in the signed statements"}},
    .examples = {{"grantfs secret import --dry-run --file .env shop/prod",
                  R"(SECRET                 VERSION  BYTES  MACHINES  ROTATE AFTER
shop/prod/DB_PASSWORD  1 (new)  28     0         -
shop/prod/API_KEY      1 (new)  40     0         -
nothing was changed; this would store 2 secrets, 2 of them new)"},
                 {"grantfs secret import --directory /etc/shop/tls shop/prod/tls/",
                  "(shop/prod/tls/server.crt, shop/prod/tls/server.key ...)"},
                 {"kubectl get secret shop -o json | jq '.data | map_values(@base64d)' |"
                  " grantfs secret import --format json --replace shop/prod",
                  "(every string of that object, as a new version where the secret exists)"}},
    .next = "grantfs grant web-1 'shop/prod/*', and delete the file.",
    .failure = "nothing was imported",
    .run = RunSecretImportCommand,
};

}  // namespace grantfs
