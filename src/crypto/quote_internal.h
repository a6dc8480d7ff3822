#pragma once

#include <string_view>

#include "grantfs/crypto/template.h"

namespace grantfs {

/// Counts what is put, and writes it where it was given a place: the same code first measures, then fills
/// memory of just that size, so that no growing buffer leaves copies behind.
class QuoteSink {
 public:
  QuoteSink() = default;
  explicit QuoteSink(std::uint8_t* out) : out_(out) {}
  void Put(char c) {
    if (out_ != nullptr) out_[size_] = static_cast<std::uint8_t>(c);
    ++size_;
  }
  void Put(std::string_view text) {
    for (const char c : text) Put(c);
  }
  std::size_t size() const { return size_; }

 private:
  std::uint8_t* out_ = nullptr;
  std::size_t size_ = 0;
};

/// Errors: kInvalid, as Quote.
Status PutQuoted(const SecretValue& value, Quoting quoting, QuoteSink& out);

}  // namespace grantfs
