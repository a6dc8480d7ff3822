#pragma once

#include <string>

#include "grantfs/crypto/encoding.h"
#include "grantfs/crypto/keys.h"
#include "grantfs/json/json.h"
#include "grantfs/trust/invitation.h"
#include "grantfs/util/text.h"

// Fields of fixed size that stand as hexadecimal text in statements, and the bounds that they share.

namespace grantfs {

inline constexpr std::int64_t kMaxTime = 253'402'300'799;  // 9999-12-31
inline constexpr std::int64_t kMaxSequence = std::int64_t{1} << 53;

/// Reads a member that T::FromHex understands; an error fails the reader.
template <typename T>
T ReadHex(JsonReader& in, const char* name) {
  const std::string text = in.String(name, sizeof(T::bytes) * 2);
  auto value = T::FromHex(text);
  if (value) return *value;
  in.Fail("a key or hash is not lower-case hexadecimal of the right length", name);
  return T{};
}

inline Signature ReadSignature(JsonReader& in, const char* name) {
  const std::string text = in.String(name, 128);
  const auto bytes = HexDecode(text, 64);
  Signature signature;
  if (!bytes || bytes->size() != 64) {
    in.Fail("a signature is not 128 hexadecimal digits", name);
  } else {
    std::copy(bytes->begin(), bytes->end(), signature.bytes.begin());
  }
  return signature;
}

inline std::int64_t ReadTime(JsonReader& in, const char* name) { return in.Number(name, 0, kMaxTime); }

/// A number of seconds, or a time, that is 0 where the member is absent: it does not stand there as 0, so
/// that one value has one JSON.
inline std::int64_t ReadLife(JsonReader& in, const char* name) {
  return in.Has(name) ? in.Number(name, 1, kMaxLifeSeconds) : 0;
}
inline std::int64_t ReadOptionalTime(JsonReader& in, const char* name) {
  return in.Has(name) ? in.Number(name, 1, kMaxTime) : 0;
}

inline std::uint64_t ReadCount(JsonReader& in, const char* name, std::int64_t min, std::int64_t max) {
  return static_cast<std::uint64_t>(in.Number(name, min, max));
}

/// An invitation's id. Errors: kInvalid.
Status CheckInviteId(std::string_view id);

/// What people will read on a terminal must not control it.
inline std::string CheckPrintable(JsonReader& in, std::string text, const char* name) {
  if (Printable(text) != text) in.Fail("the text must be printable, on one line", name);
  return text;
}

inline std::string ReadText(JsonReader& in, const char* name, std::size_t max, std::size_t min = 0) {
  return CheckPrintable(in, in.String(name, max, min), name);
}

/// Runs a check that yields a Status over text that was read.
template <typename Check>
std::string ReadChecked(JsonReader& in, const char* name, std::size_t max, Check check) {
  std::string text = in.String(name, max);
  if (const Status good = check(text); !good) in.Fail(good.error().where, name);
  return text;
}

}  // namespace grantfs
