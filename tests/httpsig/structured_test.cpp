#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <sstream>

#include "../../src/httpsig/structured_internal.h"

// The public vectors hold decimals, which the program's own JSON refuses; so the test reads them with the
// library itself.

namespace grantfs::httpsig {
namespace {

namespace bj = boost::json;

std::string VectorDirectory() {
  const char* set = std::getenv("GRANTFS_TEST_VECTORS");
  return (set != nullptr ? std::string(set) : std::string(GRANTFS_SOURCE_ROOT) + "/../shared/vectors") +
         "/structured-fields/";
}

/// RFC 4648 section 6, as the vectors write byte sequences.
Bytes Base32Decode(std::string_view text) {
  Bytes out;
  unsigned buffer = 0;
  unsigned bits = 0;
  for (const char c : text) {
    if (c == '=') break;
    buffer = (buffer << 5) | static_cast<unsigned>(c >= 'A' ? c - 'A' : c - '2' + 26);
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    out.push_back(static_cast<std::uint8_t>(buffer >> bits));
  }
  return out;
}

/// Each reads an expected value; nothing if it is of a kind that is not in use (token, decimal, boolean,
/// ...).
std::optional<SfBare> ExpectedBare(const bj::value& value) {
  if (const auto* number = value.if_int64()) return SfBare(*number);
  if (const auto* text = value.if_string()) return SfBare(std::string(text->c_str(), text->size()));
  if (const auto* object = value.if_object(); object != nullptr && object->at("__type") == "binary")
    return SfBare(Base32Decode(std::string_view(object->at("value").as_string())));
  return std::nullopt;
}

std::optional<std::vector<SfParameter>> ExpectedParameters(const bj::value& value) {
  std::vector<SfParameter> params;
  for (const bj::value& pair : value.as_array()) {
    auto bare = ExpectedBare(pair.at(1));
    if (!bare) return std::nullopt;
    params.push_back({std::string(pair.at(0).as_string()), std::move(*bare)});
  }
  return params;
}

std::optional<SfItem> ExpectedItem(const bj::value& value) {
  auto bare = ExpectedBare(value.at(0));
  auto params = ExpectedParameters(value.at(1));
  if (!bare || !params) return std::nullopt;
  return SfItem{std::move(*bare), std::move(*params)};
}

using MemberValue = std::variant<SfItem, SfInnerList>;

std::optional<MemberValue> ExpectedMember(const bj::value& value) {
  if (!value.at(0).is_array()) {
    auto item = ExpectedItem(value);
    return item ? std::optional<MemberValue>(std::move(*item)) : std::nullopt;
  }
  SfInnerList list;
  for (const bj::value& entry : value.at(0).as_array()) {
    auto item = ExpectedItem(entry);
    if (!item) return std::nullopt;
    list.items.push_back(std::move(*item));
  }
  auto params = ExpectedParameters(value.at(1));
  if (!params) return std::nullopt;
  list.params = std::move(*params);
  return list;
}

std::string Joined(const bj::value& raw) {
  std::string out;
  for (const bj::value& line : raw.as_array()) {
    if (!out.empty()) out += ", ";
    out += std::string_view(line.as_string());
  }
  return out;
}

struct VectorFile {
  const char* file;
  int parsed;   // how many must come out with a value
  int refused;  // how many must be refused
};

class StructuredVectorTest : public ::testing::TestWithParam<VectorFile> {
 protected:
  int parsed_ = 0;   // vectors whose value had to come out
  int refused_ = 0;  // vectors that had to be refused: malformed, or of a kind that is not in use

  void ExpectRefused(bool refused, std::string_view name) {
    EXPECT_TRUE(refused) << name;
    ++refused_;
  }

  void RunItem(const bj::object& vector, std::string_view name, const std::string& raw) {
    const auto item = ParseSfItem(raw);
    const auto expected = vector.contains("expected") ? ExpectedItem(vector.at("expected")) : std::nullopt;
    if (!expected) return ExpectRefused(!item, name);
    if (!item && vector.contains("can_fail")) return ExpectRefused(true, name);
    ASSERT_TRUE(item) << name << ": " << item.error().where;
    EXPECT_EQ(*item, *expected) << name;
    EXPECT_EQ(SerializeSf(*item), vector.contains("canonical") ? Joined(vector.at("canonical")) : raw)
        << name;
    ++parsed_;
  }

  void RunDictionary(const bj::object& vector, std::string_view name, const std::string& raw) {
    const auto members = ParseSfDictionary(raw);
    if (!vector.contains("expected")) return ExpectRefused(!members, name);
    std::vector<SfMember> expected;
    for (const bj::value& pair : vector.at("expected").as_array()) {
      auto value = ExpectedMember(pair.at(1));
      if (!value) return ExpectRefused(!members, name);
      expected.push_back({std::string(pair.at(0).as_string()), std::move(*value)});
    }
    // The RFC lets the last of two equal keys win; here two are refused, since a signature must have one
    // meaning.
    if (name.find("duplicate") != std::string_view::npos) return ExpectRefused(!members, name);
    ASSERT_TRUE(members) << name << ": " << members.error().where;
    ASSERT_EQ(members->size(), expected.size()) << name;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ((*members)[i].key, expected[i].key) << name;
      EXPECT_TRUE((*members)[i].value == expected[i].value) << name;
    }
    ++parsed_;
  }

  /// Lists are not in use, but a list of one has the grammar of a dictionary member's value.
  void RunList(const bj::object& vector, std::string_view name, const std::string& raw) {
    const auto members = ParseSfDictionary("k=" + raw);
    if (!vector.contains("expected")) return ExpectRefused(!members, name);
    const bj::array& list = vector.at("expected").as_array();
    if (list.size() != 1) return;
    const auto expected = ExpectedMember(list[0]);
    if (!expected || name.find("duplicate") != std::string_view::npos || raw.front() == ' ')
      return ExpectRefused(!members, name);
    ASSERT_TRUE(members) << name << ": " << members.error().where;
    EXPECT_TRUE((*members)[0].value == *expected) << name;
    ++parsed_;
  }

  void RunFile(const char* file) {
    std::ifstream in(VectorDirectory() + file);
    if (!in) GTEST_SKIP() << "no test vectors in " << VectorDirectory() << " (set GRANTFS_TEST_VECTORS)";
    std::stringstream text;
    text << in.rdbuf();
    const bj::value vectors = bj::parse(text.str());
    for (const bj::value& value : vectors.as_array()) {
      const bj::object& vector = value.as_object();
      const std::string_view name = vector.at("name").as_string();
      const std::string raw = Joined(vector.at("raw"));
      const std::string_view type = vector.at("header_type").as_string();
      if (type == "item") RunItem(vector, name, raw);
      if (type == "dictionary") RunDictionary(vector, name, raw);
      if (type == "list") RunList(vector, name, raw);
    }
  }
};

// Each file is run whole: a vector of integers, strings, byte sequences, inner lists and their parameters
// must parse to the value that it says; one that is malformed, or that holds a token, decimal, boolean or a
// key twice, must be refused. Only lists of none or several members cannot be applied, as lists are not in
// use.
TEST_P(StructuredVectorTest, ParsesWhatIsInUseAndRefusesTheRest) {
  RunFile(GetParam().file);
  if (IsSkipped()) return;
  EXPECT_EQ(parsed_, GetParam().parsed);
  EXPECT_EQ(refused_, GetParam().refused);
}

INSTANTIATE_TEST_SUITE_P(Files, StructuredVectorTest,
                         ::testing::Values(VectorFile{"binary.json", 3, 12}, VectorFile{"string.json", 6, 8},
                                           VectorFile{"number.json", 9, 26}, VectorFile{"token.json", 0, 6},
                                           VectorFile{"item.json", 2, 3},
                                           VectorFile{"dictionary.json", 11, 15},
                                           VectorFile{"param-dict.json", 1, 13},
                                           VectorFile{"list.json", 1, 3}, VectorFile{"listlist.json", 3, 7},
                                           VectorFile{"param-list.json", 0, 15}),
                         [](const auto& file) {
                           std::string name = file.param.file;
                           name.resize(name.find('.'));
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(StructuredTest, BoundsAreHeld) {
  EXPECT_FALSE(ParseSfItem("\"" + std::string(5000, 'a') + "\""));
  std::string many = "a=(";
  for (int i = 0; i < 65; ++i) many += "1 ";
  EXPECT_FALSE(ParseSfDictionary(many + ")"));
  std::string params = "a=1";
  for (int i = 0; i < 65; ++i) params += ";k" + std::to_string(i) + "=1";
  EXPECT_FALSE(ParseSfDictionary(params));
}

}  // namespace
}  // namespace grantfs::httpsig
