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

const ReportDirectory* ReportDirectory::FindDirectory(std::string_view path) const {
  const ReportDirectory* at = this;
  while (at != nullptr && !path.empty()) {
    const std::string_view name = path.substr(0, path.find('/'));
    const Entry* entry = at->Find(name);
    at = entry != nullptr ? entry->directory.get() : nullptr;
    path.remove_prefix(std::min(path.size(), name.size() + 1));
  }
  return at;
}

ReportDirectory::Text ReportDirectory::Read(std::string_view path) const {
  const std::size_t slash = path.rfind('/');
  const bool below = slash != std::string_view::npos;
  const ReportDirectory* directory = FindDirectory(below ? path.substr(0, slash) : std::string_view());
  Entry* entry = directory != nullptr ? directory->Find(below ? path.substr(slash + 1) : path) : nullptr;
  if (entry == nullptr || entry->directory) return nullptr;
  std::call_once(entry->once, [entry] { entry->text = std::make_shared<const std::string>(entry->make()); });
  return entry->text;
}

std::vector<ReportDirectory::Listed> ReportDirectory::List() const {
  std::vector<Listed> all;
  for (const auto& [name, entry] : entries_) all.push_back({name, entry->directory != nullptr});
  return all;
}

}  // namespace grantfs
