#include <algorithm>
#include <memory>

#include "grantfs/util/clock.h"
#include "grantfs/util/text.h"
#include "mount/callers/decide_internal.h"
#include "mount/files/operations_internal.h"

namespace grantfs {

namespace {

struct ReadJob {
  std::shared_ptr<Filesystem> filesystem;
  std::shared_ptr<const OpenFile> file;
  std::size_t size = 0;
  std::size_t offset = 0;
};

void LogRefusal(const ReadJob& job, const std::string& reason) {
  job.filesystem->LogRefusal("reading " + Printable(job.file->name) + " refused: " + reason);
}

/// Straight from the locked memory to the kernel.
void Reply(fuse_req_t req, const ReadJob& job) {
  const auto content = job.filesystem->ContentOf(*job.file);
  if (!content) {
    LogRefusal(job, "it was open when another worker took over, and cannot be opened again: " +
                        Describe(content.error()));
    fuse_reply_err(req, ErrnoOf(content.error().code));
    return;
  }
  const auto piece = content->subspan(std::min(job.offset, content->size()));
  fuse_reply_buf(req, reinterpret_cast<const char*>(piece.data()), std::min(job.size, piece.size()));
}

void Checked(const ReadJob& job, Requests::Id id, const Status& status) {
  int error = 0;
  // A newer version is no reason: the handle goes on showing its own.
  if (status || status.error().code != Code::kCancelled) job.filesystem->SourceAnswered();
  if (!status && status.error().code != Code::kConflict) {
    error = status.error().code == Code::kNotFound ? EACCES : ErrnoOf(status.error().code);
    if (status.error().code != Code::kCancelled) LogRefusal(job, Describe(status.error()));
  }
  const auto claim = job.filesystem->session().requests().Take(id);
  if (!claim) return;
  if (error == 0) {
    Reply(claim.req(), job);
  } else {
    fuse_reply_err(claim.req(), error);
  }
}

void AskSource(fuse_req_t req, const std::shared_ptr<const ReadJob>& job) {
  Filesystem& filesystem = *job->filesystem;
  const auto start = [&](Requests::Id id) {
    return filesystem.source().Check(
        NumberOf(job->file->node), job->file->version, filesystem.deadline(),
        [job, id](const Status& status) { job->filesystem->IfRunning([&] { Checked(*job, id, status); }); });
  };
  AwaitSource(
      req, [] { return false; }, [job](const char* reason) { LogRefusal(*job, reason); }, start);
}

}  // namespace

void ReadOpenFile(fuse_req_t req, fuse_ino_t, size_t size, off_t offset, fuse_file_info* info) {
  Guarded(req, [&](Filesystem& filesystem) {
    const ReadJob job{filesystem.shared_from_this(), filesystem.files().Find(info->fh), size,
                      static_cast<std::size_t>(offset)};
    if (!job.file) {
      fuse_reply_err(req, EIO);
      return;
    }
    if (job.file->report) return Reply(req, job);
    // A read that a process asked for has a lock owner; one that fills the page cache has none.
    const bool page_fill = info->lock_owner == 0;
    // Before the look at the lists: who changes them afterwards sees that there are pages to drop.
    if (page_fill) job.file->cached = true;
    const auto tree = filesystem.CurrentTree();
    if (const auto refusal = filesystem.RefuseReadOf(*tree, *job.file, page_fill)) {
      if (refusal->recorded) {
        return filesystem.AnswerDenied(
            req, refusal->error,
            {job.file->name, NumberOf(job.file->node), job.file->version,
             filesystem.LookAtCaller(*fuse_req_ctx(req), nullptr).caller, refusal->reason});
      }
      LogRefusal(job, refusal->reason);
      fuse_reply_err(req, refusal->error);
    } else if (filesystem.RefuseReader(req, *tree, *job.file)) {
      return;
    } else if (filesystem.source().HeardWithin(kSilence) ||
               filesystem.source().LeaseStands(NumberOf(job.file->node))) {
      Reply(req, job);
    } else {
      AskSource(req, std::make_shared<ReadJob>(job));
    }
  });
}

}  // namespace grantfs
