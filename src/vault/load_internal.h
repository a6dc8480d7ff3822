#pragma once

#include "grantfs/store/store.h"
#include "state_internal.h"

namespace grantfs {

/// Reads all of a list's statements into `list`. What links but must not stand is kept as not counting; see
/// SignedList::Receive. Errors: kIntegrity, kIo.
Status LoadList(StoreReader& reader, const UpperLists& upper, SignedList* list);

/// All lists but the secrets', each verified and standing. Errors: kIntegrity, kIo.
Result<StatePtr> LoadState(StoreReader& reader);

}  // namespace grantfs
