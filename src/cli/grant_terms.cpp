#include "grant_terms_internal.h"

namespace grantfs {
namespace {

// Of static storage: the options keep pointers to it.
constexpr char kLater[] = "refused: the mount of this version cannot enforce it";

constexpr char kNotEnforced[] =
    "the mount of this version cannot enforce this, and would deny every read under such a grant;"
    " leave the option out";

Status RefuseUnenforceable(const Arguments& arguments) {
  for (const char* option : {"only-user", "only-group", "only-unit", "only-exe", "lease", "offline"})
    if (arguments.Has(option)) return Error{Code::kUnsupported, kNotEnforced, 0, std::string("--") + option};
  const std::string record = arguments.Text("record", "each");
  if (record == "each") return {};
  if (record == "sync" || record == "aggregate")
    return Error{Code::kUnsupported, kNotEnforced, 0, "--record " + record};
  return Error{Code::kInvalid, "takes only each in this version", 0, "--record"};
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
  return {{"owner", "USER",
           "whom the file belongs to: a user of the machine, by name or number (default: who mounted)"},
          {"group", "GROUP", "the file's group"},
          {"mode", "MODE", "the file's mode, octal (default: 0400)"},
          {"label", "LABEL", "the version that is shown: current (default), previous"},
          {"expires", "TIME", "the grant ends after this: 12h, 30d"},
          {"strict", "", "refuse what the kernel would keep in its page cache: mmap and sendfile fail"},
          {"with-parts", "", "of a bundle or template: grant the secrets that it is made of too"},
          {"reason", "TEXT", "why; it stands in the signed statement"},
          {"wait", "TIME", "how long to wait for the machine's mount (default: 5s)"},
          {"dry-run", "", "verify and say what would be granted; change nothing"},
          {"only-user", "USER", kLater, true},
          {"only-group", "GROUP", kLater, true},
          {"only-unit", "UNIT", kLater, true},
          {"only-exe", "PATH", kLater, true},
          {"lease", "TIME", kLater},
          {"offline", "TIME", kLater},
          {"record", "KIND",
           "each (default): every open is recorded before it succeeds; sync and aggregate are refused"}};
}

Result<Grant> GrantTerms(const Arguments& arguments, std::int64_t now) {
  GRANTFS_CHECK(RefuseUnenforceable(arguments));
  Grant terms;
  terms.owner = arguments.Text("owner");
  terms.group = arguments.Text("group");
  terms.strict = arguments.Flag("strict");
  terms.label = arguments.Text("label", terms.label);
  if (terms.label != "current" && terms.label != "previous")
    return Error{Code::kInvalid, "is current or previous, and nothing sets another", 0, "--label"};
  if (arguments.Has("mode")) terms.mode = GRANTFS_TRY(Mode(arguments.Text("mode")));
  const std::int64_t lifetime = GRANTFS_TRY(arguments.Seconds("expires", 0));
  if (lifetime != 0) terms.expires = now + lifetime;
  return terms;
}

}  // namespace grantfs
