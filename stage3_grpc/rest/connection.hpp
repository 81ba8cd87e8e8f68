// A connection of the REST gateway: reads requests one after another, answers them in order, and
// shows a spectator what happens in a duel. One thread uses it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.hpp"
#include "core/net/epoll.hpp"
#include "core/net/fd.hpp"
#include "core/net/http.hpp"
#include "stage3_grpc/rest/limits.hpp"
#include "stage3_grpc/rest/service.hpp"

namespace rps::rpc::rest {

class Connection {
 public:
  // What all connections share. REQUIRES: it outlives them.
  struct Shared {
    const Settings& settings;
    Service& service;
    FeedOwner& owner;
    net::Epoll epoll;
    net::HttpDate date;
    std::array<char, limits::read_bytes_max> buffer;
    std::uint64_t answered = 0;  // Requests, by all of them.
    bool drains = false;         // Connections end behind the request that they have begun.
  };

  // `key` is the connection's tag in the epoll set, and of its feed. False, and errno, from start()
  // when the kernel has no room.
  Connection(Shared& shared, net::Fd socket, std::uint64_t key, Clock::time_point now);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  // The next functions return false when the connection is over and must be destroyed.
  [[nodiscard]] bool start();
  [[nodiscard]] bool on_ready(std::uint32_t events, Clock::time_point now);
  [[nodiscard]] bool on_feed(Clock::time_point now);
  [[nodiscard]] bool check(Clock::time_point now);  // Time-outs.
  [[nodiscard]] bool drain(Clock::time_point now);

  bool is_watching() const { return watch_ != nullptr; }

  // Some of a request has come that is not answered, or some of an answer has not been sent.
  bool is_busy() const;

  // When the last answer was made; before the first, when the connection began.
  Clock::time_point answered_at() const { return answered_at_; }

 private:
  enum class State : std::uint8_t { serving, ending, lingering };

  bool receive(Clock::time_point now);
  bool take(std::string_view bytes, Clock::time_point now);
  std::size_t answer_requests(std::string_view bytes, Clock::time_point now);
  bool answer_next(std::string_view bytes, std::size_t& consumed, Clock::time_point now);
  void answer_request(Clock::time_point now);
  void end_with(const net::HttpPage& page);
  void finish_watch(Clock::time_point now);
  void show_waiting(Clock::time_point now);
  void append_piece(std::string_view text);
  bool send(Clock::time_point now);
  bool advance(Clock::time_point now);
  bool linger(Clock::time_point now);
  void wait_for(std::uint32_t events);

  Shared& shared_;
  net::Fd socket_;
  const std::uint64_t key_;
  const std::string peer_;
  net::HttpReader reader_;
  std::string in_;        // Was received and is not taken yet.
  std::string out_;       // Is to be sent,
  std::size_t sent_ = 0;  // but for so many bytes of it.
  State state_ = State::serving;
  bool has_peer_ended_ = false;
  std::uint32_t waits_for_ = 0;
  Clock::time_point answered_at_;
  std::optional<Clock::time_point> begun_at_;    // The request that has not come to its end.
  std::optional<Clock::time_point> blocked_at_;  // The client has read nothing since.
  Clock::time_point lingers_until_;
  std::size_t lingered_ = 0;
  net::HttpForm stream_form_;  // Of the watch.
  Clock::time_point shown_at_;
  std::unique_ptr<Watch> watch_;  // Behind reader_, whose request it uses.
};

}  // namespace rps::rpc::rest
