#include "commands_internal.h"
#include "grantfs/util/clock.h"
#include "listing_internal.h"
#include "owner_internal.h"
#include "rotation_internal.h"
#include "table_internal.h"

namespace grantfs {
namespace {

Json ToJson(const SecretInfo& info, std::int64_t now) {
  Json json = Json::Object({{"name", info.name.Full()},
                            {"type", TypeName(info.type)},
                            {"number", info.number},
                            {"version", info.version},
                            {"size", info.size},
                            {"time", info.time},
                            {"grants", info.grants},
                            {"owner", info.owner},
                            {"description", info.description},
                            {"next", info.next},
                            {"deleted", info.deleted},
                            {"problem", info.problem}});
  AddRotation(info, now, &json);
  return json;
}

std::string VersionCell(const SecretInfo& info) {
  if (info.deleted) return "deleted";
  std::string text = info.version == 0 ? "" : std::to_string(info.version);
  if (info.next != 0) text += (text.empty() ? "next " : ", next ") + std::to_string(info.next);
  return text;
}

void OutTable(Terminal& terminal, const std::vector<SecretInfo>& secrets, std::int64_t now) {
  Table table({"SECRET", "TYPE", "VERSION", "BYTES", "SET", "ROTATE BY", "EXPIRES", "GRANTS", "OWNER"});
  for (const SecretInfo& info : secrets) {
    if (info.problem.empty())
      table.Add({info.name.Full(), TypeName(info.type), VersionCell(info), std::to_string(info.size),
                 TimeCell(info.time), RotationCell(info, now), ExpiryCell(info, now),
                 std::to_string(info.grants), info.owner});
    else
      table.Add({info.name.Full(), "", "refused", "", "", "", "", "", ""});
  }
  terminal.Out(table.Text());
}

}  // namespace

Status CheckNoneRefused(Terminal& terminal, const std::vector<SecretInfo>& secrets) {
  std::size_t refused = 0;
  for (const SecretInfo& info : secrets) {
    if (info.problem.empty()) continue;
    ++refused;
    terminal.Note("refused: " + info.name.Full() + ": " + info.problem);
  }
  if (refused == 0) return {};
  return Error{Code::kIntegrity,
               "the vault serves lists that do not verify; tell an owner, and use none of these secrets", 0,
               Count(refused, "secret")};
}

namespace {

Status RunSecretListCommand(Context& context) {
  const Area area = GRANTFS_TRY(ParseArea(context.arguments.At(0)));
  const auto session = GRANTFS_TRY(OpenOwner(context));
  const auto secrets = GRANTFS_TRY(session->ListSecrets(area.environment, area.prefix));
  const std::int64_t now = SystemClock().WallSeconds();
  if (context.json()) {
    Json list = Json::Array();
    for (const SecretInfo& info : secrets) list.Append(ToJson(info, now));
    context.terminal.OutJson(Json::Object({{"secrets", std::move(list)}}));
  } else if (secrets.empty()) {
    context.terminal.Note("there are no secrets here yet; grantfs secret set " + area.environment +
                          "/NAME makes one");
  } else {
    OutTable(context.terminal, secrets, now);
  }
  return CheckNoneRefused(context.terminal, secrets);
}

}  // namespace

const Command kSecretListCommand = {
    .name = "secret list",
    .arguments = "PROJECT/ENVIRONMENT[/PREFIX/]",
    .min_arguments = 1,
    .max_arguments = 1,
    .summary = "list an environment's secrets",
    .about =
        R"(Lists the secrets of an environment, or of those whose names begin with PREFIX/, by name; never a value.
ROTATE BY is the time from which no machine has a lease any more until the next secret set. Each line comes
from a signed list that this command verified.)",
    .options = {},
    .examples =
        {{"grantfs secret list shop/prod",
          R"(SECRET                 TYPE      VERSION  BYTES  SET                   ROTATE BY             GRANTS  OWNER
shop/prod/app.env      template  1        64     2026-01-31T12:05:00Z  -                     2       payments
shop/prod/db-password  value     3        28     2026-01-31T12:00:00Z  2026-05-01T12:00:00Z  2       payments)"},
         {"grantfs secret list shop/prod/tls/", "(those below shop/prod/tls)"},
         {"grantfs secret list --json shop/prod",
          "{\"secrets\": [{\"name\": \"shop/prod/db-password\", ...}]}"}},
    .next = "grantfs secret history shop/prod/db-password, or grantfs grants --secret shop/prod/db-password",
    .failure = "the secrets are not known",
    .run = RunSecretListCommand,
};

}  // namespace grantfs
