#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "grantfs/api/bounds.h"
#include "grantfs/crypto/encoding.h"
#include "grantfs/json/json.h"
#include "grantfs/trust/names.h"
#include "grantfs/trust/statement.h"

// How the members of requests and responses are read: an error fails the reader, which tells it at Finish.

namespace grantfs::api {

inline constexpr std::int64_t kMaxSequence = std::int64_t{1} << 53;
inline constexpr std::int64_t kMaxTime = 253'402'300'799;  // 9999-12-31

template <typename T>
T Taken(JsonReader& in, const char* name, Result<T> value) {
  if (value) return *std::move(value);
  in.Fail(value.error().where, name);
  return T{};
}

template <typename T>
T ReadHex(JsonReader& in, const char* name) {
  return Taken(in, name, T::FromHex(in.String(name, sizeof(T::bytes) * 2)));
}

inline std::uint64_t ReadCount(JsonReader& in, const char* name, std::int64_t min = 0,
                               std::int64_t max = kMaxSequence) {
  return static_cast<std::uint64_t>(in.Number(name, min, max));
}
inline std::uint32_t ReadSmall(JsonReader& in, const char* name, std::int64_t min, std::int64_t max) {
  return static_cast<std::uint32_t>(in.Number(name, min, max));
}
inline std::int64_t ReadTime(JsonReader& in, const char* name) { return in.Number(name, 0, kMaxTime); }
inline std::uint64_t ReadSecret(JsonReader& in, const char* name = "secret") {
  return ReadCount(in, name, 1, static_cast<std::int64_t>(kMaxSecretNumber));
}
inline std::uint32_t ReadVersion(JsonReader& in, std::int64_t min) {
  return ReadSmall(in, "version", min, kMaxVersion);
}
inline std::uint32_t ReadEpoch(JsonReader& in, std::int64_t min) {
  return ReadSmall(in, "epoch", min, 0xffffffff);
}
inline std::size_t ReadLimit(JsonReader& in, std::size_t max) {
  return ReadCount(in, "limit", 1, static_cast<std::int64_t>(max));
}

inline Bytes ReadBlob(JsonReader& in, const char* name, std::size_t max, std::size_t min = 1) {
  Bytes bytes = Taken(in, name, Base64Decode(in.String(name, (max + 2) / 3 * 4), max));
  if (bytes.size() < min) in.Fail("a member is too short", name);
  return bytes;
}

inline std::string ReadEnvironment(JsonReader& in, const char* name = "environment") {
  std::string text = in.String(name, kMaxNameBytes);
  if (const Status good = CheckEnvironmentName(text); !good) in.Fail(good.error().where, name);
  return text;
}
inline std::string ReadPath(JsonReader& in, const char* name = "path") {
  std::string text = in.String(name, kMaxNameBytes);
  if (const Status good = CheckSecretPath(text); !good) in.Fail(good.error().where, name);
  return text;
}

inline ListId ReadList(JsonReader& in, const char* name = "list") {
  return Taken(in, name, ListId::Parse(in.String(name, kMaxNameBytes)));
}
inline Head ReadHead(JsonReader& in, const char* name) {
  return Taken(in, name, Head::FromJson(in.Object(name)));
}
inline std::string ReadEnvelope(JsonReader& in, const char* name, std::size_t min = 1) {
  return in.String(name, kMaxEnvelopeBytes, min);
}

/// An id of an open: 1..64 of [0-9a-z-].
inline std::string ReadOpenId(JsonReader& in, const char* name = "open") {
  std::string text = in.String(name, kMaxOpenIdBytes, 1);
  const auto good = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-'; };
  if (!std::all_of(text.begin(), text.end(), good)) in.Fail("an open's id has 1..64 of [0-9a-z-]", name);
  return text;
}

/// An array of objects: each through `read`, which is given a reader and finishes nothing.
template <typename T, typename Read>
std::vector<T> ReadObjects(JsonReader& in, const char* name, std::size_t max, Read read,
                           std::size_t min = 0) {
  std::vector<T> values;
  const std::vector<Json>& items = in.Array(name, max);
  if (items.size() < min) in.Fail("an array is empty", name);
  for (const Json& item : items) {
    JsonReader one(item, name);
    values.push_back(read(one));
    if (const Status good = one.Finish(); !good) {
      in.Fail(good.error().where, name);
      return {};
    }
  }
  return values;
}

/// An array whose items have a FromJson.
template <typename T>
std::vector<T> ReadAll(JsonReader& in, const char* name, std::size_t max) {
  std::vector<T> values;
  for (const Json& item : in.Array(name, max)) {
    values.push_back(Taken(in, name, T::FromJson(item)));
  }
  return values;
}

template <typename T, typename Write>
Json WriteAll(const std::vector<T>& values, Write write) {
  Json array = Json::Array();
  for (const T& value : values) array.Append(write(value));
  return array;
}

std::vector<std::string> ReadEnvelopes(JsonReader& in, const char* name, std::size_t min = 0);
Json WriteTexts(const std::vector<std::string>& texts);

/// The member "heads": {"vault": head}.
Json WriteVaultHead(const Head& head);
Head ReadVaultHead(JsonReader& in);

}  // namespace grantfs::api
