#include <algorithm>
#include <cstdlib>

#include "grantfs/trust/unit.h"
#include "grantfs/util/text.h"
#include "mount/callers/who_internal.h"

namespace grantfs {

namespace {

constexpr const char* kNotVisible =
    "it is in a pid namespace that cannot be seen from here, or has ended, so this cannot be known of it";

template <typename T, typename Text>
std::string Alternatives(const std::vector<T>& items, const char* kind, Text text) {
  std::string joined;
  for (const T& item : items)
    joined += (joined.empty() ? "" : " or ") + std::string(kind) + " " + Printable(text(item));
  return joined;
}

std::string NameOf(const WhoMayRead::Named& named) {
  return named.id || named.name.empty() ? named.name : named.name + " (unknown on this machine)";
}

bool Holds(const std::vector<WhoMayRead::Named>& named, std::uint32_t id) {
  return std::any_of(named.begin(), named.end(), [id](const WhoMayRead::Named& one) { return one.id == id; });
}

ConditionVerdict JudgeUser(const WhoMayRead& who, const ProcessFacts& facts) {
  return {Holds(who.users, facts.caller.uid), Alternatives(who.users, "user", NameOf),
          "it runs as user " + std::to_string(facts.caller.uid),
          "run it as that user, or grant with another --only-user"};
}

ConditionVerdict JudgeGroup(const WhoMayRead& who, const ProcessFacts& facts) {
  ConditionVerdict verdict{
      Holds(who.groups, facts.caller.gid), Alternatives(who.groups, "group", NameOf),
      "its group is " + std::to_string(facts.caller.gid),
      "add its user to that group and start it again, or grant with another --only-group"};
  if (facts.seen) {
    for (const std::uint32_t group : facts.groups) verdict.holds = verdict.holds || Holds(who.groups, group);
    verdict.found += facts.groups.empty() ? ", and it has no others" : ", beside others";
  } else if (!verdict.holds) {
    verdict.found += ", and of others " + std::string(kNotVisible);
  }
  return verdict;
}

ConditionVerdict JudgeUnit(const WhoMayRead& who, const ProcessFacts& facts) {
  ConditionVerdict verdict{false,
                           Alternatives(who.units, "unit", [](const std::string& unit) { return unit; }),
                           {},
                           "start it in that unit, or grant with another --only-unit"};
  if (!facts.seen) {
    verdict.found = kNotVisible;
    return verdict;
  }
  verdict.holds = std::any_of(who.units.begin(), who.units.end(),
                              [&](const std::string& unit) { return RunsInUnit(facts.caller.cgroup, unit); });
  verdict.found = facts.caller.cgroup.empty() ? "its cgroup cannot be seen"
                                              : "it runs in " + Printable(facts.caller.cgroup);
  return verdict;
}

/// Why an executable that has a wanted path does not count all the same; "" if it does.
std::string FaultOf(const Condition& wanted, const ExecutableFacts& facts) {
  if (facts.deleted) return "its executable was replaced or deleted since it began";
  if (!wanted.content) {
    return facts.same ? ""
                      : "its executable is another file than the one at that path, as seen from the mount";
  }
  if (facts.content.empty()) return "its executable cannot be read, or is larger than 1 GiB";
  return facts.content == wanted.content->Hex() ? "" : "its executable has other content";
}

ConditionVerdict JudgeExecutable(const WhoMayRead& who, const ProcessFacts& facts) {
  ConditionVerdict verdict{
      false,
      Alternatives(who.executables, "executable",
                   [](const Condition& one) { return one.value + (one.content ? " with its hash" : ""); }),
      "its executable is " + Printable(facts.caller.executable),
      "run that program (of a script it is the interpreter), or grant with another "
      "--only-exe"};
  if (!facts.seen) {
    verdict.found = kNotVisible;
    return verdict;
  }
  if (!facts.same_user_namespace) {
    verdict.found = "it is in another user namespace, where an executable can be forged";
    verdict.mend = "run it in the host's user namespace, or grant with --only-user or --only-unit instead";
    return verdict;
  }
  for (std::size_t i = 0; i < who.executables.size() && i < facts.executables.size(); ++i) {
    if (!facts.executables[i].named && !facts.executables[i].deleted) continue;
    const std::string fault = FaultOf(who.executables[i], facts.executables[i]);
    if (fault.empty()) {
      verdict.holds = true;
      return verdict;
    }
    verdict.found = fault;
    verdict.mend = "start it again, or grant with the hash of the program that it is now";
  }
  return verdict;
}

}  // namespace

bool WhoMayRead::HasUnknownNames() const {
  const auto unknown = [](const Named& one) { return !one.id; };
  return std::any_of(users.begin(), users.end(), unknown) ||
         std::any_of(groups.begin(), groups.end(), unknown);
}

WhoMayRead ResolveConditions(const std::vector<std::string>& texts, const Owners& owners) {
  WhoMayRead who;
  const auto conditions = ParseConditions(texts);
  if (!conditions) {
    who.broken =
        "its grant has the condition " + conditions.error().subject + ", which this version cannot check";
    return who;
  }
  for (const Condition& condition : *conditions) {
    switch (condition.kind) {
      case ConditionKind::kUser:
        who.users.push_back({condition.value, owners.user(condition.value)});
        break;
      case ConditionKind::kGroup:
        who.groups.push_back({condition.value, owners.group(condition.value)});
        break;
      case ConditionKind::kUnit:
        who.units.push_back(condition.value);
        break;
      case ConditionKind::kExe:
        who.executables.push_back(condition);
        break;
    }
  }
  return who;
}

WantedFacts FactsFor(const WhoMayRead& who) {
  WantedFacts wanted;
  wanted.groups = !who.groups.empty();
  wanted.cgroup = !who.units.empty();
  wanted.executable = !who.executables.empty();
  for (const Condition& one : who.executables)
    wanted.executables.push_back({one.value, one.content.has_value()});
  return wanted;
}

std::vector<ConditionVerdict> JudgeCaller(const WhoMayRead& who, const ProcessFacts& facts) {
  std::vector<ConditionVerdict> verdicts;
  if (!who.broken.empty())
    verdicts.push_back(
        {false, "something of a later version", who.broken, "upgrade grantfs on this machine"});
  if (!who.users.empty()) verdicts.push_back(JudgeUser(who, facts));
  if (!who.groups.empty()) verdicts.push_back(JudgeGroup(who, facts));
  if (!who.units.empty()) verdicts.push_back(JudgeUnit(who, facts));
  if (!who.executables.empty()) verdicts.push_back(JudgeExecutable(who, facts));
  for (ConditionVerdict& verdict : verdicts) {
    if (verdict.holds) verdict.mend.clear();
  }
  return verdicts;
}

std::optional<std::string> RefuseCaller(const WhoMayRead& who, const ProcessFacts& facts) {
  for (const ConditionVerdict& verdict : JudgeCaller(who, facts)) {
    if (!verdict.holds) return "the grant asks for " + verdict.asked + ", and " + verdict.found;
  }
  return std::nullopt;
}

}  // namespace grantfs
