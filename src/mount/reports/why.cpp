#include <algorithm>
#include <iomanip>
#include <sstream>

#include "grantfs/util/clock.h"
#include "grantfs/util/text.h"
#include "mount/callers/decide_internal.h"
#include "mount/reports/why_internal.h"

namespace grantfs {

namespace {

constexpr std::uint64_t kMayReadAnything = (1U << 1) | (1U << 2);  // CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH

/// One line of an explanation.
struct Point {
  std::string about;
  bool good = true;
  std::string text;
  std::string mend;
};

std::string OctalMode(mode_t mode) {
  std::ostringstream text;
  text << std::oct << std::setw(4) << std::setfill('0') << mode;
  return text.str();
}

bool IsInGroup(const ProcessFacts& facts, gid_t group) {
  return facts.caller.gid == group ||
         std::find(facts.groups.begin(), facts.groups.end(), group) != facts.groups.end();
}

/// As the kernel decides by owner and mode before the mount is asked.
bool ModeLets(const FileAttributes& file, const ProcessFacts& facts) {
  if (facts.same_user_namespace && (facts.capabilities & kMayReadAnything) != 0) return true;
  if (facts.caller.uid == file.uid) return (file.mode & 0400) != 0;
  return (file.mode & (IsInGroup(facts, file.gid) ? 0040 : 0004)) != 0;
}

Point ModePoint(const FileAttributes& file, const ProcessFacts& facts) {
  std::string groups;
  for (const std::uint32_t group : facts.groups) groups += " " + std::to_string(group);
  Point point{"owner, mode", ModeLets(file, facts), {}, {}};
  point.text = "the file is " + std::to_string(file.uid) + ":" + std::to_string(file.gid) + " " +
               OctalMode(file.mode) + "; it opens files as " + std::to_string(facts.caller.uid) + ":" +
               std::to_string(facts.caller.gid) + (groups.empty() ? "" : ", in the groups" + groups);
  if (!point.good) point.mend = "grant with its user as --owner, or its group and --mode 0440";
  return point;
}

Point GrantPoint(const GrantedSecret& grant, std::int64_t now) {
  if (!grant.frozen.empty())
    return {"grant", false, Printable(grant.frozen),
            "an owner (or the environment's operator) runs grantfs unfreeze; grantfs freezes names what is "
            "frozen"};
  if (!grant.unenforceable.empty())
    return {"grant", false, Printable(grant.unenforceable),
            grant.parts > 0 ? "" : "upgrade grantfs on this machine"};
  if (RefuseOpen(grant, now))
    return {"grant", false,
            (grant.value_ends ? "its value expired " : "it expired ") + FormatTime(grant.expires),
            grant.value_ends ? "an owner sets a new value with grantfs secret set" : "grant it again"};
  return {"grant",
          true,
          grant.expires == 0 ? "it stands, and has no end" : "it stands until " + FormatTime(grant.expires),
          {}};
}

/// A lease that its grant gives and that does not hold.
bool LacksLease(const GrantedSecret& grant, std::int64_t now) {
  return (grant.lease > 0 || grant.offline > 0) && grant.rotate_due != 0 && grant.rotate_due <= now;
}

Point LeasePoint(const GrantedSecret& grant) {
  return {"lease", true,
          "none holds: it was to be rotated by " + FormatTime(grant.rotate_due) +
              ", and until it is each open asks the vault",
          "an owner can run grantfs secret set " +
              (grant.parts > 0 ? "for its part that is overdue: .grantfs/grants names it"
                               : Printable(grant.environment + "/" + grant.path))};
}

Point NamespacePoint(const ProcessFacts& facts) {
  if (!facts.seen)
    return {
        "namespaces", true, "it cannot be seen from the mount: another pid namespace, or it has ended", {}};
  const auto say = [](bool same) { return same ? "the mount's" : "another"; };
  return {"namespaces",
          true,
          std::string("user: ") + say(facts.same_user_namespace) + ", pid: " + say(facts.same_pid_namespace) +
              ", mounts: " + say(facts.same_mount_namespace),
          {}};
}

Point CachePoint(const GrantedSecret& grant) {
  if (!grant.conditions.empty())
    return {"page cache", true, "read works; mmap, sendfile and splice are refused under a condition", {}};
  if (grant.strict)
    return {"page cache", true, "read works; mmap, sendfile and splice are refused: --strict", {}};
  return {"page cache", true, "read, mmap, sendfile and splice work", {}};
}

std::vector<Point> PointsOf(const ExplanationInput& input) {
  const SecretFile& file = *input.file;
  std::vector<Point> points = {ModePoint(file.attributes, input.facts)};
  if (file.who) {
    for (const ConditionVerdict& verdict : JudgeCaller(*file.who, input.facts))
      points.push_back({"condition", verdict.holds, verdict.asked + ": " + verdict.found, verdict.mend});
  }
  points.push_back(GrantPoint(*file.grant, input.now));
  if (LacksLease(*file.grant, input.now)) points.push_back(LeasePoint(*file.grant));
  if (input.refused) {
    points.push_back({"vault", false, "it does not accept this machine's key, so opening gives EACCES",
                      "an owner looks with grantfs identity list, and may invite the machine anew"});
  } else if (!input.served) {
    points.push_back(
        {"vault", false,
         "it was not heard just now, and no lease runs: opening asks it, and gives EIO if it does "
         "not answer within 2 s",
         "see .grantfs/status for the connection"});
  }
  points.push_back(NamespacePoint(input.facts));
  points.push_back(CachePoint(*file.grant));
  return points;
}

std::string Quoted(const std::string& word) {
  const auto plain = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("/-_.=@:+").find(c) != std::string_view::npos;
  };
  if (std::all_of(word.begin(), word.end(), plain)) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

/// The grant as it stands, for an owner to change.
std::string GrantCommand(const ExplanationInput& input) {
  const GrantedSecret& grant = *input.file->grant;
  std::string command = "grantfs grant " + input.machine + " " + Quoted(grant.environment + "/" + grant.path);
  if (!grant.owner.empty()) command += " --owner " + Quoted(grant.owner);
  if (!grant.group.empty()) command += " --group " + Quoted(grant.group);
  command += " --mode " + OctalMode(grant.mode);
  if (grant.strict && grant.parts == 0) command += " --strict";  // else it may be a part's
  if (grant.lease > 0) command += " --lease " + FormatDuration(grant.lease);
  if (grant.offline > 0) command += " --offline " + FormatDuration(grant.offline);
  if (grant.record == "sync" || grant.record == "aggregate") command += " --record " + grant.record;
  for (const std::string& text : grant.conditions) {
    const std::size_t cut = text.find('=');
    if (cut != std::string::npos)
      command += " --only-" + text.substr(0, cut) + " " + Quoted(text.substr(cut + 1));
  }
  return command;
}

void AddPoint(std::ostringstream* out, const std::string& about, const std::string& text) {
  *out << std::left << std::setw(13) << about << text << "\n";
}

}  // namespace

std::string Explanation(const ExplanationInput& input) {
  const std::vector<Point> points = PointsOf(input);
  const bool good = std::all_of(points.begin(), points.end(), [](const Point& point) { return point.good; });
  const Caller& caller = input.facts.caller;
  std::ostringstream out;
  out << (good ? kWouldRead : kWouldBeRefused) << ": "
      << Printable(input.file->grant->environment + "/" + input.file->grant->path) << " by process "
      << caller.pid << (caller.executable.empty() ? "" : " (" + Printable(caller.executable) + ")") << "\n";
  for (const Point& point : points)
    AddPoint(&out, point.about, (point.good ? "good: " : "REFUSED: ") + point.text);
  for (const Point& point : points) {
    if (!point.mend.empty()) AddPoint(&out, "mend", point.mend);
  }
  if (!good) {
    AddPoint(&out, "as it stands", Printable(GrantCommand(input)));
    AddPoint(&out, "", "(for an owner to change; with --label and --expires, where the grant has them)");
  }
  return out.str();
}

}  // namespace grantfs
