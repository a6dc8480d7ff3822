#pragma once

#include <string>
#include <vector>

#include "grantfs/util/text.h"  // Count

namespace grantfs {

/// Rows in aligned columns, for people. Cells come from wherever they come: Printable makes them harmless.
class Table {
 public:
  /// @param header  empty: none is shown.
  explicit Table(std::vector<std::string> header = {});
  /// As many cells as the other rows have. An empty cell shows as "-".
  void Add(std::vector<std::string> cells);
  bool empty() const { return rows_.empty(); }
  std::string Text() const;

 private:
  std::vector<std::string> header_;
  std::vector<std::vector<std::string>> rows_;
};

/// FormatTime, "" for 0.
std::string TimeCell(std::int64_t unix_seconds);

/// "1, 2 and 5"
std::string JoinWords(const std::vector<std::string>& words);
/// The same of the first few, and how many more there are.
std::string JoinFirstWords(const std::vector<std::string>& words);

}  // namespace grantfs
