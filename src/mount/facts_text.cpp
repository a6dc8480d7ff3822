#include <cstring>

#include "mount/facts_text_internal.h"

namespace grantfs {

namespace {

class FactsWriter {
 public:
  void Number(std::uint64_t number) { text_.append(reinterpret_cast<const char*>(&number), sizeof number); }
  void Text(const std::string& text) {
    Number(text.size());
    text_ += text;
  }
  std::string Take() { return std::move(text_); }

 private:
  std::string text_;
};

/// After the first thing that is not there, everything is 0 and "".
class FactsReader {
 public:
  explicit FactsReader(std::string_view text) : rest_(text) {}

  std::uint64_t Number() {
    std::uint64_t number = 0;
    if (rest_.size() < sizeof number) return Fail();
    std::memcpy(&number, rest_.data(), sizeof number);
    rest_.remove_prefix(sizeof number);
    return number;
  }
  std::uint32_t Small() { return static_cast<std::uint32_t>(Number()); }
  bool Flag() { return Number() != 0; }
  std::string Text() {
    const std::uint64_t size = Count(1);
    std::string text(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return text;
  }
  /// How many follow, of so many bytes at least.
  std::uint64_t Count(std::size_t least) {
    const std::uint64_t count = Number();
    return count > rest_.size() / least ? Fail() : count;
  }
  /// Whether it was all there, and no more.
  bool Whole() const { return good_ && rest_.empty(); }

 private:
  std::uint64_t Fail() {
    good_ = false;
    rest_ = {};
    return 0;
  }
  std::string_view rest_;
  bool good_ = true;
};

constexpr std::size_t kNumberBytes = sizeof(std::uint64_t);

}  // namespace

std::string PackQuestion(const ProcessQuestion& question) {
  FactsWriter out;
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
  FactsReader in(text);
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
  FactsWriter out;
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
  FactsReader in(text);
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
