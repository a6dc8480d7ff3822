#include <algorithm>

#include "freeze_words_internal.h"
#include "grantfs/api/freezes.h"
#include "grantfs/trust/names.h"
#include "owner_internal.h"

namespace grantfs {
namespace {

constexpr std::size_t kMostBehindNamed = 20;

}  // namespace

Result<FreezeTarget> ParseFreezeTarget(const Arguments& arguments) {
  const std::string kind = arguments.At(0);
  const std::string name = arguments.At(1);
  const std::string environment = arguments.Text("environment");
  if (kind == "machine") {
    if (!Hash::FromHex(name)) GRANTFS_CHECK(CheckIdentityName(name));
    if (environment.empty()) return FreezeTarget{FreezeTarget::Kind::kMachine, name};
    GRANTFS_CHECK(CheckEnvironmentName(environment));
    return FreezeTarget{FreezeTarget::Kind::kMachineIn, name, environment};
  }
  if (!environment.empty())
    return Error{Code::kInvalid, "says where a machine is frozen: machine NAME --environment shop/prod", 0,
                 "--environment"};
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

namespace {

std::string Frozen(const FreezeInfo& freeze) {
  return (freeze.IsMachine() ? "machine " : "env ") + freeze.name;
}

const char* KindName(const FreezeInfo& freeze) {
  if (!freeze.IsMachine()) return "environment";
  return freeze.environment.empty() ? "machine" : "machine-in-environment";
}

}  // namespace

std::string FreezeWords(const FreezeInfo& freeze) {
  return Frozen(freeze) + (freeze.environment.empty() ? "" : " --environment " + freeze.environment);
}

std::string FreezeCell(const FreezeInfo& freeze) {
  return Frozen(freeze) + (freeze.environment.empty() ? "" : " in " + freeze.environment);
}

Json ToJson(const FreezeInfo& freeze) {
  return Json::Object({{"kind", KindName(freeze)},
                       {"name", freeze.name},
                       {"environment", freeze.IsMachine() ? freeze.environment : freeze.name},
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
  return api::FreezeSentence(Frozen(freeze), freeze.by, freeze.time, freeze.reason, freeze.environment);
}

namespace {

Json FollowedJson(const std::vector<EnvironmentDelivery>& followed) {
  Json list = Json::Array();
  for (const EnvironmentDelivery& each : followed) {
    Json behind = Json::Array();
    for (const auto& one : each.behind) {
      Json json = DeliveryJson(one.delivery);
      behind.Append(json.Set("machine", one.machine));
    }
    list.Append(Json::Object({{"environment", each.environment},
                              {"known", each.known},
                              {"machines", each.machines},
                              {"followed", each.followed},
                              {"behind", std::move(behind)}}));
  }
  return list;
}

/// @param ended  whether it is a freeze that ended
void OutFollowed(Terminal& terminal, const EnvironmentDelivery& each, bool ended) {
  if (!each.known)
    return terminal.Note("the vault did not say which machines of " + each.environment + " have followed");
  if (each.machines == 0) return terminal.Note("no machine is granted anything in " + each.environment);
  terminal.Note(std::to_string(each.followed) + " of " + Count(each.machines, "machine") +
                " with grants in " + each.environment + (each.followed == 1 ? " has" : " have") +
                " followed");
  for (std::size_t i = 0; i < each.behind.size() && i < kMostBehindNamed; ++i)
    terminal.Note(DeliverySentence(each.behind[i].machine, each.behind[i].delivery) +
                  (!ended && each.behind[i].delivery.state == Delivery::State::kOffline
                       ? ", and may serve what it holds under a lease or for offline use until then"
                       : ""));
  const std::uint64_t behind = each.machines - std::min(each.followed, each.machines);
  if (behind > kMostBehindNamed)
    terminal.Note("and " + std::to_string(behind - kMostBehindNamed) + " more: --json names up to 100");
}

}  // namespace

void OutFreezeResult(Context& context, const char* done, const FreezeResult& result) {
  if (context.json()) {
    Json json = Json::Object({{done, FreezesJson(result.freezes)},
                              {"before", FreezesJson(result.before)},
                              {"followed", FollowedJson(result.followed)},
                              {"left", Json::Array({result.left.begin(), result.left.end()})}});
    if (result.delivery) json.Set("delivery", DeliveryJson(*result.delivery));
    return context.terminal.OutJson(json);
  }
  for (const FreezeInfo& freeze : result.freezes)
    context.terminal.OutLine(std::string(done) + ": " + FreezeSentence(freeze));
  for (const FreezeInfo& freeze : result.before)
    context.terminal.OutLine("frozen already: " + FreezeSentence(freeze));
  if (!result.before.empty())
    context.terminal.Note(
        "what is frozen already stays as it is, with the reason that it has; to give it "
        "another, run grantfs unfreeze first");
  for (const std::string& left : result.left)
    context.terminal.Note("left as it is: " + left + ", of which you are neither owner nor operator");
  if (result.delivery && !result.freezes.empty())
    context.terminal.Note(DeliverySentence(result.freezes[0].name, *result.delivery));
  for (const EnvironmentDelivery& each : result.followed)
    OutFollowed(context.terminal, each, std::string_view(done) == "unfrozen");
}

}  // namespace grantfs
