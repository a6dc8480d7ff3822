#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>

#include "fill_vault.h"

// What vault_fill makes. Each needs the vault to be stopped, uses its own code for all that it writes, and
// ends the program with a sentence where that refuses something.

namespace grantfs::bench {

/// Machines, invited, enrolled and approved, until the list has `count` that were not removed: "f-17" is the
/// 18th of it. Their keys derive from the owner's seed, so that another run has them too; none has a home.
void FillMachines(OpenVault& open, std::uint64_t count);

/// `count` secrets in all, "S_0".. in each environment alike, of one version each. The machines belong to the
/// environments in turn, and each is granted `grants_each` secrets of its own, one after the other.
void FillSecrets(OpenVault& open, std::uint64_t count, std::uint64_t grants_each);

/// One secret that the first `count` machines are granted, each by itself.
void FillReaders(OpenVault& open, const std::string& environment, const std::string& path,
                 std::uint64_t count);

/// `count` secrets, "N_0".., of `versions` versions each, granted to nobody.
void FillVersions(OpenVault& open, const std::string& environment, std::uint64_t count,
                  std::uint64_t versions);

/// Reads by those machines of what they are granted, each with the signed request as its evidence, until the
/// log has `count` records.
void FillRecords(OpenVault& open, std::uint64_t count);

/// The key of the machine "f-NUMBER".
PrivateIdentity KeyOfMachine(const OpenVault& open, std::uint64_t number);
inline constexpr char kMachinePrefix[] = "f-";

}  // namespace grantfs::bench
