// Many calls at once: no reply is lost, doubled or given to somebody else, and no round is.
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/conformance/cases.hpp"
#include "tests/conformance/check.hpp"
#include "tests/conformance/commands.hpp"
#include "tests/conformance/rounds.hpp"

namespace rps::conformance {

namespace {

constexpr std::size_t calls = 2000;
constexpr ConnectOptions many{.connections = 8, .depth = 8};
constexpr ConnectOptions many_on_one{.connections = 1, .depth = 64};

// Keeps as many calls open as the client allows; call i is the i-th of `commands`.
class Storm final : private Sink {
 public:
  explicit Storm(std::vector<Command> commands)
      : commands_(std::move(commands)), answers_(commands_.size()) {}

  // Every reply, in the order of the commands. Waits for `patience` after each reply for the next.
  std::vector<Answer> run(Client& client, std::chrono::milliseconds patience) {
    client_ = &client;
    require(client.in_flight_max() > 0, "no call may be open");
    while (submitted_ < commands_.size() && open_ < client.in_flight_max()) submit();
    for (Clock::time_point deadline = Clock::now() + patience;
         answered_ < commands_.size() && Clock::now() < deadline;) {
      const std::size_t before = answered_;
      client.poll(deadline, *this);
      if (answered_ > before) deadline = Clock::now() + patience;
    }
    require(problem_.empty(), problem_);
    require_equal("the number of replies", answered_, commands_.size());

    std::vector<Answer> answers;
    for (std::optional<Answer>& answer : answers_) answers.push_back(std::move(*answer));
    return answers;
  }

 private:
  void submit() {
    ++open_;
    const std::size_t call = submitted_++;
    client_->submit(call, commands_[call]);
  }

  void on_reply(std::uint64_t id, const Reply& reply, const Stamps& stamps) override {
    if (id >= submitted_ || answers_[id]) {
      problem_ = say("a reply to call ", id, ", which is not open");
      return;
    }
    if (stamps.received_at < stamps.sent_at) problem_ = "a reply came before its request left";
    answers_[id] = Answer{.reply = reply, .reason = std::string(reply.reason)};
    ++answered_;
    --open_;
    if (submitted_ < commands_.size()) submit();
  }

  void on_event(const Event&) override { problem_ = "an event, and nobody plays a duel"; }

  std::vector<Command> commands_;
  std::vector<std::optional<Answer>> answers_;
  Client* client_ = nullptr;
  std::size_t submitted_ = 0;
  std::size_t answered_ = 0;
  std::size_t open_ = 0;
  std::string problem_;
};

// Calls of four kinds by turns; each kind has a reply that fits no other.
void replies_reach_their_calls(const Target& target, const ConnectOptions& options) {
  std::vector<std::string> session_ids;
  for (std::size_t call = 0; call < calls; ++call) session_ids.push_back(fresh_id());
  std::vector<Command> commands;
  for (std::size_t call = 0; call < calls; ++call) {
    switch (call % 4) {
      case 0: commands.push_back(play(Move::rock, session_ids[call])); break;
      case 1: commands.push_back(score(session_ids[call])); break;
      case 2: commands.push_back(play(Move::unspecified)); break;
      default: commands.push_back(play(Move::paper)); break;
    }
  }
  const auto client = target.open(options);
  const std::vector<Answer> answers = Storm(commands).run(*client, target.patience);

  for (std::size_t call = 0; call < calls; ++call) {
    const Reply& reply = answers[call].reply;
    const std::string who = say("call ", call, " (", commands[call].operation, ")");
    require_equal(who, reply.operation, commands[call].operation);
    const std::optional<Error> error = call % 4 == 1   ? std::optional(Error::unknown_session)
                                       : call % 4 == 2 ? std::optional(Error::invalid_move)
                                                       : std::nullopt;
    require_equal(who, reply.error, error);
    if (error) continue;
    check_verdict(commands[call].move, answers[call]);
    require_equal<std::uint64_t>(who + ": the round", reply.round, call % 4 == 0 ? 1 : 0);
  }
}

// One session played from everywhere at once: its rounds are 1, 2 … each exactly once.
void no_round_is_lost(const Target& target) {
  const std::string session_id = fresh_id();
  const std::vector<Command> commands(calls, play(Move::rock, session_id));
  const auto client = target.open(target.connections_are_worlds ? many_on_one : many);
  std::vector<bool> seen(calls, false);
  for (const Answer& answer : Storm(commands).run(*client, target.patience)) {
    require(!answer.reply.error, "a round is refused with ", answer.reply.error);
    check_verdict(Move::rock, answer);
    const std::uint64_t round = answer.reply.round;
    require(round >= 1 && round <= calls && !seen[round - 1], "round ", round,
            " is wrong or twice");
    seen[round - 1] = true;
    require_equal("the rounds of the score", answer.reply.score.rounds(), round);
  }
  const auto player = target.connections_are_worlds ? nullptr : target.open_player();
  if (!player) return;
  require_equal<std::uint64_t>("the session's rounds",
                               player->ask_gladly(score(session_id)).reply.score.rounds(), calls);
}

}  // namespace

std::vector<Case> load_cases() {
  return {
      {"load/many_connections", "with 8 calls open on each of 8 connections each gets its reply",
       [](const Target& target) { replies_reach_their_calls(target, many); }},
      {"load/one_connection", "with 64 calls open on one connection each gets its reply",
       [](const Target& target) { replies_reach_their_calls(target, many_on_one); }},
      {"load/no_round_lost", "a session played by many at once counts every round once",
       no_round_is_lost},
  };
}

}  // namespace rps::conformance
