// rps-floor-http: the floor of an HTTP/1.1 server. One epoll loop reads requests with the parser
// that stage 2 uses and answers each with the same response of status 200.
//
//   rps-floor-http REQUEST_BYTES REPLY_BYTES
//
// Both are bytes of the body. Prints `echo+http://127.0.0.1:port?request=REQUEST_BYTES`; a request
// of another size is answered as well.
#include "core/net/http.hpp"

#include <array>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include <sys/socket.h>

#include "bench/floors/announce.hpp"
#include "bench/floors/epoll_loop.hpp"
#include "bench/floors/listen.hpp"
#include "bench/floors/sizes.hpp"
#include "core/net/program.hpp"

namespace {

using rps::net::HttpReader;

constexpr HttpReader::Limits limits{.header_bytes_max = 8192, .body_bytes_max = 1 << 20};

struct Connection {
  explicit Connection(int peer) : socket(peer) {}

  int socket;
  HttpReader reader{limits};
  std::string unread;  // What the reader has not taken yet.
};

std::string make_response(std::size_t body_bytes) {
  const rps::net::HttpPage page{.type = "application/json", .body = std::string(body_bytes, 'x')};
  std::string response;
  rps::net::append_http({.version = 11, .keep_open = true}, page, rps::net::HttpDate().now(),
                        response);
  return response;
}

// Appends a response for every request that is whole. False when the bytes are no HTTP.
bool answer_all(Connection& connection, const std::string& response, std::string& out) {
  std::string_view left = connection.unread;
  for (;;) {
    std::size_t consumed = 0;
    const HttpReader::Outcome outcome = connection.reader.read(left, consumed);
    if (outcome == HttpReader::Outcome::refused) return false;
    left.remove_prefix(consumed);
    if (outcome == HttpReader::Outcome::need_more) break;
    if (outcome == HttpReader::Outcome::asks) continue;
    out += response;
    connection.reader.reset();
  }
  connection.unread = std::string(left);
  return true;
}

// False when the connection is over.
bool serve(Connection& connection, const std::string& response) {
  static std::array<char, 1 << 16> buffer;
  static std::string out;
  const ssize_t size = ::recv(connection.socket, buffer.data(), buffer.size(), 0);
  if (size <= 0) return false;
  connection.unread.append(buffer.data(), static_cast<std::size_t>(size));
  out.clear();
  if (!answer_all(connection, response, out)) return false;
  if (!out.empty()) (void)!::send(connection.socket, out.data(), out.size(), MSG_NOSIGNAL);
  return true;
}

int run(int argc, char** argv) {
  const auto [request_bytes, reply_bytes] = rps::floors::read_sizes(argc, argv);
  const std::string response = make_response(reply_bytes);
  const rps::floors::Listener listener = rps::floors::listen_anywhere();
  const std::string url = "echo+http://127.0.0.1:" + std::to_string(listener.port) +
                          "?request=" + std::to_string(request_bytes);
  if (!rps::floors::announce(url)) return EXIT_FAILURE;
  rps::floors::run_epoll_loop(
      listener.socket, [](int socket) { return std::make_unique<Connection>(socket); },
      [&](Connection& connection) { return serve(connection, response); });
}

}  // namespace

int main(int argc, char** argv) {
  return rps::net::run_program("rps-floor-http", [&] { return run(argc, argv); });
}
