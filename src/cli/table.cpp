#include <algorithm>

#include "grantfs/util/clock.h"
#include "grantfs/util/text.h"
#include "table_internal.h"

namespace grantfs {
namespace {

// Characters, as far as one cell of a terminal is one code point.
std::size_t Width(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; }));
}

void AppendRow(const std::vector<std::string>& row, const std::vector<std::size_t>& widths,
               std::string* text) {
  for (std::size_t i = 0; i < row.size(); ++i) {
    *text += row[i];
    if (i + 1 < row.size()) text->append(widths[i] - Width(row[i]) + 2, ' ');
  }
  *text += '\n';
}

}  // namespace

Table::Table(std::vector<std::string> header) : header_(std::move(header)) {}

void Table::Add(std::vector<std::string> cells) {
  for (std::string& cell : cells) cell = cell.empty() ? "-" : Printable(cell);
  rows_.push_back(std::move(cells));
}

std::string Table::Text() const {
  std::vector<std::size_t> widths(header_.empty() && !rows_.empty() ? rows_.front().size() : header_.size());
  const auto widen = [&widths](const std::vector<std::string>& row) {
    for (std::size_t i = 0; i < row.size(); ++i) widths.at(i) = std::max(widths.at(i), Width(row[i]));
  };
  widen(header_);
  std::for_each(rows_.begin(), rows_.end(), widen);
  std::string text;
  if (!header_.empty()) AppendRow(header_, widths, &text);
  for (const auto& row : rows_) AppendRow(row, widths, &text);
  return text;
}

std::string TimeCell(std::int64_t unix_seconds) { return unix_seconds == 0 ? "" : FormatTime(unix_seconds); }

std::string JoinWords(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? " and " : ", ";
    text += words[i];
  }
  return text;
}

std::string JoinFirstWords(const std::vector<std::string>& words) {
  constexpr std::ptrdiff_t kFew = 5;
  if (words.size() <= std::size_t{kFew} + 1) return JoinWords(words);
  std::vector<std::string> few(words.begin(), words.begin() + kFew);
  few.push_back(std::to_string(words.size() - few.size()) + " more");
  return JoinWords(few);
}

}  // namespace grantfs
