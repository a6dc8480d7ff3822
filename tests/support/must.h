#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <utility>

#include "grantfs/util/result.h"

namespace grantfs::testing {

/// The value, or the end of the test program with what was wrong.
template <typename T>
T Must(Result<T> result) {
  if (!result) {
    ADD_FAILURE() << Describe(result.error());
    std::abort();
  }
  return *std::move(result);
}
inline void Must(Status status) {
  if (status) return;
  ADD_FAILURE() << Describe(status.error());
  std::abort();
}

}  // namespace grantfs::testing
