#pragma once

#include "grantfs/util/bytes.h"
#include "grantfs/util/result.h"
#include "grantfs/util/unique_fd.h"

namespace grantfs {

/// Memory with this content that nobody can change any more, to be handed to another process by its
/// descriptor. Not for secrets (see SealedMemory). Errors: kIo.
Result<UniqueFd> SealedFile(ByteView content);

/// What SealedFile put there. Errors: kInvalid (no sealed memory; more than `max_bytes`), kIo.
Result<Bytes> ReadSealedFile(int fd, std::size_t max_bytes);

}  // namespace grantfs
