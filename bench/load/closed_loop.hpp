// The closed loop: every lane keeps one call open, and sends the next as soon as the last is
// answered. Connections times depth lanes share one client and one thread.
//
//   |<---- warm-up ---->|<------------- window ------------->|<- drain ->|
//   submit …            |  what is answered here is counted  |  no new calls; answers still checked
//
// Each lane plays in a session of its own. Where connections do not share sessions (the processes
// of `cli:`), a client must send a call made from on_reply over the connection that answered; ours
// do, and the referee would tell.
//
// The warm-up hands over to the window without a pause: emptying the pipes in between would begin
// the measurement with a burst of all lanes at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "bench/load/histogram.hpp"
#include "bench/load/referee.hpp"
#include "core/client.hpp"

namespace rps::load {

struct ClosedLoopOptions {
  std::size_t lanes = 1;  // Connections times depth; at most the client's in_flight_max().
  Clock::duration warmup{};
  Clock::duration window = std::chrono::seconds(1);
  Clock::duration drain_max = std::chrono::seconds(3);
  std::uint64_t seed = 0;  // Chooses the moves and names the sessions: one seed, one game.
};

// Who looks on. Called by the loop's own thread, so it must be quick.
struct Onlooker {
  std::function<void()> window_opened = [] {};
  std::function<void()> window_closed = [] {};
  // Asked ten times a second; false ends the run at once.
  std::function<bool()> keep_going = [] { return true; };
};

enum class Ending : std::uint8_t {
  finished,     // The whole window was measured.
  interrupted,  // The onlooker wanted to stop.
  broken,       // The server went away: every lane was told `unavailable`.
};

struct Outcome {
  Histogram latency;           // From bytes sent to bytes received, of the answers in the window.
  Clock::duration measured{};  // The length of the window as it was.
  Verdicts verdicts;           // Of every answer, those outside the window included.
  std::uint64_t lost = 0;      // Calls without an answer when the drain ended.
  Ending ending = Ending::finished;

  double seconds() const { return std::chrono::duration<double>(measured).count(); }
  double per_second() const {
    return measured.count() > 0 ? static_cast<double>(latency.count()) / seconds() : 0;
  }
  // Whether all answers were right, none was lost and the window is whole.
  bool valid() const {
    return ending == Ending::finished && latency.count() > 0 && verdicts.not_right() == 0 &&
           lost == 0;
  }
};

Outcome run_closed_loop(Client& client, const ClosedLoopOptions& options,
                        const Onlooker& onlooker = {});

}  // namespace rps::load
