// One connection to an instance: its stream, the calls that wait to be sent over it, and the
// session that carries the calls that are sent. It knows only the index of each call; its owner,
// FleetClient, decides what happens to the calls.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/fleet/call_table.hpp"
#include "core/fleet/session.hpp"
#include "core/net/dialling.hpp"
#include "core/net/stream.hpp"

namespace rps::fleet {

struct Connection {
  enum class State : std::uint8_t {
    closed,
    dialling,
    open,
    leaving,  // Open, and takes no further calls: the open ones end (Session::is_leaving()).
  };

  // `index` is the connection's own.
  Connection(net::EventLoop& loop, std::uint32_t index)
      : dialling(loop, index), stream(loop, index) {}

  bool is_open() const { return state == State::open || state == State::leaving; }
  bool is_idle() const { return load() == 0; }
  std::size_t load() const { return (session ? session->open_calls() : 0) + waiting.size(); }

  // Since when the oldest answer has been the next to come. Nothing when none is due.
  std::optional<Clock::time_point> owing_since() const {
    const auto since = session->owes_since();
    return since ? std::optional(std::max(*since, answered_at)) : std::nullopt;
  }

  State state = State::closed;
  std::uint32_t instance = no_index;
  std::string error;  // Why connecting failed.
  net::Dialling dialling;
  net::BufferedStream stream;
  std::unique_ptr<Session> session;  // While it is open.
  Clock::time_point answered_at;     // When the latest answer came.
  bool has_answered = false;         // Any call since it is open.
  bool keeps_seat = false;  // A player in a duel uses it: it must not be closed when it is idle.

  // Calls to be sent. They begin only when the socket takes bytes and the session has room: so what
  // still waits here was certainly not sent.
  std::vector<std::uint32_t> waiting;
};

}  // namespace rps::fleet
