#include <filesystem>

#include "commands_internal.h"
#include "grantfs/mount/why.h"

namespace grantfs {
namespace {

constexpr std::uint64_t kMaxProcess = 0x3fffff;  // PID_MAX_LIMIT of Linux

Status RunWhyCommand(Context& context) {
  if (!context.arguments.Has("pid"))
    return Error{Code::kInvalid,
                 "is missing: it names the process (a process itself has cat MOUNT/.grantfs/why/PATH)", 0,
                 "--pid"};
  const std::uint64_t process = GRANTFS_TRY(context.arguments.Number("pid", kMaxProcess, 0));
  std::error_code failed;
  const auto path = std::filesystem::absolute(context.arguments.At(0), failed).lexically_normal();
  const ReadExplanation answer = GRANTFS_TRY(ExplainRead(path.string(), static_cast<std::uint32_t>(process)));
  if (context.json())
    context.terminal.OutJson(Json::Object({{"path", path.string()},
                                           {"process", process},
                                           {"may_read", answer.may_read},
                                           {"explanation", answer.text}}));
  else
    context.terminal.Out(answer.text);
  return {};
}

}  // namespace

const Command kWhyCommand = {
    .name = "why",
    .arguments = "PATH",
    .min_arguments = 1,
    .max_arguments = 1,
    .summary = "say why a process can or cannot read a file",
    .about =
        R"(On a machine, as root: looks at PATH as a running process sees it, and says all that would refuse it:
whether a grantfs mount is there among its mounts, the directories on the way, the file's owner and mode,
each condition of the grant, the namespaces, the grant's end, a vault that is away (but not a template that
cannot be made); and what mends it. It reads no secret, records nothing, and exits with 0 whatever the answer. A process finds the same about itself in
MOUNT/.grantfs/why/; in a mount that an ordinary user made for himself that is the only way, for nobody else is let in.)",
    .options = {{"pid", "PROCESS", "the process that is to read"}},
    .examples = {{"sudo grantfs why /run/secrets/shop/prod/db-password --pid 4711",
                  R"(it would be refused: /run/secrets/shop/prod/db-password by process 4711
mount        good: a grantfs mount at /run/grantfs/secrets (ro,nosuid,nodev,noexec,noatime)
way          good: it may go through all directories of this path
owner, mode  good: the file is 33:33 0400; it opens files as 33:33
condition    REFUSED: unit shop.service: it runs in /user.slice/user-0.slice/session-1.scope
...
mend         start it in that unit, or grant with another --only-unit)"},
                 {"cat /run/secrets/.grantfs/why/shop/prod/db-password",
                  "(the same, of the process itself)"}},
    .next = "grantfs grant MACHINE SECRET with other --only-* options; cat /run/secrets/.grantfs/denials.",
    .failure = "there is no answer",
    .run = RunWhyCommand,
    .uses_home = false,
};

}  // namespace grantfs
