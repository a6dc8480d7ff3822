#include <arpa/inet.h>

#include "failure_limiter_internal.h"
#include "grantfs/crypto/encoding.h"

namespace grantfs {

std::string NetworkOf(const std::string& remote) {
  in6_addr address{};
  const std::string plain = remote.substr(0, remote.find('%'));
  if (::inet_pton(AF_INET6, plain.c_str(), &address) != 1 || IN6_IS_ADDR_V4MAPPED(&address)) return remote;
  return HexEncode(ByteView(address.s6_addr, 8)) + "/64";
}

std::uint64_t FailureLimiter::CountIn(Counts& counts, const std::string& key) {
  const auto found = counts.find(key);
  if (found != counts.end()) return ++found->second;
  return ++counts[counts.size() < kMaxKnown ? key : std::string()];
}

bool FailureLimiter::Failed(const std::string& remote, const std::string& identity, std::int64_t now) {
  const std::lock_guard lock(mutex_);
  if (now / 60 != minute_) {
    minute_ = now / 60;
    addresses_.clear();
    identities_.clear();
  }
  const bool of_address = CountIn(addresses_, NetworkOf(remote)) > of_one_;
  const bool of_identity = !identity.empty() && CountIn(identities_, identity) > of_one_;
  return of_address || of_identity;
}

std::size_t FailureLimiter::size() const {
  const std::lock_guard lock(mutex_);
  return addresses_.size() + identities_.size();
}

LateAnswers::LateAnswers(std::chrono::milliseconds delay) : delay_(delay), thread_([this] { Run(); }) {}

LateAnswers::~LateAnswers() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void LateAnswers::Send(std::shared_ptr<Responder> responder, HttpResponse response) {
  {
    const std::lock_guard lock(mutex_);
    if (!closing_ && held_.size() < kMaxHeld) {
      held_.push_back({std::chrono::steady_clock::now() + delay_, std::move(responder), std::move(response)});
      responder = nullptr;
    }
  }
  if (responder != nullptr) return responder->Send(std::move(response));
  changed_.notify_one();
}

void LateAnswers::Run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (held_.empty()) {
      if (closing_) return;
      changed_.wait(lock);
      continue;
    }
    if (!closing_ && std::chrono::steady_clock::now() < held_.front().due) {
      changed_.wait_until(lock, held_.front().due);
      continue;
    }
    Held one = std::move(held_.front());
    held_.pop_front();
    lock.unlock();
    one.responder->Send(std::move(one.response));
    lock.lock();
  }
}

}  // namespace grantfs
