#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "grantfs/client/secret_source.h"

namespace grantfs {

struct MachineView;
struct SecretView;

/// A file made of several secrets, as it is at one moment: the template itself, then its parts by path, each
/// at the version that its grant's label points at. Immutable.
struct BundleView {
  struct Part {
    std::uint64_t number = 0;
    std::uint32_t version = 0;
    std::string path;
    bool operator==(const Part&) const = default;
  };
  using Parts = std::vector<Part>;

  std::uint32_t version =
      0;  ///< stands for `parts`: another where one of them is another; 0 = there is no file now
  Parts parts;
  std::string missing;  ///< why there is no file, a sentence part with its mend
  std::vector<std::pair<std::uint32_t, Parts>> older;  ///< what it was made of before, newest last
  /// nullptr: neither now nor lately.
  const Parts* Find(std::uint32_t version) const;
};
using Bundles = std::map<std::uint64_t, std::shared_ptr<const BundleView>>;

bool IsTemplate(const SecretView& secret);

/// Of all templates of a view. @param before  of the view before it, nullptr: none
Bundles MakeBundles(const MachineView& view, const Bundles* before);

/// Makes the file of its parts' values, which are in the same order. Errors: kInvalid, as Template's.
Result<SecretValue> RenderBundle(const BundleView::Parts& parts, std::vector<SecretValue> values);

/// As EvidenceOf, of the parts' own; "" where one of them has none.
std::string EvidenceOfBundle(const BundleView::Parts& parts, const std::vector<std::string>& evidence);

/// What is shown of a template: `shown` is what its own grant says, and ends as what its parts' grants say
/// too. A file is no more open than the most closed of its parts.
void ShowBundle(const MachineView& view, const BundleView& bundle, GrantedSecret* shown);

/// These and what any of them is in one file with: looked at in one look, a file is never shown half changed.
std::set<std::uint64_t> WithSiblings(const Bundles& bundles, const std::set<std::uint64_t>& numbers);

/// Whether a set of secrets that were published as one act is torn by these versions: some of it are in them,
/// and of others they have what was before. `stale` are the indices of those that have been superseded; if
/// the view does not know by what, that counts as torn.
bool TearsSet(const MachineView& view, const BundleView::Parts& parts, const std::set<std::size_t>& stale);

}  // namespace grantfs
