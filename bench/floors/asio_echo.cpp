// rps-floor-asio: the echo of rps-floor-echo, byte for byte, on Boost.Asio in place of a bare epoll
// loop. It shows the cost of the library, used in the way that takes the fewest system calls: each
// connection waits until it is readable and then receives once without waiting, all into one
// buffer, and the context is told that only one thread ever uses it.
//
//   rps-floor-asio REQUEST_BYTES REPLY_BYTES
//
// Prints `echo://127.0.0.1:port?request=REQUEST_BYTES&reply=REPLY_BYTES`.
#include <array>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "bench/floors/announce.hpp"
#include "bench/floors/frames.hpp"
#include "bench/floors/sizes.hpp"
#include "core/net/program.hpp"

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

// What all connections share: they are served one after the other.
struct Exchange {
  explicit Exchange(const rps::floors::Sizes& sizes)
      : request_bytes(sizes.request),
        reply_bytes(sizes.reply),
        replies(rps::floors::make_frames(sizes.reply, buffer.size() / sizes.request + 1)) {}

  std::size_t request_bytes;
  std::size_t reply_bytes;
  std::array<char, 1 << 16> buffer{};
  std::string replies;
};

// Lives as long as a wait of its own is pending.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(tcp::socket socket, Exchange& exchange)
      : socket_(std::move(socket)), exchange_(exchange) {
    socket_.non_blocking(true);
    socket_.set_option(tcp::no_delay(true));
  }

  void wait() {
    socket_.async_wait(tcp::socket::wait_read, [self = shared_from_this()](error_code failure) {
      if (!failure && self->answer()) self->wait();
    });
  }

 private:
  // False when the connection is over.
  bool answer() {
    error_code failure;
    const std::size_t size = socket_.receive(asio::buffer(exchange_.buffer), 0, failure);
    if (failure == asio::error::would_block) return true;
    if (failure) return false;
    pending_ += size;
    const std::size_t calls = pending_ / exchange_.request_bytes;
    pending_ %= exchange_.request_bytes;
    if (calls > 0) {
      socket_.send(asio::buffer(exchange_.replies.data(), calls * exchange_.reply_bytes), 0,
                   failure);
    }
    return true;
  }

  tcp::socket socket_;
  Exchange& exchange_;
  std::size_t pending_ = 0;  // Bytes of an unfinished request.
};

void accept_all(tcp::acceptor& acceptor, Exchange& exchange) {
  acceptor.async_accept([&](error_code failure, tcp::socket socket) {
    if (!failure) std::make_shared<Connection>(std::move(socket), exchange)->wait();
    accept_all(acceptor, exchange);
  });
}

int run(int argc, char** argv) {
  const auto sizes = rps::floors::read_sizes(argc, argv, rps::floors::frame_header_bytes);
  Exchange exchange(sizes);
  asio::io_context context(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE);
  tcp::acceptor acceptor(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  const std::string url =
      rps::floors::echo_url(acceptor.local_endpoint().port(), sizes.request, sizes.reply);
  if (!rps::floors::announce(url)) return EXIT_FAILURE;
  accept_all(acceptor, exchange);
  context.run();
  return EXIT_SUCCESS;
}

}  // namespace

int main(int argc, char** argv) {
  return rps::net::run_program("rps-floor-asio", [&] { return run(argc, argv); });
}
