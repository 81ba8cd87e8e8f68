#include "stage3_grpc/chain/chain.hpp"

#include <atomic>
#include <string>
#include <thread>

#include "core/game.hpp"
#include "core/server/metrics.hpp"
#include "stage3_grpc/chain/metrics.hpp"
#include "tests/catch.hpp"
#include "tests/stage3_grpc/chain/fake_transport.hpp"

namespace rps::rpc::chain {
namespace {

// Writes down what is called.
struct Recorder : Link {
  Recorder(char own_name, std::string& all_notes) : name(own_name), notes(all_notes) {}

  bool configure(const ChainSettings&) const { return is_on; }
  std::optional<Refusal> begin(CallInfo&) {
    notes += std::string("b") + name + ' ';
    return refuses ? std::optional(Refusal{.error = Error::overloaded, .retry_after_ms = 7})
                   : std::nullopt;
  }
  void end(const CallInfo&, const Outcome&) noexcept { notes += std::string("e") + name + ' '; }
  void refused(const CallInfo&, const Outcome&) noexcept { notes += std::string("r") + name + ' '; }
  void end_call(const CallInfo&) noexcept { notes += std::string("c") + name + ' '; }

  const char name;
  std::string& notes;
  bool is_on = true;
  bool refuses = false;
};

struct Three {
  std::string notes;
  Recorder a{'a', notes};
  Recorder b{'b', notes};
  Recorder c{'c', notes};
  Chain<Recorder, Recorder, Recorder> chain{a, b, c};
  FakeTransport transport;
  CallInfo call = transport.call();

  // What one message makes the links do.
  std::string pass() {
    notes.clear();
    const auto passage = chain.begin(call);
    chain.end(call, passage, {});
    return notes;
  }
};

TEST_CASE("Links begin in order and end in reverse") {
  Three three;
  CHECK(three.pass().empty());  // All are off at first.
  three.chain.configure({});
  CHECK(three.pass() == "ba bb bc ec eb ea ");
  three.chain.end_call(three.call);
  CHECK(three.notes.ends_with("ec eb ea cc cb ca "));
}

TEST_CASE("A refusal stops a message; links before it end, links behind it are told") {
  Three three;
  three.chain.configure({});
  three.b.refuses = true;
  const auto passage = three.chain.begin(three.call);
  REQUIRE(passage.refusal());
  CHECK(passage.refusal()->error == Error::overloaded);
  CHECK(passage.refusal()->retry_after_ms == 7);
  three.chain.end(three.call, passage, {.error = Error::overloaded});
  CHECK(three.notes == "ba bb rc ea ");
  three.a.refuses = true;
  CHECK(three.pass() == "ba rc rb ");
}

TEST_CASE("A link that is off does not see a message") {
  Three three;
  three.b.is_on = false;
  three.b.refuses = true;
  three.chain.configure({});
  CHECK(three.pass() == "ba bc ec ea ");
}

TEST_CASE("A link that is switched meanwhile sees both halves of a message or neither") {
  Three three;
  three.chain.configure({});
  const auto passage = three.chain.begin(three.call);
  three.b.is_on = false;
  three.chain.configure({});
  const auto next = three.chain.begin(three.call);
  three.notes.clear();
  three.chain.end(three.call, passage, {});
  CHECK(three.notes == "ec eb ea ");
  three.notes.clear();
  three.chain.end(three.call, next, {});
  CHECK(three.notes == "ec ea ");
}

TEST_CASE("Links can be switched while threads pass messages") {
  const Game game({.seed = 1});
  server::Metrics counters(game);
  Metrics link(counters);
  Chain<Metrics> chain(link);
  std::atomic<bool> is_over{false};
  std::thread caller([&] {
    FakeTransport transport;
    CallInfo call = transport.call();
    call.operation = Operation::play;
    while (!is_over.load()) chain.end(call, chain.begin(call), {});
  });
  for (int i = 0; i < 1'000; ++i) chain.configure({.has_metrics = i % 2 == 0});
  is_over = true;
  caller.join();
  CHECK(counters.text().contains("rps_requests_in_flight 0\n"));
}

TEST_CASE("The metrics link counts what is answered and what another link refused") {
  const Game game({.seed = 1});
  server::Metrics counters(game);
  Metrics link(counters);
  FakeTransport transport;
  CallInfo call = transport.call();
  call.operation = Operation::score;
  call.began_at = Clock::time_point(std::chrono::seconds(1));
  CHECK_FALSE(link.begin(call));
  CHECK(counters.text().contains("rps_requests_in_flight 1\n"));
  link.end(call, {.ended_at = call.began_at + std::chrono::seconds(2)});
  link.refused(call, {.error = Error::unauthenticated, .ended_at = call.began_at});
  const std::string text = counters.text();
  CHECK(text.contains("rps_requests_in_flight 0\n"));
  CHECK(text.contains("{operation=\"score\",error_class=\"ok\"} 1\n"));
  CHECK(text.contains("{operation=\"score\",error_class=\"unauthenticated\"} 1\n"));
  CHECK(text.contains("rps_request_duration_seconds_sum{operation=\"score\"} 2\n"));
}

}  // namespace
}  // namespace rps::rpc::chain
