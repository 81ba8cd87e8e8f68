#include "stage3_grpc/tls/certificates.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "core/net/file.hpp"
#include "stage3_grpc/tls/openssl.hpp"

namespace rps::rpc::tls {

namespace {

using namespace std::string_literals;

constexpr std::size_t pem_file_bytes_max = std::size_t{1} << 20;

// Bytes of a client's chain of certificates.
constexpr long chain_bytes_max = 32L << 10;

constexpr std::array<unsigned char, 3> protocols{2, 'h', '2'};

std::expected<std::string, std::string> read_one(std::string_view flag, const std::string& path) {
  auto text = net::read_file(path, pem_file_bytes_max);
  if (text) return text;
  return std::unexpected("the file of " + std::string(flag) + ", '" + path + "', " + text.error());
}

BioPointer reader_of(std::string_view pem) {
  return BioPointer(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

using Chain = std::vector<X509Pointer>;

std::expected<Chain, std::string> parse_chain(std::string_view flag, std::string_view pem) {
  ERR_clear_error();
  const BioPointer reader = reader_of(pem);
  Chain chain;
  while (X509* const next = PEM_read_bio_X509(reader.get(), nullptr, nullptr, nullptr)) {
    chain.emplace_back(next);
  }
  const bool is_at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  const std::string reason = last_reason();
  if (!is_at_end) return std::unexpected(std::string(flag) + ": a certificate in it: " + reason);
  if (chain.empty()) return std::unexpected(std::string(flag) + " holds no certificate in PEM");
  return chain;
}

// An encrypted key is not asked for its password on a terminal.
int no_password(char*, int, int, void*) {
  return -1;
}

std::expected<KeyPointer, std::string> parse_key(std::string_view pem) {
  ERR_clear_error();
  const BioPointer reader = reader_of(pem);
  KeyPointer key(PEM_read_bio_PrivateKey(reader.get(), nullptr, no_password, nullptr));
  if (key) return key;
  const bool is_encrypted = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_BAD_PASSWORD_READ;
  ERR_clear_error();
  return std::unexpected(is_encrypted ? "--tls-key is encrypted"s
                                      : "--tls-key holds no private key in PEM"s);
}

std::string date_of(const ASN1_TIME* time) {
  const BioPointer text(BIO_new(BIO_s_mem()));
  ASN1_TIME_print(text.get(), time);
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(text.get(), &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

// Why the certificate is not in date; empty when it is.
std::string out_of_date(const X509& certificate, std::time_t now) {
  const ASN1_TIME* const begin = X509_get0_notBefore(&certificate);
  const ASN1_TIME* const end = X509_get0_notAfter(&certificate);
  if (ASN1_TIME_cmp_time_t(begin, now) > 0) return "is not valid before " + date_of(begin);
  if (ASN1_TIME_cmp_time_t(end, now) <= 0) return "has expired on " + date_of(end);
  return {};
}

std::string check_own(const Chain& chain, const EVP_PKEY* key, std::time_t now) {
  X509* const own = chain.front().get();
  if (X509_check_private_key(own, key) != 1) {
    ERR_clear_error();
    return "--tls-key is not the key of the first certificate of --tls-cert";
  }
  if (X509_check_purpose(own, X509_PURPOSE_SSL_SERVER, 0) != 1) {
    return "the certificate of --tls-cert is not one for servers";
  }
  if (const std::string why = out_of_date(*own, now); !why.empty()) {
    return "the certificate of --tls-cert " + why;
  }
  return {};
}

std::string use_own(SSL_CTX* context, const Chain& chain, EVP_PKEY* key) {
  if (SSL_CTX_use_certificate(context, chain.front().get()) != 1) {
    return "--tls-cert: " + last_reason();
  }
  for (std::size_t i = 1; i < chain.size(); ++i) {
    if (SSL_CTX_add1_chain_cert(context, chain[i].get()) != 1) {
      return "--tls-cert: " + last_reason();
    }
  }
  if (SSL_CTX_use_PrivateKey(context, key) != 1) return "--tls-key: " + last_reason();
  return {};
}

// From now on a client must have a certificate of one of `authorities`.
std::string demand_clients(SSL_CTX* context, const Chain& authorities, std::time_t now) {
  const auto is_over = [now](const X509Pointer& each) { return !out_of_date(*each, now).empty(); };
  if (std::ranges::all_of(authorities, is_over)) {
    return "--tls-ca: the certificate " + out_of_date(*authorities.front(), now);
  }
  for (const X509Pointer& authority : authorities) {
    if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority.get()) != 1 ||
        SSL_CTX_add_client_CA(context, authority.get()) != 1) {
      return "--tls-ca: " + last_reason();
    }
  }
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  return {};
}

int select_protocol(SSL*, const unsigned char** out, unsigned char* out_size,
                    const unsigned char* offered, unsigned offered_size, void*) {
  unsigned char* selected = nullptr;
  if (SSL_select_next_proto(&selected, out_size, protocols.data(), protocols.size(), offered,
                            offered_size) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *out = selected;
  return SSL_TLSEXT_ERR_OK;
}

// select_protocol() is not called for a client that offers no protocol at all.
int refuse_without_protocols(SSL* connection, int* alert, void*) {
  const unsigned char* bytes = nullptr;
  std::size_t size = 0;
  constexpr unsigned extension = TLSEXT_TYPE_application_layer_protocol_negotiation;
  if (SSL_client_hello_get0_ext(connection, extension, &bytes, &size) == 1) {
    return SSL_CLIENT_HELLO_SUCCESS;
  }
  *alert = SSL_AD_NO_APPLICATION_PROTOCOL;
  return SSL_CLIENT_HELLO_ERROR;
}

std::shared_ptr<SSL_CTX> make_context() {
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (!context) return nullptr;
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(context.get(), "ECDHE+AESGCM:ECDHE+CHACHA20");
  SSL_CTX_set_options(context.get(),
                      SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context.get(), 0);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(context.get(), 1);  // One system call for a record, not two.
  SSL_CTX_set_max_cert_list(context.get(), chain_bytes_max);
  SSL_CTX_set_alpn_select_cb(context.get(), select_protocol, nullptr);
  SSL_CTX_set_client_hello_cb(context.get(), refuse_without_protocols, nullptr);
  return context;
}

std::time_t end_of(const X509& certificate) {
  std::tm end{};
  ASN1_TIME_to_tm(X509_get0_notAfter(&certificate), &end);
  return ::timegm(&end);
}

}  // namespace

std::expected<Pems, std::string> read(const Files& files) {
  auto certificate = read_one("--tls-cert", files.certificate);
  if (!certificate) return std::unexpected(std::move(certificate).error());
  auto key = read_one("--tls-key", files.key);
  if (!key) return std::unexpected(std::move(key).error());
  Pems pems{.certificate = *std::move(certificate), .key = *std::move(key), .ca = {}};
  if (files.ca.empty()) return pems;
  auto ca = read_one("--tls-ca", files.ca);
  if (!ca) return std::unexpected(std::move(ca).error());
  if (ca->empty()) return std::unexpected("the file of --tls-ca, '" + files.ca + "', is empty");
  pems.ca = *std::move(ca);
  return pems;
}

std::expected<Certificates, std::string> check(const Pems& pems, std::time_t now) {
  const auto chain = parse_chain("--tls-cert", pems.certificate);
  if (!chain) return std::unexpected(chain.error());
  const auto key = parse_key(pems.key);
  if (!key) return std::unexpected(key.error());
  std::string wrong = check_own(*chain, key->get(), now);
  if (!wrong.empty()) return std::unexpected(wrong);
  std::shared_ptr<SSL_CTX> context = make_context();
  if (!context) return std::unexpected("TLS: " + last_reason());
  wrong = use_own(context.get(), *chain, key->get());
  if (!wrong.empty()) return std::unexpected(wrong);
  if (!pems.ca.empty()) {
    const auto authorities = parse_chain("--tls-ca", pems.ca);
    if (!authorities) return std::unexpected(authorities.error());
    wrong = demand_clients(context.get(), *authorities, now);
    if (!wrong.empty()) return std::unexpected(wrong);
  }
  return Certificates{.context = std::move(context), .expires_at = end_of(*chain->front())};
}

}  // namespace rps::rpc::tls
