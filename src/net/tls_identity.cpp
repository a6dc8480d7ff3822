#include "grantfs/net/tls_identity.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "grantfs/crypto/random.h"
#include "tls_internal.h"

namespace grantfs {
namespace net {
namespace {

using NamePtr = X509_NAME*;  // owned by its certificate

Error Failed(const char* where) {
  ERR_clear_error();
  return Error{Code::kIo, where};
}

bool SetTimes(X509* certificate) {
  // Long past and far ahead: clients compare the key alone, and neither a wrong clock nor a date must cut
  // them off. The end is RFC 5280's value for "no expiry".
  return ASN1_TIME_set_string_X509(X509_getm_notBefore(certificate), "20000101000000Z") == 1 &&
         ASN1_TIME_set_string_X509(X509_getm_notAfter(certificate), "99991231235959Z") == 1;
}

bool SetSerial(X509* certificate) {
  const std::uint64_t serial = (RandomNumber() >> 1) | 1;  // positive
  return ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial) == 1;
}

bool SetNames(X509* certificate, std::string_view common_name) {
  const NamePtr name = X509_get_subject_name(certificate);
  const auto* text = reinterpret_cast<const unsigned char*>(common_name.data());
  return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, text, static_cast<int>(common_name.size()), -1,
                                    0) == 1 &&
         X509_set_issuer_name(certificate, name) == 1;
}

Result<X509Ptr> MakeCertificate(EVP_PKEY* key, std::string_view common_name) {
  X509Ptr certificate(X509_new());
  if (!certificate || X509_set_version(certificate.get(), 2) != 1 || !SetSerial(certificate.get()) ||
      !SetTimes(certificate.get()) || !SetNames(certificate.get(), common_name) ||
      X509_set_pubkey(certificate.get(), key) != 1 || X509_sign(certificate.get(), key, nullptr) == 0)
    return Failed("the certificate could not be made");
  return certificate;
}

Result<std::string> CertificatePem(X509* certificate) {
  const BioPtr out(BIO_new(BIO_s_mem()));
  char* data = nullptr;
  if (!out || PEM_write_bio_X509(out.get(), certificate) != 1)
    return Failed("the certificate could not be written");
  const long size = BIO_get_mem_data(out.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}

/// OpenSSL wipes a memory BIO when it frees it.
Result<SecretMemory> PrivateKeyPem(EVP_PKEY* key) {
  const BioPtr out(BIO_new(BIO_s_secmem()));
  char* data = nullptr;
  if (!out || PEM_write_bio_PKCS8PrivateKey(out.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1)
    return Failed("the private key could not be written");
  const auto size = static_cast<std::size_t>(BIO_get_mem_data(out.get(), &data));
  SecretMemory memory = GRANTFS_TRY(SecretMemory::Allocate(size));
  std::copy(data, data + size, memory.Expose().begin());
  return memory;
}

}  // namespace

Result<X509Ptr> ReadCertificate(std::string_view pem) {
  const BioPtr in(BIO_new_mem_buf(pem.data(), static_cast<int>(std::min<std::size_t>(pem.size(), 1u << 20))));
  X509Ptr certificate(in ? PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr) : nullptr);
  ERR_clear_error();
  if (!certificate) return Error{Code::kInvalid, "the certificate cannot be read"};
  return certificate;
}

Result<Hash> PinOfCertificate(X509* certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  if (size <= 0) {
    ERR_clear_error();
    return Error{Code::kInvalid, "the certificate has no key that can be read"};
  }
  const Hash pin = Sha256({ByteView(der, static_cast<std::size_t>(size))});
  OPENSSL_free(der);
  return pin;
}

}  // namespace net

Result<TlsIdentity> MakeTlsIdentity(std::string_view common_name) {
  if (common_name.empty() || common_name.size() > 64)
    return Error{Code::kInvalid, "a server's name in its certificate must have 1 to 64 bytes"};
  const net::PkeyPtr key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  if (!key) return net::Failed("the TLS key could not be made");
  const net::X509Ptr certificate = GRANTFS_TRY(net::MakeCertificate(key.get(), common_name));
  TlsIdentity identity;
  identity.certificate_pem = GRANTFS_TRY(net::CertificatePem(certificate.get()));
  identity.private_key_pem = GRANTFS_TRY(net::PrivateKeyPem(key.get()));
  return identity;
}

Result<Hash> PinOf(std::string_view certificate_pem) {
  const net::X509Ptr certificate = GRANTFS_TRY(net::ReadCertificate(certificate_pem));
  return net::PinOfCertificate(certificate.get());
}

}  // namespace grantfs
