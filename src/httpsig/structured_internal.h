#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "grantfs/util/bytes.h"
#include "grantfs/util/result.h"

namespace grantfs::httpsig {

/// The part of structured fields (RFC 9651) that signatures and digests use: integers, strings and byte
/// sequences; items, inner lists and dictionaries. Tokens, decimals, booleans (so: keys without a value),
/// dates and lists are refused, and so is a key that stands twice, where the RFC would let the last one win.
using SfBare = std::variant<std::int64_t, std::string, Bytes>;

struct SfParameter {
  std::string key;
  SfBare value;
  bool operator==(const SfParameter&) const = default;
};

struct SfItem {
  SfBare value;
  std::vector<SfParameter> params;
  bool operator==(const SfItem&) const = default;
};

struct SfInnerList {
  std::vector<SfItem> items;
  std::vector<SfParameter> params;
  bool operator==(const SfInnerList&) const = default;
};

struct SfMember {
  std::string key;
  std::variant<SfItem, SfInnerList> value;
};

/// Errors: kInvalid.
Result<SfItem> ParseSfItem(std::string_view text);
Result<std::vector<SfMember>> ParseSfDictionary(std::string_view text);

/// The one canonical form.
std::string SerializeSf(const SfItem& item);
std::string SerializeSf(const SfInnerList& list);

}  // namespace grantfs::httpsig
