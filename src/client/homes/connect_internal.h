#pragma once

#include "grantfs/client/home.h"
#include "grantfs/client/known_store.h"
#include "grantfs/client/options.h"
#include "grantfs/client/vault_connection.h"

namespace grantfs {

/// To a home's vault, by the pins of the first contact and what was last learnt of the server.
inline ConnectionOptions ConnectionTo(const HomeProfile& profile, const ClientOptions& options,
                                      const KnownStore::Peer& peer = {}) {
  ConnectionOptions connection;
  connection.address = profile.address;
  connection.pins = profile.pins;
  connection.vault = profile.vault;
  connection.deadline = options.deadline;
  connection.clock = options.clock;
  connection.instance = peer.instance;
  connection.clock_offset = peer.clock_offset;
  return connection;
}

}  // namespace grantfs
