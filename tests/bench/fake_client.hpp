// A client whose answers a test can change.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "bench/load/clients/inproc.hpp"
#include "core/client.hpp"
#include "core/game.hpp"

namespace rps::load {

// Plays right and lets `tamper` change each reply, counted from 1, before it is handed over; with
// `mute_after` it answers that many calls and then no more.
class FakeClient final : public Client, private Sink {
 public:
  using Tamper = std::function<void(std::uint64_t count, Reply& reply)>;

  FakeClient(std::size_t slots, Tamper tamper, std::uint64_t mute_after = ~std::uint64_t{0})
      : honest_(connect_inproc(game_, {.connections = slots})),
        tamper_(std::move(tamper)),
        mute_after_(mute_after) {}

  void submit(std::uint64_t id, const Command& command) override { honest_->submit(id, command); }

  std::size_t poll(Clock::time_point deadline, Sink& sink) override {
    sink_ = &sink;
    return honest_->poll(deadline, *this);
  }

  std::size_t in_flight_max() const override { return honest_->in_flight_max(); }

  // Whether `unavailable` is what the client says because its server is gone; else the server's.
  bool is_gone = true;

 private:
  void on_reply(std::uint64_t id, const Reply& reply, const Stamps& stamps) override {
    if (++count_ > mute_after_) return;
    Reply changed = reply;
    tamper_(count_, changed);
    Stamps as_told = stamps;
    as_told.is_answered = !is_gone || changed.error != Error::unavailable;
    sink_->on_reply(id, changed, as_told);
  }
  void on_event(const Event& event) override { sink_->on_event(event); }

  Game game_{GameOptions{.seed = 1}};
  std::unique_ptr<Client> honest_;
  Tamper tamper_;
  std::uint64_t mute_after_;
  std::uint64_t count_ = 0;
  Sink* sink_ = nullptr;
};

}  // namespace rps::load
