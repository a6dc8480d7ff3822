// Files made of several secrets, by a machine's session over the real wire.

#include <algorithm>
#include <future>

#include "served_vault.h"

namespace grantfs::testing {
namespace {

class BundleTest : public ServedTest {
 protected:
  BundleTest() {
    SetPair("1");
    SetTemplate("pair", "{{ left }} {{ right }}");
    Machine("web-1");
    GrantAll("web-1");
  }
  void SetTemplate(const std::string& path, std::string_view text) {
    Must(Owner().SetTemplate({"shop/prod", path}, Value(text), {}));
  }
  /// Both in one change.
  void SetPair(const std::string& value) {
    const SecretValue left = Value("l" + value), right = Value("r" + value);
    Must(Owner().SetSecrets({{{"shop/prod", "left"}, &left}, {{"shop/prod", "right"}, &right}}, {}));
  }
  void GrantAll(const std::string& machine) {
    GrantOptions options;
    options.wait = std::chrono::milliseconds(0);
    Must(Owner().GrantTo(machine, Must(Owner().WithParts({{"shop/prod", "pair"}})), options));
  }
  static GrantedSecret Pair(const MachineSession& session) {
    const auto listing = session.CurrentListing();
    for (const GrantedSecret& secret : listing->secrets)
      if (secret.path == "pair") return secret;
    return {};
  }
  static Result<OpenedSecret> Open(MachineSession& session, std::uint32_t version, bool grace) {
    SecretSource::OpenRequest request;
    request.number = Pair(session).number;
    request.version = version;
    request.grace = grace;
    request.open_id = "test-" + std::to_string(version) + (grace ? "-g" : "");
    std::promise<Result<OpenedSecret>> opened;
    const auto pending = session.Open(
        std::move(request), kLong, [&](Result<OpenedSecret> result) { opened.set_value(std::move(result)); });
    return opened.get_future().get();
  }
  std::size_t Reads(const std::string& path) {
    AuditFilter filter;
    filter.actor = "web-1";
    const auto lines = Must(Owner().ListAudit(filter));
    return static_cast<std::size_t>(std::count_if(lines.begin(), lines.end(), [&](const AuditLine& line) {
      return line.action == "secret.read" && line.object == "shop/prod/" + path;
    }));
  }
};

TEST_F(BundleTest, IsMadeOfWhatItsPartsAreAndEachReadIsRecorded) {
  const auto session = Mount("web-1");
  const GrantedSecret pair = Pair(*session);
  EXPECT_EQ(pair.parts, 2u);
  EXPECT_EQ(pair.missing, "");
  EXPECT_EQ(Reads("pair") + Reads("left"), 0u);
  const auto opened = Must(Open(*session, pair.version, false));
  EXPECT_EQ(Shown(opened.value), "l1 r1");
  EXPECT_EQ(opened.version, pair.version);
  EXPECT_LE(opened.value.size(), pair.size);
  for (const char* path : {"pair", "left", "right"}) EXPECT_EQ(Reads(path), 1u) << path;
  EXPECT_EQ(ReadText(*session, "pair"), "l1 r1");
  EXPECT_EQ(Pair(*Mount("web-1")).version, pair.version) << "the same after a restart";
}

TEST_F(BundleTest, AnOldOneIsAConflictAndWithGraceItIsWholeAsItWas) {
  const auto session = Mount("web-1");
  const std::uint32_t first = Pair(*session).version;
  SetPair("2");
  ASSERT_TRUE(Eventually([&] { return Pair(*session).version != first; }));
  EXPECT_EQ(CodeOf(Open(*session, first, false)), Code::kConflict);
  EXPECT_EQ(Shown(Must(Open(*session, first, true)).value), "l1 r1");
  EXPECT_EQ(Shown(Must(Open(*session, Pair(*session).version, false)).value), "l2 r2");
  EXPECT_EQ(CodeOf(Open(*session, first + 1, true)), Code::kConflict) << "there never was such a version";
}

TEST_F(BundleTest, WhoHasNotHeardOfAChangeIsToldAndNeverMixes) {
  MachineOptions options;
  options.watch = false;
  const auto session = Must(MachineSession::Start(Path("web-1"), std::move(options)));
  Good(session->WaitUntilCurrent(kLong));
  const std::uint32_t first = Pair(*session).version;
  SetPair("2");
  EXPECT_EQ(CodeOf(Open(*session, first, false)), Code::kConflict);
  EXPECT_NE(Pair(*session).version, first) << "the listing shows the newer one before the answer";
  SetPair("3");
  EXPECT_EQ(Shown(Must(Open(*session, 0, false)).value), "l3 r3")
      << "what is current is asked for until it is had";
  SetPair("4");
  const std::uint32_t third = Pair(*session).version;
  EXPECT_EQ(Shown(Must(Open(*session, third, true)).value), "l3 r3") << "just looked up, and whole";
}

TEST_F(BundleTest, ReadOnceItIsNoMoreOpenThanItsPartsAreNow) {
  MachineOptions options;
  options.watch = false;
  ASSERT_EQ(ReadText(*Mount("web-1"), "pair"), "l1 r1");
  GrantOptions only;
  only.terms.conditions = {"user=app"};
  only.wait = std::chrono::milliseconds(0);
  Must(Owner().GrantTo("web-1", {{"shop/prod", "left"}}, only));
  const auto session = Must(MachineSession::Start(Path("web-1"), std::move(options)));
  ASSERT_EQ(Pair(*session).unenforceable, "") << "it knows what the home knew";
  const auto read = Read(*session, "pair");
  EXPECT_EQ(CodeOf(read), Code::kDenied);
  EXPECT_NE(Sentence(read).find("its part left is granted under other conditions"), std::string::npos)
      << Sentence(read);
  EXPECT_EQ(Reads("left"), 1u) << "no part of it was read";
  EXPECT_EQ(Reads("pair"), 1u);
}

TEST_F(BundleTest, ARevokedPartEndsIt) {
  const auto session = Mount("web-1");
  const GrantedSecret pair = Pair(*session);
  std::promise<Status> stands;
  session->Check(pair.number, pair.version, kLong, [&](Status status) { stands.set_value(status); });
  Good(stands.get_future().get());
  Revoke("web-1", "right");
  ASSERT_TRUE(Eventually([&] { return !Pair(*session).missing.empty(); }));
  EXPECT_EQ(CodeOf(Open(*session, pair.version, true)), Code::kNotFound);
  std::promise<Status> ended;
  session->Check(pair.number, pair.version, kLong, [&](Status status) { ended.set_value(status); });
  EXPECT_EQ(ended.get_future().get().error().code, Code::kNotFound);
  EXPECT_NE(Sentence(Read(*session, "pair")).find("shop/prod/right, which is not granted"),
            std::string::npos);
  EXPECT_EQ(ReadText(*session, "left"), "l1") << "the other parts are as they were";
}

TEST_F(BundleTest, TheOwnerIsToldWhatAMachineLacks) {
  Machine("web-2");
  GrantOptions options;
  options.wait = std::chrono::milliseconds(0);
  const auto alone = Must(Owner().GrantTo("web-2", {{"shop/prod", "pair"}, {"shop/prod", "left"}}, options));
  ASSERT_EQ(alone.secrets.size(), 2u);
  EXPECT_EQ(alone.secrets[0].lacking, (std::vector<SecretName>{{"shop/prod", "right"}}));
  Grant("web-2", "right");
  EXPECT_TRUE(Must(Owner().GrantTo("web-2", {{"shop/prod", "pair"}}, options)).secrets[0].lacking.empty());
}

TEST_F(BundleTest, AValueAndATemplateStayWhatTheyAre) {
  EXPECT_EQ(CodeOf(Owner().SetSecret({"shop/prod", "pair"}, Value("x"), {})), Code::kInvalid);
  EXPECT_EQ(CodeOf(Owner().SetTemplate({"shop/prod", "left"}, Value("{{ right }}"), {})), Code::kInvalid);
  EXPECT_EQ(CodeOf(Owner().SetTemplate({"shop/prod", "more"}, Value("{{ pair }}"), {})), Code::kInvalid);
  EXPECT_EQ(CodeOf(Owner().SetTemplate({"shop/prod", "more"}, Value("{{ gone }}"), {})), Code::kNotFound);
  EXPECT_EQ(CodeOf(Owner().SetTemplate({"shop/prod", "more"}, Value("{{ ../x }}"), {})), Code::kInvalid);
  EXPECT_EQ(Shown(Must(Owner().GetSecret({"shop/prod", "pair"}, {})).value), "{{ left }} {{ right }}");
  for (const SecretInfo& info : Must(Owner().ListSecrets("shop/prod", "")))
    EXPECT_EQ(info.type == SecretType::kTemplate, info.name.path == "pair") << info.name.Full();
}

TEST_F(BundleTest, ManyPartsAreReadInOneOpen) {
  std::vector<SecretValue> values;
  std::vector<NewValue> news;
  std::string text, expected;
  for (int i = 0; i < 20; ++i) values.push_back(Value(std::to_string(i)));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::string path = "many/" + std::to_string(i);
    news.push_back({{"shop/prod", path}, &values[i]});
    text += "{{ " + path + " }},";
    expected += std::to_string(i) + ",";
  }
  Must(Owner().SetSecrets(news, {}));
  SetTemplate("pair", text);
  GrantAll("web-1");
  EXPECT_EQ(ReadText(*Mount("web-1"), "pair"), expected);
}

}  // namespace
}  // namespace grantfs::testing
