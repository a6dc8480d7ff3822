#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>

#include "tls_internal.h"

namespace grantfs {
namespace net {
namespace {

constexpr const char* kGroups = "X25519MLKEM768:X25519";
constexpr const char* kGroupsWithoutPostQuantum = "X25519";
constexpr unsigned char kHttp11[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

Error Failed(Code code, const char* where) {
  ERR_clear_error();
  return Error{code, where};
}

bool SetGroups(SSL_CTX* context) {
  const bool set = SSL_CTX_set1_groups_list(context, TlsGroups()) == 1;
  ERR_clear_error();
  return set;
}

Result<SslContext> MakeContext(const SSL_METHOD* method) {
  SslContext context(SSL_CTX_new(method));
  if (!context || SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION) != 1 ||
      SSL_CTX_set_max_proto_version(context.get(), TLS1_3_VERSION) != 1 || !SetGroups(context.get()) ||
      SSL_CTX_set_ciphersuites(
          context.get(), "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256") != 1)
    return Failed(Code::kIo, "TLS could not be set up");
  SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                         SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context.get(), 0);
  // An idle connection gives its buffers back; a write may be taken up again with a buffer that has moved.
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context.get(), 1);
  return context;
}

/// A client that speaks another protocol (and offers it) is not served: its bytes must not be taken for HTTP.
int SelectProtocol(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* offered,
                   unsigned int offered_size, void*) {
  unsigned char* chosen = nullptr;
  const int found = SSL_select_next_proto(&chosen, out_size, kHttp11, sizeof kHttp11, offered, offered_size);
  *out = chosen;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

Result<PkeyPtr> ReadPrivateKey(const SecretMemory& pem) {
  const auto bytes = pem.Expose();
  const BioPtr in(
      BIO_new_mem_buf(bytes.data(), static_cast<int>(std::min<std::size_t>(bytes.size(), 1u << 20))));
  // The empty password keeps OpenSSL from asking for one on the terminal.
  PkeyPtr key(in ? PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, const_cast<char*>("")) : nullptr);
  if (!key) return Failed(Code::kInvalid, "the TLS private key cannot be read");
  return key;
}

/// Runs once, in place of any chain building; the handshake itself proves that the server has the key.
int CheckPin(X509_STORE_CTX* store, void* argument) {
  const auto& pins = *static_cast<const std::vector<Hash>*>(argument);
  X509* leaf = X509_STORE_CTX_get0_cert(store);
  const auto pin = leaf != nullptr ? PinOfCertificate(leaf) : Result<Hash>(Error{});
  if (pin && std::find(pins.begin(), pins.end(), *pin) != pins.end()) return 1;
  X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
  return 0;
}

}  // namespace

Result<SslContext> MakeServerContext(const TlsIdentity& identity) {
  SslContext context = GRANTFS_TRY(MakeContext(TLS_server_method()));
  const X509Ptr certificate = GRANTFS_TRY(ReadCertificate(identity.certificate_pem));
  const PkeyPtr key = GRANTFS_TRY(ReadPrivateKey(identity.private_key_pem));
  if (SSL_CTX_use_certificate(context.get(), certificate.get()) != 1 ||
      SSL_CTX_use_PrivateKey(context.get(), key.get()) != 1 || SSL_CTX_check_private_key(context.get()) != 1)
    return Failed(Code::kInvalid, "the TLS private key is not that of the certificate");
  SSL_CTX_set_alpn_select_cb(context.get(), SelectProtocol, nullptr);
  return context;
}

Result<SslContext> MakeClientContext(const std::vector<Hash>* pins) {
  SslContext context = GRANTFS_TRY(MakeContext(TLS_client_method()));
  if (SSL_CTX_set_alpn_protos(context.get(), kHttp11, sizeof kHttp11) != 0)
    return Failed(Code::kIo, "TLS could not be set up");
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_cert_verify_callback(context.get(), CheckPin, const_cast<std::vector<Hash>*>(pins));
  return context;
}

bool FailedByPin(const SSL* ssl) { return SSL_get_verify_result(ssl) == X509_V_ERR_APPLICATION_VERIFICATION; }

}  // namespace net

const char* TlsGroups() {
  static const char* const groups = [] {
    const net::SslContext probe(SSL_CTX_new(TLS_method()));
    const bool known = probe && SSL_CTX_set1_groups_list(probe.get(), net::kGroups) == 1;
    ERR_clear_error();
    return known ? net::kGroups : net::kGroupsWithoutPostQuantum;
  }();
  return groups;
}

}  // namespace grantfs
