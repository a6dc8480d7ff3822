#include <algorithm>
#include <span>

#include "secret_diff_internal.h"

namespace grantfs {
namespace {

constexpr std::size_t kMostCompared = 1000;

using Line = std::span<const std::uint8_t>;
using Lines = std::span<const Line>;

/// With the newline at its end, if it has one.
std::vector<Line> LinesOf(Line text) {
  std::vector<Line> lines;
  while (!text.empty()) {
    const auto end = std::find(text.begin(), text.end(), '\n');
    const auto size = static_cast<std::size_t>(end - text.begin()) + (end == text.end() ? 0 : 1);
    lines.push_back(text.first(size));
    text = text.subspan(size);
  }
  return lines;
}

bool Same(Line a, Line b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

/// Where two texts differ, between what both begin and end with.
struct Between {
  std::size_t at = 0;  ///< lines before it
  Lines first, second;
};

Between Narrowed(Lines first, Lines second) {
  const auto [a, b] = std::mismatch(first.begin(), first.end(), second.begin(), second.end(), Same);
  const auto at = static_cast<std::size_t>(a - first.begin());
  first = first.subspan(at);
  second = second.subspan(at);
  while (!first.empty() && !second.empty() && Same(first.back(), second.back())) {
    first = first.first(first.size() - 1);
    second = second.first(second.size() - 1);
  }
  return {at, first, second};
}

/// The longest common subsequence of what follows, for each pair of places.
class CommonLines {
 public:
  CommonLines(Lines first, Lines second)
      : width_(second.size() + 1), lengths_((first.size() + 1) * width_, 0) {
    for (std::size_t i = first.size(); i-- > 0;)
      for (std::size_t j = second.size(); j-- > 0;)
        At(i, j) = Same(first[i], second[j]) ? static_cast<std::uint16_t>(At(i + 1, j + 1) + 1)
                                             : std::max(At(i + 1, j), At(i, j + 1));
  }
  std::uint16_t& At(std::size_t i, std::size_t j) { return lengths_[i * width_ + j]; }

 private:
  std::size_t width_;
  std::vector<std::uint16_t> lengths_;
};

std::vector<DiffPiece> Pieces(const Between& between) {
  const auto [at, first, second] = between;
  std::vector<DiffPiece> pieces;
  CommonLines common(first, second);
  std::size_t i = 0, j = 0;
  while (i < first.size() || j < second.size()) {
    if (i < first.size() && j < second.size() && Same(first[i], second[j])) {
      ++i, ++j;
      continue;
    }
    DiffPiece piece{at + i + 1, 0, at + j + 1, 0};
    while ((i < first.size() || j < second.size()) &&
           !(i < first.size() && j < second.size() && Same(first[i], second[j]))) {
      const bool drop =
          j == second.size() || (i < first.size() && common.At(i + 1, j) >= common.At(i, j + 1));
      drop ? ++i : ++j;
      ++(drop ? piece.first_lines : piece.second_lines);
    }
    pieces.push_back(piece);
  }
  return pieces;
}

void OutLines(Terminal& terminal, const char* mark, Lines lines) {
  for (const Line line : lines) {
    terminal.Out(mark);
    terminal.Out(line);
    if (line.back() != '\n') terminal.Out("\n(no newline at its end)\n");
  }
}

}  // namespace

std::vector<DiffPiece> DiffLines(const SecretValue& first, const SecretValue& second) {
  const auto a = LinesOf(first.Expose()), b = LinesOf(second.Expose());
  const Between between = Narrowed(a, b);
  if (between.first.empty() && between.second.empty()) return {};
  if (between.first.size() > kMostCompared || between.second.size() > kMostCompared)
    return {{between.at + 1, between.first.size(), between.at + 1, between.second.size()}};
  return Pieces(between);
}

void OutDiff(Terminal& terminal, const SecretValue& first, const SecretValue& second,
             const std::vector<DiffPiece>& pieces) {
  const auto a = LinesOf(first.Expose()), b = LinesOf(second.Expose());
  for (const DiffPiece& piece : pieces) {
    OutLines(terminal, "-", Lines(a).subspan(piece.first_at - 1, piece.first_lines));
    OutLines(terminal, "+", Lines(b).subspan(piece.second_at - 1, piece.second_lines));
  }
}

}  // namespace grantfs
