#include "grantfs/json/json.h"
#include "grantfs/trust/sealing.h"
#include "machine_internal.h"

namespace grantfs {
namespace {

constexpr std::size_t kMaxPublishBytes = 16 * 1024;
constexpr std::size_t kMaxSealedBytes = 4096;

void PutSize(std::string* text, std::size_t size) {
  for (int shift = 24; shift >= 0; shift -= 8) text->push_back(static_cast<char>(size >> shift & 0xff));
}

/// Takes a part with its length in front of it off the beginning.
std::optional<std::string_view> TakePart(std::string_view* text, std::size_t most) {
  if (text->size() < 4) return std::nullopt;
  std::size_t size = 0;
  for (std::size_t i = 0; i < 4; ++i) size = size << 8 | static_cast<std::uint8_t>((*text)[i]);
  if (size > most || size > text->size() - 4) return std::nullopt;
  const auto part = text->substr(4, size);
  text->remove_prefix(4 + size);
  return part;
}

}  // namespace

std::string EvidenceOf(const VersionPublish& publish, const Bytes& sealed, const Bytes& ciphertext) {
  const std::string act = ActToJson(publish).Dump();
  std::string text;
  text.reserve(act.size() + sealed.size() + ciphertext.size() + 8);
  PutSize(&text, act.size());
  text += act;
  PutSize(&text, sealed.size());
  text += AsText(sealed);
  text += AsText(ciphertext);
  return text;
}

Result<SecretValue> MachineSessionImpl::Reopen(std::uint64_t number, std::uint32_t version,
                                               const std::string& evidence) {
  const Error damaged{Code::kIntegrity, "what was kept of an open file is damaged", 0,
                      std::to_string(number)};
  std::string_view rest = evidence;
  const auto act_text = TakePart(&rest, kMaxPublishBytes);
  const auto sealed = act_text ? TakePart(&rest, kMaxSealedBytes) : std::nullopt;
  if (!sealed) return damaged;
  const Act act = GRANTFS_TRY(ActFromJson(GRANTFS_TRY(ParseJson(*act_text))));
  const auto* publish = std::get_if<VersionPublish>(&act);
  if (publish == nullptr || publish->version != version) return damaged;
  const ValueContext context{home_.profile().vault, publish->environment, number, version, publish->epoch};
  const auto key = GRANTFS_TRY(OpenDataKey(me_.unseal_key(), AsBytes(*sealed), publish->commitment, context));
  return DecryptVersion(key, context, *publish, AsBytes(rest));
}

}  // namespace grantfs
