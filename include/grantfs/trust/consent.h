#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "grantfs/crypto/keys.h"
#include "grantfs/trust/acts.h"

namespace grantfs {

struct ListId;
struct Head;

/// Which acts a second owner signs: those that the two-owner rule covers, where it holds; and the rule's own
/// change always, so that one owner neither ends it nor locks himself out by it.
bool NeedsTwoOwners(const Act& act, bool rule);
/// Whether a second owner's signature has a place in the act's statement at all.
bool MayBeConsentedTo(const Act& act);

/// The act as the second owner signs it: without what whoever publishes it makes anew, sealed copies of keys
/// and the epoch that they are of.
Act ConsentedAct(const Act& act);

/// What an act is about, for a second owner: "grant/machine/17", "member/..", "rules"; of several machines of
/// a group each: "machine/17". A consent holds until the next statement about any of the same in that list,
/// be it the one that it was given for. Ordered; none for other acts.
std::vector<std::string> ConsentSubjects(const Act& act);

}  // namespace grantfs
