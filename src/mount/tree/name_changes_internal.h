#pragma once

#include <set>
#include <string>
#include <vector>

#include "mount/tree/held_names_internal.h"
#include "mount/tree/kept_shown_internal.h"
#include "mount/tree/tree_internal.h"

namespace grantfs {

/// What a process would do, and in which order, to turn one tree into the other. Left out is a name that
/// changes between file and directory, which has no such step. Nor has a directory that goes: rmdir(2) would
/// be for ever to who stands in it, and it may come back.
std::vector<NameChange> NameChangesOf(const Tree& before, const Tree& after, const TreeChange& change);

/// Secrets that are shown already, as steps that touch them.
std::vector<NameChange> TouchesOf(const Tree& tree, const std::set<std::uint64_t>& numbers);

/// The secrets that came, went, or look or read differently.
std::vector<SecretChange> SecretChangesOf(const Tree& before, const Tree& after);
/// Their paths below the mount point.
/// @param root  the environment that is shown alone, or "".
std::set<std::string> PathsOf(const std::vector<SecretChange>& changes, const std::string& root);

}  // namespace grantfs
