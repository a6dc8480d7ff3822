#include "grantfs/trust/conditions.h"
#include "grantfs/util/text.h"
#include "request_words_internal.h"

namespace grantfs {
namespace {

std::string NameList(const std::string& environment, const std::vector<std::string>& paths) {
  std::string text;
  for (const std::string& path : paths) text += " " + environment + "/" + path;
  return text;
}

std::string Sentence(const std::string& environment, const AskGrant& ask) {
  const Grant& terms = ask.terms;
  std::string text = "grant " + ask.machine + NameList(environment, ask.paths);
  if (!terms.conditions.empty()) text += ", only for " + JoinConditions(terms.conditions);
  if (terms.lease > 0) text += ", lease " + std::to_string(terms.lease) + "s";
  if (terms.offline > 0) text += ", offline " + std::to_string(terms.offline) + "s";
  return text;
}

std::string Sentence(const std::string& environment, const AskRevoke& ask) {
  return "revoke " + ask.machine + NameList(environment, ask.paths);
}

std::string Sentence(const std::string& environment, const AskMember& ask) {
  return "make " + ask.member.name + " (" + IdentityKindName(ask.member.kind) + " " +
         ask.member.Fingerprint() + ") " + RoleName(ask.role) + " of " + environment +
         (ask.prefix.empty() ? "" : ", below " + ask.prefix);
}

std::string Sentence(const std::string& environment, const AskRotation& ask) {
  return "rotate " + environment + "/" + ask.path +
         (ask.length == 0 ? ""
                          : ", to " + std::to_string(ask.length) + " generated " +
                                (ask.alphabet.empty() ? "letters" : ask.alphabet));
}

std::string Sentence(const std::string& environment, const AskConsent& ask) {
  std::string text = "sign as second owner: " + ActSentence(environment, ask.items.front());
  if (ask.items.size() > 1) text += ", and " + std::to_string(ask.items.size() - 1) + " more";
  return text;
}

}  // namespace

std::string ActSentence(const std::string& environment, const AskConsent::Item& item) {
  if (const auto* add = std::get_if<GrantAdd>(&item.act)) {
    const Grant& grant = add->grant;
    std::string text = std::string("grant ") + (grant.grantee.kind == GranteeKind::kGroup ? "@" : "") +
                       grant.grantee.name + " " + item.list.Text() + " of " + environment;
    if (!grant.conditions.empty()) text += ", only for " + JoinConditions(grant.conditions);
    return text;
  }
  if (const auto* prefix = std::get_if<PrefixGrant>(&item.act))
    return "grant @" + prefix->grant.grantee.name + " " + environment + "/" + prefix->prefix;
  if (const auto* machines = std::get_if<GroupMachinesAdd>(&item.act)) {
    std::string text = "put";
    for (const Grantee& machine : machines->machines) text += " " + machine.name;
    return text + " into " + item.list.Text();
  }
  if (const auto* lead = std::get_if<GroupInvitationAdd>(&item.act))
    return "lead the standing invitation " + lead->id + " into " + item.list.Text();
  if (const auto* member = std::get_if<MemberAdd>(&item.act))
    return "make " + member->member.name + " (" + member->member.Fingerprint() + ") " +
           RoleName(member->role) + " of " + environment;
  if (const auto* rules = std::get_if<RulesSet>(&item.act))
    return rules->two_owners ? "two owners sign in " + environment + " from now on"
                             : "one owner's signature is enough in " + environment + " from now on";
  return std::string(ActName(item.act)) + " in " + environment;
}

std::string AskSentence(const std::string& environment, const AnyAsk& ask) {
  return std::visit([&](const auto& one) { return Sentence(environment, one); }, ask);
}

}  // namespace grantfs
