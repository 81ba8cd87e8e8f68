#include "bench/load/relay.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <sys/socket.h>

#include "bench/load/limits.hpp"
#include "core/net/byte_queue.hpp"
#include "core/net/endpoint.hpp"
#include "core/net/event_loop.hpp"
#include "core/net/listen.hpp"
#include "core/net/stream.hpp"
#include "core/net/thread.hpp"

namespace rps::load {

namespace {

// How often its thread looks whether it shall end.
constexpr std::chrono::milliseconds look_every{20};

// What is relayed, by the thread that relays.
class Relaying final : net::EventLoop::Handler {
 public:
  Relaying(net::Fd listener, HostPort server, Clock::duration delay)
      : listener_(std::move(listener)), server_(std::move(server)), delay_(delay) {
    if (!loop_.add(listener_entry_, listener_.get(), listener_.get())) {
      throw std::system_error(errno, std::system_category(), "cannot wait for connections");
    }
  }

  void run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      hand_over_what_is_due();
      const Clock::time_point look_at = Clock::now() + look_every;
      loop_.wait(held_.empty() ? look_at : std::min(look_at, held_.front().due), *this);
    }
  }

 private:
  enum class Side : std::uint32_t { client, server };

  // A connection of a client, and the one to the server that belongs to it.
  struct Pair {
    Pair(net::EventLoop& loop, std::size_t index)
        : client(loop, key_of(index, Side::client)), server(loop, key_of(index, Side::server)) {}

    net::BufferedStream& at(Side side) { return side == Side::client ? client : server; }

    net::BufferedStream client;
    net::BufferedStream server;
    net::ByteQueue held;  // From the server, for the client.
  };

  // So many bytes of a pair that its client may have when they are due; none: the server has ended
  // the connection.
  struct Held {
    Clock::time_point due;
    std::size_t pair = 0;
    std::size_t bytes = 0;
  };

  static constexpr std::uint32_t listener_key = 0;

  static std::uint32_t key_of(std::size_t index, Side side) {
    return static_cast<std::uint32_t>(1 + 2 * index) + static_cast<std::uint32_t>(side);
  }
  static std::size_t index_of(std::uint32_t key) { return (key - 1) / 2; }
  static Side side_of(std::uint32_t key) { return Side((key - 1) % 2); }

  void on_input(std::uint32_t key) override {
    if (key == listener_key) return accept();
    const std::size_t index = index_of(key);
    const Side side = side_of(key);
    Pair& pair = *pairs_[index];
    net::BufferedStream& from = pair.at(side);
    switch (from.read()) {
      case net::InputBuffer::Arrival::nothing: return;
      case net::InputBuffer::Arrival::end:
      case net::InputBuffer::Arrival::failure:
        if (side == Side::client) return close(pair);
        from.close();
        return hold(index, 0);
      case net::InputBuffer::Arrival::bytes: break;
    }
    const std::string_view bytes = from.input.bytes();
    if (side == Side::server) {
      pair.held.back() += bytes;
      hold(index, bytes.size());
    } else if (pair.server.is_open() && !pair.server.write(bytes)) {
      return close(pair);
    }
    from.input.consume(bytes.size());
  }

  // There is room for what could not be written.
  void on_output(std::uint32_t key) override {
    if (key == listener_key) return;
    Pair& pair = *pairs_[index_of(key)];
    if (!pair.at(side_of(key)).write()) close(pair);
  }

  void accept() {
    net::Fd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!client) return;
    net::Fd server;
    try {
      server = net::connect_tcp(server_.host, server_.port, limits::connect_max);
    } catch (const std::exception&) {
      return;  // It is not there: the client sees its connection close.
    }
    Pair& pair = *pairs_.emplace_back(std::make_unique<Pair>(loop_, pairs_.size()));
    const bool is_open = pair.client.open({.in = std::move(client), .out = {}}) &&
                         pair.server.open({.in = std::move(server), .out = {}});
    if (!is_open) close(pair);
  }

  void hold(std::size_t pair, std::size_t bytes) {
    held_.push_back({.due = Clock::now() + delay_, .pair = pair, .bytes = bytes});
  }

  void hand_over_what_is_due() {
    const Clock::time_point now = Clock::now();
    for (; !held_.empty() && held_.front().due <= now; held_.pop_front()) {
      const Held& first = held_.front();
      Pair& pair = *pairs_[first.pair];
      const std::string_view bytes = pair.held.view().substr(0, first.bytes);
      const bool goes_on = first.bytes > 0 && pair.client.is_open() && pair.client.write(bytes);
      if (!goes_on && pair.client.is_open()) close(pair);
      pair.held.drop(first.bytes);
    }
  }

  static void close(Pair& pair) {
    pair.client.close();
    pair.server.close();
  }

  net::Fd listener_;
  HostPort server_;
  Clock::duration delay_;
  net::EventLoop loop_;
  net::EventLoop::Entry listener_entry_{listener_key};
  std::vector<std::unique_ptr<Pair>> pairs_;  // All that there were: no index names another later.
  std::deque<Held> held_;                     // All are held equally long: the first is due first.
};

}  // namespace

Relay::Relay(const HostPort& server, Clock::duration delay) : address_{.host = "127.0.0.1"} {
  std::vector<net::Fd> listeners = net::listen_on(address_, net::PortSharing::no);
  address_.port = net::port_of(listeners.front());
  auto relaying = std::make_unique<Relaying>(std::move(listeners.front()), server, delay);
  thread_ = start_thread<std::jthread>(
      [own = std::move(relaying)](const std::stop_token& stop) { own->run(stop); });
}

}  // namespace rps::load
