// One connection to an instance: its stream, the calls that wait to be sent over it, and the calls
// that are sent and not answered. It knows only the index of each call; its owner, FleetClient,
// decides what happens to the calls.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/fleet/call_table.hpp"
#include "core/net/dialling.hpp"
#include "core/net/request_queue.hpp"
#include "core/net/stream.hpp"

namespace rps::fleet {

struct Connection {
  enum class State : std::uint8_t { closed, dialling, open };

  // `index` is the connection's own.
  Connection(net::EventLoop& loop, std::uint32_t index)
      : dialling(loop, index), stream(loop, index) {}

  bool is_idle() const { return load() == 0; }
  std::size_t load() const { return requests.size() + waiting.size(); }

  // Since when the oldest answer has been the next to come. REQUIRES: !requests.empty().
  Clock::time_point owing_since() { return std::max(requests.oldest().sent_at, answered_at); }

  State state = State::closed;
  std::uint32_t instance = no_index;
  std::string error;  // Why connecting failed.
  net::Dialling dialling;
  net::BufferedStream stream;
  Clock::time_point answered_at;  // When the latest answer came.
  bool has_answered = false;      // Any call since it is open.
  bool keeps_seat = false;  // A player in a duel uses it: it must not be closed when it is idle.

  // Calls to be sent. They are encoded only when the socket takes bytes: so what still waits here
  // was certainly not sent.
  std::vector<std::uint32_t> waiting;

  // Calls whose answers are due, each with the call's index as its id. When a call was given up its
  // id is `no_index`: its answer still takes its turn, and is dropped.
  net::RequestQueue requests;
};

}  // namespace rps::fleet
