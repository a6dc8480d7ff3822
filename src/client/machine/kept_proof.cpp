#include <cstring>
#include <tuple>

#include "kept_proof_internal.h"

namespace grantfs {
namespace {

// Of some KiB each. The newest two proofs are kept however long they are: an answer may be judged by both.
constexpr std::uint64_t kMostStatements = 1000;
constexpr std::size_t kLeastProofs = 2;

std::uint64_t LengthOf(const SecretProof& proof) {
  return proof.list.size();
}

constexpr std::uint32_t kNoStatement = ~std::uint32_t{0};

std::uint32_t LengthAt(std::string_view bytes, std::size_t at) {
  std::uint32_t length = 0;
  std::memcpy(&length, bytes.data() + at, sizeof length);
  return length;
}

std::string_view StatementAt(std::string_view bytes, std::size_t at) {
  return bytes.substr(at + sizeof(std::uint32_t), LengthAt(bytes, at));
}

Result<SignedList::StatementPtr> Unpacked(std::string_view bytes, std::size_t at) {
  return std::make_shared<const SignedStatement>(
      GRANTFS_TRY(SignedStatement::Unpack(StatementAt(bytes, at))));
}

}  // namespace

Result<SecretList> ListBeginningWith(std::uint64_t number,
                                     const std::vector<SignedList::StatementPtr>& statements,
                                     const UpperLists& upper) {
  if (statements.empty())
    return Error{Code::kIntegrity, "what proves a grant is not known any more", 0, std::to_string(number)};
  auto list = SecretList::Partial(number, statements.front()->statement().sequence);
  for (const auto& statement : statements) GRANTFS_CHECK(list.Receive(statement, upper));
  return list;
}

KeptProof::KeptProof(const SecretProof& proof, const KeptProof* before)
    : first_(proof.list.first_sequence()), head_(*proof.list.head()), place_(proof.place) {
  if (before != nullptr && GoesOnFrom(*before, proof.list)) {
    bytes_ = before->bytes_.substr(0, before->listed_bytes_);
    listed_ = before->listed_;
  }
  for (std::uint64_t i = first_ + listed_; i < next_sequence(); ++i, ++listed_) Append(*proof.list.At(i));
  listed_bytes_ = static_cast<std::uint32_t>(bytes_.size());
  grant_ = proof.grant ? Keep(*proof.grant) : kNoStatement;
  version_ = proof.version ? Keep(*proof.version) : kNoStatement;
  for (const auto& [number, statement] : proof.older) older_.push_back(Keep(*statement));
  bytes_.shrink_to_fit();
}

bool KeptProof::GoesOnFrom(const KeptProof& before, const SecretList& list) const {
  return before.listed_ > 0 && before.first_ == first_ &&
         list.HashAt(before.head_.sequence) == before.head_.hash;
}

bool KeptProof::IsSame(const KeptProof& other) const {
  const auto key = [](const KeptProof& one) {
    return std::tie(one.first_, one.head_.sequence, one.head_.hash, one.listed_, one.grant_, one.version_,
                    one.older_, one.place_.index, one.place_.leaves, one.place_.path, one.bytes_);
  };
  return key(*this) == key(other);
}

void KeptProof::Append(const SignedStatement& statement) {
  const std::string packed = statement.Packed();
  const auto length = static_cast<std::uint32_t>(packed.size());
  bytes_.append(reinterpret_cast<const char*>(&length), sizeof length).append(packed);
}

/// @return where it stands. What is there already is not kept twice.
std::uint32_t KeptProof::Keep(const SignedStatement& statement) {
  const std::string packed = statement.Packed();
  std::size_t at = 0;
  for (; at < bytes_.size(); at += sizeof(std::uint32_t) + LengthAt(bytes_, at)) {
    if (StatementAt(bytes_, at) == packed) return static_cast<std::uint32_t>(at);
  }
  Append(statement);
  return static_cast<std::uint32_t>(at);
}

Result<KeptProof::Versions> KeptProof::UnpackVersions() const {
  std::vector<std::uint32_t> places = older_;
  if (version_ != kNoStatement) places.push_back(version_);
  return UnpackAt(places);
}

Result<KeptProof::Versions> KeptProof::UnpackAt(const std::vector<std::uint32_t>& places) const {
  Versions versions;
  for (const std::uint32_t at : places) {
    auto statement = GRANTFS_TRY(Unpacked(bytes_, at));
    if (const auto* publish = std::get_if<VersionPublish>(&statement->statement().act))
      versions[publish->version] = std::move(statement);
  }
  return versions;
}

Result<SecretProof> KeptProof::Unpack(std::uint64_t number, const UpperLists& upper) const {
  if (upper.environment == nullptr || listed_ == 0)
    return Error{Code::kIntegrity, "what proves a grant is not known any more", 0, std::to_string(number)};
  std::vector<SignedList::StatementPtr> listed;
  for (std::size_t at = 0; listed.size() < listed_; at += sizeof(std::uint32_t) + LengthAt(bytes_, at))
    listed.push_back(GRANTFS_TRY(Unpacked(bytes_, at)));
  SecretProof proof(GRANTFS_TRY(ListBeginningWith(number, listed, upper)));
  if (grant_ != kNoStatement) proof.grant = GRANTFS_TRY(Unpacked(bytes_, grant_));
  proof.place = place_;
  proof.older = GRANTFS_TRY(UnpackAt(older_));
  if (version_ == kNoStatement) return proof;
  proof.version = GRANTFS_TRY(Unpacked(bytes_, version_));
  if (const auto* publish = std::get_if<VersionPublish>(&proof.version->statement().act))
    proof.older.erase(publish->version);
  return proof;
}

void RecentProofs::Keep(std::shared_ptr<const SecretProof> proof) {
  statements_ += LengthOf(*proof);
  proofs_.push_front(std::move(proof));
  while (proofs_.size() > kLeastProofs && statements_ > kMostStatements) {
    statements_ -= LengthOf(*proofs_.back());
    proofs_.pop_back();
  }
}

}  // namespace grantfs
