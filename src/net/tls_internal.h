#pragma once

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <vector>

#include "grantfs/crypto/hash.h"
#include "grantfs/net/tls_identity.h"
#include "grantfs/util/result.h"

namespace grantfs::net {

/// Owns an OpenSSL object.
template <auto Free>
struct OpensslFree {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using SslContext = std::unique_ptr<SSL_CTX, OpensslFree<SSL_CTX_free>>;
using SslPtr = std::unique_ptr<SSL, OpensslFree<SSL_free>>;
using X509Ptr = std::unique_ptr<X509, OpensslFree<X509_free>>;
using PkeyPtr = std::unique_ptr<EVP_PKEY, OpensslFree<EVP_PKEY_free>>;
using BioPtr = std::unique_ptr<BIO, OpensslFree<BIO_free_all>>;

/// TLS 1.3 alone, without tickets or a session cache: a resumed session would skip the pin check. Errors:
/// kInvalid, kIo.
Result<SslContext> MakeServerContext(const TlsIdentity& identity);

/// The same for a client that accepts the given pins and looks at nothing else in the certificate. `pins`
/// must outlive the context. Errors: kIo.
Result<SslContext> MakeClientContext(const std::vector<Hash>* pins);

/// TLS 1.2 or 1.3 to a server whose certificate the system's authorities, or those in a file, vouch for.
///
/// @param ca_file  PEM; "" = the system's.  Errors: kInvalid (the subject is the file), kIo.
Result<SslContext> MakeVerifyingContext(const std::string& ca_file);
/// Has its certificate be for this name or address. @return false if that could not be set.
bool ExpectServer(SSL* ssl, const std::string& host);

/// True if a handshake failed because the server showed a key that is not pinned.
bool FailedByPin(const SSL* ssl);

/// Errors: kInvalid.
Result<X509Ptr> ReadCertificate(std::string_view pem);
/// SHA-256 of the SubjectPublicKeyInfo in DER. Errors: kInvalid.
Result<Hash> PinOfCertificate(X509* certificate);

}  // namespace grantfs::net
