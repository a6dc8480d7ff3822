#include <algorithm>
#include <utility>

#include "grantfs/api/machine.h"
#include "grantfs/crypto/encoding.h"
#include "grantfs/crypto/random.h"
#include "grantfs/log/log.h"
#include "grantfs/util/text.h"
#include "refusal_reporter_internal.h"

namespace grantfs {
namespace {

constexpr std::chrono::milliseconds kFirstPause{500};
constexpr std::chrono::milliseconds kLastPause{30'000};
constexpr std::size_t kMaxTextBytes = 1000;
/// A kind of records in the kept memory, beside those of KeptLeases.
constexpr std::uint32_t kKeptRefusal = 18;

std::string Bounded(const std::string& text) { return Printable(text.substr(0, kMaxTextBytes)); }

api::RefusalsRequest::Refusal ToApi(std::string id, const RefusedRead& refused) {
  api::RefusalsRequest::Refusal refusal;
  refusal.id = std::move(id);
  refusal.secret = refused.number;
  refusal.version = refused.version;
  refusal.reason = Bounded(refused.reason);
  refusal.count = refused.count;
  refusal.first = refused.first;
  refusal.last = refused.last;
  refusal.caller = {refused.caller.pid, refused.caller.uid, refused.caller.gid,
                    Bounded(refused.caller.executable), Bounded(refused.caller.cgroup)};
  return refusal;
}

/// The vault said what it will say again.
bool IsFinal(Code code) {
  return code == Code::kInvalid || code == Code::kNotFound || code == Code::kDenied ||
         code == Code::kUnsupported;
}

}  // namespace

RefusalReporter::RefusalReporter(VaultConnection* vault, Timer* timer, KeptMemory* kept)
    : vault_(vault), timer_(timer), kept_(kept), prefix_("refused-" + HexEncode(RandomBytes(16)) + "-") {
  if (kept_ != nullptr) TakeOver();
}

void RefusalReporter::TakeOver() {
  std::vector<Bytes> broken;
  kept_->ForEach(kKeptRefusal, [&](ByteView id, ByteView value) {
    const auto json = ParseJson(AsText(value));
    auto request = json ? api::RefusalsRequest::FromJson(*json) : Result<api::RefusalsRequest>(json.error());
    if (!request || request->refusals.size() != 1 || request->refusals[0].id != AsText(id))
      return broken.push_back(ToBytes(id));
    if (waiting_.size() < kMaxWaiting) waiting_.push_back(std::move(request->refusals[0]));
  });
  for (const Bytes& id : broken) kept_->Erase(kKeptRefusal, id);
}

/// With the lock held. What finds no room is lost with this process alone. @return whether it lies there.
bool RefusalReporter::Keep(const Entry& entry) {
  if (kept_ == nullptr) return false;
  if (kept_->Has(kKeptRefusal, AsBytes(entry.id))) return true;
  const std::string text = api::RefusalsRequest{{entry}}.ToJson().Dump();
  return kept_->Put(kKeptRefusal, AsBytes(entry.id), AsBytes(text)).has_value();
}

void RefusalReporter::Add(std::vector<RefusedRead> refusals) {
  bool dropped = false;
  bool begin = false;
  {
    const std::lock_guard guard(mutex_);
    for (const RefusedRead& refusal : refusals) {
      const auto same = [&](const Entry& entry) { return entry.id == refusal.id; };
      if (!refusal.id.empty() && std::any_of(waiting_.begin(), waiting_.end(), same)) continue;
      if (waiting_.size() >= kMaxWaiting) {
        dropped = !std::exchange(dropping_, true);
        break;
      }
      waiting_.push_back(ToApi(refusal.id.empty() ? prefix_ + std::to_string(next_++) : refusal.id, refusal));
      Keep(waiting_.back());
    }
    begin = !waiting_.empty() && !std::exchange(sending_, true);
  }
  if (dropped) {
    Log(LogLevel::kWarning,
        "refused reads are not recorded any more until the vault has taken those that wait");
  }
  if (begin) SendNext();
}

void RefusalReporter::SendNext() {
  api::RefusalsRequest request;
  {
    const std::lock_guard guard(mutex_);
    asking_ = true;
    for (const Entry& entry : waiting_) {
      if (request.refusals.size() == api::kMaxRefusals) break;
      request.refusals.push_back(entry);
    }
  }
  vault_->Send(api::kMachineRefusals, request.ToJson(), {},
               [this, count = request.refusals.size()](Result<Json> answer) { Sent(count, answer); });
}

void RefusalReporter::Sent(std::size_t count, const Result<Json>& answer) {
  if (!answer && answer.error().code == Code::kCancelled) return;  // the session is ending
  const bool done = answer || IsFinal(answer.error().code);
  if (!answer && done) Log(LogLevel::kWarning, "the vault does not record refused reads", answer.error());
  bool more = false;
  {
    const std::lock_guard guard(mutex_);
    asking_ = false;
    failing_ = !done;
    if (done) {
      for (std::size_t i = 0; kept_ != nullptr && i < count; ++i)
        kept_->Erase(kKeptRefusal, AsBytes(waiting_[i].id));
      waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(count));
      backoff_ = std::chrono::milliseconds(0);
      dropping_ = false;
    } else {
      backoff_ = std::clamp(backoff_ * 2, kFirstPause, kLastPause);
    }
    sending_ = more = !waiting_.empty();
  }
  changed_.notify_all();
  if (!more) return;
  if (done)
    SendNext();
  else
    timer_->After(backoff_, [this] { SendNext(); });
}

void RefusalReporter::Drain(std::chrono::milliseconds wait) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, wait, [this] { return waiting_.empty() || (failing_ && !asking_); });
}

void RefusalReporter::HandOver(std::chrono::milliseconds wait) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, wait, [this] {
    const bool found =
        std::all_of(waiting_.begin(), waiting_.end(), [this](const Entry& entry) { return Keep(entry); });
    return found || (failing_ && !asking_);
  });
}

}  // namespace grantfs
