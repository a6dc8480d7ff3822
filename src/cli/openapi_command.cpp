#include "commands_internal.h"
#include "grantfs/api/describe.h"

namespace grantfs {
namespace {

Status RunOpenApiCommand(Context& context) {
  context.terminal.OutJson(api::Description(GRANTFS_VERSION));
  return {};
}

}  // namespace

const Command kOpenApiCommand = {
    .name = "openapi",
    .arguments = "",
    .min_arguments = 0,
    .max_arguments = 0,
    .summary = "print the description of the vault's API",
    .about =
        R"(Prints what a vault of this version serves as an OpenAPI 3.1 document: every route with its callers, its
request and response, their bounds, the errors, and the signature that every request carries. A vault serves its own at
GET /v1/openapi.json, to any identity. Asks no vault and needs no identity.)",
    .options = {},
    .examples = {{"grantfs openapi > grantfs.openapi.json", "(OpenAPI 3.1; with and without --json)"},
                 {"grantfs openapi | jq '.paths | keys'", R"(["/v1/alerts/state", "/v1/alerts/test", ...])"}},
    .next = "grantfs help, for what people use.",
    .failure = "the description was not printed",
    .run = RunOpenApiCommand,
    .uses_home = false,
};

}  // namespace grantfs
