#pragma once

#include <array>

#include "grantfs/sqlite/migration.h"

namespace grantfs {

/// Marks a file as a home's known.db ("gfkn").
inline constexpr int kKnownApplication = 0x67666b6e;
extern const std::array<Migration, 2> kKnownSchema;

}  // namespace grantfs
