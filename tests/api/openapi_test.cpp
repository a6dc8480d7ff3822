// The API's description against the route table, and its schemas against the shapes that the server reads:
// the examples of contrib/FORMATS.md, and what becomes of each where one thing of it is changed. (Every
// exchange of the server's tests is compared with it besides: tests/support/described.h.)

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <set>

#include "grantfs/api/describe.h"
#include "grantfs/api/problem.h"
#include "grantfs/crypto/random.h"
#include "shapes.h"
#include "support/json_schema.h"

namespace grantfs::api {
namespace {

using Kind = Json::Kind;
using grantfs::testing::JsonSchema;

constexpr char kAdd[] =
    ": add its entry {&kRoute, tag, summary, description, request, response, problems} to that file of "
    "src/api/describe_*.cpp where its shapes are (src/api/describe_internal.h has the words)";

struct OpenApiTest : ::testing::Test {
  const Json* Find(std::initializer_list<std::string> names) const {
    const Json* at = &description;
    for (const std::string& name : names) {
      if (at != nullptr) at = schemas.Resolved(*at);
      if (at != nullptr) at = at->Find(name);
    }
    return at;
  }
  const Json* Operation(const Route& route) const {
    return Find({"paths", DescribedPath(route), std::string_view(route.method) == "GET" ? "get" : "post"});
  }
  const Json* RequestSchema(const Route& route) const {
    const Json* operation = Operation(route);
    return operation == nullptr ? nullptr
                                : Down(operation, {"requestBody", "content", "application/json", "schema"});
  }
  const Json* ResponseSchema(const Route& route) const {
    const Json* content = Down(Operation(route), {"responses", "200", "content"});
    return content == nullptr || content->Members().empty()
               ? nullptr
               : content->Members().front().second.Find("schema");
  }
  static const Json* Down(const Json* at, std::initializer_list<const char*> names) {
    for (const char* name : names)
      if (at != nullptr) at = at->Find(name);
    return at;
  }
  const Json description = Description("0");
  const JsonSchema schemas{description};
};

TEST_F(OpenApiTest, DescribesEveryRouteAndOnlyThose) {
  std::set<std::string> served;
  std::set<std::string> ids;
  for (const Route* route : kRoutes) {
    const std::string name = std::string(route->method) + " " + route->path;
    served.insert((std::string_view(route->method) == "GET" ? "get " : "post ") + DescribedPath(*route));
    const Json* operation = Operation(*route);
    ASSERT_NE(operation, nullptr) << name << " is served and not described" << kAdd;
    EXPECT_EQ(operation->Find("x-grantfs-caller")->AsString(), WhoName(route->who)) << name;
    EXPECT_TRUE(ids.insert(operation->Find("operationId")->AsString()).second) << name;
    EXPECT_EQ(RequestSchema(*route) == nullptr, std::string_view(route->method) == "GET") << name;
    ASSERT_NE(ResponseSchema(*route), nullptr) << name;
  }
  for (const auto& [path, item] : description.Find("paths")->Members()) {
    for (const auto& [method, operation] : item.Members()) {
      if (method == "parameters") continue;
      EXPECT_TRUE(served.contains(method + " " + path))
          << method << " " << path
          << " is described and not served: take its entry out of src/api/describe_*.cpp";
    }
  }
}

TEST_F(OpenApiTest, EveryReferenceLeadsSomewhere) {
  const std::function<void(const Json&)> look = [&](const Json& json) {
    EXPECT_NE(schemas.Resolved(json), nullptr) << json.Dump().substr(0, 200);
    if (json.is(Kind::kObject))
      for (const auto& [name, member] : json.Members()) look(member);
    if (json.is(Kind::kArray))
      for (const Json& item : json.Items()) look(item);
  };
  look(description);
}

TEST_F(OpenApiTest, EveryProblemIsDescribedWithItsStatus) {
  std::set<std::string> seen;
  for (const Route* route : kRoutes) {
    for (const auto& [status, answer] : Down(Operation(*route), {"responses"})->Members()) {
      if (status == "200") continue;
      const Json* all = Down(schemas.Resolved(answer), {"content", kProblemType, "schema", "allOf"});
      ASSERT_NE(all, nullptr) << route->path << status;
      for (const Json& code : Down(&all->Items()[1], {"properties", "code", "enum"})->Items())
        seen.insert(status + " " + code.AsString());
    }
  }
  std::set<std::string> known;
  for (const ProblemCode code : kAllProblemCodes)
    known.insert(std::to_string(ProblemStatus(code)) + " " + ProblemCodeName(code));
  EXPECT_EQ(seen, known);
}

/// An example of FORMATS, and the schema that it is to suit.
struct Case {
  std::string route;
  std::string shape;
  Json json;
  const Json* schema;
};

std::vector<std::string> Sections() {
  const std::string text = WireFormats();
  std::vector<std::string> sections;
  const std::string heading = "\n### ";
  for (std::size_t at = text.find(heading); at != std::string::npos;) {
    const std::size_t next = text.find(heading, at + 1);
    sections.push_back(text.substr(at + heading.size(), next - at - heading.size()));
    at = next;
  }
  return sections;
}

const std::string& SectionOf(const std::vector<std::string>& sections, const Route& route) {
  static const std::string none;
  for (const std::string& section : sections)
    if (section.starts_with(std::string(route.method) + " " + route.path + "\n")) return section;
  return none;
}

struct OpenApiShapesTest : OpenApiTest {
  /// The first example of a POST is its request, and so is what is called so.
  std::vector<Case> CasesOf(const Route& route, const std::string& section) const {
    std::vector<Case> cases;
    const std::string open = "\n```json ";
    bool first = std::string_view(route.method) == "POST";
    for (std::size_t at = section.find(open); at != std::string::npos; at = section.find(open, at)) {
      at += open.size();
      const std::size_t line = section.find('\n', at);
      const std::string shape = section.substr(at, line - at);
      const bool request = first || shape.ends_with("Request");
      first = false;
      const auto json = ParseJson(section.substr(line, section.find("```", line) - line));
      if (!json) continue;
      cases.push_back({route.path, shape, *json, request ? RequestSchema(route) : ResponseSchema(route)});
    }
    return cases;
  }
  std::vector<Case> Cases() const {
    const auto sections = Sections();
    std::vector<Case> all;
    for (const Route* route : kRoutes)
      for (Case& one : CasesOf(*route, SectionOf(sections, *route))) all.push_back(std::move(one));
    return all;
  }
};

TEST_F(OpenApiShapesTest, TheExamplesOfTheFormatsSuitTheirSchemas) {
  const auto cases = Cases();
  EXPECT_GT(cases.size(), 60U);
  for (const Case& one : cases) {
    ASSERT_NE(one.schema, nullptr) << one.route << ": " << one.shape;
    EXPECT_EQ(schemas.FaultOf(one.json, *one.schema), "")
        << one.route << ": " << one.shape << " of contrib/FORMATS.md does not suit the schema in "
        << "src/api/describe_*.cpp";
  }
}

/// A value's neighbours: just within a bound and just beyond, of another kind, of another word.
std::vector<Json> Neighbours(const Json& value, const Json& schema) {
  std::vector<Json> made = {Json(), Json(true), Json(7), Json("surprise"), Json::Array(), Json::Object()};
  const auto bound = [&](const char* name) {
    const Json* rule = schema.Find(name);
    return rule == nullptr ? std::optional<std::int64_t>() : rule->AsNumber();
  };
  for (const char* name : {"minimum", "maximum"})
    for (const std::int64_t by : {-1, 0, 1})
      if (bound(name)) made.emplace_back(*bound(name) + by);
  for (const char* name : {"minLength", "maxLength"})
    for (const std::int64_t by : {-4, -1, 0, 1, 4})
      if (bound(name) && *bound(name) + by >= 0)
        made.emplace_back(std::string(static_cast<std::size_t>(*bound(name) + by), 'a'));
  if (value.is(Kind::kString))
    for (const char* more : {"A", " ", "/", "\n"}) made.emplace_back(value.AsString() + more);
  if (!value.is(Kind::kArray) || value.Items().empty()) return made;
  for (const std::int64_t by : {0, 1}) {
    if (!bound("maxItems") || *bound("maxItems") > 1000) continue;
    const auto size = static_cast<std::size_t>(*bound("maxItems") + by);
    made.push_back(Json::Array(std::vector<Json>(size, value.Items()[0])));
  }
  return made;
}

/// All that differs from `value` in one place.
std::vector<Json> Mutants(const JsonSchema& schemas, const Json& value, const Json& unresolved) {
  const Json& schema = *schemas.Resolved(unresolved);
  if (const Json* choices = schema.Find("oneOf")) {
    for (const Json& choice : choices->Items())
      if (schemas.FaultOf(value, choice).empty()) return Mutants(schemas, value, choice);
  }
  std::vector<Json> made = Neighbours(value, schema);
  if (value.is(Kind::kObject)) {
    for (const auto& [name, member] : value.Members()) {
      Json fewer = Json::Object();
      for (const auto& [other, kept] : value.Members())
        if (other != name) fewer.Set(other, kept);
      made.push_back(fewer);
      const Json* inner = schema.Find("properties")->Find(name);
      if (inner == nullptr) continue;  // not described: the test above fails of it
      for (Json& changed : Mutants(schemas, member, *inner))
        made.push_back(Json(value).Set(name, std::move(changed)));
    }
    made.push_back(Json(value).Set("surprise", 1));
  }
  if (value.is(Kind::kArray) && !value.Items().empty()) {
    for (Json& changed : Mutants(schemas, value.Items()[0], *schema.Find("items"))) {
      std::vector<Json> items = value.Items();
      items[0] = std::move(changed);
      made.push_back(Json::Array(std::move(items)));
    }
  }
  return made;
}

/// What a schema cannot say: that a text is a name, or canonical base64, that a signature verifies, how two
/// members go together. Everything else that the server refuses is to be refused by the schema too.
bool BeyondSchemas(const Error& error) {
  const std::string why = Describe(error);
  for (const char* known :
       {"base64", "component", "not signed", "who passes", "cannot be printed", "must be printable",
        "is not a row of records", "is no type of a record", "too short"})
    if (why.find(known) != std::string::npos) return true;
  return false;
}

TEST_F(OpenApiShapesTest, SchemasRefuseWhatTheServerRefusesAndNothingElse) {
  ASSERT_TRUE(InitCrypto());
  std::size_t compared = 0;
  for (const Case& one : Cases()) {
    for (const Json& mutant : Mutants(schemas, one.json, *one.schema)) {
      const std::string fault = schemas.FaultOf(mutant, *one.schema);
      const auto read = ReadShape(one.shape, mutant);
      ++compared;
      const std::string told = one.route + ": " + one.shape + " " + mutant.Dump().substr(0, 300);
      if (read) {
        EXPECT_EQ(fault, "") << "the server reads it, the schema refuses it: " << told;
      } else if (fault.empty()) {
        EXPECT_TRUE(BeyondSchemas(read.error()))
            << "the schema takes it, the server does not: " << Describe(read.error()) << ": " << told;
      }
    }
  }
  EXPECT_GT(compared, 3000U);
}

}  // namespace
}  // namespace grantfs::api
