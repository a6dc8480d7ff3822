#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "grantfs/util/result.h"

namespace grantfs {

/// A JSON value, kept apart from the library that parses it. Strict and bounded: see ParseJson. Numbers are
/// integers of 64 bits (nothing in grantfs is fractional). Object members keep their order; names are unique.
class Json {
 public:
  enum class Kind { kNull, kBool, kNumber, kString, kArray, kObject };
  using Member = std::pair<std::string, Json>;

  Json() = default;  ///< null
  Json(bool value) : kind_(Kind::kBool), number_(value) {}                         // NOLINT: implicit by design
  Json(std::int64_t value) : kind_(Kind::kNumber), number_(value) {}               // NOLINT: implicit by design
  Json(int value) : Json(static_cast<std::int64_t>(value)) {}                      // NOLINT: implicit by design
  Json(std::uint32_t value) : Json(static_cast<std::int64_t>(value)) {}            // NOLINT: implicit by design
  Json(std::uint64_t value);  // NOLINT: implicit by design; aborts above 2^63-1
  Json(std::string value) : kind_(Kind::kString), text_(std::move(value)) {}       // NOLINT: implicit by design
  Json(std::string_view value) : Json(std::string(value)) {}                       // NOLINT: implicit by design
  Json(const char* value) : Json(std::string(value)) {}                            // NOLINT: implicit by design
  static Json Array(std::vector<Json> items = {});
  static Json Object(std::vector<Member> members = {});  ///< aborts on a name that comes twice

  Kind kind() const { return kind_; }
  bool is(Kind kind) const { return kind_ == kind; }
  /// These abort on another kind: check it first, or read through JsonReader.
  bool AsBool() const;
  std::int64_t AsNumber() const;
  const std::string& AsString() const;
  const std::vector<Json>& Items() const;
  const std::vector<Member>& Members() const;
  /// nullptr where an object has no such member, and on another kind.
  const Json* Find(std::string_view name) const;

  Json& Append(Json item);                    ///< to an array; returns *this
  Json& Set(std::string name, Json value);    ///< adds or replaces a member of an object; returns *this
  bool operator==(const Json&) const = default;

  /// Compact, in member order, UTF-8 unescaped but for what RFC 8259 requires. Deterministic. Bytes of a string that are
  /// not UTF-8 become U+FFFD, so that the output is always well formed.
  std::string Dump() const;
  /// Indented, for people.
  std::string DumpPretty() const;

 private:
  Kind kind_ = Kind::kNull;
  std::int64_t number_ = 0;
  std::string text_;
  std::vector<Json> items_;
  std::vector<Member> members_;
};

struct JsonBounds {
  std::size_t max_bytes = std::size_t{2} << 20;
  std::size_t max_depth = 16;
  std::size_t max_items = 200'000;  ///< values in the whole document
};

/// RFC 8259, and stricter: whole input, UTF-8, no member name twice, no fraction or exponent, integers of 64 bits
/// (signed, no "-0"), bounds as given. Errors: kInvalid. Threads: safe.
Result<Json> ParseJson(std::string_view text, const JsonBounds& bounds = {});

/// Reads the members of one object and refuses what it was not asked about:
///
///     JsonReader in(json, "grant");
///     const auto mode = in.Number("mode", 0, 07777);
///     const auto owner = in.OptionalString("owner", 64);
///     GRANTFS_CHECK(in.Finish());      // the first error, or an unknown member
///
/// After an error every getter returns an empty value, so that a caller may check once, at the end.
class JsonReader {
 public:
  /// `what` names the object in errors; both must outlive the reader.
  JsonReader(const Json& object, const char* what);

  std::string String(const char* name, std::size_t max_bytes, std::size_t min_bytes = 0);
  std::string OptionalString(const char* name, std::size_t max_bytes);  ///< "" if absent
  std::int64_t Number(const char* name, std::int64_t min, std::int64_t max);
  std::int64_t OptionalNumber(const char* name, std::int64_t min, std::int64_t max, std::int64_t absent);
  bool Bool(const char* name);
  bool OptionalBool(const char* name, bool absent);
  const Json& Object(const char* name);                       ///< an empty object after an error
  const Json* OptionalObject(const char* name);
  const std::vector<Json>& Array(const char* name, std::size_t max_items);
  const std::vector<Json>& OptionalArray(const char* name, std::size_t max_items);
  bool Has(const char* name) const;
  /// Marks a member as known without reading it (`ext`).
  void Ignore(const char* name);
  /// Records an error of the caller's own about a member.
  void Fail(const char* where, const char* name);
  Status Finish();

 private:
  const Json* Take(const char* name, bool required, Json::Kind kind);
  std::string TakeString(const char* name, bool required, std::size_t max_bytes, std::size_t min_bytes);
  std::int64_t TakeNumber(const char* name, bool required, std::int64_t min, std::int64_t max, std::int64_t absent);
  const std::vector<Json>& TakeArray(const char* name, bool required, std::size_t max_items);
  const Json& object_;
  const char* what_;
  std::vector<std::string_view> taken_;
  Error error_;
  bool failed_ = false;
};

}  // namespace grantfs
