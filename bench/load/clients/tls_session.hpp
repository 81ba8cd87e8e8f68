// TLS of a client's connections, without sockets: bytes in, bytes out.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <openssl/ssl.h>

namespace rps::load {

// What all connections to a server have in common. TLS 1.2 or later; ALPN offers h2.
class TlsContext {
 public:
  // The server's certificate must come from an authority in the file `ca` (PEM; empty: from one of
  // the system's) and be of `host`, a name or an address. Throws std::runtime_error when the file
  // holds no certificate, std::bad_alloc.
  TlsContext(const std::string& ca, std::string host);

  SSL_CTX* get() const { return context_.get(); }
  const std::string& host() const { return host_; }

 private:
  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context_{nullptr, SSL_CTX_free};
  std::string host_;
};

class TlsSession {
 public:
  // Throws std::bad_alloc. REQUIRES: `context` outlives it.
  explicit TlsSession(const TlsContext& context);

  // Appends what is to be sent to `out`: the handshake, and records of all the text so far once
  // that is complete. False when the connection cannot be used any longer.
  bool write(std::string_view text, std::string& out);

  // Takes what was read, and appends the text in it to `text`. False as above; then write() may
  // have an alert to send.
  bool read(std::string_view bytes, std::string& text);

  // Why the connection cannot be used any longer, in OpenSSL's words; empty while it can.
  const std::string& failure() const { return failure_; }

  // The handshake is complete, as far as the client can know.
  bool is_open() const { return is_open_; }

 private:
  bool shake_hands();
  bool take_result(int result);

  std::unique_ptr<SSL, void (*)(SSL*)> ssl_{nullptr, SSL_free};
  BIO* received_ = nullptr;  // Both belong to ssl_.
  BIO* to_send_ = nullptr;
  std::string early_;  // Text from before the end of the handshake.
  bool is_open_ = false;
  std::string failure_;
};

}  // namespace rps::load
