#include <algorithm>
#include <optional>
#include <utility>

#include "grantfs/crypto/encoding.h"
#include "grantfs/crypto/hash.h"
#include "grantfs/crypto/random.h"
#include "grantfs/log/log.h"
#include "grantfs/util/number_key.h"
#include "mount/base/fields_internal.h"
#include "mount/tree/denials_internal.h"
#include "mount/tree/kept_files_internal.h"

namespace grantfs {

namespace {

constexpr const char* kOthers = "more programs were refused in this minute than are named one by one";

/// Without the process's id: a program in a loop has a new one each time. Of one length, whatever the texts:
/// it is kept whole, and they are not.
std::string KeyOf(const RefusedRead& read) {
  std::string key;
  for (const std::string& part : {std::to_string(read.number), std::to_string(read.caller.uid), read.reason,
                                  read.caller.executable, read.caller.cgroup}) {
    key += std::to_string(part.size()) + ":" + part;
  }
  return Sha256({AsBytes(key)}).Hex();
}

// Whoever can open files chooses some of the texts: what is kept of them is bounded.
constexpr std::size_t kMaxKeptText = 1000;

}  // namespace

Denials::Denials(KeptMemory* kept) : kept_(kept) {
  if (kept_ != nullptr) TakeOver();
}

void Denials::TakeOver() {
  kept_->ForEach(kKeptDenial, [this](ByteView key, ByteView value) {
    Row row;
    RefusedRead& read = row.denial.read;
    FieldReader in(AsText(value));
    row.id = NumberKey::In(key);
    for (std::uint64_t* number : {&read.number, &read.count, &row.unreported}) *number = in.Number();
    for (std::int64_t* time : {&read.first, &read.last, &row.first_unreported})
      *time = static_cast<std::int64_t>(in.Number());
    for (std::uint32_t* number : {&read.version, &read.caller.pid, &read.caller.uid, &read.caller.gid})
      *number = in.Small();
    for (std::string* text :
         {&row.denial.name, &read.reason, &read.caller.executable, &read.caller.cgroup, &row.key})
      *text = in.Text();
    row.reported = row.unreported == 0;
    if (in.Whole()) rows_.push_back(std::move(row));
  });
  rows_.sort([](const Row& a, const Row& b) { return a.id < b.id; });
  for (auto row = rows_.begin(); row != rows_.end(); ++row) {
    TakeOverReport(*row);
    next_id_ = row->id + 1;
    if (std::exchange(minute_, row->denial.read.first / kSeconds) != minute_) by_key_.clear();
    by_key_[row->key] = row;
  }
}

/// With the lock held.
bool Denials::Keep(const Row& row) {
  if (kept_ == nullptr) return false;
  const RefusedRead& read = row.denial.read;
  const std::uint64_t unreported = row.unreported + (row.under_way ? row.under_way->count : 0);
  const std::int64_t since = row.under_way ? row.under_way->first : row.first_unreported;
  FieldWriter out;
  for (const std::uint64_t number : {read.number, read.count, unreported}) out.Number(number);
  for (const std::int64_t time : {read.first, read.last, since}) out.Number(static_cast<std::uint64_t>(time));
  for (const std::uint32_t number : {read.version, read.caller.pid, read.caller.uid, read.caller.gid})
    out.Number(number);
  for (const std::string* text :
       {&row.denial.name, &read.reason, &read.caller.executable, &read.caller.cgroup})
    out.Text(text->substr(0, kMaxKeptText));
  out.Text(row.key);
  const Status kept = kept_->Put(kKeptDenial, NumberKey(row.id), AsBytes(out.Take()));
  if (!kept && !std::exchange(unkept_, true))
    Log(LogLevel::kWarning, "a refusal that is not reported yet may be lost if the worker ends",
        kept.error());
  return kept.has_value();
}

/// With the lock held, before it is made: how much of the row it is, and where in the row it begins.
void Denials::KeepReport(const Row& row, const RefusedRead& report) {
  if (kept_ == nullptr) return;
  FieldWriter out;
  for (const std::uint64_t number : {row.denial.read.count - row.unreported, report.count})
    out.Number(number);
  for (const std::int64_t time : {report.first, report.last}) out.Number(static_cast<std::uint64_t>(time));
  out.Text(report.id);
  // What finds no room may be recorded twice, if the worker ends in this moment.
  [[maybe_unused]] const Status kept = kept_->Put(kKeptDenialReport, NumberKey(row.id), AsBytes(out.Take()));
}

// The row says whether the process before came to know that it was taken: its next report begins later then.
void Denials::TakeOverReport(Row& row) {
  const auto kept = kept_->Get(kKeptDenialReport, NumberKey(row.id));
  if (!kept) return;
  FieldReader in(AsText(*kept));
  RefusedRead report = row.denial.read;
  const std::uint64_t begins = in.Number();
  report.count = in.Number();
  for (std::int64_t* time : {&report.first, &report.last}) *time = static_cast<std::int64_t>(in.Number());
  report.id = in.Text();
  const bool due = in.Whole() && report.count > 0 && row.unreported >= report.count &&
                   row.denial.read.count >= row.unreported &&
                   row.denial.read.count - row.unreported == begins;
  if (!due) {
    kept_->Erase(kKeptDenialReport, NumberKey(row.id));
    return;
  }
  row.unreported -= report.count;
  row.first_unreported = report.last;
  row.under_way = std::move(report);
}

/// With the lock held.
RefusedRead Denials::Begin(Row& row) {
  row.reported = true;
  if (row.under_way) return *std::exchange(row.under_way, std::nullopt);
  RefusedRead report = row.denial.read;
  report.id = "refused-" + HexEncode(RandomBytes(16));
  report.count = row.unreported;
  report.first = row.first_unreported;
  KeepReport(row, report);
  row.unreported = 0;
  return report;
}

bool Denials::Fits(const std::string& key, std::size_t bound) const {
  return by_key_.contains(key) || by_key_.size() < bound;
}

void Denials::Append(const std::string& key, const std::string& name, RefusedRead one, std::int64_t now) {
  if (rows_.size() >= kMaxKept) {
    if (const auto found = by_key_.find(rows_.front().key);
        found != by_key_.end() && found->second == rows_.begin())
      by_key_.erase(found);
    if (kept_ != nullptr) {
      kept_->Erase(kKeptDenial, NumberKey(rows_.front().id));
      kept_->Erase(kKeptDenialReport, NumberKey(rows_.front().id));
    }
    rows_.pop_front();
  }
  one.count = 0;
  one.first = now;
  // A report of a row that found no room itself, before a worker ended, is none of this one.
  if (kept_ != nullptr) kept_->Erase(kKeptDenialReport, NumberKey(next_id_));
  rows_.push_back({next_id_++, key, {name, std::move(one)}, 0, 0, false});
  by_key_[key] = std::prev(rows_.end());
}

bool Denials::Add(const std::string& name, RefusedRead one, std::int64_t now) {
  std::lock_guard lock(mutex_);
  if (std::exchange(minute_, now / kSeconds) != now / kSeconds) by_key_.clear();
  std::string key = KeyOf(one);
  if (!Fits(key, kMaxPrograms)) {
    one.reason = kOthers;
    one.caller.pid = 0;
    one.caller.executable.clear();
    one.caller.cgroup.clear();
    key = "others:" + std::to_string(one.number);
    if (!Fits(key, 2 * kMaxPrograms)) return false;
  }
  const bool is_new = !by_key_.contains(key);
  if (is_new) Append(key, name, std::move(one), now);
  Row& row = *by_key_.at(key);
  if (row.unreported++ == 0) row.first_unreported = now;
  ++row.denial.read.count;
  row.denial.read.last = now;
  Keep(row);
  return is_new;
}

void Denials::TakeDue(std::int64_t now, bool all,
                      const std::function<void(std::vector<RefusedRead>)>& report) {
  std::vector<RefusedRead> due;
  std::lock_guard lock(mutex_);
  std::vector<const Row*> taken;
  for (Row& row : rows_) {
    const bool over = row.denial.read.first / kSeconds != now / kSeconds;
    const auto begin = [&] {
      due.push_back(Begin(row));
      taken.push_back(&row);
    };
    if (row.under_way)
      begin();
    else if (row.unreported != 0 && (!row.reported || over || all))
      begin();
  }
  if (due.empty()) return;
  report(std::move(due));
  for (const Row* row : taken) {
    // Where the row finds no room, its report says on what was taken.
    if (Keep(*row) && kept_ != nullptr) kept_->Erase(kKeptDenialReport, NumberKey(row->id));
  }
}

std::vector<Denial> Denials::Recent() const {
  std::lock_guard lock(mutex_);
  std::vector<Denial> denials;
  for (const Row& row : rows_) denials.push_back(row.denial);
  return denials;
}

}  // namespace grantfs
