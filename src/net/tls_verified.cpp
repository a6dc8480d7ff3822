#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "tls_internal.h"

// TLS to servers of others, which are known by name and not by a pin.

namespace grantfs::net {

Result<SslContext> MakeVerifyingContext(const std::string& ca_file) {
  SslContext context(SSL_CTX_new(TLS_client_method()));
  if (!context || SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) != 1)
    return Error{Code::kIo, "TLS could not be set up"};
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  const bool read = ca_file.empty()
                        ? SSL_CTX_set_default_verify_paths(context.get()) == 1
                        : SSL_CTX_load_verify_locations(context.get(), ca_file.c_str(), nullptr) == 1;
  ERR_clear_error();
  if (!read) return Error{Code::kInvalid, "holds no certificate of an authority in PEM", 0, ca_file};
  return context;
}

bool ExpectServer(SSL* ssl, const std::string& host) {
  X509_VERIFY_PARAM* const rules = SSL_get0_param(ssl);
  X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  const bool expected =
      X509_VERIFY_PARAM_set1_ip_asc(rules, host.c_str()) == 1 ||
      (SSL_set1_host(ssl, host.c_str()) == 1 && SSL_set_tlsext_host_name(ssl, host.c_str()) == 1);
  ERR_clear_error();
  return expected;
}

}  // namespace grantfs::net
