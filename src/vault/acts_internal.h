#pragma once

#include "grantfs/trust/acts.h"

namespace grantfs {

template <typename... Ts>
bool IsAny(const Act& act) {
  return (std::holds_alternative<Ts>(act) || ...);
}

}  // namespace grantfs
