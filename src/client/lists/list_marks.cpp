#include <algorithm>
#include <limits>
#include <optional>

#include "grantfs/crypto/encoding.h"
#include "grantfs/crypto/hash.h"
#include "grantfs/util/text.h"
#include "list_marks_internal.h"

namespace grantfs {
namespace {

/// Raised with whatever is checked of a statement from then on: marks of before are none then.
constexpr std::uint8_t kMarkVersion = 1;
/// A mark takes a write and a signature: fewer statements than these are verified again.
constexpr std::uint64_t kMarkEvery = 16;

struct StoredMark {
  Head head;
  Signature signature;
};

std::string MarkText(const StoredMark& mark) {
  return std::to_string(mark.head.sequence) + " " + mark.head.hash.Hex() + " " +
         HexEncode(mark.signature.bytes);
}

/// None of a text that is not exactly one: what stands in the file is anybody's.
std::optional<StoredMark> ReadMark(const std::string& text) {
  const auto words = Split(text, ' ');
  unsigned long long sequence = 0;
  if (words.size() != 3 || !ParseNumber(words[0], std::numeric_limits<std::int64_t>::max(), &sequence))
    return std::nullopt;
  const auto hash = Hash::FromHex(words[1]);
  const auto signature = HexDecode(words[2], sizeof(Signature::bytes));
  StoredMark mark;
  if (!hash || !signature || signature->size() != mark.signature.bytes.size()) return std::nullopt;
  mark.head = {sequence, *hash};
  std::copy(signature->begin(), signature->end(), mark.signature.bytes.begin());
  return mark;
}

}  // namespace

Bytes ListMarks::Context(const ListId& list, const Head& head) const {
  const std::string name = list.Text(), sequence = std::to_string(head.sequence);
  return EncodeContext({AsBytes("grantfs-verified"), ByteView(&kMarkVersion, 1), vault_.View(), AsBytes(name),
                        AsBytes(sequence), head.hash.View()});
}

Result<std::size_t> ListMarks::CountVerified(const ListId& list, const std::vector<KnownStore::Kept>& kept) {
  const auto mark = ReadMark(GRANTFS_TRY(known_->ListMark(list)));
  if (!mark) return std::size_t{0};
  const auto at = std::find_if(kept.rbegin(), kept.rend(),
                               [&](const KnownStore::Kept& one) { return one.hash == mark->head.hash; });
  if (at == kept.rend() || !Verify(key_->verify_key(), Context(list, mark->head), mark->signature))
    return std::size_t{0};
  marked_[list] = mark->head.sequence;
  return static_cast<std::size_t>(kept.rend() - at);
}

void ListMarks::Mark(const SignedList& list) {
  const auto head = list.VerifiedHead();
  const auto at = marked_.find(list.id());
  if (!head || head->sequence < (at == marked_.end() ? 0 : at->second) + kMarkEvery) return;
  const Status put = known_->PutListMark(list.id(), MarkText({*head, key_->Sign(Context(list.id(), *head))}));
  if (put) marked_[list.id()] = head->sequence;
}

}  // namespace grantfs
