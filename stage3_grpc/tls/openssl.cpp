#include "stage3_grpc/tls/openssl.hpp"

#include <openssl/err.h>

namespace rps::rpc::tls {

std::string last_reason() {
  const unsigned long error = ERR_peek_last_error();
  const char* const reason = error == 0 ? nullptr : ERR_reason_error_string(error);
  ERR_clear_error();
  return reason ? reason : "unknown error of OpenSSL";
}

}  // namespace rps::rpc::tls
