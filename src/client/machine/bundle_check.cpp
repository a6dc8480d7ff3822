#include "bundle_internal.h"
#include "machine_internal.h"

namespace grantfs {

/// Whether the grants of a file's template and of all its parts still stand. The first that does not ends it.
class MachineSessionImpl::BundleChecking final : public SecretSource::Pending,
                                                 public std::enable_shared_from_this<BundleChecking> {
 public:
  explicit BundleChecking(CheckDone done) : done_(std::move(done)) {}

  void Start(MachineSessionImpl* session, const BundleView::Parts& parts,
             std::chrono::milliseconds deadline) {
    left_ = parts.size();
    for (const auto& part : parts) {
      auto one = session->CheckOne(part.number, part.version, deadline,
                                   [self = shared_from_this()](const Status& status) { self->Got(status); });
      const std::lock_guard guard(mutex_);
      if (done_ == nullptr) break;
      asked_.push_back(std::move(one));
    }
  }

  void Cancel() override {
    std::vector<std::shared_ptr<Pending>> asked;
    {
      const std::lock_guard guard(mutex_);
      asked = asked_;
    }
    for (const auto& one : asked) one->Cancel();
  }

 private:
  void Got(const Status& status) {
    CheckDone done;
    {
      const std::lock_guard guard(mutex_);
      --left_;
      const bool good = status || status.error().code == Code::kConflict;
      if (good && left_ > 0) return;
      done.swap(done_);
    }
    if (done) done(status);
  }

  std::mutex mutex_;
  CheckDone done_;
  std::size_t left_ = 0;
  std::vector<std::shared_ptr<Pending>> asked_;
};

std::shared_ptr<SecretSource::Pending> MachineSessionImpl::Check(std::uint64_t number, std::uint32_t version,
                                                                 std::chrono::milliseconds deadline,
                                                                 CheckDone done) {
  const auto now = view();
  const auto at = now->bundles.find(number);
  if (at == now->bundles.end()) return CheckOne(number, version, deadline, std::move(done));
  const BundleView::Parts* parts = at->second->Find(version);
  // Of what it was made of long ago the grants are looked at as they are now.
  if (parts == nullptr) parts = &at->second->parts;
  if (parts->empty()) {
    const CheckDone over = std::move(done);
    over(Error{Code::kNotFound, "a secret that it is made of is not granted to this machine any more"});
    return std::make_shared<BundleChecking>(nullptr);
  }
  auto checking = std::make_shared<BundleChecking>(std::move(done));
  checking->Start(this, *parts, deadline);
  return checking;
}

}  // namespace grantfs
