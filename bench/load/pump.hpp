// The leanest load there is: one epoll loop that sends ready-made bytes and counts the replies. It
// finds the cost of a server and of its floor where a client that understands what it reads would
// be the one that is measured.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "bench/load/histogram.hpp"
#include "core/clock.hpp"
#include "core/url.hpp"

namespace rps::load {

struct PumpOptions {
  HostPort address;
  std::string request;  // Of one call, every byte.

  // How replies are told apart, and how a good one is known: it holds `good` at `good_at`.
  enum class Framing : std::uint8_t { frames, http } framing = Framing::frames;
  std::string good;
  std::size_t good_at = 0;

  std::size_t connections = 1;
  std::size_t depth = 1;  // Calls open at once on each connection, at most.
  // Zero is a closed loop: each reply brings the next call. Otherwise an open one: calls are due at
  // this rate whatever comes back, latency counts from when a call was due, and a call for which
  // its connection has no room is dropped.
  double calls_per_second = 0;

  Clock::duration warmup{};
  Clock::duration window{};
};

// All of it within the window.
struct PumpResult {
  bool broken = false;  // A connection ended: the rest means nothing.
  double seconds = 0;
  Histogram good;
  Histogram refused;  // Replies that were not good.
  std::uint64_t dropped = 0;

  double good_per_second() const { return static_cast<double>(good.count()) / seconds; }
};

// Throws std::system_error when a connection cannot be opened.
PumpResult run_pump(const PumpOptions& options);

// What `address` answers to `bytes`, once, up to the end of the first reply; empty when it closes.
std::string ask_once(const HostPort& address, const std::string& bytes,
                     PumpOptions::Framing framing);

}  // namespace rps::load
