#include "grantfs/trust/signed_list.h"
#include "grantfs/util/two_threads.h"

namespace grantfs {
namespace {

/// A thread costs as much as a statement or two.
constexpr std::size_t kWorthAThread = 16;

}  // namespace

std::vector<SignedList::StatementPtr> SignedList::ParseAhead(std::size_t count, const EnvelopeAt& envelope,
                                                             const UpperLists& upper) const {
  std::vector<StatementPtr> statements(count);
  const bool judged = (id_.kind == ListKind::kVault || upper.vault != nullptr) &&
                      (!id_.BelowEnvironment() || upper.environment != nullptr);
  const auto parse = [&](std::size_t i) {
    auto parsed = SignedStatement::Parse(envelope(i));
    if (!parsed) return;
    // Who it is by then is for the list to say: if it is another, his key is another too.
    const Identity* signer = judged ? SignerOf(parsed->statement(), upper) : nullptr;
    if (signer != nullptr) parsed->VerifyAhead(signer->sign);
    statements[i] = std::make_shared<const SignedStatement>(*std::move(parsed));
  };
  if (count >= kWorthAThread) {
    OnTwoThreads(count, parse);
  } else {
    for (std::size_t i = 0; i < count; ++i) parse(i);
  }
  return statements;
}

}  // namespace grantfs
