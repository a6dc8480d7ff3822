#include "grantfs/net/tls_identity.h"

#include <gtest/gtest.h>
#include <openssl/pem.h>

#include "grantfs/crypto/random.h"

namespace grantfs {
namespace {

class TlsIdentityTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_TRUE(InitCrypto()); }
};

TEST_F(TlsIdentityTest, IsAnEd25519CertificateThatDoesNotExpire) {
  const TlsIdentity identity = MakeTlsIdentity("vault.lan").value();
  BIO* in =
      BIO_new_mem_buf(identity.certificate_pem.data(), static_cast<int>(identity.certificate_pem.size()));
  X509* certificate = PEM_read_bio_X509(in, nullptr, nullptr, nullptr);
  ASSERT_NE(certificate, nullptr);
  EXPECT_EQ(EVP_PKEY_id(X509_get0_pubkey(certificate)), EVP_PKEY_ED25519);
  EXPECT_EQ(X509_verify(certificate, X509_get0_pubkey(certificate)), 1);
  time_t in_a_century = time(nullptr) + 100L * 365 * 86400;
  EXPECT_EQ(X509_cmp_time(X509_get0_notAfter(certificate), &in_a_century), 1);
  time_t long_ago = 1'000'000'000;
  EXPECT_EQ(X509_cmp_time(X509_get0_notBefore(certificate), &long_ago), -1);
  X509_free(certificate);
  BIO_free(in);
}

TEST_F(TlsIdentityTest, ThePinIsThatOfTheKey) {
  const TlsIdentity one = MakeTlsIdentity("vault.lan").value();
  const TlsIdentity two = MakeTlsIdentity("vault.lan").value();
  EXPECT_EQ(PinOf(one.certificate_pem).value(), PinOf(one.certificate_pem).value());
  EXPECT_NE(PinOf(one.certificate_pem).value(), PinOf(two.certificate_pem).value());
}

/// The pin of a certificate as `openssl x509 -pubkey -noout | openssl pkey -pubin -outform DER | sha256sum`
/// says.
TEST_F(TlsIdentityTest, ThePinIsWhatOtherToolsSay) {
  const char* certificate = R"(-----BEGIN CERTIFICATE-----
MIIBPDCB76ADAgECAhRgZu/bG3HNH4wRVTzU6aO5mDEf/jAFBgMrZXAwFDESMBAG
A1UEAwwJdmF1bHQubGFuMB4XDTI2MTEyMTExNTA0NFoXDTM2MTExODExNTA0NFow
FDESMBAGA1UEAwwJdmF1bHQubGFuMCowBQYDK2VwAyEAQ+MTU6v5SAVGDw2vBlFD
VAFnlzPU8mSz8WA04k9Xu7ejUzBRMB0GA1UdDgQWBBQ1DHgDuqjs+gBtB5UFD2x0
1Y6HIDAfBgNVHSMEGDAWgBQ1DHgDuqjs+gBtB5UFD2x01Y6HIDAPBgNVHRMBAf8E
BTADAQH/MAUGAytlcANBAKE8A9xNTSlfa7EPdggOCzqjdKCh7KkL1T6jVFJvvo+T
P7H8vHXxKZDQSqTQV6hjnRgVEbFi5l2R79nabNo8Dgc=
-----END CERTIFICATE-----
)";
  EXPECT_EQ(PinOf(certificate).value().Hex(),
            "bba5e71790116c369ea68607ddbca9196a62c53a6321a1022d5fb9d6253665c5");
}

TEST_F(TlsIdentityTest, WhatIsNoCertificateHasNoPin) {
  EXPECT_FALSE(PinOf(""));
  EXPECT_FALSE(PinOf("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"));
}

TEST_F(TlsIdentityTest, TheNameIsBounded) {
  EXPECT_FALSE(MakeTlsIdentity(""));
  EXPECT_FALSE(MakeTlsIdentity(std::string(65, 'a')));
  EXPECT_TRUE(MakeTlsIdentity(std::string(64, 'a')));
}

}  // namespace
}  // namespace grantfs
