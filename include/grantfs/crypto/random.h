#pragma once

#include <cstdint>

#include "grantfs/util/bytes.h"
#include "grantfs/util/result.h"

namespace grantfs {

/// Must be the first call of every program: starts libsodium, checks that memory can be locked (libsodium ignores a
/// failed mlock), switches core dumps off. Errors: kIo with the limit to raise. Threads: once, from main.
Status InitCrypto();

/// Fills `size` bytes from the operating system's generator.
Bytes RandomBytes(std::size_t size);

/// A random 64-bit number.
std::uint64_t RandomNumber();

}  // namespace grantfs
