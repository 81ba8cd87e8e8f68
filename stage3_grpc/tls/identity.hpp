// Who a certificate says its holder is.
#pragma once

#include <string>

#include <openssl/x509.h>

namespace rps::rpc::tls {

// The SPIFFE ID among the subject's alternative names (a URI that begins with spiffe://), else the
// first DNS name, else the common name. Empty when there is none of these, or it holds characters
// that are not printable ASCII, or when there are several SPIFFE IDs, which the standard forbids
// (X509-SVID, section 2: exactly one). Says nothing of whether the certificate can be trusted.
std::string identity_of(const X509& certificate);

}  // namespace rps::rpc::tls
