#include <utility>

#include "grant_terms_internal.h"
#include "grantfs/journal/entry.h"
#include "grantfs/trust/conditions.h"

namespace grantfs {
namespace {

constexpr std::int64_t kLongestLease = 7 * 86400;
constexpr std::int64_t kLongestOffline = 90 * 86400;

Status TakeLease(const Arguments& arguments, Grant* terms) {
  terms->lease = GRANTFS_TRY(arguments.Seconds("lease", 0));
  if (terms->lease > kLongestLease)
    return Error{Code::kInvalid, "is 7d at most: that is how long a revocation may take to reach it", 0,
                 "--lease"};
  terms->offline = GRANTFS_TRY(arguments.Seconds("offline", 0));
  if (terms->offline > kLongestOffline)
    return Error{Code::kInvalid, "is 90d at most: that is how long a revocation may take to reach it", 0,
                 "--offline"};
  terms->record = arguments.Text("record", terms->record);
  if (terms->record != kRecordEach && terms->record != kRecordSync && terms->record != kRecordAggregate)
    return Error{Code::kInvalid, "is each, sync or aggregate", 0, "--record"};
  if (terms->record == kRecordEach || terms->lease > 0 || terms->offline > 0) return {};
  return Error{Code::kInvalid,
               "is about reads that the machine serves by itself, and without --lease or --offline there are"
               " none: the vault records every open before it succeeds; leave it out, or add one of them",
               0, "--record " + terms->record};
}

// As the act bounds them.
constexpr std::size_t kMaxConditions = 32;
constexpr std::size_t kMaxConditionBytes = 1024;

constexpr std::pair<const char*, ConditionKind> kConditionOptions[] = {{"only-user", ConditionKind::kUser},
                                                                       {"only-group", ConditionKind::kGroup},
                                                                       {"only-unit", ConditionKind::kUnit},
                                                                       {"only-exe", ConditionKind::kExe}};

Result<std::vector<std::string>> Conditions(const Arguments& arguments) {
  std::vector<std::string> conditions;
  for (const auto& [option, kind] : kConditionOptions) {
    for (const std::string& value : arguments.Many(option)) {
      const std::string text = std::string(ConditionKindName(kind)) + "=" + value;
      const auto condition = ParseCondition(text);
      if (!condition)
        return Error{Code::kInvalid, condition.error().where, 0, std::string("--") + option + " " + value};
      if (text.size() > kMaxConditionBytes)
        return Error{Code::kInvalid, "is longer than 1000 bytes", 0, std::string("--") + option};
      conditions.push_back(ConditionText(*condition));
    }
  }
  if (conditions.size() > kMaxConditions)
    return Error{Code::kInvalid,
                 "at most 32 conditions fit into a grant; a group or a slice names many at once", 0,
                 "--only-*"};
  return conditions;
}

Result<std::uint32_t> Mode(const std::string& text) {
  std::uint32_t mode = 0;
  for (const char digit : text) {
    if (digit < '0' || digit > '7' || text.size() > 4)
      return Error{Code::kInvalid, "is an octal mode such as 0440", 0, "--mode"};
    mode = mode * 8 + static_cast<std::uint32_t>(digit - '0');
  }
  if (text.empty() || mode > 0777) return Error{Code::kInvalid, "is an octal mode such as 0440", 0, "--mode"};
  return mode;
}

}  // namespace

std::vector<Option> GrantOptionsHelp() {
  return {
      {"owner", "USER",
       "whom the file belongs to: a user of the machine, by name or number (default: who mounted)"},
      {"group", "GROUP", "the file's group (default: of who mounted)"},
      {"mode", "MODE", "the file's mode, octal (default: 0400)"},
      {"label", "LABEL",
       "the version that is shown: current (default), previous, or next (what is current, while nothing is "
       "next)"},
      {"expires", "TIME", "the grant ends after this: 12h, 30d"},
      {"strict", "",
       "refuse what the kernel would keep in its page cache: sendfile and splice fail, a mapping gets "
       "SIGBUS"},
      {"with-parts", "",
       "of a bundle or template: grant the secrets that it is made of too, on the same terms; their standing "
       "grants"
       " are replaced"},
      {"reason", "TEXT", "why; it stands in the signed statement"},
      {"wait", "TIME", "how long to wait for the machine's mount (default: 5s)"},
      {"dry-run", "", "verify and say what would be granted; change nothing"},
      {"only-user", "USER",
       "only processes of this user may read. Options --only-* may be repeated: of one kind any is enough, of"
       " different kinds one of each; none is worth more than the machine's root, who is the machine",
       true},
      {"only-group", "GROUP", "only processes that are in this group, by any of their groups", true},
      {"only-unit", "UNIT",
       "only processes in this systemd unit (nginx.service), below this cgroup (/system.slice/nginx.service),"
       " or in this container (its id, 12 digits or all; one that a service runs below itself goes by the"
       " service's name)",
       true},
      {"only-exe", "PATH[=SHA256]",
       "only this program: the file at PATH on the machine, or one with this content. A script is run by its"
       " interpreter, so name that. Whoever may run the program can make it do his bidding (LD_PRELOAD):"
       " combine with --only-user",
       true},
      {"lease", "TIME",
       "serve what was read once for so long (10m, 7d at most) without asking again: a revocation cuts it at"
       " once, but a machine that is cut off goes on until it ends (default: ask at every open)"},
      {"offline", "TIME",
       "serve it with the vault away, also after a reboot, for so long after the vault was last heard (24h,"
       " 90d at most): what was read once is kept on the machine's disk, encrypted"},
      {"record", "KIND",
       "of what is served so: each (default): every open, on the disk within 10 ms; sync: on the disk before"
       " the open succeeds; aggregate: counted per caller and minute"}};
}

Result<Grant> GrantTerms(const Arguments& arguments, std::int64_t now) {
  Grant terms;
  terms.owner = arguments.Text("owner");
  terms.group = arguments.Text("group");
  terms.strict = arguments.Flag("strict");
  terms.conditions = GRANTFS_TRY(Conditions(arguments));
  GRANTFS_CHECK(TakeLease(arguments, &terms));
  terms.label = arguments.Text("label", terms.label);
  if (terms.label != kCurrentLabel && terms.label != kPreviousLabel && terms.label != kNextLabel)
    return Error{Code::kInvalid, "is current, previous or next, and nothing sets another", 0, "--label"};
  if (arguments.Has("mode")) terms.mode = GRANTFS_TRY(Mode(arguments.Text("mode")));
  const std::int64_t lifetime = GRANTFS_TRY(arguments.Seconds("expires", 0));
  if (lifetime != 0) terms.expires = now + lifetime;
  return terms;
}

}  // namespace grantfs
