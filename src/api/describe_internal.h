#pragma once

#include <string>
#include <utility>
#include <vector>

#include "fields_internal.h"
#include "grantfs/api/problem.h"
#include "grantfs/api/routes.h"

// The words in which routes are described. A route's entry says its request and its response in the order and
// with the bounds of its FromJson; tests/server/openapi_test.cpp sends real ones and compares.

namespace grantfs::api::describe {

using Problems = std::vector<ProblemCode>;

/// One route. Method, path and callers come from the route table.
struct Entry {
  const Route* route;
  const char* tag;
  const char* summary;      ///< one line
  std::string description;  ///< "" = the summary says it all
  Json request;             ///< a schema; null = no body
  Json response;            ///< of 200
  Problems problems;        ///< beside those that every route may answer with
  const char* media = "application/json";
};

/// The parts of the description, a file each. Add a route's entry where its shapes are.
std::vector<Entry> DescribeVault();      ///< claim, status, lists, enrolments, the description itself
std::vector<Entry> DescribeSecrets();    ///< secrets, staging, epochs
std::vector<Entry> DescribeMachines();   ///< what machines ask, watches, presence
std::vector<Entry> DescribeTripwires();  ///< freezes, canaries, tripwires, alerts
std::vector<Entry> DescribeRequests();   ///< requests to owners
std::vector<Entry> DescribeAudit();      ///< the audit log

/// What several routes have in common: components/schemas. Named("Head") refers to one.
Json SharedSchemas();
Json Named(const char* name);

/// One member of an object.
struct Field {
  const char* name;
  Json schema;
  bool required = true;
};
inline Field Optional(const char* name, Json schema) { return {name, std::move(schema), false}; }

/// An object of these members and no other.
Json Object(const std::vector<Field>& fields);
Json Array(Json items, std::size_t max, std::size_t min = 0);
Json OneOf(std::vector<Json> schemas);
Json NotBoth(const char* one, const char* other);   ///< of two members
Json Words(const std::vector<std::string>& words);  ///< one of these
Json About(Json schema, const char* description);   ///< with a description

Json Flag();
Json Text(std::size_t max_bytes, std::size_t min_bytes = 0);
Json Matching(const char* pattern, std::size_t max_bytes);
Json Digits(std::size_t digits);                              ///< lower-case hexadecimal
Json Blob(std::size_t max_bytes, std::size_t min_bytes = 1);  ///< base64
Json Number(std::int64_t min, std::int64_t max);
inline Json Count(std::int64_t min = 0) { return Number(min, kMaxSequence); }
inline Json UnsignedInt(std::int64_t min = 0) { return Number(min, 0xffffffff); }
Json Time();
Json TimeMs();
Json SecretNumber();
Json VersionNumber(std::int64_t min);
Json Epoch(std::int64_t min = 1);  ///< of an environment's or group's key
Json Sealed();                     ///< a key, to one recipient
inline Json Limit(std::size_t max) { return Number(1, static_cast<std::int64_t>(max)); }
inline Json Nothing() { return Object({}); }

}  // namespace grantfs::api::describe
