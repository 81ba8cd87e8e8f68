#include "bench/load/closed_loop.hpp"

#include <algorithm>
#include <cassert>
#include <string>
#include <vector>

#include "core/random.hpp"

namespace rps::load {

namespace {

constexpr std::chrono::milliseconds tick_every{100};

struct Lane {
  std::string session_id;
  std::uint64_t random = 0;  // The state of the lane's stream of moves.
  Move move = Move::unspecified;
  Referee referee;
};

class ClosedLoop final : public Sink {
 public:
  ClosedLoop(Client& client, const ClosedLoopOptions& options, const Onlooker& onlooker)
      : client_(client), options_(options), onlooker_(onlooker), lanes_(options.lanes) {
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
      lanes_[i].session_id = "bench-" + std::to_string(options.seed) + "-" + std::to_string(i);
      lanes_[i].random = mix(options.seed, i);
    }
  }

  Outcome run() {
    const Clock::time_point start = Clock::now();
    next_tick_ = start;
    for (std::size_t i = 0; i < lanes_.size(); ++i) submit(i);

    poll_until(start + options_.warmup);
    opened_at_ = Clock::now();
    in_window_ = true;
    onlooker_.window_opened();
    poll_until(opened_at_ + options_.window);
    in_window_ = false;
    outcome_.measured = Clock::now() - opened_at_;
    onlooker_.window_closed();

    drain();
    return std::move(outcome_);
  }

  void on_reply(std::uint64_t id, const Reply& reply, const Stamps& stamps) override {
    --open_;
    Lane& lane = lanes_[id];
    outcome_.verdicts.count(lane.referee.check(lane.move, reply));
    if (in_window_) outcome_.latency.record(stamps.received_at - stamps.sent_at);
    const bool server_is_gone = reply.error == Error::unavailable;
    if (!server_is_gone && !draining_) submit(id);
  }

  void on_event(const Event&) override {}  // Nobody duels here.

 private:
  void submit(std::size_t index) {
    Lane& lane = lanes_[index];
    lane.random = mix(lane.random);
    lane.move = move_at(below(3, lane.random));
    ++open_;
    client_.submit(index, {.move = lane.move, .session_id = lane.session_id});
  }

  // Returns before `deadline` when the run has ended for another reason.
  void poll_until(Clock::time_point deadline) {
    while (outcome_.ending == Ending::finished) {
      const Clock::time_point now = Clock::now();
      if (now >= deadline) return;
      if (open_ == 0) {
        outcome_.ending = Ending::broken;
      } else if (now >= next_tick_ && !tick(now)) {
        outcome_.ending = Ending::interrupted;
      } else {
        client_.poll(std::min(deadline, next_tick_), *this);
      }
    }
  }

  bool tick(Clock::time_point now) {
    next_tick_ = now + tick_every;
    return onlooker_.keep_going();
  }

  void drain() {
    draining_ = true;
    const Clock::time_point deadline = Clock::now() + options_.drain_max;
    while (open_ > 0 && Clock::now() < deadline) client_.poll(deadline, *this);
    outcome_.lost = open_;
  }

  Client& client_;
  const ClosedLoopOptions& options_;
  const Onlooker& onlooker_;
  std::vector<Lane> lanes_;
  Outcome outcome_;
  std::size_t open_ = 0;
  bool in_window_ = false;
  bool draining_ = false;
  Clock::time_point opened_at_;
  Clock::time_point next_tick_;
};

}  // namespace

Outcome run_closed_loop(Client& client, const ClosedLoopOptions& options,
                        const Onlooker& onlooker) {
  assert(options.lanes > 0 && options.lanes <= client.in_flight_max());
  return ClosedLoop(client, options, onlooker).run();
}

}  // namespace rps::load
