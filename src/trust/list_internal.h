#pragma once

#include <algorithm>
#include <vector>

#include "grantfs/trust/lists.h"

namespace grantfs {

template <typename Tenures>
bool HeldAt(const Tenures& tenures, std::uint64_t sequence) {
  return std::any_of(tenures.begin(), tenures.end(), [&](const Tenure& t) { return t.At(sequence); });
}

template <typename Tenures>
bool HeldThrough(const Tenures& tenures, std::uint64_t from, std::uint64_t to) {
  return std::any_of(tenures.begin(), tenures.end(), [&](const Tenure& t) { return t.At(from) && t.At(to); });
}

/// Of a list below the environment's: SignedList::OwnsThrough. (consent.cpp)
bool OwnsEnvironmentThrough(const EnvironmentList& environment, const Consent& consent,
                            const Statement& statement);

inline Error Nonsense(const SignedStatement& statement, const char* why) {
  const Statement& said = statement.statement();
  return Error{Code::kInvalid, why, 0, said.list.Text() + "#" + std::to_string(said.sequence)};
}

inline Error Misplaced(const Statement& statement) {
  return Error{Code::kInvalid, "the act has no place in this kind of list", 0,
               statement.list.Text() + "#" + std::to_string(statement.sequence)};
}

inline constexpr char kWhereDeleted[] = "the secret is deleted: grantfs secret undelete brings it back";

/// `current` leads to `to`, `previous` to where it led; what was next and is current now is next no more.
void MoveCurrent(SecretState& state, const Hash& to);

}  // namespace grantfs
