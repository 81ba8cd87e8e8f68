// TLS between gRPC and a socket: gRPC, and the filters between, read and write plain text.
//
//   receive()   reads the kernel until it has nothing more (epoll is edge-triggered, so EAGAIN is
//               told only then), carries on the handshake, and returns the text of whole records
//   send()      makes one record of up to 16 KiB and gives it to the kernel at once. A record that
//               the kernel does not take whole stays, in order; its text counts as sent. Until it
//               is gone, further calls fail with EAGAIN, and flush() tries again after each
//               epoll_wait(2)
//
// What gRPC sends before the handshake is complete (its SETTINGS) is kept, up to early_bytes_max,
// and sent when it is. The end of the TCP connection is the end of the text: HTTP/2 needs no
// close_notify to tell a whole message from a cut one.
//
// A peer cannot keep a call of receive() busy for ever: one that sends silent_bytes_max without
// text in them, such as empty records or KeyUpdates, is cut, and so is one for which more than
// unsent_bytes_max wait. What violates TLS ends the connection with ECONNRESET, after the alert.
//
// This filter has no time limit: gRPC closes a connection whose HTTP/2 handshake is not complete
// within --handshake-timeout.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include <openssl/ssl.h>
#include <sys/socket.h>

#include "stage3_grpc/boundary/socket_calls.hpp"

namespace rps::rpc::tls {

inline constexpr std::size_t early_bytes_max = std::size_t{16} << 10;
inline constexpr std::size_t silent_bytes_max = std::size_t{64} << 10;
inline constexpr std::size_t unsent_bytes_max = std::size_t{256} << 10;

// Why a connection came to nothing.
enum class Failure : std::uint8_t {
  certificate,  // The client's certificate is missing or not accepted.
  protocol,     // What the peer sent is not TLS, or nothing that both ends know.
  closed,       // The peer, or gRPC's time limit, ended the connection during the handshake.
};

// Is told what becomes of connections: by any thread, while the connection is locked.
class Witness {
 public:
  virtual ~Witness() = default;

  // A handshake is complete. `identity` is that of the client's verified certificate
  // (identity.hpp); empty when none was asked for. The result is kept until the connection ends.
  virtual std::shared_ptr<const void> accepted(int fd, std::string identity) = 0;

  // A handshake has failed, once for a connection.
  virtual void refused(int fd, Failure why, const std::string& reason) = 0;

  // A peer has violated TLS after the handshake, or was cut.
  virtual void broken(int fd, const std::string& reason) = 0;
};

// Makes what stands between gRPC and the connection `fd`, which has just been accepted. The filter
// holds what it needs of `context`. Throws std::bad_alloc.
std::unique_ptr<boundary::SocketFilter> make_filter(int fd, SSL_CTX& context,
                                                    std::shared_ptr<Witness> witness);

}  // namespace rps::rpc::tls
