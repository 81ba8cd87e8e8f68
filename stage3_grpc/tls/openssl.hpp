// OpenSSL's objects with owners, and its errors as text.
#pragma once

#include <memory>
#include <string>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace rps::rpc::tls {

template <auto free>
struct Free {
  template <class Object>
  void operator()(Object* object) const {
    free(object);
  }
};

using BioPointer = std::unique_ptr<BIO, Free<BIO_free_all>>;
using KeyPointer = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using SslPointer = std::unique_ptr<SSL, Free<SSL_free>>;
using X509Pointer = std::unique_ptr<X509, Free<X509_free>>;

// OpenSSL's reason for the failure of this thread's last call, in its own words; empties the
// thread's queue of errors.
std::string last_reason();

}  // namespace rps::rpc::tls
