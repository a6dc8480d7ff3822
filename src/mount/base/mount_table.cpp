#include <algorithm>
#include <fstream>
#include <sstream>

#include "grantfs/util/text.h"
#include "mount/base/mount_table_internal.h"

namespace grantfs {

namespace {

bool IsOctal(char c) { return c >= '0' && c <= '7'; }

/// "\040" stands for a space.
std::string Unescape(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size() && IsOctal(text[i + 1]) && IsOctal(text[i + 2]) &&
        IsOctal(text[i + 3])) {
      result += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    } else {
      result += text[i];
    }
  }
  return result;
}

std::optional<MountEntry> ParseLine(std::string_view line) {
  const auto fields = Split(line, ' ');
  MountEntry entry;
  if (fields.size() < 10 || !ParseNumber(fields[0], ~0ULL, &entry.id)) return std::nullopt;
  entry.device = fields[2];
  entry.root = Unescape(fields[3]);
  entry.point = Unescape(fields[4]);
  entry.options = fields[5];
  for (std::size_t i = 6; i + 1 < fields.size(); ++i) {  // optional fields end with "-"
    if (fields[i] != "-") continue;
    entry.type = Unescape(fields[i + 1]);
    if (i + 2 < fields.size()) entry.source = Unescape(fields[i + 2]);
    if (i + 3 < fields.size()) entry.super_options = fields[i + 3];
    return entry;
  }
  return std::nullopt;
}

}  // namespace

std::vector<MountEntry> ParseMountInfo(std::string_view text) {
  std::vector<MountEntry> entries;
  for (std::string_view line : Split(text, '\n')) {
    if (auto entry = ParseLine(line)) entries.push_back(std::move(*entry));
  }
  return entries;
}

std::vector<MountEntry> AllMounts() {
  std::ifstream file("/proc/self/mountinfo");
  std::ostringstream text;
  text << file.rdbuf();
  return ParseMountInfo(text.str());
}

std::optional<uid_t> OnlyUserOf(const MountEntry& entry) {
  const auto options = Split(entry.super_options, ',');
  if (std::find(options.begin(), options.end(), "allow_other") != options.end()) return std::nullopt;
  return MounterOf(entry);
}

std::optional<uid_t> MounterOf(const MountEntry& entry) {
  constexpr std::string_view kUser = "user_id=";
  std::optional<uid_t> user;
  for (const std::string_view option : Split(entry.super_options, ',')) {
    unsigned long long number = 0;
    if (option.starts_with(kUser) && ParseNumber(option.substr(kUser.size()), 0xffffffff, &number))
      user = static_cast<uid_t>(number);
  }
  return user;
}

bool MayBeMounted(unsigned long long id) {
  const auto all = AllMounts();
  return all.empty() ||
         std::any_of(all.begin(), all.end(), [id](const MountEntry& entry) { return entry.id == id; });
}

std::optional<MountEntry> MountWithId(unsigned long long id) {
  for (MountEntry& entry : AllMounts()) {
    if (entry.id == id) return std::move(entry);
  }
  return std::nullopt;
}

std::optional<MountEntry> TopMount(const std::string& point) {
  std::optional<MountEntry> top;
  for (MountEntry& entry : AllMounts()) {  // the newest comes last
    if (entry.point == point) top = std::move(entry);
  }
  return top;
}

}  // namespace grantfs
