#include "mount/base/fields_internal.h"
#include "mount/callers/facts_text_internal.h"

namespace grantfs {

namespace {

constexpr std::size_t kNumberBytes = sizeof(std::uint64_t);

}  // namespace

std::string PackQuestion(const ProcessQuestion& question) {
  FieldWriter out;
  for (const std::uint32_t number : {question.thread, question.uid, question.gid}) out.Number(number);
  const WantedFacts& wanted = question.wanted;
  for (const bool flag : {wanted.groups, wanted.executable, wanted.cgroup, wanted.account, wanted.rights})
    out.Number(flag ? 1 : 0);
  out.Number(wanted.executables.size());
  for (const WantedExecutable& one : wanted.executables) {
    out.Number(one.content ? 1 : 0);
    out.Text(one.path);
  }
  return out.Take();
}

std::optional<ProcessQuestion> UnpackQuestion(std::string_view text) {
  FieldReader in(text);
  ProcessQuestion question;
  for (std::uint32_t* number : {&question.thread, &question.uid, &question.gid}) *number = in.Small();
  WantedFacts& wanted = question.wanted;
  for (bool* flag : {&wanted.groups, &wanted.executable, &wanted.cgroup, &wanted.account, &wanted.rights})
    *flag = in.Flag();
  wanted.executables.resize(in.Count(2 * kNumberBytes));
  for (WantedExecutable& one : wanted.executables) {
    one.content = in.Flag();
    one.path = in.Text();
  }
  return in.Whole() ? std::optional(std::move(question)) : std::nullopt;
}

std::string PackFacts(const ProcessFacts& facts) {
  FieldWriter out;
  for (const std::uint32_t number :
       {facts.caller.pid, facts.caller.uid, facts.caller.gid, facts.file_uid, facts.file_gid})
    out.Number(number);
  out.Number(facts.capabilities);
  for (const bool flag :
       {facts.seen, facts.same_user_namespace, facts.same_pid_namespace, facts.same_mount_namespace})
    out.Number(flag ? 1 : 0);
  out.Text(facts.caller.executable);
  out.Text(facts.caller.cgroup);
  out.Number(facts.groups.size());
  for (const std::uint32_t group : facts.groups) out.Number(group);
  out.Number(facts.executables.size());
  for (const ExecutableFacts& one : facts.executables) {
    for (const bool flag : {one.named, one.deleted, one.same}) out.Number(flag ? 1 : 0);
    out.Text(one.content);
  }
  return out.Take();
}

std::optional<ProcessFacts> UnpackFacts(std::string_view text) {
  FieldReader in(text);
  ProcessFacts facts;
  for (std::uint32_t* number :
       {&facts.caller.pid, &facts.caller.uid, &facts.caller.gid, &facts.file_uid, &facts.file_gid})
    *number = in.Small();
  facts.capabilities = in.Number();
  for (bool* flag :
       {&facts.seen, &facts.same_user_namespace, &facts.same_pid_namespace, &facts.same_mount_namespace})
    *flag = in.Flag();
  facts.caller.executable = in.Text();
  facts.caller.cgroup = in.Text();
  facts.groups.resize(in.Count(kNumberBytes));
  for (std::uint32_t& group : facts.groups) group = in.Small();
  facts.executables.resize(in.Count(4 * kNumberBytes));
  for (ExecutableFacts& one : facts.executables) {
    for (bool* flag : {&one.named, &one.deleted, &one.same}) *flag = in.Flag();
    one.content = in.Text();
  }
  return in.Whole() ? std::optional(std::move(facts)) : std::nullopt;
}

}  // namespace grantfs
