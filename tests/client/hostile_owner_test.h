#pragma once

#include "hostile_test.h"

namespace grantfs::testing {

/// An owner with two secrets, who is lied to.
class HostileOwnerTest : public HostileTest {
 protected:
  HostileOwnerTest() {
    Set("a", "one");
    Set("b", "two");
  }
  static constexpr VersionChoice kCurrent{};
  SecretName A() const { return {"shop/prod", "a"}; }
  /// A program that begins with what the home remembers.
  std::unique_ptr<OwnerSession> Again() { return Must(OwnerSession::Open(Path("ann"))); }
  template <typename T>
  void ExpectRefused(const Result<T>& result, const std::string& why) {
    EXPECT_EQ(CodeOf(result), Code::kIntegrity);
    EXPECT_NE(Sentence(result).find(why), std::string::npos) << Sentence(result);
  }
  /// Lists of this kind end `by` statements earlier than they do.
  void CutLists(ListKind kind, std::uint64_t by) {
    vault_.Lie<api::ListReadRequest, api::ListReadResponse>(
        api::kListsRead, [kind, by](const api::ListReadRequest& asked, api::ListReadResponse& answer) {
          if (asked.list.kind != kind) return;
          const std::uint64_t keep = answer.head->sequence + 1 - by;
          const std::uint64_t shown = keep > asked.from ? keep - asked.from : 0;
          if (answer.statements.size() > shown) answer.statements.resize(shown);
          answer.head->sequence -= by;
          if (!answer.statements.empty()) {
            answer.head = Must(SignedStatement::Parse(answer.statements.back())).head();
          }
        });
  }
  /// Lists of this one get a statement more than they have.
  void ExtendList(const ListId& list, const std::string& envelope) {
    vault_.Lie<api::ListReadRequest, api::ListReadResponse>(
        api::kListsRead, [list, envelope](const api::ListReadRequest& asked, api::ListReadResponse& answer) {
          if (asked.list != list) return;
          answer.statements.push_back(envelope);
          answer.head = Must(SignedStatement::Parse(envelope)).head();
        });
  }
};

}  // namespace grantfs::testing
