// The loop: one client, one thread, many calls open at once.
//
//   |<---- warm-up ---->|<------------- window ------------->|<- drain ->|
//
// Closed: every lane keeps one call open and sends the next as soon as the last is answered. What
// is answered inside the window is counted. The load cannot exceed what the server does, so the
// delay that an open world would feel does not show.
//
// Open: calls are due when the schedule says, whatever comes back. What is *due* inside the window
// is counted, however late its answer comes. Latency counts from when a call was due, so a server
// that stands still is charged for all who would have come. At most `lanes` calls are open; one
// that is due beyond that is dropped and counted, never sent later in a bunch.
//
// Each lane plays in a session of its own, and its index is the id of its calls. Where connections
// do not share sessions (the processes of `cli:`), a client must send the calls of one id over one
// connection; ours do, and the referee would tell.
//
// The warm-up hands over to the window without a pause: emptying the pipes in between would begin
// the measurement with a burst of all lanes at once. An open loop warms up at the rate with which
// its schedule begins.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "bench/load/histogram.hpp"
#include "bench/load/referee.hpp"
#include "bench/load/schedule.hpp"
#include "core/client.hpp"

namespace rps::load {

// How much of an answer is looked at.
enum class Judging : std::uint8_t {
  sessions,   // Every lane plays in a session; result, reason, round and score must be right.
  rounds,     // Without sessions, where each call is a process of its own.
  summaries,  // A call is many rounds of one move; the summary must add up to their number.
  errors,     // Any answer without an error is right: of a client that reads no more of it.
  none,       // A floor, called as with `sessions`: any answer without an error.
};

struct LoopOptions {
  std::size_t lanes = 1;  // At most the client's in_flight_max().
  Schedule schedule;      // Without phases: closed.
  Judging judging = Judging::sessions;
  std::size_t rounds_per_call = 1;  // Of a summary.
  Clock::duration warmup{};
  Clock::duration window = std::chrono::seconds(1);  // Of a closed loop; a schedule has its own.
  Clock::duration drain_max = std::chrono::seconds(3);
  // A call open for longer counts as an error at once, and as this long; its lane stays taken
  // until the answer comes, which then is not counted.
  Clock::duration timeout = std::chrono::seconds(10);
  Clock::duration interval = std::chrono::seconds(1);  // Of the series.
  std::uint64_t seed = 0;                              // Chooses the moves and the arrivals.
  // Names the sessions. A server that was there before remembers those of an earlier loop.
  std::uint64_t sessions = 0;
};

// What happened in one interval of the window. Answers count where they arrive.
struct Interval {
  double begins = 0;  // Seconds since the window opened.
  double seconds = 0;
  std::uint64_t good = 0;
  std::uint64_t bad = 0;  // Wrong, refused or timed out.
  std::uint64_t dropped = 0;
  std::uint64_t open = 0;  // Calls open when it ended.
  double p50_ns = 0;       // Response times of its good answers.
  double p99_ns = 0;
  double max_ns = 0;
  std::uint64_t rss_bytes = 0;   // Of the server, and its open files, when it ended; zero when
  std::uint64_t open_files = 0;  // nobody looked.

  bool operator==(const Interval&) const = default;
};

// An interval whose good answers took the times in `good`.
Interval interval_of(const Histogram& good, double begins, double seconds);

// Who looks on. Called by the loop's own thread, so it must be quick.
struct Onlooker {
  std::function<void()> window_opened = [] {};
  std::function<void()> window_closed = [] {};
  // With each interval that ended, in the warm-up too (begins < 0); may add what it knows.
  std::function<void(Interval&)> interval_ended = [](Interval&) {};
  // Asked ten times a second; false ends the run at once.
  std::function<bool()> keep_going = [] { return true; };
};

enum class Ending : std::uint8_t {
  finished,     // The whole window was measured.
  interrupted,  // The onlooker wanted to stop.
  broken,       // The server went away: every lane was told `unavailable`.
};

struct Outcome {
  // From due to received. Of the good answers, and of the calls that timed out or were lost, at
  // what they had waited by then: left out, they would make a standstill look fast. A closed
  // loop's call is due when it is sent.
  Histogram response;
  // Of the good answers: from sent to received, and from due to sent.
  Histogram service, lateness;
  Histogram errors;  // From due to received, of wrong and refused answers.

  Clock::duration measured{};  // The length of the window as it was.
  Verdicts verdicts;           // Of every answer, those outside the window included.
  std::uint64_t good = 0;      // Right answers that came inside the window, whenever due.
  std::uint64_t due = 0;       // Calls of the window, the dropped included.
  std::uint64_t dropped = 0;   // Of those: found no free lane.
  std::uint64_t timed_out = 0;
  std::uint64_t lost = 0;  // Without an answer when the drain ended.
  double open_mean = 0;    // Calls open, averaged over the window's time.
  std::vector<Interval> series;
  Ending ending = Ending::finished;
  // Whether the figures mean something: something was answered, nothing wrongly, and the server
  // did not go away. In a closed loop no call may have failed either; in an open one failures are
  // a result like others. A window that was interrupted is good as far as it got.
  bool valid = false;

  double seconds() const { return std::chrono::duration<double>(measured).count(); }
  double good_per_second() const {
    return measured.count() > 0 ? static_cast<double>(good) / seconds() : 0;
  }
};

// REQUIRES: 0 < lanes <= client.in_flight_max().
Outcome run_loop(Client& client, const LoopOptions& options, const Onlooker& onlooker = {});

}  // namespace rps::load
