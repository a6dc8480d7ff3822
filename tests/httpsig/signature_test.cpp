#include "grantfs/httpsig/signature.h"

#include <gtest/gtest.h>

#include <set>

#include "grantfs/crypto/encoding.h"
#include "grantfs/crypto/random.h"

namespace grantfs {
namespace {

struct Sample {
  std::string method = "POST";
  std::string authority = "vault.lan:7843";
  std::string path = "/v1/read";
  std::string query = "a=b&c=%20";
  std::string body = "{\"secret\":17}";
  std::vector<HttpHeader> headers;

  SignedParts Parts() const { return {method, authority, path, query, body}; }
};

class SignatureTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_TRUE(InitCrypto()); }

  SigningKey key_ = SigningKey::Generate().value();

  Sample Signed() const {
    Sample sample;
    auto headers = SignRequest(sample.Parts(), "vault-id", "instance-id", 1'700'000'000, "machine:17", key_);
    EXPECT_TRUE(headers);
    sample.headers = std::move(*headers);
    return sample;
  }

  /// "ok", "bad signature", or why it was refused.
  std::string Outcome(const Sample& sample) const {
    const auto info = ParseSignature(sample.Parts(), sample.headers);
    if (!info) return info.error().where;
    return VerifySignature(*info, key_.verify_key()) ? "ok" : "bad signature";
  }

  static std::string& Value(Sample& sample, std::string_view name) {
    for (HttpHeader& header : sample.headers) {
      if (header.name == name) return header.value;
    }
    std::abort();
  }

  static void Replace(Sample& sample, std::string_view name, std::string_view from, std::string_view to) {
    std::string& value = Value(sample, name);
    const auto at = value.find(from);
    ASSERT_NE(at, std::string::npos) << from << " in " << value;
    value.replace(at, from.size(), to);
  }
};

TEST_F(SignatureTest, WhatIsSignedVerifies) {
  const Sample sample = Signed();
  const auto info = ParseSignature(sample.Parts(), sample.headers);
  ASSERT_TRUE(info) << info.error().where;
  EXPECT_TRUE(VerifySignature(*info, key_.verify_key()));
  EXPECT_FALSE(VerifySignature(*info, SigningKey::Generate().value().verify_key()));
  EXPECT_EQ(info->keyid, "machine:17");
  EXPECT_EQ(info->created, 1'700'000'000);
  EXPECT_EQ(info->vault, "vault-id");
  EXPECT_EQ(info->instance, "instance-id");
  EXPECT_EQ(info->nonce.size(), 22u);
}

TEST_F(SignatureTest, TheBaseIsAsTheProfileSays) {
  Sample sample;
  sample.body.clear();
  sample.query.clear();
  sample.headers = SignRequest(sample.Parts(), "v", "i", 5, "k", key_).value();
  const auto info = ParseSignature(sample.Parts(), sample.headers);
  ASSERT_TRUE(info);
  EXPECT_EQ(info->base,
            "\"@method\": POST\n"
            "\"@authority\": vault.lan:7843\n"
            "\"@path\": /v1/read\n"
            "\"@query\": ?\n"
            "\"content-digest\": sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:\n"
            "\"grantfs-vault\": v\n"
            "\"grantfs-instance\": i\n"
            "\"@signature-params\": (\"@method\" \"@authority\" \"@path\" \"@query\" \"content-digest\" "
            "\"grantfs-vault\" \"grantfs-instance\");created=5;nonce=\"" +
                info->nonce + "\";keyid=\"k\";alg=\"ed25519\";tag=\"grantfs\"");
}

TEST_F(SignatureTest, NoncesDiffer) {
  std::set<std::string> nonces;
  for (int i = 0; i < 100; ++i) {
    const Sample sample = Signed();
    nonces.insert(ParseSignature(sample.Parts(), sample.headers).value().nonce);
  }
  EXPECT_EQ(nonces.size(), 100u);
}

TEST_F(SignatureTest, AnyAlteredByteIsNoticed) {
  const Sample good = Signed();
  ASSERT_EQ(Outcome(good), "ok");
  std::size_t tried = 0;
  const auto try_all = [&](auto field, const char* what) {
    Sample probe = good;
    const std::string original = field(probe);
    for (std::size_t at = 0; at < original.size(); ++at) {
      for (const int flip : {1, 2, 4, 8, 16, 32, 64, 128}) {
        std::string altered = original;
        altered[at] = static_cast<char>(altered[at] ^ flip);
        field(probe) = altered;
        EXPECT_NE(Outcome(probe), "ok") << what << " byte " << at << " became " << int(altered[at]);
        ++tried;
      }
      field(probe) = original.substr(0, at) + original.substr(at + 1);
      EXPECT_NE(Outcome(probe), "ok") << what << " without byte " << at;
      field(probe) = original.substr(0, at) + "x" + original.substr(at);
      EXPECT_NE(Outcome(probe), "ok") << what << " with a byte more at " << at;
    }
  };
  try_all([](Sample& s) -> std::string& { return s.method; }, "method");
  try_all([](Sample& s) -> std::string& { return s.authority; }, "authority");
  try_all([](Sample& s) -> std::string& { return s.path; }, "path");
  try_all([](Sample& s) -> std::string& { return s.query; }, "query");
  try_all([](Sample& s) -> std::string& { return s.body; }, "body");
  for (const HttpHeader& header : good.headers) {
    try_all([&](Sample& s) -> std::string& { return Value(s, header.name); }, header.name.c_str());
  }
  EXPECT_GT(tried, 3000u);
}

TEST_F(SignatureTest, ParametersMayStandInAnyOrder) {
  Sample sample = Signed();
  Replace(sample, "signature-input", ";alg=\"ed25519\"", "");
  Replace(sample, "signature-input", ";created=", ";alg=\"ed25519\";created=");
  EXPECT_EQ(Outcome(sample), "bad signature");  // well formed, but another base

  const auto info = ParseSignature(sample.Parts(), sample.headers);
  ASSERT_TRUE(info);
  Value(sample, "signature") = "grantfs=:" + Base64Encode(key_.Sign(AsBytes(info->base)).bytes) + ":";
  EXPECT_EQ(Outcome(sample), "ok");
}

TEST_F(SignatureTest, AnotherProfileIsRefused) {
  const std::vector<std::array<const char*, 3>> changes = {
      {"signature-input", "\"@method\" ", ""},
      {"signature-input", "\"@method\" \"@authority\"", "\"@authority\" \"@method\""},
      {"signature-input", "\"grantfs-instance\"", "\"grantfs-instance\" \"date\""},
      {"signature-input", "\"@query\"", "\"@query\";req=1"},
      {"signature-input", "ed25519", "hmac-sha256"},
      {"signature-input", ";alg=\"ed25519\"", ""},
      {"signature-input", ";tag=\"grantfs\"", ""},
      {"signature-input", ";tag=\"grantfs\"", ";tag=\"other\""},
      {"signature-input", ";tag=\"grantfs\"", ";tag=\"grantfs\";tag=\"grantfs\""},
      {"signature-input", ";tag=\"grantfs\"", ";tag=\"grantfs\";expires=1700000100"},
      {"signature-input", ";tag=\"grantfs\"", ";alg=\"ed25519\""},
      {"signature-input", "created=1700000000", "created=\"1700000000\""},
      {"signature-input", "created=1700000000", "created=01700000000"},
      {"signature-input", "created=1700000000", "created=-5"},
      {"signature-input", "created=1700000000", "created=253402300800"},
      {"signature-input", "created=1700000000", "created=1700000000.0"},
      {"signature-input", ";nonce=\"", ";nonce=\"A"},
      {"signature-input", "machine:17", ""},
      {"signature-input", "machine:17", "machine 17"},
      {"signature-input", "grantfs=(", "sig1=("},
      {"signature-input", ";tag=\"grantfs\"", "; tag=\"grantfs\""},
      {"signature-input", "grantfs=(", "grantfs=( "},
      {"signature-input", ";tag=\"grantfs\"", ";tag=\"grantfs\", b=(\"@method\")"},
      {"signature", "grantfs=", "sig1="},
      {"signature", "grantfs=:", "grantfs=:AAAA"},
      {"signature", "grantfs=:", "b=:AAAA:, grantfs=:"},
      {"content-digest", "sha-256", "sha-512"},
      {"content-digest", "sha-256=:", "sha-512=:AAAA:, sha-256=:"},
      {"content-digest", "sha-256=:", " sha-256=:"},
      {"grantfs-vault", "vault-id", "vault\tid"},
      {"grantfs-vault", "vault-id", "vault\nid"},
  };
  for (const auto& [name, from, to] : changes) {
    Sample sample = Signed();
    Replace(sample, name, from, to);
    const auto info = ParseSignature(sample.Parts(), sample.headers);
    ASSERT_FALSE(info) << name << ": " << from << " -> " << to;
    EXPECT_EQ(info.error().code, Code::kInvalid) << name << ": " << from << " -> " << to;
  }
}

TEST_F(SignatureTest, EachHeaderMustBeThereOnce) {
  for (const HttpHeader& header : Signed().headers) {
    Sample sample = Signed();
    sample.headers.push_back(header);
    EXPECT_FALSE(ParseSignature(sample.Parts(), sample.headers)) << header.name << " twice";
    sample = Signed();
    std::erase_if(sample.headers, [&](const HttpHeader& other) { return other.name == header.name; });
    EXPECT_FALSE(ParseSignature(sample.Parts(), sample.headers)) << "without " << header.name;
  }
}

TEST_F(SignatureTest, AnUnsignedRequestIsToldFromAMalformedOne) {
  const Sample unsigned_request;
  EXPECT_EQ(ParseSignature(unsigned_request.Parts(), {}).error().code, Code::kUnauthentic);
  Sample sample = Signed();
  sample.body += " ";
  EXPECT_EQ(ParseSignature(sample.Parts(), sample.headers).error().code, Code::kIntegrity);
}

TEST_F(SignatureTest, WhatCouldForgeALineOfTheBaseIsNotSigned) {
  const auto refused = [&](auto change) {
    Sample sample;
    change(sample);
    const auto result = SignRequest(sample.Parts(), "v", "i", 1, "k", key_);
    return !result && result.error().code == Code::kInvalid;
  };
  EXPECT_TRUE(refused([](Sample& s) { s.method = "GET\n\"@path\": /"; }));
  EXPECT_TRUE(refused([](Sample& s) { s.method = "get"; }));
  EXPECT_TRUE(refused([](Sample& s) { s.authority = "a\nb"; }));
  EXPECT_TRUE(refused([](Sample& s) { s.authority = "Vault.lan"; }));
  EXPECT_TRUE(refused([](Sample& s) { s.authority = ""; }));
  EXPECT_TRUE(refused([](Sample& s) { s.path = "/a\nb"; }));
  EXPECT_TRUE(refused([](Sample& s) { s.path = "/a?b"; }));
  EXPECT_TRUE(refused([](Sample& s) { s.path = "a"; }));
  EXPECT_TRUE(refused([](Sample& s) { s.query = "a b"; }));
  EXPECT_TRUE(refused([](Sample& s) { s.query = "a\xc3\xa9"; }));
  const Sample sample;
  EXPECT_FALSE(SignRequest(sample.Parts(), "v\n", "i", 1, "k", key_));
  EXPECT_FALSE(SignRequest(sample.Parts(), "v", "i i", 1, "k", key_));
  EXPECT_FALSE(SignRequest(sample.Parts(), "v", "i", -1, "k", key_));
  EXPECT_FALSE(SignRequest(sample.Parts(), "v", "i", 1, "k\"", key_));
  EXPECT_FALSE(SignRequest(sample.Parts(), "v", "i", 1, "", key_));
  EXPECT_TRUE(SignRequest(sample.Parts(), "", "", 0, "claim:1", key_));
}

/// RFC 9421 appendix B.2.6, with the key of B.1.4.
TEST_F(SignatureTest, KnownAnswerOfTheRfc) {
  const std::vector<SignatureComponent> components = {{"\"date\"", "Tue, 20 Apr 2021 02:07:55 GMT"},
                                                      {"\"@method\"", "POST"},
                                                      {"\"@path\"", "/foo"},
                                                      {"\"@authority\"", "example.com"},
                                                      {"\"content-type\"", "application/json"},
                                                      {"\"content-length\"", "18"}};
  const std::string base = SignatureBase(
      components,
      R"(("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519")");
  const Bytes seed = Base64Decode("n4Ni+HpISpVObnQMW0wOhCKROaIKqKtW/2ZYb2p9KcU=", 32).value();
  SecretMemory memory = SecretMemory::Allocate(32).value();
  std::copy(seed.begin(), seed.end(), memory.Expose().begin());
  const SigningKey key = SigningKey::FromSeed(memory).value();
  EXPECT_EQ(Base64Encode(key.verify_key().bytes), "JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=");
  EXPECT_EQ(Base64Encode(key.Sign(AsBytes(base)).bytes),
            "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==");
}

}  // namespace
}  // namespace grantfs
