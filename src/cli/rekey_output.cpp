#include "grantfs/json/json.h"
#include "recovery_internal.h"
#include "rekey_output_internal.h"
#include "request_output_internal.h"
#include "table_internal.h"

namespace grantfs {
namespace {

void OutForPeople(Terminal& terminal, const RekeyResult& result) {
  terminal.OutLine(result.name + " has a new key, fingerprint " + result.fingerprint +
                   (result.vault_owner ? ", and owns the vault by it" : "") +
                   (result.environments.empty() ? "" : "; its role in " + JoinWords(result.environments)));
  NoteWaiting(terminal, result.waiting);
  for (const std::string& environment : result.others)
    terminal.Note("an owner of " + environment + " has yet to give it the role there: grantfs member rekey " +
                  environment + " " + result.name + "; their grantfs status says so");
  for (const std::string& environment : result.orphans)
    terminal.Note("too few owners are left in " + environment +
                  " to do it: the recovery code makes one (grantfs recover)");
  terminal.Note("the key before ends with this. If it may be in other hands: grantfs offboard " +
                result.before +
                " --dry-run names what it could read or has set, grantfs audit list --actor " +
                result.before + " what was done with it");
  for (const std::string& problem : result.problems) terminal.Note("not done: " + problem);
}

}  // namespace

RekeyOptions RekeyGiven(const Context& context) {
  RekeyOptions options;
  options.fingerprint = context.arguments.Text("fingerprint");
  options.reason = context.arguments.Text("reason");
  return options;
}

Status OutRekeyed(Context& context, const RekeyResult& result) {
  if (context.json())
    context.terminal.OutJson(Json::Object({{"name", result.name},
                                           {"id", result.id},
                                           {"fingerprint", result.fingerprint},
                                           {"before", result.before},
                                           {"vault_owner", result.vault_owner},
                                           {"environments", TextsJson(result.environments)},
                                           {"waiting", TextsJson(result.waiting)},
                                           {"others", TextsJson(result.others)},
                                           {"orphans", TextsJson(result.orphans)},
                                           {"problems", TextsJson(result.problems)}}));
  else
    OutForPeople(context.terminal, result);
  if (result.problems.empty()) return {};
  return Error{Code::kIo, "the key is replaced, but not everywhere; grantfs status says what is left", 0,
               result.name};
}

}  // namespace grantfs
