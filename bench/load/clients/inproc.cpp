#include "bench/load/clients/inproc.hpp"

#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/number.hpp"

namespace rps::load {

namespace {

struct Answer {
  std::uint64_t id = 0;
  Reply reply;
  Stamps stamps;
};

using Delivery = std::variant<Answer, Event, Observation>;

// Keeps the events and observations of the command being handled until its reply stands before
// them.
class Mailbox final : public EventSink, public SpectatorSink {
 public:
  void on_event(const Event& event) override { kept_.emplace_back(event); }

  bool on_observation(const Observation& seen) override {
    kept_.emplace_back(seen);
    return true;
  }

  void move_into(std::vector<Delivery>& deliveries) {
    for (const Delivery& delivery : kept_) deliveries.push_back(delivery);
    kept_.clear();
  }

 private:
  std::vector<Delivery> kept_;
};

// Hands a delivery over.
struct Handing {
  Sink& sink;

  void operator()(const Answer& answer) { sink.on_reply(answer.id, answer.reply, answer.stamps); }
  void operator()(const Event& event) { sink.on_event(event); }
  void operator()(const Observation& seen) { sink.on_observation(seen); }
};

class InprocClient final : public Client {
 public:
  InprocClient(std::unique_ptr<Game> owned, Game& game, std::size_t in_flight_max)
      : owned_(std::move(owned)), game_(game), in_flight_max_(in_flight_max) {}

  ~InprocClient() override { caller_.disconnect(Clock::now()); }

  void submit(std::uint64_t id, const Command& command) override {
    const Clock::time_point sent_at = Clock::now();
    const Reply reply = game_.handle(command, caller_, sent_at);
    const Stamps stamps{.sent_at = sent_at, .received_at = Clock::now()};
    waiting_.emplace_back(Answer{.id = id, .reply = reply, .stamps = stamps});
    mailbox_->move_into(waiting_);
  }

  // Never waits: what can arrive has arrived.
  std::size_t poll(Clock::time_point, Sink& sink) override {
    mailbox_->move_into(waiting_);  // What the other clients of a shared game brought about.
    std::swap(waiting_, handed_over_);
    for (const Delivery& delivery : handed_over_) std::visit(Handing{sink}, delivery);
    const std::size_t count = handed_over_.size();
    handed_over_.clear();
    return count;
  }

  std::size_t in_flight_max() const override { return in_flight_max_; }

 private:
  std::unique_ptr<Game> owned_;  // Null when the game is someone else's.
  Game& game_;
  std::size_t in_flight_max_;
  std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>();
  Caller caller_{game_, mailbox_, mailbox_};
  std::vector<Delivery> waiting_;
  std::vector<Delivery> handed_over_;
};

// "fair, weighted, …".
std::string houses() {
  std::string names;
  for (const Strategy strategy : all_strategies) {
    names.append(names.empty() ? "" : ", ").append(to_string(strategy));
  }
  return names;
}

GameOptions parse_options(const Url& url) {
  GameOptions options;
  for (const auto& [name, value] : url.query) {
    if (name == "house") {
      const auto house = parse_strategy(value);
      if (!house)
        throw std::invalid_argument("house must be " + houses() + ", not '" + value + "'");
      options.house = *house;
    } else if (name == "seed") {
      const auto seed = parse_count(value, {});
      if (!seed) throw std::invalid_argument("seed " + seed.error());
      options.seed = *seed;
    } else {
      throw std::invalid_argument("inproc: takes house and seed, not '" + name + "'");
    }
  }
  if (!options.seed) options.secret = mix(std::random_device{}(), std::random_device{}());
  return options;
}

}  // namespace

void check_inproc(const Url& url) {
  (void)parse_options(url);
}

std::unique_ptr<Client> connect_inproc(const Url& url, const ConnectOptions& options) {
  auto game = std::make_unique<Game>(parse_options(url));
  Game& reference = *game;
  return std::make_unique<InprocClient>(std::move(game), reference,
                                        options.connections * options.depth);
}

std::unique_ptr<Client> connect_inproc(Game& game, const ConnectOptions& options) {
  return std::make_unique<InprocClient>(nullptr, game, options.connections * options.depth);
}

}  // namespace rps::load
