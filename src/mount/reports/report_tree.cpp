#include <algorithm>

#include "grantfs/mount/reports.h"

namespace grantfs {

namespace {

/// Without a character that is cut in two.
std::string Cut(std::string name, std::size_t bytes) {
  while (bytes > 0 && (static_cast<unsigned char>(name[bytes]) & 0xC0) == 0x80) --bytes;
  name.resize(bytes);
  return name;
}

}  // namespace

// Two threads may make one at once: then the first is kept.
FilledReports::DirectoryPtr FilledReports::Get(const void* key, const Fill& fill) {
  const auto take = [&]() -> DirectoryPtr {
    const auto at =
        std::find_if(filled_.begin(), filled_.end(), [&](const auto& one) { return one.first == key; });
    if (at == filled_.end()) return nullptr;
    std::rotate(at, at + 1, filled_.end());
    return filled_.back().second;
  };
  {
    const std::lock_guard lock(mutex_);
    if (auto there = take()) return there;
  }
  const auto made = std::make_shared<ReportDirectory>();
  fill(*made);
  const std::lock_guard lock(mutex_);
  if (auto there = take()) return there;
  if (filled_.size() == kMaxFilled) filled_.erase(filled_.begin());
  return filled_.emplace_back(key, made).second;
}

std::string ReportDirectory::Fit(const std::string& name, std::size_t room) {
  if (name.size() + room <= kMaxNameBytes) return name;
  return Cut(name, kMaxNameBytes - room - 1) + "~";
}

std::string ReportDirectory::FreeName(const std::string& name) const {
  constexpr std::size_t kSuffixBytes = 20;
  std::string free = Fit(name, 0);
  for (std::size_t count = 1; Find(free) != nullptr; ++count)
    free = Fit(name, kSuffixBytes) + "~" + (count == 1 ? "" : std::to_string(count));
  return free;
}

ReportDirectory::Entry* ReportDirectory::Find(std::string_view name) const {
  const auto found = entries_.find(name);
  return found == entries_.end() ? nullptr : found->second.get();
}

ReportDirectory* ReportDirectory::Enter(const std::string& name) {
  if (name.size() > kMaxNameBytes) return Enter(Fit(name, 0));
  Entry* there = Find(name);
  if (there != nullptr) return there->directory ? there->directory.get() : Enter(name + "~");
  auto& entry = entries_[name];
  entry = std::make_unique<Entry>();
  entry->directory = std::make_unique<ReportDirectory>();
  return entry->directory.get();
}

std::string ReportDirectory::AddFile(const std::string& name, Make make) {
  std::string free = FreeName(name);
  auto& entry = entries_[free];
  entry = std::make_unique<Entry>();
  entry->make = std::move(make);
  return free;
}

void ReportDirectory::AddDirectory(const std::string& name, std::shared_ptr<FilledReports> filled,
                                   Fill fill) {
  auto& entry = entries_[FreeName(name)];
  entry = std::make_unique<Entry>();
  entry->filled = std::move(filled);
  entry->fill = std::move(fill);
}

ReportDirectory::Ptr ReportDirectory::FindDirectory(std::string_view path) const {
  Ptr at(Ptr(), this);  // which holds nothing
  while (at != nullptr && !path.empty()) {
    const std::string_view name = path.substr(0, path.find('/'));
    const Entry* entry = at->Find(name);
    if (entry == nullptr || !entry->IsDirectory())
      at = nullptr;
    else if (entry->directory != nullptr)
      at = Ptr(at, entry->directory.get());
    else
      at = entry->filled->Get(entry, entry->fill);
    path.remove_prefix(std::min(path.size(), name.size() + 1));
  }
  return at;
}

/// @param holds  is given what the entry lives in.
ReportDirectory::Entry* ReportDirectory::FindEntry(std::string_view path, Ptr* holds) const {
  const std::size_t slash = path.rfind('/');
  const bool below = slash != std::string_view::npos;
  *holds = FindDirectory(below ? path.substr(0, slash) : std::string_view());
  return *holds != nullptr ? (*holds)->Find(below ? path.substr(slash + 1) : path) : nullptr;
}

bool ReportDirectory::HasDirectory(std::string_view path) const {
  Ptr holds;
  const Entry* entry = FindEntry(path, &holds);
  return path.empty() || (entry != nullptr && entry->IsDirectory());
}

ReportDirectory::Text ReportDirectory::Read(std::string_view path) const {
  Ptr directory;
  Entry* entry = FindEntry(path, &directory);
  if (entry == nullptr || entry->IsDirectory()) return nullptr;
  std::call_once(entry->once, [entry] { entry->text = std::make_shared<const std::string>(entry->make()); });
  return entry->text;
}

std::vector<ReportDirectory::Listed> ReportDirectory::List() const {
  std::vector<Listed> all;
  for (const auto& [name, entry] : entries_) all.push_back({name, entry->IsDirectory()});
  return all;
}

}  // namespace grantfs
