#include <cstring>

#include "bundle_internal.h"
#include "grantfs/trust/sealing.h"
#include "grantfs/util/text.h"
#include "machine_internal.h"

namespace grantfs {
namespace {

constexpr std::size_t kMaxSealedBytes = 4096;
constexpr std::size_t kMaxPathBytes = 1024;
constexpr std::size_t kMaxEvidenceBytes = std::size_t{4} << 20;

// In front of a bundle's, where a single secret's has the length of its environment's name.
constexpr std::string_view kBundleMark = "\xff\xff\xff\xff";

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

void PutPart(std::string* text, std::string_view part) {
  PutSize(text, part.size());
  text->append(part);
}

void PutNumber(std::string* text, std::uint64_t number) {
  PutSize(text, static_cast<std::size_t>(number >> 32));
  PutSize(text, static_cast<std::size_t>(number & 0xffffffff));
}

std::optional<std::uint64_t> TakeNumber(std::string_view* text) {
  if (text->size() < 8) return std::nullopt;
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < 8; ++i) number = number << 8 | static_cast<std::uint8_t>((*text)[i]);
  text->remove_prefix(8);
  return number;
}

std::optional<Hash> TakeHash(std::string_view* text) {
  Hash hash;
  if (text->size() < hash.bytes.size()) return std::nullopt;
  std::memcpy(hash.bytes.data(), text->data(), hash.bytes.size());
  text->remove_prefix(hash.bytes.size());
  return hash;
}

Error DamagedEvidence(std::uint64_t number) {
  return {Code::kIntegrity, "what was kept of an open file is damaged", 0, std::to_string(number)};
}

}  // namespace

// By hand: it is made for each open.
std::string EvidenceOf(const VersionPublish& publish, const Bytes& sealed, const Bytes& ciphertext) {
  std::string text;
  text.reserve(publish.environment.size() + publish.path.size() + sealed.size() + ciphertext.size() + 128);
  PutPart(&text, publish.environment);
  PutPart(&text, publish.path);
  for (const std::uint64_t number :
       {std::uint64_t{publish.version}, publish.size, std::uint64_t{publish.epoch}})
    PutNumber(&text, number);
  for (const Hash* hash : {&publish.ciphertext, &publish.commitment}) text += AsText(hash->View());
  PutPart(&text, AsText(sealed));
  text += AsText(ciphertext);
  return text;
}

std::string EvidenceOfBundle(const BundleView::Parts& parts, const std::vector<std::string>& evidence) {
  std::string text(kBundleMark);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (evidence[i].empty()) return "";
    PutPart(&text, std::to_string(parts[i].number) + " " + std::to_string(parts[i].version));
    PutPart(&text, parts[i].path);
    PutPart(&text, evidence[i]);
  }
  return text;
}

Result<SecretValue> MachineSessionImpl::Reopen(std::uint64_t number, std::uint32_t version,
                                               const std::string& evidence) {
  if (!evidence.starts_with(kBundleMark)) return ReopenOne(number, version, evidence);
  BundleView::Parts parts;
  std::vector<SecretValue> values;
  for (std::string_view rest = std::string_view(evidence).substr(kBundleMark.size()); !rest.empty();) {
    const auto which = TakePart(&rest, 64);
    const auto path = which ? TakePart(&rest, kMaxPathBytes) : std::nullopt;
    const auto own = path ? TakePart(&rest, kMaxEvidenceBytes) : std::nullopt;
    const auto numbers = which ? Split(*which, ' ') : std::vector<std::string_view>();
    unsigned long long part = 0;
    unsigned long long part_version = 0;
    if (!own || numbers.size() != 2 || !ParseNumber(numbers[0], ~0ULL >> 1, &part) ||
        !ParseNumber(numbers[1], 0xffffffff, &part_version))
      return DamagedEvidence(number);
    parts.push_back({part, static_cast<std::uint32_t>(part_version), std::string(*path)});
    values.push_back(GRANTFS_TRY(ReopenOne(part, parts.back().version, *own)));
  }
  if (parts.empty()) return DamagedEvidence(number);
  return RenderBundle(parts, std::move(values));
}

Result<SecretValue> MachineSessionImpl::ReopenOne(std::uint64_t number, std::uint32_t version,
                                                  std::string_view evidence) const {
  std::string_view rest = evidence;
  VersionPublish publish;
  const auto environment = TakePart(&rest, kMaxPathBytes);
  const auto path = environment ? TakePart(&rest, kMaxPathBytes) : std::nullopt;
  const auto own_version = path ? TakeNumber(&rest) : std::nullopt;
  const auto size = own_version ? TakeNumber(&rest) : std::nullopt;
  const auto epoch = size ? TakeNumber(&rest) : std::nullopt;
  const auto hash = epoch ? TakeHash(&rest) : std::nullopt;
  const auto commitment = hash ? TakeHash(&rest) : std::nullopt;
  const auto sealed = commitment ? TakePart(&rest, kMaxSealedBytes) : std::nullopt;
  if (!sealed || *own_version != version || *epoch > 0xffffffff) return DamagedEvidence(number);
  publish.environment = *environment;
  publish.path = *path;
  publish.version = version;
  publish.size = *size;
  publish.epoch = static_cast<std::uint32_t>(*epoch);
  publish.ciphertext = *hash;
  publish.commitment = *commitment;
  const ValueContext context{home_.profile().vault, publish.environment, number, version, publish.epoch};
  const auto key = GRANTFS_TRY(OpenDataKey(me_.unseal_key(), AsBytes(*sealed), publish.commitment, context));
  return DecryptVersion(key, context, publish, AsBytes(rest));
}

}  // namespace grantfs
