// The harness's loop: the part of every measured time that is not the server's.
#include <array>
#include <chrono>
#include <cstdint>

#include <benchmark/benchmark.h>

#include "bench/load/clients/inproc.hpp"
#include "bench/load/loop.hpp"
#include "bench/micro/benchmarks.hpp"

namespace rps::micro {

namespace {

// Lets a client answer one call an iteration, and lets the loop go on until these are counted.
class Counting final : public Client, private Sink {
 public:
  Counting(Client& client, benchmark::State& state) : client_(client), state_(state) {}

  bool is_counting() const { return is_counting_; }

  void submit(std::uint64_t id, const Command& command) override { client_.submit(id, command); }
  std::size_t poll(Clock::time_point deadline, Sink& sink) override {
    sink_ = &sink;
    return client_.poll(deadline, *this);
  }
  std::size_t in_flight_max() const override { return client_.in_flight_max(); }

 private:
  void on_reply(std::uint64_t id, const Reply& reply, const Stamps& stamps) override {
    if (is_counting_) is_counting_ = state_.KeepRunning();
    sink_->on_reply(id, reply, stamps);
  }
  void on_event(const Event& event) override { sink_->on_event(event); }

  Client& client_;
  benchmark::State& state_;
  Sink* sink_ = nullptr;
  bool is_counting_ = true;
};

// A client that costs next to nothing: what was submitted is answered at once.
class Instant final : public Client {
 public:
  void submit(std::uint64_t id, const Command&) override { open_[submitted_++ % slots] = id; }

  std::size_t poll(Clock::time_point, Sink& sink) override {
    const std::uint64_t end = submitted_;  // Not those that the sink submits meanwhile.
    const std::size_t answered = end - answered_;
    while (answered_ < end) {
      const Clock::time_point now = Clock::now();
      sink.on_reply(open_[answered_++ % slots], {}, {.sent_at = now, .received_at = now});
    }
    return answered;
  }

  std::size_t in_flight_max() const override { return slots; }

  static constexpr std::size_t slots = 16;

 private:
  std::array<std::uint64_t, slots> open_{};
  std::uint64_t submitted_ = 0;
  std::uint64_t answered_ = 0;
};

// The closed loop around a client, for a call of it; the client's own two stamps are in it.
void run_harness(benchmark::State& state, Client& client, load::Judging judging) {
  Counting counting(client, state);
  const load::LoopCallbacks callbacks{.keep_going = [&] { return counting.is_counting(); }};
  load::run_loop(counting,
                 {.slots = Instant::slots, .judging = judging, .window = std::chrono::hours(1)},
                 callbacks);
}

void harness_floor(benchmark::State& state) {
  Instant client;
  run_harness(state, client, load::Judging::none);
}

void harness_in_process(benchmark::State& state) {
  Game game(GameOptions{.seed = 1});
  const auto client = load::connect_inproc(game, {.connections = Instant::slots});
  run_harness(state, *client, load::Judging::sessions);
}

}  // namespace

void add_loop_benchmarks() {
  benchmark::RegisterBenchmark("harness/call/floor", harness_floor);
  benchmark::RegisterBenchmark("harness/call/in_process", harness_in_process);
}

}  // namespace rps::micro
