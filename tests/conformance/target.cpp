#include "tests/conformance/target.hpp"

#include <algorithm>
#include <atomic>
#include <random>
#include <stdexcept>
#include <utility>

#include "bench/load/clients/connect.hpp"
#include "core/url.hpp"
#include "tests/conformance/check.hpp"

namespace rps::conformance {

Player::Player(std::unique_ptr<Client> client, std::chrono::milliseconds patience)
    : client_(std::move(client)), patience_(patience) {}

Answer Player::ask(const Command& command) {
  answer_.reset();
  client_->submit(++asked_, command);
  const Clock::time_point deadline = Clock::now() + patience_;
  while (!answer_ && Clock::now() < deadline) client_->poll(deadline, *this);
  if (!surplus_.empty()) throw Failed(surplus_);
  if (!answer_) throw Failed(say("no reply to ", command.operation));
  return *std::exchange(answer_, std::nullopt);
}

Answer Player::ask_gladly(const Command& command) {
  Answer answer = ask(command);
  if (answer.reply.error) {
    throw Failed(say(command.operation, " is refused with ", *answer.reply.error));
  }
  return answer;
}

std::optional<Event> Player::next_event(std::string_view game_id, std::string_view player_id) {
  return next(events_, [&](const Event& event) {
    return event.game_id.view() == game_id && event.player_id.view() == player_id;
  });
}

std::optional<Observation> Player::next_observation(std::string_view game_id) {
  return next(observations_,
              [&](const Observation& seen) { return seen.game_id.view() == game_id; });
}

// The first of `told` that is meant, now or when it has come.
template <class Told, class IsMeant>
std::optional<Told> Player::next(std::deque<Told>& told, IsMeant is_meant) {
  const Clock::time_point deadline = Clock::now() + patience_;
  for (;;) {
    const auto found = std::ranges::find_if(told, is_meant);
    if (found != told.end()) {
      const Told first = *found;
      told.erase(found);
      return first;
    }
    if (Clock::now() >= deadline) return std::nullopt;
    client_->poll(deadline, *this);
  }
}

std::optional<Event> Player::left_over() const {
  return events_.empty() ? std::nullopt : std::optional(events_.front());
}

void Player::on_reply(std::uint64_t id, const Reply& reply, const Stamps&) {
  if (id != asked_ || answer_) {
    surplus_ = say("a reply to call ", id, ", which is not open");
    return;
  }
  answer_ = Answer{.reply = reply, .reason = std::string(reply.reason)};
  answer_->reply.reason = {};
}

void Player::on_event(const Event& event) {
  events_.push_back(event);
}

void Player::on_observation(const Observation& seen) {
  observations_.push_back(seen);
}

std::unique_ptr<Client> Target::open(ConnectOptions options) const {
  options.timeout_max = patience;
  return connect(options);
}

std::unique_ptr<Player> Target::open_player() const {
  return std::make_unique<Player>(open({}), patience);
}

Target make_target(const std::string& text) {
  const auto url = parse_url(text);
  if (!url) throw std::invalid_argument(url.error());
  if (const auto checked = load::check(*url); !checked) {
    throw std::invalid_argument(checked.error());
  }
  return {.name = text,
          .connect =
              [text](const ConnectOptions& options) { return load::connect(text, options).client; },
          .connections_are_worlds = url->scheme == "cli" || url->scheme == "inproc"};
}

std::string fresh_id() {
  static const std::uint32_t run = std::random_device{}();
  static std::atomic<std::uint32_t> count{0};
  return say('t', run, '-', ++count);
}

}  // namespace rps::conformance
