// Certificates that a test makes for itself, in memory.
#pragma once

#include <ctime>
#include <string>
#include <vector>

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "stage3_grpc/tls/openssl.hpp"
#include "tests/catch.hpp"

namespace rps::rpc::tls {

struct Wish {
  std::string name = "localhost";  // The common name.
  std::string other_names;         // As in "DNS:localhost,IP:127.0.0.1".
  std::string usage;               // As in "serverAuth"; empty for any.
  std::time_t begin = -3'600;      // Seconds from now.
  std::time_t end = 3'600;
};

// A certificate with its key.
struct Made {
  X509Pointer certificate;
  KeyPointer key;

  std::string certificate_pem() const {
    const BioPointer text(BIO_new(BIO_s_mem()));
    REQUIRE(PEM_write_bio_X509(text.get(), certificate.get()) == 1);
    return text_of(text.get());
  }

  std::string key_pem(const char* password = nullptr) const {
    const BioPointer text(BIO_new(BIO_s_mem()));
    REQUIRE(PEM_write_bio_PrivateKey(text.get(), key.get(), password ? EVP_aes_128_cbc() : nullptr,
                                     nullptr, 0, nullptr, const_cast<char*>(password)) == 1);
    return text_of(text.get());
  }

 private:
  static std::string text_of(BIO* bio) {
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(bio, &bytes);
    return {bytes, static_cast<std::size_t>(size)};
  }
};

inline void add_extension(X509* certificate, int kind, const std::string& value) {
  if (value.empty()) return;
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str());
  REQUIRE(extension);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

// Signed by `authority`, or by itself and then an authority.
inline Made make_certificate(const Wish& wish, const Made* authority = nullptr) {
  Made made{.certificate = X509Pointer(X509_new()), .key = KeyPointer(EVP_EC_gen("P-256"))};
  X509* const certificate = made.certificate.get();
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), wish.begin);
  X509_gmtime_adj(X509_getm_notAfter(certificate), wish.end);
  X509_set_pubkey(certificate, made.key.get());
  X509_NAME* const subject = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(wish.name.c_str()), -1, -1, 0);
  const Made& signer = authority ? *authority : made;
  X509_set_issuer_name(certificate, X509_get_subject_name(signer.certificate.get()));
  add_extension(certificate, NID_basic_constraints, authority ? "CA:FALSE" : "critical,CA:TRUE");
  add_extension(certificate, NID_subject_alt_name, wish.other_names);
  add_extension(certificate, NID_ext_key_usage, wish.usage);
  REQUIRE(X509_sign(certificate, signer.key.get(), EVP_sha256()) > 0);
  return made;
}

}  // namespace rps::rpc::tls
