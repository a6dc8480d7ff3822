#pragma once

#include <cstddef>
#include <vector>

#include "grantfs/crypto/secret.h"
#include "terminal_internal.h"

namespace grantfs {

/// Lines of one text that another has otherwise: from line `first` (1..) so many, in the place of those of
/// the other. Of lines it says where they are, never what stands in them.
struct DiffPiece {
  std::size_t first_at = 1, first_lines = 0;
  std::size_t second_at = 1, second_lines = 0;
};

/// How two values differ by their lines: as few lines as can be where there are at most a thousand beside
/// what both begin and end with; else one piece. Empty if they are the same.
std::vector<DiffPiece> DiffLines(const SecretValue& first, const SecretValue& second);

/// Writes these lines to standard output: those of the first behind "-", those of the second behind "+".
void OutDiff(Terminal& terminal, const SecretValue& first, const SecretValue& second,
             const std::vector<DiffPiece>& pieces);

}  // namespace grantfs
