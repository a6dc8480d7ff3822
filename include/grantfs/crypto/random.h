#pragma once

#include <cstdint>
#include <string_view>

#include "grantfs/crypto/secret.h"
#include "grantfs/util/bytes.h"
#include "grantfs/util/result.h"

namespace grantfs {

/// Must be the first call of every program: starts libsodium, checks that memory can be locked (libsodium
/// ignores a failed mlock), switches core dumps off. Errors: kIo with the limit to raise. Threads: once, from
/// main.
Status InitCrypto();

/// Fills `size` bytes from the operating system's generator.
Bytes RandomBytes(std::size_t size);

/// A random 64-bit number.
std::uint64_t RandomNumber();

/// A password: so many characters of `alphabet` (2..256, none twice), each with the same chance.
/// Errors: kIo (no memory can be locked).
Result<SecretMemory> RandomText(std::string_view alphabet, std::size_t length);

/// "letters" (and digits), "hex", "symbols"; "" for any other name.
std::string_view AlphabetNamed(std::string_view name);

/// A passphrase of so many words of five letters, with `-` between them: proquints (arXiv:0901.4016),
/// consonant, vowel, consonant, vowel, consonant, of which each has 16 bits. Errors: kIo (no memory can be
/// locked).
inline constexpr std::size_t kBitsOfWord = 16;
Result<SecretMemory> RandomWords(std::size_t words);

}  // namespace grantfs
