#include <fcntl.h>

#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "grantfs/util/clock.h"
#include "grantfs/util/text.h"
#include "mount/callers/decide_internal.h"
#include "mount/files/operations_internal.h"

namespace grantfs {

namespace {

/// One OPEN of a secret while the source works on it.
struct OpenJob {
  std::shared_ptr<Filesystem> filesystem;
  NodeId node = 0;
  std::uint32_t thread = 0;
  OpenVerdict verdict = OpenVerdict::kCurrent;
  fuse_file_info info{};
  bool made = false;  ///< by a template, so that its size is learnt now
  std::string name;   ///< "shop/prod/db-password"
  std::optional<FileAttributes>
      attributes;        ///< that the lists gave the version; none if they are not known any more
  FileAttributes looks;  ///< of the version that is shown
  SecretSource::OpenRequest request;
  fuse_req_t at_once = nullptr;  ///< the request, where it is answered on its own thread
  std::uint64_t unique = 0;
  std::atomic<bool> answered{false};  ///< by the source: what is waited for now is this mount's own

  bool bound() const { return verdict == OpenVerdict::kBound || verdict == OpenVerdict::kNewlyBound; }
};
using Job = std::shared_ptr<OpenJob>;

/// "shop/prod/db-password refused to 123 (/usr/bin/cat, user 33): the vault did not answer".
void LogRefusal(const OpenJob& job, const std::string& reason) {
  const Caller& caller = job.request.caller;
  job.filesystem->LogRefusal(Printable(job.name) + " refused to " + std::to_string(caller.pid) + " (" +
                             (caller.executable.empty() ? "" : Printable(caller.executable) + ", ") +
                             "user " + std::to_string(caller.uid) + "): " + reason);
}

Requests::Claim Claim(const OpenJob& job, Requests::Id id) {
  Requests& requests = job.filesystem->session().requests();
  return job.at_once != nullptr ? requests.TakeAtOnce(job.at_once) : requests.Take(id);
}

void SetCaching(const OpenFile& file, fuse_file_info* info) {
  info->direct_io = 1;
  // The pages of a version's node are that version's, whoever opened it; a bound node has none.
  info->keep_cache = file.bound || file.report ? 0 : 1;
}

/// The process before this one had opened it already and perhaps told the kernel so. @return whether that is
/// the answer.
bool AnswerAgain(Filesystem& filesystem, fuse_req_t req, fuse_file_info info) {
  const auto handle = filesystem.files().HandleOf(Session::CurrentUnique());
  const auto file = handle ? filesystem.files().Find(*handle) : nullptr;
  if (!file) return false;
  SetCaching(*file, &info);
  info.fh = *handle;
  fuse_reply_open(req, &info);  // if the kernel does not wait for it any more, it knows the handle
  return true;
}

void Answer(const Job& job, Requests::Id id, std::shared_ptr<OpenFile> file) {
  Filesystem& filesystem = *job->filesystem;
  const auto claim = Claim(*job, id);
  if (!claim) return;
  fuse_file_info info = job->info;
  SetCaching(*file, &info);
  file->unique = job->unique;
  file->opener = job->request.caller.uid;
  info.fh = filesystem.files().Add(std::move(file));
  // Interrupted: the kernel will not release what it does not know.
  if (fuse_reply_open(claim.req(), &info) != 0) filesystem.files().Remove(info.fh);
}

void AnswerError(const Job& job, Requests::Id id, int error) {
  if (const auto claim = Claim(*job, id)) fuse_reply_err(claim.req(), error);
}

/// What the source should never answer.
const char* Mismatch(const OpenJob& job, const OpenedSecret& opened) {
  if (job.bound()) return nullptr;
  if (opened.version != VersionOf(job.node)) return "the source answered with another version";
  if (!job.made && job.attributes && opened.value.size() != job.attributes->size) {
    return "the value's size is not the one in the vault's list";
  }
  return nullptr;
}

void Opened(const Job& job, Requests::Id id, OpenedSecret opened) {
  Filesystem& filesystem = *job->filesystem;
  if (const char* mismatch = Mismatch(*job, opened)) {
    LogRefusal(*job, mismatch);
    return AnswerError(job, id, ErrnoOf(Code::kIntegrity));
  }
  auto file = std::make_shared<OpenFile>();
  file->node = job->node;
  file->version = opened.version;
  file->bound = job->bound();
  file->name = job->name;
  file->attributes = job->attributes.value_or(job->looks);
  file->attributes.size = opened.value.size();
  file->evidence = std::move(opened.evidence);
  file->value = std::make_shared<OpenValue>(std::move(opened.value));
  if (job->made) filesystem.LearnSize(SecretNode(NumberOf(job->node), file->version), file->attributes.size);
  if (job->made && !job->bound())
    return filesystem.AnswerWithLearntSize(job->node, [job, id, file] { Answer(job, id, file); });
  if (!job->bound()) return Answer(job, id, std::move(file));
  // The kernel must have forgotten the former size before the program asks for it.
  filesystem.RefreshThen([job, id, file] {
    job->filesystem->InvalidateThen(job->node, [job, id, file] { Answer(job, id, file); });
  });
}

/// The vault has a newer version, and the listing was made anew.
void Outdated(const Job& job, Requests::Id id) {
  Filesystem& filesystem = *job->filesystem;
  const auto tree = filesystem.CurrentTree();
  const SecretFile* file = tree->FindSecret(NumberOf(job->node));
  if (file != nullptr && file->id == job->node) {
    LogRefusal(*job, "the vault has a newer version that its lists do not show");
    return AnswerError(job, id, EIO);
  }
  filesystem.rules().Refused(job->thread, job->node, SystemClock().Boot());
  AnswerError(job, id, ErrnoOf(Code::kConflict));
}

void Failed(const Job& job, Requests::Id id, const Error& error) {
  Filesystem& filesystem = *job->filesystem;
  if (error.code == Code::kConflict) {
    // So that the kernel's next look-up finds the newer version.
    return filesystem.RefreshThen([job, id] { Outdated(job, id); });
  }
  if (error.code != Code::kCancelled) {
    if (error.code == Code::kNotFound || error.code == Code::kDenied) filesystem.RefreshSoon();
    LogRefusal(*job, Describe(error));
  }
  AnswerError(job, id, ErrnoOf(error.code));
}

void AskSource(fuse_req_t req, const Job& job, bool grace) {
  Filesystem& filesystem = *job->filesystem;
  job->request.number = NumberOf(job->node);
  job->request.version = job->bound() ? 0 : VersionOf(job->node);
  job->request.grace = grace;
  job->request.open_id = filesystem.OpenId();
  job->request.again = Session::Replaying();
  if (!job->bound()) {
    auto opened = filesystem.source().OpenAtOnce(job->request);
    // A conflict waits for the listing: as one of those that may wait.
    if (opened && (*opened || opened->error().code != Code::kConflict)) {
      job->at_once = req;
      return *opened ? Opened(job, 0, **std::move(opened)) : Failed(job, 0, opened->error());
    }
  }
  const auto start = [&](Requests::Id id) {
    return filesystem.source().Open(job->request, filesystem.deadline(),
                                    [job, id](Result<OpenedSecret> result) {
                                      job->answered = true;
                                      job->filesystem->IfRunning([&] {
                                        if (result || result.error().code != Code::kCancelled)
                                          job->filesystem->SourceAnswered();
                                        if (result) {
                                          Opened(job, id, *std::move(result));
                                        } else {
                                          Failed(job, id, result.error());
                                        }
                                      });
                                    });
  };
  AwaitSource(
      req, [job] { return job->answered.load(); }, [job](const char* reason) { LogRefusal(*job, reason); },
      start);
}

void OpenSecret(Filesystem& filesystem, fuse_req_t req, NodeId node, const fuse_file_info& info) {
  const auto tree = filesystem.CurrentTree();
  const SecretFile* file = tree->FindSecret(NumberOf(node));
  auto current = file ? std::optional(VersionOf(file->id)) : std::nullopt;
  // Shown until the helper has got to its name; whether it may still be read says the source.
  if (file && filesystem.rotation().held().IsShown(node)) current = VersionOf(node);
  const fuse_ctx context = *fuse_req_ctx(req);
  const auto thread = static_cast<std::uint32_t>(context.pid);
  const OpenDecision decision = filesystem.rules().Decide(thread, node, current, SystemClock().Boot());
  if (decision.verdict == OpenVerdict::kStale || decision.verdict == OpenVerdict::kGone || file == nullptr) {
    fuse_reply_err(req, decision.verdict == OpenVerdict::kStale ? ESTALE : ENOENT);
    return;
  }
  auto job = std::make_shared<OpenJob>();
  job->filesystem = filesystem.shared_from_this();
  job->node = node;
  job->thread = thread;
  job->verdict = decision.verdict;
  job->info = info;
  job->name = file->grant->environment + "/" + file->grant->path;
  job->made = file->grant->parts > 0;
  job->attributes = filesystem.VersionAttributes(*tree, node);
  job->looks = file->attributes;
  job->unique = Session::CurrentUnique();
  ProcessFacts facts = filesystem.LookAtCaller(context, file);
  Caller& caller = job->request.caller;
  if (file->who)
    caller = facts.caller;  // which is held against the conditions below
  else
    caller = std::move(facts.caller);
  if (facts.late) {
    LogRefusal(*job, kLateLook);
    fuse_reply_err(req, EIO);
    return;
  }
  if (const auto refusal = RefuseOpen(*file->grant, SystemClock().WallSeconds())) {
    if (refusal->recorded) {
      return filesystem.AnswerDenied(req, refusal->error,
                                     {job->name, NumberOf(node), VersionOf(node), caller, refusal->reason});
    }
    LogRefusal(*job, refusal->reason);
    fuse_reply_err(req, refusal->error);
    return;
  }
  if (const auto reason = file->who ? RefuseCaller(*file->who, facts) : std::nullopt) {
    return filesystem.AnswerDenied(req, EACCES,
                                   {job->name, NumberOf(node), VersionOf(node), caller, *reason});
  }
  AskSource(req, job, decision.grace);
}

/// Root too: in most containers it is the same user.
void RefuseMore(Filesystem& filesystem, fuse_req_t req, std::uint32_t user) {
  filesystem.LogRefusal("user " + std::to_string(user) + " cannot open more: he has " +
                        std::to_string(OpenFiles::kMostOfOneUser) + " files of this mount open already");
  fuse_reply_err(req, EMFILE);
}

void OpenReport(Filesystem& filesystem, fuse_req_t req, NodeId node, fuse_file_info info) {
  auto file = std::make_shared<OpenFile>();
  file->node = node;
  file->report = KindOf(node) == NodeKind::kWhy
                     ? std::make_shared<const std::string>(filesystem.Explain(node, *fuse_req_ctx(req)))
                     : filesystem.Report(filesystem.CurrentTree(), node);
  file->unique = Session::CurrentUnique();
  file->opener = fuse_req_ctx(req)->uid;
  SetCaching(*file, &info);
  info.fh = filesystem.files().Add(std::move(file));
  if (fuse_reply_open(req, &info) != 0) filesystem.files().Remove(info.fh);
}

}  // namespace

void OpenFileNode(fuse_req_t req, fuse_ino_t node, fuse_file_info* info) {
  Guarded(req, [&](Filesystem& filesystem) {
    if ((info->flags & O_ACCMODE) != O_RDONLY || (info->flags & O_TRUNC) != 0) {
      OpenToWrite(req, node, *info);
    } else if (Session::Replaying() && AnswerAgain(filesystem, req, *info)) {
      return;
    } else if (const auto user = fuse_req_ctx(req)->uid; !filesystem.files().MayOpen(user)) {
      RefuseMore(filesystem, req, user);
    } else if (IsReport(node)) {
      OpenReport(filesystem, req, node, *info);
    } else if (KindOf(node) == NodeKind::kSecret) {
      OpenSecret(filesystem, req, node, *info);
    } else {
      fuse_reply_err(req, ENOENT);
    }
  });
}

void ReleaseFile(fuse_req_t req, fuse_ino_t, fuse_file_info* info) {
  Guarded(req, [&](Filesystem& filesystem) {
    const auto file = filesystem.files().Remove(info->fh);
    if (file && file->cached) filesystem.DropPages(file->node);
    fuse_reply_err(req, 0);
  });
}

}  // namespace grantfs
