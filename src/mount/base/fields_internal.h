#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

namespace grantfs {

/// Numbers and texts in a row, for another process of this program. The next class reads them.
class FieldWriter {
 public:
  void Number(std::uint64_t number) { text_.append(reinterpret_cast<const char*>(&number), sizeof number); }
  void Text(const std::string& text) {
    Number(text.size());
    text_ += text;
  }
  std::string Take() { return std::move(text_); }

 private:
  std::string text_;
};

/// Whatever the text is: after the first thing that is not there, or is greater than it can be, everything is
/// 0 and "".
class FieldReader {
 public:
  explicit FieldReader(std::string_view text) : rest_(text) {}

  std::uint64_t Number() {
    std::uint64_t number = 0;
    if (rest_.size() < sizeof number) return Fail();
    std::memcpy(&number, rest_.data(), sizeof number);
    rest_.remove_prefix(sizeof number);
    return number;
  }
  std::uint32_t Small() { return static_cast<std::uint32_t>(AtMost(~std::uint32_t{0})); }
  bool Flag() { return AtMost(1) != 0; }
  std::string Text() {
    const std::uint64_t size = Count(1);
    std::string text(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return text;
  }
  /// How many follow, of so many bytes at least.
  std::uint64_t Count(std::size_t least) {
    const std::uint64_t count = Number();
    return count > rest_.size() / least ? Fail() : count;
  }
  /// Whether it was all there, and no more.
  bool Whole() const { return good_ && rest_.empty(); }

 private:
  std::uint64_t AtMost(std::uint64_t greatest) {
    const std::uint64_t number = Number();
    return number > greatest ? Fail() : number;
  }
  std::uint64_t Fail() {
    good_ = false;
    rest_ = {};
    return 0;
  }
  std::string_view rest_;
  bool good_ = true;
};

}  // namespace grantfs
