// The load loop: one thread drives one client with many open calls. Each call occupies a slot.
//
//   |<---- warm-up ---->|<------------- window ------------->|<- drain ->|
//
// Closed loop: every slot keeps one call open, and sends the next as soon as the last is answered.
// The loop counts the calls that are answered inside the window. The rate adapts to the server, so
// a closed loop does not show the queue that forms when calls arrive at a rate of their own.
//
// Open loop: the schedule alone decides when a call is due. The loop counts the calls that are
// *due* inside the window, however late their answers come. Latency counts from when a call was
// due, so all calls that were due while a server stopped count with their wait. At most `slots`
// calls are open. A call that is due while no slot is free is dropped and counted; it is not sent
// later.
//
// Each slot plays in a session of its own, and its index is the id of its calls. Where connections
// do not share sessions (the processes of `cli:`), a client must send the calls of one id over one
// connection. Our clients do; if one did not, the referee would report wrong rounds.
//
// A slot whose call nobody answered begins a new session, because the server may have counted that
// round or not. A closed loop gives such a slot up; it ends when no slot is left. An open loop ends
// when it has got no other reply for a while, unless it is to go on through outages: then a server
// that was started anew may have forgotten the sessions of the other slots as well.
//
// There is no pause between the warm-up and the window: waiting for all answers in between would
// begin the window with a burst of all slots at once. An open loop warms up at the rate with which
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

// What of an answer is checked.
enum class Judging : std::uint8_t {
  sessions,   // Every slot plays in a session; result, reason, round and score must be right.
  rounds,     // Without sessions, where each call is a process of its own.
  summaries,  // A call is many rounds of one move; the summary must add up to their number.
  errors,     // Any answer without an error is right: for clients that decode no more of it.
  none,       // A floor, called as with `sessions`: any answer without an error.
};

struct LoopOptions {
  std::size_t slots = 1;  // At most the client's in_flight_max().
  Schedule schedule;      // Without phases: closed.
  Judging judging = Judging::sessions;
  std::size_t rounds_per_call = 1;  // Of a summary.
  Clock::duration warmup{};
  Clock::duration window = std::chrono::seconds(1);  // Of a closed loop; a schedule has its own.
  Clock::duration drain_max = std::chrono::seconds(3);
  // A call that is open for longer counts at once as an error with this response time. Its slot
  // stays taken until the answer comes, and that answer is not counted.
  Clock::duration timeout = std::chrono::seconds(10);
  Clock::duration interval = std::chrono::seconds(1);  // Of the series.
  // Whether an open loop goes on while its server is away. For a client that outlasts outages.
  bool through_outages = false;
  std::uint64_t seed = 0;  // Chooses the moves and the arrivals.
  // Part of the session ids, which must differ from those of earlier loops on the same server.
  std::uint64_t sessions = 0;
};

// What happened in one interval of the window. An answer counts in the interval in which it
// arrives.
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
  std::uint64_t rss_bytes = 0;   // Of the server, when the interval ended; zero when not read.
  std::uint64_t open_files = 0;  // The same.

  bool operator==(const Interval&) const = default;
};

// An interval whose right answers took the times in `good`.
Interval interval_of(const Histogram& good, double begins, double seconds);

// Functions that the loop calls on its own thread, so they must be quick.
struct LoopCallbacks {
  std::function<void()> window_opened = [] {};
  std::function<void()> window_closed = [] {};
  // Called with each interval that ended, in the warm-up too (begins < 0); may add to it.
  std::function<void(Interval&)> interval_ended = [](Interval&) {};
  // Called ten times a second; false ends the run at once.
  std::function<bool()> keep_going = [] { return true; };
};

// Times in which the server was away: each from the first call that nobody answered to the first
// answer to a call that was sent after that.
struct Outages {
  std::uint64_t count = 0;
  double seconds = 0;
  double longest_seconds = 0;

  bool operator==(const Outages&) const = default;
};

enum class Ending : std::uint8_t {
  finished,     // The whole window was measured.
  interrupted,  // keep_going() returned false.
  broken,       // The server went away: calls were answered by nobody.
};

struct Outcome {
  // From due to received, of the right answers. Calls that timed out or were lost are included with
  // the time that they had waited: without them a server that stops would seem fast. In a closed
  // loop a call is due when it is sent.
  Histogram response;
  // Of the right answers: from sent to received, and from due to sent.
  Histogram service, lateness;
  Histogram errors;  // From due to received, of wrong and refused answers.

  Clock::duration measured{};  // The length of the window as it was.
  Verdicts verdicts;           // Of every answer, those outside the window included.
  std::uint64_t good = 0;      // Right answers that came inside the window, whenever due.
  std::uint64_t due = 0;       // Calls of the window, the dropped included.
  std::uint64_t dropped = 0;   // Of those: found no free slot.
  std::uint64_t timed_out = 0;
  std::uint64_t lost = 0;        // Without an answer when the drain ended.
  std::uint64_t unanswered = 0;  // Of the refused: by nobody, as their connection broke.
  ConnectionCounts connections;  // Of the client, up to the end of the drain.
  Outages outages;
  double open_mean = 0;  // Calls open, averaged over the window's time.
  std::vector<Interval> series;
  Ending ending = Ending::finished;
  // Whether the figures may be used: at least one call was answered, no answer was wrong, and the
  // server did not end. In a closed loop, in addition, no call failed; in an open loop failures are
  // a result. An interrupted window can be valid for the part that was measured.
  bool valid = false;

  double seconds() const { return std::chrono::duration<double>(measured).count(); }
  double good_per_second() const {
    return measured.count() > 0 ? static_cast<double>(good) / seconds() : 0;
  }
};

// REQUIRES: 0 < slots <= client.in_flight_max().
Outcome run_loop(Client& client, const LoopOptions& options, const LoopCallbacks& callbacks = {});

}  // namespace rps::load
