#include "bundle_internal.h"
#include "grantfs/json/json.h"
#include "grantfs/trust/sealing.h"
#include "grantfs/util/text.h"
#include "machine_internal.h"

namespace grantfs {
namespace {

constexpr std::size_t kMaxPublishBytes = std::size_t{2} << 20;
constexpr std::size_t kMaxSealedBytes = 4096;
constexpr std::size_t kMaxPathBytes = 1024;
constexpr std::size_t kMaxEvidenceBytes = std::size_t{4} << 20;

// In front of a bundle's, where a single secret's has the length of its act.
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

Error DamagedEvidence(std::uint64_t number) {
  return {Code::kIntegrity, "what was kept of an open file is damaged", 0, std::to_string(number)};
}

}  // namespace

std::string EvidenceOf(const VersionPublish& publish, const Bytes& sealed, const Bytes& ciphertext) {
  const std::string act = ActToJson(publish).Dump();
  std::string text;
  text.reserve(act.size() + sealed.size() + ciphertext.size() + 8);
  PutPart(&text, act);
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
  const auto act_text = TakePart(&rest, kMaxPublishBytes);
  const auto sealed = act_text ? TakePart(&rest, kMaxSealedBytes) : std::nullopt;
  if (!sealed) return DamagedEvidence(number);
  const Act act = GRANTFS_TRY(ActFromJson(GRANTFS_TRY(ParseJson(*act_text))));
  const auto* publish = std::get_if<VersionPublish>(&act);
  if (publish == nullptr || publish->version != version) return DamagedEvidence(number);
  const ValueContext context{home_.profile().vault, publish->environment, number, version, publish->epoch};
  const auto key = GRANTFS_TRY(OpenDataKey(me_.unseal_key(), AsBytes(*sealed), publish->commitment, context));
  return DecryptVersion(key, context, *publish, AsBytes(rest));
}

}  // namespace grantfs
