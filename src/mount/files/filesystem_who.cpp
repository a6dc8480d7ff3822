#include <cerrno>

#include "grantfs/util/clock.h"
#include "grantfs/util/text.h"
#include "mount/files/filesystem_internal.h"
#include "mount/reports/why_internal.h"

// Who reads: the processes behind requests, and what becomes of those that a condition refuses.

namespace grantfs {

ProcessFacts Filesystem::LookUp(std::uint32_t thread, std::uint32_t uid, std::uint32_t gid,
                                const WantedFacts& wanted) const {
  return look_up_ ? look_up_(thread, uid, gid, wanted) : LookUpProcess(thread, uid, gid, wanted);
}

ProcessFacts Filesystem::LookAtCaller(const fuse_ctx& context, const SecretFile* file) const {
  WantedFacts wanted = file != nullptr && file->who ? FactsFor(*file->who) : WantedFacts{};
  wanted.account = true;
  return LookUp(static_cast<std::uint32_t>(context.pid), context.uid, context.gid, wanted);
}

bool Filesystem::RefuseReader(fuse_req_t req, const Tree& tree, const OpenFile& file) {
  const SecretFile* shown = tree.FindSecret(NumberOf(file.node));
  if (shown == nullptr || !shown->who) return false;
  const fuse_ctx context = *fuse_req_ctx(req);
  // Only what the conditions ask for, but that anew each time: the descriptor may have gone to another
  // process, the process to another program, user or cgroup.
  const ProcessFacts facts =
      LookUp(static_cast<std::uint32_t>(context.pid), context.uid, context.gid, FactsFor(*shown->who));
  if (facts.late) {
    LogRefusal("reading " + Printable(file.name) + " refused to " + std::to_string(facts.caller.pid) +
               " (user " + std::to_string(facts.caller.uid) + "): " + kLateLook);
    fuse_reply_err(req, EIO);
    return true;
  }
  const auto reason = RefuseCaller(*shown->who, facts);
  if (!reason) return false;
  AnswerDenied(
      req, EACCES,
      {file.name, NumberOf(file.node), file.version, LookAtCaller(context, nullptr).caller, *reason});
  return true;
}

// Most of what is served again was answered already: then the thread behind it has gone on, and what was seen
// of it is of another program, or of whoever has its id now. Who still waits for the answer is who asked.
void Filesystem::AnswerDenied(fuse_req_t req, int error, const Denied& denied) {
  const bool again = Session::Replaying();
  if (!again) NoteDenial(denied);
  const bool taken = fuse_reply_err(req, error) == 0;
  if (again && taken) NoteDenial(denied);
}

void Filesystem::NoteDenial(const Denied& denied) {
  const Caller& caller = denied.caller;
  LogRefusal(Printable(denied.name) + " refused to " + std::to_string(caller.pid) + " (" +
             (caller.executable.empty() ? "" : Printable(caller.executable) + ", ") + "user " +
             std::to_string(caller.uid) + "): " + denied.reason);
  const auto tree = CurrentTree();
  const SecretFile* shown = tree->FindSecret(denied.number);
  const bool made =
      shown != nullptr && shown->grant->parts > 0;  // its version is this mount's, not the vault's
  RefusedRead one;
  one.number = denied.number;
  one.version = made ? 0 : denied.version;
  one.reason = denied.reason;
  one.caller = caller;
  if (denials_.Add(denied.name, std::move(one), SystemClock().WallSeconds()))
    reporter_->Post([this] { ReportDenials(false); });
}

void Filesystem::ReportDenials(bool all) {
  denials_.TakeDue(SystemClock().WallSeconds(), all,
                   [this](std::vector<RefusedRead> due) { source().ReportRefusals(std::move(due)); });
}

std::string Filesystem::Explain(NodeId node, const fuse_ctx& context) {
  const auto tree = CurrentTree();
  const SecretFile* file = tree->FindSecret(NumberOf(node));
  if (file == nullptr) return "it is not granted to this machine any more\n";
  WantedFacts wanted = file->who ? FactsFor(*file->who) : WantedFacts{};
  wanted.account = wanted.rights = wanted.groups = true;
  ExplanationInput input;
  input.file = file;
  const SourceStatus status = source().CurrentStatus();
  input.machine = status.machine;
  input.refused = status.refused;
  input.now = SystemClock().WallSeconds();
  input.served = source().HeardWithin(kSilence) || source().LeaseStands(NumberOf(node));
  if (VersionOf(node) == 0) {
    input.facts = LookUp(static_cast<std::uint32_t>(context.pid), context.uid, context.gid, wanted);
  } else {
    input.facts = LookUpRunning(VersionOf(node), wanted,
                                [this](std::uint32_t thread, std::uint32_t uid, std::uint32_t gid,
                                       const WantedFacts& facts) { return LookUp(thread, uid, gid, facts); });
  }
  if (input.facts.late) return std::string(kLateLook) + "\n";
  return Explanation(input);
}

}  // namespace grantfs
