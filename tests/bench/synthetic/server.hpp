// The servers behind rps-synthetic. Each serves until SIGTERM or SIGINT, which must be blocked in
// the thread that calls it, and returns when it has ended.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "core/game.hpp"
#include "core/result.hpp"
#include "core/url.hpp"
#include "tests/bench/synthetic/script.hpp"

namespace rps::synthetic {

// How long before a deadline a server ceases to sleep: waking up takes about as long, on a virtual
// machine whose CPU was idle.
inline constexpr std::chrono::microseconds spin_max{50};

// A result that the judge would not give.
constexpr Result falsified(Result result) {
  switch (result) {
    case Result::win: return Result::lose;
    case Result::draw: return Result::win;
    case Result::lose: return Result::draw;
  }
  return result;
}

// Timers of this thread are not put off to be served together.
void keep_time_exactly();

// `ready` is told the address as soon as the server can be reached there.
using Ready = std::function<void(const HostPort&)>;

// Stage 2's port: frames, lines and HTTP, each in all its codecs. One thread. Replies on one
// connection go out in the order of the requests, so that a later one may wait for an earlier; with
// one call open at a time the delays are exactly those of the script. An error is -32603, or
// status 500 over HTTP.
void serve_jsonrpc(const HostPort& listen, Game& game, Script& script, const Ready& ready);

// Stage 3's Play and Score. An error is status 13, INTERNAL.
void serve_grpc(const HostPort& listen, Game& game, Script& script, const Ready& ready);

}  // namespace rps::synthetic
