// The server's certificate with its key, and the authorities that its clients' certificates must
// come from: read, checked and made ready for handshakes.
#pragma once

#include <ctime>
#include <expected>
#include <memory>
#include <string>

#include <openssl/ssl.h>

#include "stage3_grpc/tls/files.hpp"

namespace rps::rpc::tls {

// What the files hold.
struct Pems {
  std::string certificate;
  std::string key;
  std::string ca;

  bool operator==(const Pems&) const = default;
};

// The error names the file and says what is wrong with it. REQUIRES: files.is_on().
std::expected<Pems, std::string> read(const Files& files);

struct Certificates {
  // For handshakes of any thread, immutable: TLS 1.2 or later, ALPN must select h2 (RFC 7301; a
  // client that does not offer it gets the alert no_application_protocol), no renegotiation, no
  // resumption, so that a certificate is checked at each handshake. With TLS 1.2 only ciphers that
  // RFC 9113, section 9.2.2 allows.
  std::shared_ptr<SSL_CTX> context;
  std::time_t expires_at = 0;  // The end of the server certificate's validity.
};

// Checks that the certificate is one of a server, that it is in date at `now`, that the key is its
// key, and that one of the authorities at least is in date. The error says what is wrong and names
// the flag of the file. `pems.ca` may be empty: then clients are not asked for a certificate.
std::expected<Certificates, std::string> check(const Pems& pems, std::time_t now);

}  // namespace rps::rpc::tls
