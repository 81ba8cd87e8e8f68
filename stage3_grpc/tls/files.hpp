// Where the certificates are.
#pragma once

#include <string>

namespace rps::rpc::tls {

// Paths of PEM files; empty when the flag was not given.
struct Files {
  std::string certificate;  // --tls-cert: the server's own first, then those up to the authority.
  std::string key;          // --tls-key: of the first, not encrypted.
  std::string ca;           // --tls-ca: clients must have a certificate from one of these.

  bool is_on() const { return !certificate.empty(); }
};

}  // namespace rps::rpc::tls
