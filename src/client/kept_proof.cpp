#include <cstring>

#include "kept_proof_internal.h"

namespace grantfs {
namespace {

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
  auto list = SecretList::Partial(number, statements.front()->statement().sequence);
  for (const auto& statement : statements) GRANTFS_CHECK(list.Receive(statement, upper));
  return list;
}

KeptProof::KeptProof(const SecretProof& proof)
    : first_(proof.list.first_sequence()), head_(*proof.list.head()), place_(proof.place) {
  for (std::uint64_t i = first_; i < next_sequence(); ++i) {
    Keep(*proof.list.At(i));
    ++listed_;
  }
  grant_ = Keep(*proof.grant);
  version_ = proof.version ? Keep(*proof.version) : kNoStatement;
  for (const auto& [number, statement] : proof.older) older_.push_back(Keep(*statement));
  bytes_.shrink_to_fit();
}

/// @return where it stands. What is there already is not kept twice.
std::uint32_t KeptProof::Keep(const SignedStatement& statement) {
  const std::string packed = statement.Packed();
  std::size_t at = 0;
  for (; at < bytes_.size(); at += sizeof(std::uint32_t) + LengthAt(bytes_, at)) {
    if (StatementAt(bytes_, at) == packed) return static_cast<std::uint32_t>(at);
  }
  const auto length = static_cast<std::uint32_t>(packed.size());
  bytes_.append(reinterpret_cast<const char*>(&length), sizeof length).append(packed);
  return static_cast<std::uint32_t>(at);
}

Result<KeptProof::Versions> KeptProof::UnpackVersions() const {
  Versions versions;
  std::vector<std::uint32_t> places = older_;
  if (version_ != kNoStatement) places.push_back(version_);
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
  proof.grant = GRANTFS_TRY(Unpacked(bytes_, grant_));
  proof.place = place_;
  proof.older = GRANTFS_TRY(UnpackVersions());
  if (version_ == kNoStatement) return proof;
  proof.version = GRANTFS_TRY(Unpacked(bytes_, version_));
  if (const auto* publish = std::get_if<VersionPublish>(&proof.version->statement().act))
    proof.older.erase(publish->version);
  return proof;
}

}  // namespace grantfs
