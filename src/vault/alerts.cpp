#include <algorithm>

#include "alerts_internal.h"
#include "grantfs/log/log.h"
#include "grantfs/tlog/leaf.h"
#include "grantfs/util/clock.h"
#include "grantfs/util/text.h"

namespace grantfs {
namespace {

constexpr std::size_t kMostInMessage = 100, kMostMessageBytes = std::size_t{256} << 10;
constexpr std::size_t kMessagesPerMinute = 10;
constexpr std::chrono::seconds kFirstRetry{1}, kLastRetry{60};

std::string TextOf(const Json& body, const char* name) {
  const Json* member = body.Find(name);
  return member != nullptr && member->is(Json::Kind::kString) ? member->AsString() : std::string();
}

std::string Sentence(const Json& body, const std::string& type) {
  std::string text = TextOf(body, "action").empty() ? type : TextOf(body, "action");
  if (const std::string object = TextOf(body, kAuditObject); !object.empty()) text += " of " + object;
  if (const std::string name = TextOf(body, "name"); !name.empty()) text += " by " + name;
  if (const std::string reason = TextOf(body, "reason"); !reason.empty()) text += ": " + reason;
  return Printable(text);
}

/// Without the evidence, which stands in the log.
Json BodyOf(const AuditEntry& entry) {
  Json shown = Json::Object();
  const auto body = entry.body ? ParseJson(*entry.body) : Result<Json>(Json::Object());
  if (!body) return shown;
  for (const auto& [name, value] : body->Members())
    if (name != "signature" && name != "base" && name != "ext") shown.Set(name, value);
  return shown;
}

/// One alert, and its sentence.
Json AlertOf(const std::string& vault, const AuditEntry& entry, std::string* sentence) {
  const auto header = ParseLeaf(entry.leaf);
  const std::string type = header ? header->type : "";
  Json body = BodyOf(entry);
  *sentence = Sentence(body, type);
  return Json::Object({{"id", vault + "/" + std::to_string(entry.sequence)},
                       {"sequence", entry.sequence},
                       {"time", header ? header->time_ms / 1000 : 0},
                       {"type", type},
                       {"text", *sentence},
                       {"body", std::move(body)}});
}

/// As many of them as fit. @param last  the sequence of the last of them.
AlertMessage MessageOf(const Hash& vault, const std::vector<AuditEntry>& entries, std::uint64_t* last) {
  AlertMessage message;
  Json alerts = Json::Array();
  std::size_t bytes = 0;
  for (const AuditEntry& entry : entries) {
    bytes += entry.body ? entry.body->size() : 0;
    if (!message.sentences.empty() && bytes > kMostMessageBytes) break;
    std::string sentence;
    alerts.Append(AlertOf(vault.Hex(), entry, &sentence));
    message.sentences.push_back(std::move(sentence));
    *last = entry.sequence;
  }
  message.id = vault.Hex() + "/" + std::to_string(entries.front().sequence) + "-" + std::to_string(*last);
  message.json =
      Json::Object({{"id", message.id}, {"vault", vault.Hex()}, {"alerts", std::move(alerts)}}).Dump();
  return message;
}

}  // namespace

AlertSender::AlertSender(Store& store, std::shared_ptr<AlertSink> sink, std::function<Hash()> vault)
    : store_(store), sink_(std::move(sink)), vault_(std::move(vault)) {
  state_.sink = sink_->kind();
  thread_ = std::thread([this] { Run(); });
}

void AlertSender::Close() {
  stop_ = true;
  Poke();
  if (thread_.joinable()) thread_.join();
}

void AlertSender::Poke() {
  {
    const std::lock_guard lock(mutex_);
    poked_ = true;
  }
  changed_.notify_one();
}

api::AlertState AlertSender::State() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

// A sink that is new is told what happens from now on.
Status AlertSender::Begin() {
  if (begun_) return {};
  {
    const auto reader = GRANTFS_TRY(store_.Read());
    const auto reached = GRANTFS_TRY(reader->AlertReached(sink_->kind()));
    reached_ = reached ? *reached : GRANTFS_TRY(reader->AuditSize());
    begun_ = reached.has_value();
  }
  if (!begun_)
    GRANTFS_CHECK(store_.WriteAndWait(
        [this](StoreWriter& writer) { return writer.SetAlertReached(sink_->kind(), reached_); }));
  begun_ = true;
  const std::lock_guard lock(mutex_);
  state_.reached = reached_;
  return {};
}

AlertSender::Clock::time_point AlertSender::NextTurn() const {
  return sent_.size() < kMessagesPerMinute ? Clock::time_point() : sent_.front() + std::chrono::minutes(1);
}

void AlertSender::WaitUntil(Clock::time_point until) {
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, until, [this] { return stop_.load(); });
}

void AlertSender::Note(const Status& delivered, std::size_t alerts) {
  const std::lock_guard lock(mutex_);
  state_.reached = reached_;
  if (delivered) {
    state_.delivered += alerts;
    state_.failures = 0;
    state_.error.clear();
    return;
  }
  if (state_.failures++ == 0) state_.since = SystemClock().WallSeconds();
  state_.error = Printable(Describe(delivered.error())).substr(0, api::kMaxAlertErrorBytes);
}

bool AlertSender::SendNext() {
  std::uint64_t last = 0;
  std::size_t count = 0;
  const auto send = [&]() -> Status {
    GRANTFS_CHECK(Begin());
    std::vector<AuditEntry> waiting;
    {
      const auto reader = GRANTFS_TRY(store_.Read());
      waiting = GRANTFS_TRY(reader->CriticalAudit(reached_, kMostInMessage));
    }
    if (waiting.empty()) return {};
    const AlertMessage message = MessageOf(vault_(), waiting, &last);
    GRANTFS_CHECK(sink_->Deliver(message, stop_));
    count = message.sentences.size();
    return {};
  };
  const Status sent = send();
  if (stop_ && !sent) return false;
  if (sent && count == 0) {
    Note(sent, 0);
    return false;
  }
  if (sent) {
    reached_ = last + 1;
    sent_.push_back(Clock::now());
    // What cannot be noted now is noted with the next; it is sent twice only if the vault ends before.
    const Status noted = store_.WriteAndWait(
        [this](StoreWriter& writer) { return writer.SetAlertReached(sink_->kind(), reached_); });
    if (!noted) Log(LogLevel::kWarning, "how far alerts were told could not be noted", noted.error());
  } else {
    Log(LogLevel::kError, std::string("an alert could not be delivered (") + sink_->kind() + ")",
        sent.error());
  }
  Note(sent, count);
  return sent.has_value();
}

void AlertSender::Run() {
  std::chrono::seconds retry = kFirstRetry;
  while (!stop_) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return poked_ || stop_; });
      poked_ = false;
    }
    bool more = true;
    while (more && !stop_) {
      std::erase_if(sent_, [](Clock::time_point at) { return at + std::chrono::minutes(1) <= Clock::now(); });
      if (NextTurn() > Clock::now()) WaitUntil(NextTurn());
      if (stop_) return;
      more = SendNext();
      if (more) retry = kFirstRetry;
      if (more || State().failures == 0) continue;
      WaitUntil(Clock::now() + retry);
      retry = std::min(retry * 2, kLastRetry);
      more = true;
    }
  }
}

}  // namespace grantfs
