#include "grantfs/crypto/random.h"

#include <sodium.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <cerrno>

#include "grantfs/crypto/secret.h"
#include "secret_internal.h"

namespace grantfs {
namespace {

// A value of the largest size, what it was read into, and the slabs.
constexpr std::size_t kLockableBytes = 2 * kMaxSecretBytes + kMaxSecretBytes / 2;

Status ForbidCoreDumps() {
  const rlimit none{0, 0};
  if (::setrlimit(RLIMIT_CORE, &none) != 0) return Error{Code::kIo, "could not switch core dumps off", errno};
  // The limit does not hold for a core_pattern that is a pipe; this does, and it keeps other processes of the
  // user out.
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
    return Error{Code::kIo, "could not switch core dumps off", errno};
  }
  return {};
}

Status CheckLockable() {
  auto probe = MapLocked(kLockableBytes);
  if (!probe) {
    return Error{
        Code::kIo,
        "too little memory can be locked to hold secrets, raise the limit to 8 MiB (ulimit -l 8192, or "
        "LimitMEMLOCK=8M in the unit)",
        probe.error().sys};
  }
  UnmapLocked(*probe, kLockableBytes);
  return {};
}

}  // namespace

Status InitCrypto() {
  if (sodium_init() < 0) {
    return Error{Code::kIo, "could not start libsodium, the system has no random numbers"};
  }
  GRANTFS_CHECK(ForbidCoreDumps());
  return CheckLockable();
}

Bytes RandomBytes(std::size_t size) {
  Bytes bytes(size);
  if (size != 0) randombytes_buf(bytes.data(), bytes.size());  // it takes no null pointer
  return bytes;
}

std::uint64_t RandomNumber() {
  std::uint64_t number = 0;
  randombytes_buf(&number, sizeof number);
  return number;
}

Result<SecretMemory> RandomText(std::string_view alphabet, std::size_t length) {
  SecretMemory text = GRANTFS_TRY(SecretMemory::Allocate(length));
  const auto size = static_cast<std::uint32_t>(alphabet.size());
  for (std::uint8_t& byte : text.Expose())
    byte = static_cast<std::uint8_t>(alphabet[randombytes_uniform(size)]);
  return text;
}

std::string_view AlphabetNamed(std::string_view name) {
  if (name == "letters") return "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  if (name == "hex") return "0123456789abcdef";
  // None that a shell, a URL's quotes or a .env file would take for their own.
  if (name == "symbols") return "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!%+,-./:=@^_~";
  return {};
}

Result<SecretMemory> RandomWords(std::size_t words) {
  constexpr std::string_view kConsonants = "bdfghjklmnprstvz", kVowels = "aiou";
  SecretMemory text = GRANTFS_TRY(SecretMemory::Allocate(words == 0 ? 0 : words * 6 - 1));
  const auto bytes = text.Expose();
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const std::size_t at = i % 6;
    const std::string_view letters = at % 2 == 0 ? kConsonants : kVowels;
    const char letter =
        at == 5 ? '-' : letters[randombytes_uniform(static_cast<std::uint32_t>(letters.size()))];
    bytes[i] = static_cast<std::uint8_t>(letter);
  }
  return text;
}

}  // namespace grantfs
