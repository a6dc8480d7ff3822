#pragma once

#include <memory>
#include <string>
#include <vector>

#include "command_internal.h"
#include "grantfs/client/machine_session.h"
#include "grantfs/client/owner_session.h"

namespace grantfs {

// What several commands share.

/// The session of the person whose home this is. Errors: as OwnerSession::Open.
Result<std::unique_ptr<OwnerSession>> OpenOwner(Context& context);
/// The same for what must not fail because the home's disk is full.
Result<std::unique_ptr<OwnerSession>> OpenOwnerToRevoke(Context& context);

/// The session of the machine whose home this is, after the vault was asked once. Errors: as
/// MachineSession::Start and WaitUntilCurrent.
Result<std::unique_ptr<MachineSession>> OpenMachine(Context& context);

/// Whether the home is a machine's. Errors: as Home::Open.
Result<bool> HomeIsMachine(Context& context);

/// Before a claim or an invitation is asked for. Errors: kConflict (an identity lives there).
Status CheckHomeIsFree(const std::string& home);

/// "shop/prod" or "shop/prod/tls/": an environment and the beginning of paths in it. Errors: kInvalid.
struct Area {
  std::string environment;
  std::string prefix;
};
Result<Area> ParseArea(const std::string& text);

/// An argument that names a secret, or an environment alone (then `path` is ""). Errors: kInvalid.
Result<SecretName> ParseSecretOrEnvironment(const std::string& text);

/// "tls/server.key" is TLS_SERVER_KEY.
std::string VariableOf(const std::string& path);

/// What became of a template that was set, and what comes next. @param parts  0: it is not known
void OutSetTemplate(Context& context, const SetSecretResult& result, std::size_t parts);

/// Full names, for a JSON document.
Json NamesJson(const std::vector<SecretName>& names);

/// Names those whose list did not verify. Errors: kIntegrity, if there is one.
Status CheckNoneRefused(Terminal& terminal, const std::vector<SecretInfo>& secrets);

/// What a machine has read and so must be rotated, as lines for people / as JSON.
void OutReads(Terminal& terminal, const std::string& machine, const std::vector<ReadReport>& reads,
              bool known);
Json ReadsJson(const std::vector<ReadReport>& reads);

/// "web-1 has followed: ...", "web-1 is offline: ...".
std::string DeliverySentence(const std::string& machine, const Delivery& delivery);
Json DeliveryJson(const Delivery& delivery);

}  // namespace grantfs
