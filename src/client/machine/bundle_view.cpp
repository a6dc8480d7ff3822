#include <algorithm>

#include "bundle_internal.h"
#include "grantfs/crypto/hash.h"
#include "grantfs/crypto/template.h"
#include "machine_view_internal.h"

namespace grantfs {
namespace {

constexpr std::size_t kMaxOlderBundles = 4;
constexpr std::uint32_t kBundleVersions = (1u << 24) - 1;  // 1..this, as of any secret
constexpr std::uint32_t kMaxStaleBy = 64;

using Names = std::map<std::pair<std::string_view, std::string_view>, const SecretView*>;

/// The same for the same parts in every process, so that a mount that was started again shows the same inode.
std::uint32_t VersionOfParts(const BundleView::Parts& parts) {
  std::string text;
  for (const auto& part : parts)
    text += std::to_string(part.number) + ":" + std::to_string(part.version) + ";";
  const Hash hash = Blake2b256({AsBytes(text)});
  const std::uint32_t number = static_cast<std::uint32_t>(hash.bytes[0]) << 16 |
                               static_cast<std::uint32_t>(hash.bytes[1]) << 8 | hash.bytes[2];
  return std::max(number, 1u);
}

std::string NotShown(const SecretView& secret, const std::string& path, const char* why) {
  return "it needs " + secret.environment + "/" + path + ", which " + why;
}

/// @return why a part cannot be had, "" if it can.
std::string AddPart(const SecretView& secret, const std::string& path, const SecretView* part,
                    BundleView* bundle) {
  if (part == nullptr) {
    return NotShown(secret, path, "is not granted to this machine; an owner can run grantfs grant MACHINE ") +
           secret.environment + "/" + path;
  }
  if (!part->publish)
    return NotShown(secret, path,
                    "has no version that can be read; grantfs secret set gives it one, or grantfs secret "
                    "undelete");
  if (IsTemplate(*part)) return NotShown(secret, path, "is a template itself, and none is made of others");
  bundle->parts.push_back({part->number, part->publish->version, path});
  return {};
}

BundleView Assemble(const SecretView& secret, const Names& names) {
  BundleView bundle;
  bundle.parts.push_back({secret.number, secret.publish->version, secret.path});
  std::uint64_t bytes = 0;
  for (const std::string& path : secret.publish->parts) {
    const auto at = names.find({secret.environment, path});
    bundle.missing = AddPart(secret, path, at == names.end() ? nullptr : at->second, &bundle);
    if (!bundle.missing.empty()) return bundle;
    bytes += at->second->publish->size;
  }
  if (bytes > kMaxSecretBytes)
    bundle.missing = "its parts have more than 1 MiB together, which no file here has";
  return bundle;
}

std::shared_ptr<const BundleView> After(BundleView next, const BundleView* before) {
  if (!next.missing.empty()) next.parts.clear();
  if (before != nullptr) {
    next.older = before->older;
    if (before->version != 0 && before->parts != next.parts)
      next.older.emplace_back(before->version, before->parts);
    if (next.older.size() > kMaxOlderBundles) next.older.erase(next.older.begin());
  }
  if (!next.missing.empty()) return std::make_shared<const BundleView>(std::move(next));
  if (before != nullptr && before->parts == next.parts) {
    next.version = before->version;
  } else {
    // What is made of other parts is another version, also where both hash to one number.
    std::uint32_t version = VersionOfParts(next.parts);
    while (const BundleView::Parts* taken = next.Find(version)) {
      if (*taken == next.parts) break;
      version = version % kBundleVersions + 1;
    }
    next.version = version;
  }
  return std::make_shared<const BundleView>(std::move(next));
}

/// 0 = never.
std::int64_t Earlier(std::int64_t a, std::int64_t b) { return a == 0 || b == 0 ? a + b : std::min(a, b); }

/// Why the grant of a part denies the file too, "" if it does not. The mount holds a caller against the
/// conditions of the file's own grant alone, so that those of a part must be the same.
std::string WhyDenied(const Grant& own, const SecretView& part) {
  if (!part.unenforceable.empty()) return "of its part " + part.path + ": " + part.unenforceable;
  const auto ordered = [](std::vector<std::string> conditions) {
    std::sort(conditions.begin(), conditions.end());
    return conditions;
  };
  if (part.terms.conditions.empty() || ordered(part.terms.conditions) == ordered(own.conditions)) return {};
  return "its part " + part.path +
         " is granted under other conditions than it is itself: grant both under the same --only-* options";
}

/// The versions of a secret that are known here, with the set that each was published in. Errors: kIntegrity.
Result<std::map<std::uint32_t, std::string>> SetsOf(const MachineView& view, const SecretView& secret) {
  std::map<std::uint32_t, std::string> sets;
  const auto proof = GRANTFS_TRY(ProofOf(secret, view.UpperOf(secret.environment)));
  for (const auto& [number, version] : proof->list.versions()) sets[number] = version.publish.set;
  for (const auto& [number, statement] : proof->older) {
    if (const auto* publish = std::get_if<VersionPublish>(&statement->statement().act))
      sets[number] = publish->set;
  }
  if (secret.publish) sets[secret.publish->version] = secret.publish->set;
  return sets;
}

}  // namespace

bool IsTemplate(const SecretView& secret) { return secret.publish && !secret.publish->parts.empty(); }

const BundleView::Parts* BundleView::Find(std::uint32_t asked) const {
  if (version != 0 && version == asked) return &parts;
  for (const auto& [number, was] : older) {
    if (number == asked) return &was;
  }
  return nullptr;
}

Bundles MakeBundles(const MachineView& view, const Bundles* before) {
  Bundles bundles;
  const auto is_template = [](const auto& one) { return IsTemplate(*one.second); };
  if (std::none_of(view.secrets.begin(), view.secrets.end(), is_template)) return bundles;
  Names names;
  for (const auto& [number, secret] : view.secrets) names[{secret->environment, secret->path}] = secret.get();
  for (const auto& [number, secret] : view.secrets) {
    if (!IsTemplate(*secret)) continue;
    const bool known = before != nullptr && before->contains(number);
    bundles[number] = After(Assemble(*secret, names), known ? before->at(number).get() : nullptr);
  }
  return bundles;
}

void ShowBundle(const MachineView& view, const BundleView& bundle, GrantedSecret* shown) {
  shown->missing = bundle.missing;
  if (!bundle.missing.empty()) return;
  shown->version = bundle.version;
  const Grant& own = view.secrets.at(bundle.parts[0].number)->terms;
  std::vector<std::pair<std::size_t, std::size_t>> sizes;
  for (std::size_t i = 1; i < bundle.parts.size(); ++i) {
    const SecretView& part = *view.secrets.at(bundle.parts[i].number);
    sizes.emplace_back(part.path.size(), part.publish->size);
    shown->time = std::max(shown->time, part.time);
    shown->strict = shown->strict || part.terms.strict;
    shown->lease = std::min(shown->lease, part.terms.lease);
    shown->offline = std::min(shown->offline, part.terms.offline);
    shown->EndAt(part.terms.expires, false);
    shown->EndAt(part.publish->ExpiresAt(part.time), true);
    shown->rotate_due = Earlier(shown->rotate_due, part.publish->RotationDue(part.time));
    if (shown->unenforceable.empty()) shown->unenforceable = WhyDenied(own, part);
  }
  shown->size = LargestRendering(shown->size, sizes);
}

std::set<std::uint64_t> WithSiblings(const Bundles& bundles, const std::set<std::uint64_t>& numbers) {
  std::set<std::uint64_t> all = numbers;
  for (const auto& [number, bundle] : bundles) {
    const auto asked = [&](const BundleView::Part& part) { return numbers.contains(part.number); };
    if (std::none_of(bundle->parts.begin(), bundle->parts.end(), asked)) continue;
    for (const BundleView::Part& part : bundle->parts) all.insert(part.number);
  }
  return all;
}

bool TearsSet(const MachineView& view, const BundleView::Parts& parts, const std::set<std::size_t>& stale) {
  std::set<std::string> in;
  std::vector<std::map<std::uint32_t, std::string>> known(parts.size());
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto at = view.secrets.find(parts[i].number);
    if (at == view.secrets.end()) return true;
    auto sets = SetsOf(view, *at->second);
    if (!sets) return true;
    known[i] = *std::move(sets);
    for (const auto& [number, set] : known[i])
      if (number <= parts[i].version && !set.empty()) in.insert(set);
  }
  for (const std::size_t i : stale) {
    const std::uint32_t newest = known[i].empty() ? 0 : known[i].rbegin()->first;
    if (newest <= parts[i].version || newest - parts[i].version > kMaxStaleBy) return true;
    for (std::uint32_t number = parts[i].version + 1; number <= newest; ++number) {
      const auto at = known[i].find(number);
      if (at == known[i].end() || in.contains(at->second)) return true;
    }
  }
  return false;
}

}  // namespace grantfs
