#include <algorithm>
#include <optional>

#include "bundle_internal.h"
#include "client/connection/problem_internal.h"
#include "grantfs/crypto/template.h"
#include "machine_internal.h"

// A file made of several secrets. What it is made of is fixed by the view when the open begins, and each part
// is then asked for by its version, which the vault refuses once there is a newer one. So all of them were
// current at that moment: what was published as one act is never mixed with what was before.

namespace grantfs {
namespace {

constexpr std::size_t kPartsAtOnce = 8;
constexpr int kTakes = 5;  // of whoever asks for what is current, while it changes and changes

// Whoever reads it asked for nothing wrong: it is the owner's text or the values that do not fit together.
Error NotMade(Error error, const std::string& name) {
  if (error.code == Code::kInvalid) error.code = Code::kIo;
  const std::string subject = name + ", " + error.subject;
  return About(std::move(error), subject);
}

}  // namespace

Result<SecretValue> RenderBundle(const BundleView::Parts& parts, std::vector<SecretValue> values) {
  const std::string name = parts[0].path;
  auto text = Template::Parse(std::move(values[0]));
  if (!text) return NotMade(text.error(), name);
  Template::Values named;
  for (std::size_t i = 1; i < parts.size(); ++i) named.emplace(parts[i].path, std::move(values[i]));
  for (const std::string& one : text->names()) {
    // A name that is signed nowhere might be a piece of a value: it is not told.
    if (!named.contains(one))
      return Error{Code::kIo, "its text names a secret that its signed list of parts does not", 0, name};
  }
  auto made = text->Render(named);
  if (!made) return NotMade(made.error(), name);
  return std::move(*made);
}

class MachineSessionImpl::Bundling final : public SecretSource::Pending,
                                           public std::enable_shared_from_this<Bundling> {
 public:
  Bundling(MachineSessionImpl* session, OpenRequest request, std::chrono::milliseconds deadline,
           OpenDone done)
      : session_(session),
        request_(std::move(request)),
        end_(Timer::Clock::now() + deadline),
        done_(std::move(done)) {}

  /// Takes the parts as they are now, and asks for each.
  void Take() {
    const auto view = session_->view();
    const auto at = view->bundles.find(request_.number);
    if (at == view->bundles.end()) return End(Error{Code::kNotFound, "it is not granted to this machine"});
    const BundleView& bundle = *at->second;
    if (bundle.version == 0)
      return End(Error{Code::kNotFound, "a secret that it is made of cannot be read: see .grantfs/grants"});
    const bool exactly = request_.version != 0 && request_.version != bundle.version;
    const BundleView::Parts* parts = exactly && !request_.grace ? nullptr : bundle.Find(request_.version);
    if (request_.version == 0) parts = &bundle.parts;
    if (parts == nullptr) return End(Superseded());
    {
      const std::lock_guard guard(mutex_);
      ++take_;
      parts_ = *parts;
      version_ = exactly ? request_.version : bundle.version;
      values_.clear();
      values_.resize(parts_.size());
      evidence_.assign(parts_.size(), {});
      asked_.assign(parts_.size(), nullptr);
      stale_.clear();
      next_ = running_ = got_ = 0;
    }
    Pump();
  }

  void Cancel() override { End(Error{Code::kCancelled, "the caller gave up"}); }

 private:
  static Error Superseded() {
    return Error{Code::kConflict, "a secret that it is made of has a newer version"};
  }

  void Pump() {
    for (;;) {
      std::size_t index = 0;
      int take = 0;
      {
        const std::lock_guard guard(mutex_);
        if (done_ == nullptr || next_ == parts_.size() || running_ == kPartsAtOnce) return;
        index = next_++;
        ++running_;
        take = take_;
      }
      Ask(index, take, false);
    }
  }

  // Each read is recorded by itself, under an id that tells it from the others of this open.
  void Ask(std::size_t index, int take, bool grace) {
    OpenRequest one;
    {
      const std::lock_guard guard(mutex_);
      if (done_ == nullptr || take != take_) return;  // `index` is of other parts
      one.number = parts_[index].number;
      one.version = parts_[index].version;
    }
    one.grace = grace;
    one.caller = request_.caller;
    one.open_id = request_.open_id + "-" + std::to_string(index);
    if (take > 1 || grace) one.open_id += (grace ? "g" : "t") + std::to_string(take);
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end_ - Timer::Clock::now());
    const auto asked =
        session_->OpenOne(std::move(one), std::max(left, std::chrono::milliseconds(1)),
                          [self = shared_from_this(), index, take, grace](Result<OpenedSecret> result) {
                            self->Got(index, take, grace, std::move(result));
                          });
    bool over = false;
    {
      const std::lock_guard guard(mutex_);
      over = done_ == nullptr || take != take_;
      if (!over) asked_[index] = asked;
    }
    if (over) asked->Cancel();
  }

  void Got(std::size_t index, int take, bool grace, Result<OpenedSecret> result) {
    if (!result) return Refused(index, take, grace, result.error());
    bool all = false;
    {
      const std::lock_guard guard(mutex_);
      if (done_ == nullptr || take != take_) return;
      values_[index] = std::move(result->value);
      evidence_[index] = std::move(result->evidence);
      if (index == 0) record_ = result->record;
      --running_;
      all = ++got_ == parts_.size();
    }
    if (!all) return Pump();
    if (!stale_.empty() && TearsSet(*session_->view(), parts_, stale_)) return LookAtAll(take);
    Finish(Render());
  }

  void Refused(std::size_t index, int take, bool grace, Error error) {
    bool again = false;
    {
      const std::lock_guard guard(mutex_);
      if (done_ == nullptr || take != take_) return;
      again = error.code == Code::kConflict && request_.grace && !grace;
      if (again) stale_.insert(index);
      if (error.subject.empty()) error.subject = parts_[index].path;
    }
    if (again) return Ask(index, take, true);
    if (error.code == Code::kConflict) return LookAtAll(take);
    End(std::move(error));
  }

  // What changed with one part may have changed the others: they are looked at together, so that what is
  // shown next is whole. Who asked for what is current begins again with that.
  void LookAtAll(int take) {
    std::set<std::uint64_t> numbers;
    std::vector<std::shared_ptr<Pending>> asked;
    bool again = false;
    {
      const std::lock_guard guard(mutex_);
      if (done_ == nullptr || take != take_) return;  // another part's answer came first
      ++take_;
      asked.swap(asked_);
      for (const auto& part : parts_) numbers.insert(part.number);
      again = request_.version == 0 && ++tries_ < kTakes;
    }
    for (const auto& one : asked)
      if (one) one->Cancel();
    session_->LookAgainAtAll(
        numbers,
        [self = shared_from_this(), again](const Status& looked) {
          if (!looked) return self->End(looked.error());
          if (again) return self->Take();
          self->End(Superseded());
        },
        end_,
        [weak = weak_from_this()] {
          if (const auto late = weak.lock())
            late->End(Error{Code::kUnreachable, "the vault did not answer in time", 0,
                            late->session_->home_.profile().address.Text()});
        });
  }

  // All values are there, and nobody changes the fields any more.
  Result<OpenedSecret> Render() {
    auto made = GRANTFS_TRY(RenderBundle(parts_, std::move(values_)));
    return OpenedSecret{std::move(made), version_, record_, EvidenceOfBundle(parts_, evidence_)};
  }

  void End(Error error) { Finish(Result<OpenedSecret>(std::move(error))); }

  void Finish(Result<OpenedSecret> result) {
    OpenDone done;
    std::vector<std::shared_ptr<Pending>> asked;
    {
      const std::lock_guard guard(mutex_);
      done.swap(done_);
      asked.swap(asked_);
    }
    if (!done) return;
    const auto self = shared_from_this();
    session_->Forget(self);
    for (const auto& one : asked)
      if (one) one->Cancel();
    done(std::move(result));
  }

  MachineSessionImpl* const session_;
  const OpenRequest request_;
  const Timer::Clock::time_point end_;

  std::mutex mutex_;
  OpenDone done_;
  int tries_ = 0;
  int take_ = 0;  ///< answers to an earlier one are not heard
  BundleView::Parts parts_;
  std::uint32_t version_ = 0;
  std::vector<SecretValue> values_;
  std::vector<std::string> evidence_;
  std::vector<std::shared_ptr<Pending>> asked_;
  std::set<std::size_t> stale_;
  std::size_t next_ = 0, running_ = 0, got_ = 0;
  std::uint64_t record_ = 0;  ///< of the template's read
};

std::shared_ptr<SecretSource::Pending> MachineSessionImpl::Open(OpenRequest request,
                                                                std::chrono::milliseconds deadline,
                                                                OpenDone done) {
  if (!view()->bundles.contains(request.number))
    return OpenOne(std::move(request), deadline, std::move(done));
  auto bundling = std::make_shared<Bundling>(this, std::move(request), deadline, std::move(done));
  {
    const std::lock_guard guard(pending_mutex_);
    pending_.insert(bundling);
  }
  bundling->Take();
  return bundling;
}

void MachineSessionImpl::LookAgainAtAll(const std::set<std::uint64_t>& numbers,
                                        std::function<void(Status)> looked, Timer::Clock::time_point end,
                                        std::function<void()> late) {
  {
    const std::lock_guard guard(work_mutex_);
    if (!stop_) {
      timer_->At(end, std::move(late));
      for (const std::uint64_t number : numbers) waiters_.push_back({number, [](const Status&) {}});
      waiters_.back().looked = std::move(looked);
      looked = nullptr;
    }
  }
  if (looked) return looked(Error{Code::kCancelled, "the mount is ending"});
  work_changed_.notify_all();
}

}  // namespace grantfs
