#pragma once

#include <string>

#include "grantfs/json/json.h"

namespace grantfs::testing {

/// Judges documents by the schemas of an OpenAPI 3.1 description: the part of JSON Schema 2020-12 that the
/// description uses, and no more. A keyword that it does not know is a fault of the schema.
class JsonSchema {
 public:
  /// @param description  holds what `$ref` names; must outlive this.
  explicit JsonSchema(const Json& description) : description_(description) {}

  /// "" where `value` suits `schema`, else where and why not: "/limit: 0 is below 1".
  std::string FaultOf(const Json& value, const Json& schema, const std::string& at = "") const;

  /// What a schema refers to, else itself. nullptr where there is no such thing.
  const Json* Resolved(const Json& schema) const;

 private:
  std::string Keyword(const std::string& name, const Json& rule, const Json& value,
                      const std::string& at) const;
  std::string Members(const Json& rule, const Json& value, const std::string& at) const;
  std::string OneOf(const Json& rule, const Json& value, const std::string& at) const;

  const Json& description_;
};

}  // namespace grantfs::testing
