// rps-floor-http2: the floor of HTTP/2 without gRPC's library. One epoll loop on nghttp2 answers
// each request with the same gRPC response: headers, one message, and a trailer that says OK. It
// answers all requests of one read with one write, and decodes no message.
//
//   rps-floor-http2 REPLY_BYTES
//
// REPLY_BYTES is the size of the message, as of rps-floor-grpc.
//
// Prints `grpc://127.0.0.1:port`.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include <nghttp2/nghttp2.h>
#include <sys/socket.h>

#include "bench/floors/announce.hpp"
#include "bench/floors/epoll_loop.hpp"
#include "bench/floors/listen.hpp"
#include "bench/floors/play_response.hpp"
#include "core/net/program.hpp"
#include "stage3_grpc/lean/nghttp2.hpp"
#include "stage3_grpc/limits.hpp"

namespace {

using rps::rpc::check;
using rps::rpc::header;

// The message with the prefix of gRPC over HTTP/2: a byte that says that it is not compressed, and
// four that are its length.
std::string prefixed(const std::string& message) {
  const std::size_t size = message.size();
  std::string bytes{0, static_cast<char>(size >> 24), static_cast<char>(size >> 16),
                    static_cast<char>(size >> 8), static_cast<char>(size)};
  return bytes + message;
}

// Copies as much of the message as the peer's window has room for; behind its end stands the
// trailer. How much was copied before is kept as the stream's user data.
ssize_t read_message(nghttp2_session* session, std::int32_t stream, std::uint8_t* buffer,
                     std::size_t room, std::uint32_t* flags, nghttp2_data_source* source, void*) {
  const std::string_view message = *static_cast<const std::string*>(source->ptr);
  const auto taken =
      reinterpret_cast<std::uintptr_t>(nghttp2_session_get_stream_user_data(session, stream));
  const std::string_view part = message.substr(taken, room);
  std::memcpy(buffer, part.data(), part.size());
  if (taken + part.size() < message.size()) {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): nghttp2 keeps a pointer, which here is a number.
    auto* const now_taken = reinterpret_cast<void*>(taken + part.size());
    nghttp2_session_set_stream_user_data(session, stream, now_taken);
  } else {
    static const nghttp2_nv status = header("grpc-status", "0");
    *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
    if (nghttp2_submit_trailer(session, stream, &status, 1) != 0) {
      return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
  }
  return static_cast<ssize_t>(part.size());
}

class Connection {
 public:
  // `message` must outlive it.
  Connection(int socket, const std::string& message);

  // Reads once and answers what was read. False when the connection is over; a peer that does not
  // read its answers is closed, too.
  bool serve();

 private:
  using Session = std::unique_ptr<nghttp2_session, void (*)(nghttp2_session*)>;

  static int on_frame(nghttp2_session* session, const nghttp2_frame* frame, void* user);
  bool write();

  int socket_;
  const std::string& message_;
  Session session_{nullptr, nghttp2_session_del};
};

Connection::Connection(int socket, const std::string& message)
    : socket_(socket), message_(message) {
  nghttp2_session_callbacks* callbacks = nullptr;
  check(nghttp2_session_callbacks_new(&callbacks));
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
  nghttp2_session* session = nullptr;
  const int made = nghttp2_session_server_new(&session, callbacks, this);
  nghttp2_session_callbacks_del(callbacks);
  check(made);
  session_.reset(session);
  const nghttp2_settings_entry streams{
      .settings_id = NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS,
      .value = static_cast<std::uint32_t>(rps::rpc::Limits{}.streams_max)};
  check(nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, &streams, 1));
}

bool Connection::serve() {
  static std::array<std::uint8_t, 1 << 16> buffer;
  const ssize_t size = ::recv(socket_, buffer.data(), buffer.size(), 0);
  if (size <= 0) return false;
  const auto bytes = static_cast<std::size_t>(size);
  return nghttp2_session_mem_recv(session_.get(), buffer.data(), bytes) >= 0 && write();
}

// A request is whole with the frame that ends its stream.
int Connection::on_frame(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
  const bool is_request = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
  if (!is_request || (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return 0;
  static const std::array headers{header(":status", "200"),
                                  header("content-type", "application/grpc")};
  const std::string& message = static_cast<const Connection*>(user)->message_;
  const nghttp2_data_provider body{.source = {.ptr = const_cast<std::string*>(&message)},
                                   .read_callback = read_message};
  const int submitted =
      nghttp2_submit_response(session, frame->hd.stream_id, headers.data(), headers.size(), &body);
  return submitted == 0 ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
}

bool Connection::write() {
  static std::string out;
  out.clear();
  for (;;) {
    const std::uint8_t* bytes = nullptr;
    const ssize_t size = nghttp2_session_mem_send(session_.get(), &bytes);
    if (size < 0) return false;
    if (size == 0) break;
    out.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  }
  if (out.empty()) return true;
  const ssize_t sent = ::send(socket_, out.data(), out.size(), MSG_NOSIGNAL);
  return sent == static_cast<ssize_t>(out.size());
}

int run(int argc, char** argv) {
  const std::size_t bytes = rps::floors::read_reply_bytes(argc, argv);
  const std::string message = prefixed(rps::floors::play_response(bytes).SerializeAsString());
  const rps::floors::Listener listener = rps::floors::listen_anywhere();
  if (!rps::floors::announce("grpc://127.0.0.1:" + std::to_string(listener.port))) {
    return EXIT_FAILURE;
  }
  rps::floors::run_epoll_loop(
      listener.socket, [&](int socket) { return std::make_unique<Connection>(socket, message); },
      [](Connection& connection) { return connection.serve(); });
}

}  // namespace

int main(int argc, char** argv) {
  return rps::net::run_program("rps-floor-http2", [&] { return run(argc, argv); });
}
