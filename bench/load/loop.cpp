#include "bench/load/loop.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>
#include <optional>
#include <string>
#include <utility>

#include "core/random.hpp"

namespace rps::load {

namespace {

constexpr std::chrono::milliseconds tick_every{100};

// The loop sends at most so many due calls before it polls for replies again: otherwise, at a rate
// that it cannot keep, it would neither read replies nor end.
constexpr std::size_t issued_at_once_max = 1024;

// An open loop ends as broken when nobody answered so many calls in a row, and at least one for
// each slot.
constexpr std::size_t unanswered_max = 100;

// Room for one open call, and the session in which its calls play.
struct Slot {
  std::string session_id;
  std::uint64_t sessions = 0;    // How many it has begun to play.
  std::uint64_t reconnects = 0;  // The client's, when the latest answer came.
  std::uint64_t random = 0;      // The state of the slot's stream of moves.
  Referee referee;
  Clock::time_point due;
  Move move = Move::unspecified;
  bool open = false;
  bool timed_out = false;
};

// The rate with which the schedule begins, for as long as the warm-up takes.
Schedule warmup_schedule(const LoopOptions& options) {
  const double seconds = std::chrono::duration<double>(options.warmup).count();
  if (options.schedule.is_closed() || seconds <= 0) return {};
  return steady(options.schedule.arrivals, options.schedule.phases.front().from_per_second,
                seconds);
}

Clock::duration window_of(const LoopOptions& options) {
  if (options.schedule.is_closed()) return options.window;
  return std::chrono::duration_cast<Clock::duration>(
      std::chrono::duration<double>(options.schedule.seconds()));
}

// The counts of the current interval.
class Recent {
 public:
  void good(std::chrono::nanoseconds response) { response_.record(response); }
  void bad() { ++bad_; }
  void dropped(std::uint64_t count) { dropped_ += count; }

  // The interval from `begins` to `ends`, both against the opening of the window; begins the next.
  Interval close(std::chrono::nanoseconds begins, std::chrono::nanoseconds ends,
                 std::uint64_t open) {
    Interval interval = interval_of(response_, std::chrono::duration<double>(begins).count(),
                                    std::chrono::duration<double>(ends - begins).count());
    interval.bad = std::exchange(bad_, 0);
    interval.dropped = std::exchange(dropped_, 0);
    interval.open = open;
    response_.clear();
    return interval;
  }

 private:
  std::uint64_t bad_ = 0;
  std::uint64_t dropped_ = 0;
  Histogram response_;
};

class Loop final : public Sink {
 public:
  Loop(Client& client, const LoopOptions& options, const LoopCallbacks& callbacks)
      : client_(client),
        options_(options),
        callbacks_(callbacks),
        slots_(options.slots),
        arrivals_(warmup_schedule(options), mix(~options.seed)) {
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      slots_[i].random = mix(options.seed, i);
      begin_session(i);
    }
    if (is_open()) {
      free_.resize(slots_.size());
      std::iota(free_.begin(), free_.end(), std::size_t{0});
      free_count_ = free_.size();
    }
  }

  Outcome run() {
    begin();
    poll_until(opens_at_);
    open_window();
    poll_until(closes_at_);
    close_window();
    drain();
    end_outage(now_);
    outcome_.connections = client_.connection_counts();
    if (!is_open()) outcome_.response.merge(outcome_.service);
    outcome_.valid = is_valid();
    return std::move(outcome_);
  }

  void on_reply(std::uint64_t id, const Reply& reply, const Stamps& stamps) override {
    advance(stamps.received_at);
    Slot& slot = slots_[id];
    slot.open = false;
    --open_;
    if (!is_open()) slot.due = stamps.sent_at;
    const Verdict verdict = judge(slot, reply);
    outcome_.verdicts.count(verdict);
    count(slot, verdict, stamps);
    // Nobody answers deadline_exceeded as well, but then the server may be there.
    const bool is_gone = !stamps.is_answered && reply.error == Error::unavailable;
    note_outage(is_gone, stamps);
    if (is_gone) begin_session(id);
    if (is_open()) {
      free_[(first_free_ + free_count_++) % free_.size()] = id;
    } else if (!is_gone && !draining_) {
      submit(id);
    }
  }

  void on_event(const Event&) override {}  // The loop plays no duels.

 private:
  bool is_open() const { return !options_.schedule.is_closed(); }

  // ---- The plan ----------------------------------------------------------------------------

  void begin() {
    now_ = Clock::now();
    arrivals_from_ = now_;
    opens_at_ = now_ + options_.warmup;
    closes_at_ = opens_at_ + window_of(options_);
    next_tick_ = now_ + tick_every;
    interval_began_ = now_;
    if (is_open()) {
      plan_next();
    } else {
      for (std::size_t i = 0; i < slots_.size(); ++i) submit(i);
    }
  }

  void open_window() {
    end_interval(Clock::now());
    callbacks_.window_opened();
    advance(Clock::now());
    // A closed loop counts what arrives from now on; an open one what is due from opens_at_ on.
    if (is_open()) {
      plan_window();
    } else {
      opens_at_ = now_;
      closes_at_ = now_ + window_of(options_);
    }
    interval_began_ = now_;
    open_area_ = 0;
    in_window_ = true;
  }

  // Calls of the warm-up that were not sent by its end are forgotten.
  void plan_window() {
    arrivals_ = ArrivalClock(options_.schedule, mix(options_.seed, slots_.size()));
    arrivals_from_ = opens_at_;
    plan_next();
  }

  void close_window() {
    end_interval(Clock::now());
    in_window_ = false;
    outcome_.measured = std::max(now_ - opens_at_, Clock::duration::zero());
    if (outcome_.measured.count() > 0) outcome_.open_mean = open_area_ / outcome_.seconds();
    if (is_open() && outcome_.ending == Ending::finished) {
      issue();  // What became due since the last look; late, but not dropped.
      drop_the_rest();
    }
    if (!is_open()) outcome_.due = outcome_.service.count() + outcome_.errors.count() + open_;
    callbacks_.window_closed();
  }

  // Returns before `deadline` when the run has ended for another reason.
  void poll_until(Clock::time_point deadline) {
    while (outcome_.ending == Ending::finished) {
      advance(Clock::now());
      if (now_ >= deadline) return;
      if (is_broken()) {
        outcome_.ending = Ending::broken;
      } else if (now_ >= next_tick_ && !tick()) {
        outcome_.ending = Ending::interrupted;
      } else {
        client_.poll(std::min({deadline, next_tick_, issue()}), *this);
      }
    }
  }

  bool is_broken() const {
    if (!is_open()) return open_ == 0;
    return !options_.through_outages &&
           unanswered_in_a_row_ > std::max(unanswered_max, slots_.size());
  }

  bool tick() {
    next_tick_ = now_ + tick_every;
    time_out();
    if (now_ - interval_began_ >= options_.interval) end_interval(now_);
    return callbacks_.keep_going();
  }

  void drain() {
    draining_ = true;
    const Clock::time_point deadline = Clock::now() + options_.drain_max;
    while (open_ > 0 && Clock::now() < deadline) client_.poll(deadline, *this);
    advance(Clock::now());
    for (const Slot& slot : slots_) {
      if (!slot.open || slot.timed_out) continue;
      ++outcome_.lost;
      if (slot.due >= opens_at_) outcome_.response.record(now_ - slot.due);
    }
  }

  bool is_valid() const {
    const Verdicts& verdicts = outcome_.verdicts;
    const std::uint64_t refused = verdicts.of(Verdict::refused);
    if (outcome_.ending == Ending::broken || outcome_.good == 0) return false;
    if (verdicts.not_right() > refused) return false;
    return is_open() || refused + outcome_.lost + outcome_.timed_out == 0;
  }

  // ---- Sending -----------------------------------------------------------------------------

  // Sends what is due by now; says when the next call is due.
  Clock::time_point issue() {
    if (!is_open()) return Clock::time_point::max();
    for (std::size_t i = 0; next_due_ && *next_due_ <= now_ && i < issued_at_once_max; ++i) {
      issue_one(*next_due_);
      plan_next();
    }
    return next_due_.value_or(Clock::time_point::max());
  }

  void issue_one(Clock::time_point due) {
    if (due >= opens_at_) ++outcome_.due;
    if (free_count_ == 0) return drop(due >= opens_at_ ? 1 : 0);
    const std::size_t index = free_[first_free_];
    first_free_ = (first_free_ + 1) % free_.size();
    --free_count_;
    slots_[index].due = due;
    submit(index);
  }

  void plan_next() {
    const auto due = arrivals_.next();
    next_due_ = due ? std::optional(arrivals_from_ + *due) : std::nullopt;
  }

  void drop(std::uint64_t count) {
    outcome_.dropped += count;
    recent_.dropped(count);
  }

  // The calls that were due and that the loop did not send.
  void drop_the_rest() {
    const auto planned = static_cast<std::uint64_t>(std::llround(options_.schedule.calls()));
    if (!next_due_ || planned <= outcome_.due) return;
    outcome_.dropped += planned - outcome_.due;
    outcome_.due = planned;
  }

  void submit(std::size_t index) {
    Slot& slot = slots_[index];
    slot.random = mix(slot.random);
    slot.move = move_at(below(3, slot.random));
    slot.open = true;
    slot.timed_out = false;
    if (!is_open()) slot.due = now_;
    ++open_;
    client_.submit(index, {.move = slot.move, .session_id = slot.session_id});
  }

  // ---- Counting ----------------------------------------------------------------------------

  Verdict judge(Slot& slot, const Reply& reply) const {
    switch (options_.judging) {
      case Judging::sessions: return judge_session(slot, reply);
      case Judging::rounds: return check_lone_round(slot.move, reply);
      case Judging::summaries: return check_summary(options_.rounds_per_call, reply);
      case Judging::errors:
      case Judging::none: return reply.error ? Verdict::refused : Verdict::right;
    }
    return Verdict::refused;
  }

  // A server that was started anew begins with the session's first round.
  Verdict judge_session(Slot& slot, const Reply& reply) const {
    const Verdict verdict = slot.referee.check(slot.move, reply);
    if (!options_.through_outages) return verdict;
    const std::uint64_t reconnects = client_.connection_counts().reconnects;
    if (std::exchange(slot.reconnects, reconnects) == reconnects) return verdict;
    if (verdict != Verdict::wrong_round) return verdict;
    slot.referee = Referee();
    return slot.referee.check(slot.move, reply);
  }

  void begin_session(std::size_t index) {
    if (options_.judging != Judging::sessions && options_.judging != Judging::none) return;
    Slot& slot = slots_[index];
    slot.session_id = "bench-" + std::to_string(options_.sessions) + "-" + std::to_string(index);
    if (slot.sessions > 0) slot.session_id += "-" + std::to_string(slot.sessions);
    ++slot.sessions;
    slot.referee = Referee();
  }

  void note_outage(bool is_gone, const Stamps& stamps) {
    if (is_gone) {
      ++outcome_.unanswered;
      ++unanswered_in_a_row_;
      if (!outage_since_) outage_since_ = stamps.received_at;
    } else {
      unanswered_in_a_row_ = 0;
      if (outage_since_ && stamps.sent_at > *outage_since_) end_outage(stamps.received_at);
    }
  }

  void end_outage(Clock::time_point now) {
    if (!outage_since_) return;
    const double seconds = std::chrono::duration<double>(now - *outage_since_).count();
    outage_since_.reset();
    ++outcome_.outages.count;
    outcome_.outages.seconds += seconds;
    outcome_.outages.longest_seconds = std::max(outcome_.outages.longest_seconds, seconds);
  }

  void count(const Slot& slot, Verdict verdict, const Stamps& stamps) {
    if (slot.timed_out) return;  // It was counted when it timed out.
    const Clock::duration response = stamps.received_at - slot.due;
    if (verdict == Verdict::right) {
      recent_.good(response);
      if (in_window_) ++outcome_.good;
    } else {
      recent_.bad();
    }
    if (!(is_open() ? slot.due >= opens_at_ : in_window_)) return;
    if (verdict != Verdict::right) return outcome_.errors.record(response);
    outcome_.service.record(stamps.received_at - stamps.sent_at);
    if (!is_open()) return;  // Sent when due: the response times are the service times.
    outcome_.response.record(response);
    outcome_.lateness.record(stamps.sent_at - slot.due);
  }

  void time_out() {
    for (Slot& slot : slots_) {
      if (!slot.open || slot.timed_out || now_ - slot.due < options_.timeout) continue;
      slot.timed_out = true;
      recent_.bad();
      if (is_open() ? slot.due < opens_at_ : !in_window_) continue;
      ++outcome_.timed_out;
      outcome_.response.record(options_.timeout);
    }
  }

  void end_interval(Clock::time_point ends) {
    advance(ends);
    Interval interval = recent_.close(interval_began_ - opens_at_, now_ - opens_at_, open_);
    interval_began_ = now_;
    callbacks_.interval_ended(interval);
    if (in_window_) outcome_.series.push_back(interval);
  }

  // Moves the clock, and integrates over it how many calls are open.
  void advance(Clock::time_point now) {
    if (now <= now_) return;
    open_area_ += static_cast<double>(open_) * std::chrono::duration<double>(now - now_).count();
    now_ = now;
  }

  Client& client_;
  const LoopOptions& options_;
  const LoopCallbacks& callbacks_;
  std::vector<Slot> slots_;
  // Of an open loop: a ring of the free slots. The slot that was free for longest is taken, so that
  // every connection is used: a server closes idle connections.
  std::vector<std::size_t> free_;
  std::size_t first_free_ = 0;
  std::size_t free_count_ = 0;
  ArrivalClock arrivals_;
  std::optional<Clock::time_point> next_due_;
  Outcome outcome_;
  Recent recent_;
  std::size_t open_ = 0;
  double open_area_ = 0;  // Calls open, times seconds.
  std::size_t unanswered_in_a_row_ = 0;
  std::optional<Clock::time_point> outage_since_;
  bool in_window_ = false;
  bool draining_ = false;
  Clock::time_point now_;
  Clock::time_point arrivals_from_;  // Where arrivals_ counts from.
  Clock::time_point opens_at_;
  Clock::time_point closes_at_;
  Clock::time_point next_tick_;
  Clock::time_point interval_began_;
};

}  // namespace

Interval interval_of(const Histogram& good, double begins, double seconds) {
  const auto quantile_ns = [&](double q) { return static_cast<double>(good.quantile(q).count()); };
  return {.begins = begins,
          .seconds = seconds,
          .good = good.count(),
          .p50_ns = quantile_ns(0.5),
          .p99_ns = quantile_ns(0.99),
          .max_ns = static_cast<double>(good.max().count())};
}

Outcome run_loop(Client& client, const LoopOptions& options, const LoopCallbacks& callbacks) {
  assert(options.slots > 0 && options.slots <= client.in_flight_max());
  return Loop(client, options, callbacks).run();
}

}  // namespace rps::load
