#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "grantfs/crypto/secret.h"
#include "grantfs/util/result.h"

namespace grantfs {

/// A place in a text that lies in locked memory and is not copied. The text outlives it.
class TextCursor {
 public:
  explicit TextCursor(std::span<const std::uint8_t> text) : text_(text) {}

  bool AtEnd() const { return at_ == text_.size(); }
  /// The byte `ahead` of here, -1 behind the end.
  int Peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : -1; }
  /// Takes a byte; -1 at the end.
  int Next() {
    if (AtEnd()) return -1;
    if (text_[at_] == '\n') ++line_;
    return text_[at_++];
  }
  void Advance(std::size_t count) {
    while (count-- > 0) Next();
  }
  /// Takes these bytes if they come next.
  bool Skip(std::string_view bytes);
  std::span<const std::uint8_t> Rest() const { return text_.subspan(at_); }
  /// An error about this line.
  Error Refuse(const char* why) const;

 private:
  std::span<const std::uint8_t> text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
};

/// In locked memory of its own.
Result<SecretMemory> Copied(std::span<const std::uint8_t> bytes);

}  // namespace grantfs
