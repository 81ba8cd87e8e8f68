// The suite itself on trial: an honest game in this process passes every case, and each lie that a
// server could tell is caught by the case that is there for it.
#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bench/load/clients/inproc.hpp"
#include "core/game.hpp"
#include "tests/catch.hpp"
#include "tests/conformance/check.hpp"
#include "tests/conformance/golden.hpp"
#include "tests/conformance/rules.hpp"
#include "tests/conformance/suite.hpp"

namespace rps::conformance {

namespace {

using std::chrono_literals::operator""ms;

// What a lying server makes of replies and events on their way out.
struct Lie {
  std::function<void(Command&)> mishear = [](Command&) {};
  std::function<void(const Command&, Reply&)> misreport = [](const Command&, Reply&) {};
  std::function<void(Event&)> mistell = [](Event&) {};
  std::function<void(Observation&)> misshow = [](Observation&) {};
  std::function<int(std::uint64_t id)> times = [](std::uint64_t) { return 1; };
};

class Liar final : public Client, private Sink {
 public:
  Liar(std::unique_ptr<Client> honest, const Lie& lie) : honest_(std::move(honest)), lie_(lie) {}

  void submit(std::uint64_t id, const Command& command) override {
    Command heard = command;
    lie_.mishear(heard);
    asked_.resize(std::max(asked_.size(), id + 1));
    asked_[id] = command;
    honest_->submit(id, heard);
  }

  std::size_t poll(Clock::time_point deadline, Sink& sink) override {
    sink_ = &sink;
    return honest_->poll(deadline, *this);
  }

  std::size_t in_flight_max() const override { return honest_->in_flight_max(); }

 private:
  void on_reply(std::uint64_t id, const Reply& reply, const Stamps& stamps) override {
    Reply told = reply;
    lie_.misreport(asked_[id], told);
    for (int count = lie_.times(id); count > 0; --count) sink_->on_reply(id, told, stamps);
  }

  void on_event(const Event& event) override {
    Event told = event;
    lie_.mistell(told);
    sink_->on_event(told);
  }

  void on_observation(const Observation& seen) override {
    Observation shown = seen;
    lie_.misshow(shown);
    sink_->on_observation(shown);
  }

  void on_watch_ended(std::uint64_t id, const Reply& reply) override {
    sink_->on_watch_ended(id, reply);
  }

  std::unique_ptr<Client> honest_;
  const Lie& lie_;
  std::vector<Command> asked_;
  Sink* sink_ = nullptr;
};

Target target_of(Game& game, const Lie& lie) {
  return {.name = "a game in this process",
          .connect = [&game, &lie](const ConnectOptions& options) -> std::unique_ptr<Client> {
            return std::make_unique<Liar>(load::connect_inproc(game, options), lie);
          },
          .patience = 500ms};
}

std::vector<Case> all_cases(Strategy house, const Target& first) {
  std::vector<Case> cases = round_cases();
  for (const auto& more : {refusal_cases(), duel_cases(), watch_cases(), load_cases(),
                           transcript_cases(house, golden_seed, first)}) {
    cases.insert(cases.end(), more.begin(), more.end());
  }
  return cases;
}

// Everything that the cases say about a game that lies.
std::string complaints(const Lie& lie) {
  Game honest({.house = Strategy::fair, .seed = golden_seed});
  Game game({.house = Strategy::fair, .seed = golden_seed});
  const Lie truth;
  const Target first = target_of(honest, truth);
  const Target target = target_of(game, lie);
  std::string all;
  for (const Case& test : all_cases(Strategy::fair, first)) {
    const Outcome outcome = run_case(test, target);
    if (outcome.verdict == Verdict::failed) all += test.name + ": " + outcome.why + "\n";
  }
  return all;
}

Score one_more_draw(Score score) {
  ++score.draws;
  return score;
}

}  // namespace

TEST_CASE("an honest game passes every case, whatever the house") {
  const Lie truth;
  for (const Strategy house : all_strategies) {
    Game game({.house = house, .seed = golden_seed});
    Target target = target_of(game, truth);
    target.patience = std::chrono::seconds(10);
    for (const Case& test : all_cases(house, target)) {
      INFO(to_string(house) << " " << test.name);
      const Outcome outcome = run_case(test, target);
      CHECK(outcome.why == "");
      CHECK(outcome.verdict == Verdict::passed);
    }
  }
}

TEST_CASE("every flipped entry of the judge's table is caught by its pair") {
  for (const Rule& rule : rules) {
    for (const Result wrong : {Result::lose, Result::draw, Result::win}) {
      if (wrong == rule.result) continue;
      const Lie lie{.misreport = [&](const Command& command, Reply& reply) {
        if (command.move == rule.player && reply.opponent_move == rule.opponent) {
          reply.result = wrong;
        }
      }};
      const std::string pair =
          say(rule.player, " against ", rule.opponent, " is ", wrong, ", must be ", rule.result);
      CHECK_THAT(complaints(lie), Catch::Matchers::Contains("round/all_nine_pairs: " + pair));
    }
  }
}

TEST_CASE("every lie is caught") {
  const std::vector<std::pair<std::string, Lie>> lies{
      {"round/all_nine_pairs",
       {.misreport = [](const Command&, Reply& reply) { reply.reason = "because"; }}},
      {"round/without_session",
       {.misreport = [](const Command&, Reply& reply) { reply.round += reply.round == 0; }}},
      {"session/score",
       {.misreport = [](const Command&, Reply& reply) { reply.round += reply.round == 20; }}},
      {"session/score",
       {.misreport =
            [](const Command& command, Reply& reply) {
              if (command.operation == Operation::score) reply.score = one_more_draw(reply.score);
            }}},
      {"session/independent", {.mishear = [](Command& command) { command.session_id = "all"; }}},
      {"session/longest_id",
       {.mishear =
            [](Command& command) { command.session_id = command.session_id.substr(0, 63); }}},
      {"refuse/play/id_with_space",
       {.mishear =
            [](Command& command) {
              if (command.session_id.contains(' ')) command.session_id = "trimmed";
            }}},
      {"refuse/play/no_move",
       {.mishear =
            [](Command& command) {
              if (command.move == Move::unspecified) command.move = Move::rock;
            }}},
      {"refuse/score/unknown",
       {.misreport =
            [](const Command&, Reply& reply) {
              if (reply.error == Error::unknown_session) reply.error = Error::internal;
            }}},
      {"refuse/join/best_of_100",
       {.mishear = [](Command& command) { command.best_of = std::min(command.best_of, 99U); }}},
      {"duel/hidden_throw",
       {.mistell =
            [](Event& event) {
              if (event.type == EventType::opponent_ready) event.opponent_move = Move::rock;
            }}},
      {"duel/all_nine_pairs",
       {.mistell =
            [](Event& event) {
              if (event.result == Result::win) event.result = Result::draw;
            }}},
      {"duel/all_nine_pairs",
       {.mistell = [](Event& event) { std::swap(event.player_move, event.opponent_move); }}},
      {"duel/draws",
       {.mistell =
            [](Event& event) {
              if (event.type == EventType::game_over) event.winner = event.player_id;
            }}},
      {"duel/first_decides",
       {.misreport = [](const Command& command,
                        Reply& reply) { reply.best_of = command.best_of; }}},
      {"watch/hidden_throw",
       {.misshow =
            [](Observation& seen) {
              if (seen.type == ObservationType::ready) seen.moves[0] = Move::rock;
            }}},
      {"watch/whole_duel",
       {.misshow = [](Observation& seen) { std::swap(seen.moves[0], seen.moves[1]); }}},
      {"watch/whole_duel",
       {.misshow =
            [](Observation& seen) {
              if (seen.is_over) seen.winner = seen.players[0].id;
            }}},
      {"watch/late",
       {.misshow = [](Observation& seen) { seen.players[1].score = seen.players[0].score; }}},
      {"load/one_connection", {.times = [](std::uint64_t id) { return id == 1234 ? 0 : 1; }}},
      {"load/one_connection", {.times = [](std::uint64_t id) { return id == 1234 ? 2 : 1; }}},
      {"transcript/golden",
       {.mishear =
            [](Command& command) {
              if (command.move == Move::rock) command.move = Move::paper;
            }}},
  };
  for (const auto& [name, lie] : lies) {
    INFO(name);
    CHECK_THAT(complaints(lie), Catch::Matchers::Contains(name + ": "));
  }
}

TEST_CASE("a server without duels is not told to be wrong") {
  const Lie lie{.misreport = [](const Command& command, Reply& reply) {
    if (is_of_duel(command.operation)) {
      reply = {.operation = command.operation, .error = Error::unknown_operation};
    }
  }};
  CHECK(complaints(lie) == "");
}

}  // namespace rps::conformance
