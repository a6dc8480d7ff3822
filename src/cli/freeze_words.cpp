#include "freeze_words_internal.h"
#include "grantfs/trust/names.h"
#include "grantfs/util/clock.h"
#include "owner_internal.h"

namespace grantfs {

Result<FreezeTarget> ParseFreezeTarget(const Arguments& arguments) {
  const std::string kind = arguments.At(0);
  const std::string name = arguments.At(1);
  if (kind == "machine") {
    if (!Hash::FromHex(name)) GRANTFS_CHECK(CheckIdentityName(name));
    return FreezeTarget{FreezeTarget::Kind::kMachine, name};
  }
  if (kind == "env" || kind == "environment") {
    GRANTFS_CHECK(CheckEnvironmentName(name));
    return FreezeTarget{FreezeTarget::Kind::kEnvironment, name};
  }
  if (kind == "project") {
    if (name.find('/') != std::string::npos || !CheckEnvironmentName(name + "/env"))
      return Error{Code::kInvalid, "is no project, which is the first part of an environment's name", 0,
                   name};
    return FreezeTarget{FreezeTarget::Kind::kProject, name};
  }
  return Error{Code::kInvalid, "is not what can be frozen: machine NAME, env shop/prod, or project shop", 0,
               kind};
}

Result<std::chrono::seconds> ParseFreezeWait(const Arguments& arguments, const FreezeTarget& target) {
  if (arguments.Has("wait") && target.kind != FreezeTarget::Kind::kMachine)
    return Error{Code::kInvalid, "goes with a machine alone: nobody waits for an environment's", 0, "--wait"};
  return std::chrono::seconds(GRANTFS_TRY(arguments.Seconds("wait", 5)));
}

std::string FreezeWords(const FreezeInfo& freeze) {
  return (freeze.kind == FreezeTarget::Kind::kMachine ? "machine " : "env ") + freeze.name;
}

Json ToJson(const FreezeInfo& freeze) {
  return Json::Object({{"kind", freeze.kind == FreezeTarget::Kind::kMachine ? "machine" : "environment"},
                       {"name", freeze.name},
                       {"id", freeze.id},
                       {"by", freeze.by},
                       {"time", freeze.time},
                       {"reason", freeze.reason}});
}

Json FreezesJson(const std::vector<FreezeInfo>& freezes) {
  Json list = Json::Array();
  for (const FreezeInfo& freeze : freezes) list.Append(ToJson(freeze));
  return list;
}

std::string FreezeSentence(const FreezeInfo& freeze) {
  return FreezeWords(freeze) + " was frozen by " + freeze.by + " at " + FormatTime(freeze.time) +
         (freeze.reason.empty() ? "" : ": " + freeze.reason);
}

void OutFreezeResult(Context& context, const char* done, const FreezeResult& result) {
  if (context.json()) {
    Json json = Json::Object({{done, FreezesJson(result.freezes)},
                              {"left", Json::Array({result.left.begin(), result.left.end()})}});
    if (result.delivery) json.Set("delivery", DeliveryJson(*result.delivery));
    return context.terminal.OutJson(json);
  }
  for (const FreezeInfo& freeze : result.freezes)
    context.terminal.OutLine(std::string(done) + ": " + FreezeSentence(freeze));
  for (const std::string& left : result.left)
    context.terminal.Note("left as it is: " + left + ", of which you are neither owner nor operator");
  if (result.delivery && !result.freezes.empty())
    context.terminal.Note(DeliverySentence(result.freezes[0].name, *result.delivery));
}

}  // namespace grantfs
