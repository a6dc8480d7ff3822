#include "commands_internal.h"
#include "identity_internal.h"
#include "owner_internal.h"
#include "table_internal.h"

namespace grantfs {
namespace {

Status RunIdentityShowCommand(Context& context) {
  const auto session = GRANTFS_TRY(OpenOwner(context));
  if (context.arguments.Flag("line")) {
    const std::string name = context.arguments.At(0);
    const std::string line = GRANTFS_TRY(session->AcceptLineFor(name));
    if (context.json())
      context.terminal.OutJson(Json::Object({{"name", name}, {"line", line}}));
    else
      context.terminal.OutLine(line);
    return {};
  }
  const IdentityInfo info = GRANTFS_TRY(session->ShowIdentity(context.arguments.At(0)));
  if (context.json()) {
    context.terminal.OutJson(IdentityJson(info));
    return {};
  }
  Table table;
  table.Add({"name", info.name});
  table.Add({"kind", IdentityKindName(info.kind)});
  table.Add({"fingerprint", info.fingerprint});
  table.Add({"identity", info.id});
  if (info.kind == IdentityKind::kMachine) table.Add({"number", std::to_string(info.number)});
  table.Add({"approved", TimeCell(info.approved)});
  if (!info.standing.empty()) table.Add({"came by", "standing invitation " + info.standing});
  table.Add({"standing", IdentityStanding(info)});
  context.terminal.Out(table.Text());
  return {};
}

}  // namespace

const Command kIdentityShowCommand = {
    .name = "identity show",
    .arguments = "NAME",
    .min_arguments = 1,
    .max_arguments = 1,
    .summary = "show one person or machine",
    .about =
        R"(Shows one identity: its key's fingerprint, when it was let in, and how it stands. The fingerprint is
what grantfs whoami shows on that machine.)",
    .options = {{"line", "", "print the line once more that grantfs enroll --accept takes on that machine"}},
    .examples = {{"grantfs identity show web-1",
                  R"(name         web-1
kind         machine
fingerprint  k3vq-7m2a-x4pd-ce6w-hn5t
...)"},
                 {"grantfs identity show --json web-1", "{\"name\": \"web-1\", \"removed\": false, ...}"}},
    .next = "grantfs grants --machine web-1, or grantfs identity remove web-1",
    .failure = "the identity is not known",
    .run = RunIdentityShowCommand,
};

}  // namespace grantfs
