#include "described.h"

#include <gtest/gtest.h>

#include "grantfs/api/bounds.h"
#include "grantfs/api/describe.h"
#include "json_schema.h"

namespace grantfs::testing {
namespace {

const Json& TheDescription() {
  static const Json description = api::Description("0");
  return description;
}

const api::Route* RouteOf(const HttpRequest& request) {
  for (const api::Route* route : api::kRoutes) {
    const std::string_view path = route->path;
    const bool at = path.ends_with('/') ? request.path.starts_with(path) : request.path == path;
    if (at && request.method == route->method) return route;
  }
  return nullptr;
}

const Json* Below(const Json* json, std::initializer_list<std::string> names) {
  for (const std::string& name : names) {
    if (json != nullptr) json = JsonSchema(TheDescription()).Resolved(*json);
    if (json != nullptr) json = json->Find(name);
  }
  return json == nullptr ? nullptr : JsonSchema(TheDescription()).Resolved(*json);
}

std::string Lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

void ExpectSuits(const std::string& body, const Json* schema, const std::string& what) {
  ASSERT_NE(schema, nullptr) << what
                             << " has no schema: add it to the route's entry in src/api/describe_*.cpp";
  const auto json = ParseJson(body.empty() ? "{}" : body, {.max_bytes = api::kMaxResponseBytes});
  ASSERT_TRUE(json) << what << ": " << body;
  const std::string fault = JsonSchema(TheDescription()).FaultOf(*json, *schema);
  EXPECT_EQ(fault, "") << what << " is not as src/api/describe_*.cpp says it: " << body.substr(0, 1000);
}

}  // namespace

void ExpectDescribed(const HttpRequest& request, const HttpResponse& response) {
  const api::Route* route = RouteOf(request);
  if (route == nullptr) return;
  const std::string what = std::string(route->method) + " " + route->path;
  const Json* operation =
      Below(&TheDescription(), {"paths", api::DescribedPath(*route), Lower(request.method)});
  ASSERT_NE(operation, nullptr) << what << " has no entry: add one to src/api/describe_*.cpp";
  const Json* answer = Below(operation, {"responses", std::to_string(response.status)});
  ASSERT_NE(answer, nullptr) << what << " answered with the status " << response.status
                             << ", which its entry in src/api/describe_*.cpp does not have: "
                             << response.body;
  const std::string* type = FindHeader(response.headers, "content-type");
  ASSERT_NE(type, nullptr) << what;
  const Json* content = Below(answer, {"content", *type});
  ASSERT_NE(content, nullptr) << what << " answers as " << *type << ", which its entry does not say";
  if (*type == "application/json" || *type == "application/problem+json")
    ExpectSuits(response.body, Below(content, {"schema"}), what + "'s response");
  if (response.status == 200 && request.method == "POST")
    ExpectSuits(request.body, Below(operation, {"requestBody", "content", "application/json", "schema"}),
                what + "'s request");
}

}  // namespace grantfs::testing
