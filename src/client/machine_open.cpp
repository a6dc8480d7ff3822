#include "grantfs/client/machine_session.h"
#include "machine_internal.h"
#include "problem_internal.h"

namespace grantfs {
namespace {

Error NotGranted() { return Error{Code::kNotFound, "it is not granted to this machine"}; }

// An open knows no 401: a machine that the vault does not know any more may read nothing.
Error OfOpen(Error error) {
  if (error.code == Code::kUnauthentic) error.code = Code::kDenied;
  return error;
}

// What the vault refuses may have changed in the listing too, which is to be right before the answer.
bool MayHaveChanged(const Error& error) {
  return error.code == Code::kConflict || error.code == Code::kNotFound || error.code == Code::kDenied ||
         error.code == Code::kExpired;
}

}  // namespace

Status CheckLocally(const MachineView& view, std::uint64_t number, std::int64_t now) {
  const auto at = view.secrets.find(number);
  if (at == view.secrets.end() || !at->second->publish) return NotGranted();
  const SecretView& secret = *at->second;
  const auto name = [&] { return secret.environment + "/" + secret.path; };
  if (!view.ProblemOf(secret).empty()) {
    return Error{Code::kIntegrity,
                 "what the vault serves of this secret does not verify: see the mount's status", 0, name()};
  }
  if (const auto* freeze = view.FreezeOf(secret.environment))
    return Error{Code::kDenied, "nothing of it can be read until that is lifted", 0,
                 name() + " (" + SentenceOf(*freeze) + ")"};
  if (!secret.unenforceable.empty()) {
    return Error{Code::kUnsupported,
                 "this version of grantfs cannot enforce its grant: see the mount's status", 0, name()};
  }
  if (const std::int64_t life = view.EndOfMachine(secret); life != 0 && life <= now)
    return Error{Code::kExpired, kWhereLifeIsOver, 0, name()};
  if (secret.terms.expires != 0 && secret.terms.expires <= now) {
    return Error{Code::kExpired, "the grant has expired: an owner can grant it again", 0, name()};
  }
  const std::int64_t end = secret.publish->ExpiresAt(secret.time);
  if (end != 0 && end <= now)
    return Error{Code::kExpired, "the secret has expired: an owner can set a new value", 0, name()};
  return {};
}

/// One open on its way. Whatever happens first ends it, once.
class MachineSessionImpl::Opening final : public SecretSource::Pending,
                                          public std::enable_shared_from_this<Opening> {
 public:
  Opening(MachineSessionImpl* session, OpenRequest request, std::shared_ptr<const MachineView> asked,
          OpenDone done)
      : session_(session), request_(std::move(request)), asked_(std::move(asked)), done_(std::move(done)) {}

  void Start(std::chrono::milliseconds deadline) {
    end_ = Timer::Clock::now() + deadline;
    api::ReadRequest read;
    read.secret = request_.number;
    read.version = request_.version;
    read.grace = request_.grace;
    read.open = request_.open_id;
    read.caller = {request_.caller.pid, request_.caller.uid, request_.caller.gid, request_.caller.executable,
                   request_.caller.cgroup};
    VaultConnection::CallOptions call;
    call.deadline = deadline;
    const auto pending = session_->vault_->Send(
        api::kMachineRead, read.ToJson(), call,
        [self = shared_from_this()](Result<Json> answer) { self->Answered(std::move(answer)); });
    bool late = false;
    {
      const std::lock_guard guard(mutex_);
      http_ = pending;
      late = done_ == nullptr;
    }
    if (late) pending->Cancel();
  }

  void Cancel() override { End(Error{Code::kCancelled, "the caller gave up"}); }

  void End(Error error) { Finish(Result<OpenedSecret>(std::move(error))); }

 private:
  void Answered(Result<Json> answer) {
    auto response = session_->vault_->Read<api::ReadResponse>(std::move(answer));
    if (!response) {
      const Error error = response.error();
      if (error.code == Code::kUnreachable) return Unanswered(error);
      if (!MayHaveChanged(error)) return End(OfOpen(error));
      return LookAgain([self = shared_from_this(), error](const Status&) { self->End(error); });
    }
    response_ = std::move(*response);
    Judge(true);
  }

  // Where the grant lets it, what is kept is served in the vault's place.
  void Unanswered(const Error& error) {
    OpenDone served = [self = shared_from_this()](Result<OpenedSecret> result) {
      self->Finish(std::move(result));
    };
    const auto shown = session_->view();
    if (CheckLocally(*shown, request_.number, session_->Now()) &&
        session_->ServeHeld(request_, *shown, true, &served)) {
      return;
    }
    End(session_->WithoutLease(request_.number, error));
  }

  void Judge(bool first) {
    const auto now = session_->view();
    const auto verdict = JudgeRead(response_, request_, *asked_, *now);
    if (!verdict) return End(verdict.error());
    if (verdict->kind == ReadVerdict::Kind::kGood) return Finish(Decrypt(verdict->publish));
    if (!first) {
      return End(Error{Code::kIntegrity, "the vault answered from a newer state than the one it shows", 0,
                       verdict->publish.path});
    }
    LookAgain([self = shared_from_this()](const Status& looked) {
      if (!looked) return self->End(OfOpen(looked.error()));
      self->Judge(false);
    });
  }

  // The request has its deadline from the connection; what comes behind it has it from here.
  void LookAgain(std::function<void(Status)> looked) {
    session_->LookAgain(request_.number, std::move(looked), end_, [weak = weak_from_this()] {
      const auto late = weak.lock();
      if (!late) return;
      late->End(Error{Code::kUnreachable, "the vault did not answer in time", 0,
                      late->session_->home_.profile().address.Text()});
    });
  }

  Result<OpenedSecret> Decrypt(const VersionPublish& publish) {
    const ValueContext context{session_->home_.profile().vault, publish.environment, request_.number,
                               publish.version, publish.epoch};
    const std::string name = publish.environment + "/" + publish.path;
    auto key = session_->OpenKey(response_, publish);
    if (!key) return About(key.error(), name);
    // What is kept of it, for a lease or while the file is open, outlives the group's key here: it is sealed
    // to the machine alone.
    if (response_.group != 0) {
      response_.sealed = GRANTFS_TRY(SealDataKey(session_->me_.identity().seal, *key));
      response_.group = 0;
      response_.group_epoch = 0;
    }
    auto value = DecryptVersion(*key, context, publish, response_.ciphertext);
    if (!value) return About(value.error(), name);
    session_->NoteRecorded(
        {response_.record, request_.number, publish.version, request_.open_id, /*told_later=*/false});
    session_->Hold(response_, publish, std::move(*key));
    return OpenedSecret{std::move(*value), publish.version, response_.record,
                        EvidenceOf(publish, response_.sealed, response_.ciphertext)};
  }

  void Finish(Result<OpenedSecret> result) {
    OpenDone done;
    std::shared_ptr<PendingRequest> http;
    {
      const std::lock_guard guard(mutex_);
      done.swap(done_);
      http.swap(http_);
    }
    if (!done) return;
    const auto self = shared_from_this();
    session_->Forget(self);
    if (http) http->Cancel();
    done(std::move(result));
  }

  MachineSessionImpl* const session_;
  const OpenRequest request_;
  const std::shared_ptr<const MachineView> asked_;
  Timer::Clock::time_point end_;
  api::ReadResponse response_;
  std::mutex mutex_;
  OpenDone done_;
  std::shared_ptr<PendingRequest> http_;
};

class MachineSessionImpl::Checking final : public SecretSource::Pending {
 public:
  void Begun(std::shared_ptr<PendingRequest> request) {
    const std::lock_guard guard(mutex_);
    request_ = std::move(request);
  }
  void Cancel() override {
    const std::lock_guard guard(mutex_);
    if (request_) request_->Cancel();
  }

 private:
  std::mutex mutex_;
  std::shared_ptr<PendingRequest> request_;
};

std::shared_ptr<SecretSource::Pending> MachineSessionImpl::OpenOne(OpenRequest request,
                                                                   std::chrono::milliseconds deadline,
                                                                   OpenDone done) {
  auto asked = view();
  const Status local = CheckLocally(*asked, request.number, Now());
  if (local && ServeHeld(request, *asked, false, &done)) return std::make_shared<Checking>();
  if (local && request.again && journal_->HasCounted(request.open_id))
    return OpenCounted(std::move(request), std::move(asked), deadline, std::move(done));
  return AskVault(std::move(request), std::move(asked), local, deadline, std::move(done));
}

std::shared_ptr<SecretSource::Pending> MachineSessionImpl::AskVault(OpenRequest request,
                                                                    std::shared_ptr<const MachineView> asked,
                                                                    const Status& local,
                                                                    std::chrono::milliseconds deadline,
                                                                    OpenDone done) {
  auto opening = std::make_shared<Opening>(this, std::move(request), std::move(asked), std::move(done));
  if (!local) {
    opening->End(local.error());
    return opening;
  }
  {
    const std::lock_guard guard(pending_mutex_);
    pending_.insert(opening);
  }
  opening->Start(deadline);
  return opening;
}

// The process before this one served it under a lease that nobody knows to stand now, and counted it: the
// vault is asked whether it may be served, but not to record it.
std::shared_ptr<SecretSource::Pending> MachineSessionImpl::OpenCounted(
    OpenRequest request, std::shared_ptr<const MachineView> asked, std::chrono::milliseconds deadline,
    OpenDone done) {
  const auto held = held_.Find(request.number);
  const auto shown = asked->secrets.find(request.number);
  const bool same = held && shown != asked->secrets.end() &&
                    held->response.statement == shown->second->version &&
                    (request.version == 0 || request.version == held->publish.version);
  auto opened = same ? OpenHeld(held, false) : Result<OpenedSecret>(NotGranted());
  if (!opened) return AskVault(std::move(request), std::move(asked), {}, deadline, std::move(done));
  auto kept = std::make_shared<OpenedSecret>(*std::move(opened));
  const auto end = Timer::Clock::now() + deadline;
  const std::uint64_t number = request.number;
  return CheckOne(
      number, kept->version, deadline,
      [this, request = std::move(request), done = std::move(done), kept, end](Status stands) mutable {
        if (stands) return done(std::move(*kept));
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Timer::Clock::now());
        if (stands.error().code == Code::kCancelled || left.count() <= 0) return done(OfOpen(stands.error()));
        auto asked_again = view();
        const Status local = CheckLocally(*asked_again, request.number, Now());
        AskVault(std::move(request), std::move(asked_again), local, left, std::move(done));
      });
}

void MachineSessionImpl::Forget(const std::shared_ptr<Pending>& pending) {
  const std::lock_guard guard(pending_mutex_);
  pending_.erase(pending);
}

void MachineSessionImpl::LookAgain(std::uint64_t number, std::function<void(Status)> looked,
                                   Timer::Clock::time_point end, std::function<void()> late) {
  {
    const std::lock_guard guard(work_mutex_);
    if (!stop_) {
      timer_->At(end, std::move(late));
      waiters_.push_back({number, std::move(looked)});
      looked = nullptr;
    }
  }
  if (looked) return looked(Error{Code::kCancelled, "the mount is ending"});
  work_changed_.notify_all();
}

std::shared_ptr<SecretSource::Pending> MachineSessionImpl::CheckOne(std::uint64_t number,
                                                                    std::uint32_t version,
                                                                    std::chrono::milliseconds deadline,
                                                                    CheckDone done) {
  auto checking = std::make_shared<Checking>();
  const Status local = CheckLocally(*view(), number, Now());
  if (!local) {
    done(local);
    return checking;
  }
  api::CheckRequest request;
  request.secret = number;
  request.version = version;
  VaultConnection::CallOptions call;
  call.deadline = deadline;
  checking->Begun(vault_->Send(api::kMachineCheck, request.ToJson(), call,
                               [this, number, done = std::move(done)](Result<Json> answer) {
                                 if (answer) return done({});
                                 if (MayHaveChanged(answer.error())) {
                                   Work work;
                                   work.secrets.insert(number);
                                   Post(work);
                                 }
                                 done(Unanswered(number, OfOpen(answer.error())));
                               }));
  return checking;
}

// For a handle that is open: what may be served offline goes on.
Status MachineSessionImpl::Unanswered(std::uint64_t number, Error error) const {
  if (error.code != Code::kUnreachable) return error;
  const auto shown = view();
  const auto at = shown->secrets.find(number);
  if (at != shown->secrets.end() && shown->FreezeOf(at->second->environment) == nullptr &&
      LeaseRuns(*at->second, true) && !IsUnsettled(number))
    return {};
  return WithoutLease(number, std::move(error));
}

}  // namespace grantfs
