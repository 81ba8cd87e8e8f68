#include "bench/load/clients/tls_session.hpp"

#include <array>
#include <new>
#include <stdexcept>
#include <utility>

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>

namespace rps::load {

namespace {

// "h2" behind its length (RFC 7301, section 3.1).
constexpr std::array<unsigned char, 3> alpn{2, 'h', '2'};

// A record holds 16 KiB at most, so one read of it fits.
constexpr std::size_t read_bytes_max = SSL3_RT_MAX_PLAIN_LENGTH;

bool is_address(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> bytes;
  return ::inet_pton(AF_INET, host.c_str(), bytes.data()) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1;
}

// OpenSSL's words for the failure of this thread's last call.
std::string reason_of(const SSL& ssl) {
  const long verified = SSL_get_verify_result(&ssl);
  if (verified != X509_V_OK) return X509_verify_cert_error_string(verified);
  const char* const reason = ERR_reason_error_string(ERR_peek_last_error());
  return reason == nullptr ? "the peer does not speak TLS" : reason;
}

}  // namespace

TlsContext::TlsContext(const std::string& ca, std::string host) : host_(std::move(host)) {
  context_.reset(SSL_CTX_new(TLS_client_method()));
  if (!context_) throw std::bad_alloc();
  SSL_CTX_set_min_proto_version(get(), TLS1_2_VERSION);
  SSL_CTX_set_verify(get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_alpn_protos(get(), alpn.data(), alpn.size());
  const bool has_authorities = ca.empty() ? SSL_CTX_set_default_verify_paths(get()) == 1
                                          : SSL_CTX_load_verify_file(get(), ca.c_str()) == 1;
  ERR_clear_error();
  if (!has_authorities) {
    throw std::runtime_error("the file of 'ca', '" + ca + "', holds no certificate in PEM");
  }
}

TlsSession::TlsSession(const TlsContext& context) {
  ssl_.reset(SSL_new(context.get()));
  received_ = BIO_new(BIO_s_mem());
  to_send_ = BIO_new(BIO_s_mem());
  if (!ssl_ || received_ == nullptr || to_send_ == nullptr) throw std::bad_alloc();
  SSL_set_bio(ssl_.get(), received_, to_send_);
  SSL_set_connect_state(ssl_.get());
  X509_VERIFY_PARAM* const checked = SSL_get0_param(ssl_.get());
  if (is_address(context.host())) {
    X509_VERIFY_PARAM_set1_ip_asc(checked, context.host().c_str());
  } else {
    X509_VERIFY_PARAM_set1_host(checked, context.host().c_str(), context.host().size());
    SSL_set_tlsext_host_name(ssl_.get(), context.host().c_str());
  }
}

bool TlsSession::write(std::string_view text, std::string& out) {
  if (!is_open_ || !early_.empty()) text = early_ += text;
  const bool may_write = failure_.empty() && (is_open_ || shake_hands());
  if (may_write && !text.empty()) {
    std::size_t written = 0;
    ERR_clear_error();
    take_result(SSL_write_ex(ssl_.get(), text.data(), text.size(), &written));
    early_.clear();
  }
  char* records = nullptr;
  const long size = BIO_get_mem_data(to_send_, &records);
  out.append(records, static_cast<std::size_t>(size));
  (void)BIO_reset(to_send_);
  return failure_.empty();
}

bool TlsSession::read(std::string_view bytes, std::string& text) {
  if (!failure_.empty()) return false;
  std::size_t taken = 0;
  BIO_write_ex(received_, bytes.data(), bytes.size(), &taken);
  if (!is_open_ && !shake_hands()) return failure_.empty();
  std::array<char, read_bytes_max> buffer;
  for (;;) {
    std::size_t count = 0;
    ERR_clear_error();
    if (!take_result(SSL_read_ex(ssl_.get(), buffer.data(), buffer.size(), &count))) {
      return failure_.empty();
    }
    text.append(buffer.data(), count);
  }
}

// True when the handshake is complete.
bool TlsSession::shake_hands() {
  ERR_clear_error();
  is_open_ = take_result(SSL_do_handshake(ssl_.get()));
  return is_open_;
}

// REQUIRES: a call of OpenSSL has just returned `result`. False when it waits for more, or failed.
bool TlsSession::take_result(int result) {
  if (result == 1) return true;
  const int kind = SSL_get_error(ssl_.get(), result);
  if (kind == SSL_ERROR_WANT_READ) return false;
  failure_ = kind == SSL_ERROR_ZERO_RETURN ? "the peer has ended TLS" : reason_of(*ssl_);
  return false;
}

}  // namespace rps::load
