#include "core/fleet/in_order_session.hpp"

#include <utility>

#include "core/fleet/call_table.hpp"
#include "core/net/request_queue.hpp"

namespace rps::fleet {

namespace {

using Outcome = net::WireCodec::Outcome;

// The queue knows each request by its call's number, and one that was cancelled by `no_index`: its
// answer still takes its turn.
class InOrderSession final : public Session {
 public:
  explicit InOrderSession(net::WireCodec& codec) : codec_(codec) {}

  // See WireCodec::has_last_replies().
  bool has_room() const override {
    if (is_leaving_) return false;
    const bool awaits_first = !requests_.empty() && requests_.oldest().sequence == 1;
    return !awaits_first || !codec_.has_last_replies();
  }

  bool is_leaving() const override { return is_leaving_; }
  bool is_over() const override { return is_leaving_ && requests_.empty(); }
  std::size_t open_calls() const override { return requests_.size(); }
  bool has_news() const override { return is_leaving_ && !requests_.empty(); }

  std::optional<Clock::time_point> owes_since() const override {
    if (requests_.empty()) return std::nullopt;
    return requests_.oldest().sent_at;
  }

  std::uint64_t begin(std::uint32_t call, const Command& command, std::string& out) override {
    return requests_.push(codec_, call, command, out);
  }

  bool write(std::string&, Clock::time_point now) override {
    requests_.mark_sent(now);
    return true;
  }

  bool wants_to_write() const override { return false; }

  void cancel(std::uint64_t handle) override { requests_.numbered(handle).id = no_index; }

  News read(net::InputBuffer& input, Told& told) override {
    if (is_leaving_) return tell_not_processed(told);
    switch (requests_.decode(codec_, input, told.reply, told.event)) {
      case Outcome::need_more: return News::nothing;
      case Outcome::broken: return News::broken;
      case Outcome::event: return News::event;
      case Outcome::reply: return take_answer(told);
      case Outcome::last_reply: is_leaving_ = true; return take_answer(told);
    }
    return News::broken;
  }

  News read_end(net::InputBuffer& input, Told& told) override {
    if (is_leaving_) return News::broken;
    if (requests_.decode_end(codec_, input, told.reply) != Outcome::last_reply) {
      return News::broken;
    }
    is_leaving_ = true;
    return take_answer(told);
  }

  void abandon(std::vector<std::uint32_t>& lost, std::vector<std::uint32_t>&) override {
    while (!requests_.empty()) {
      const auto call = static_cast<std::uint32_t>(requests_.pop().id);
      if (call != no_index) lost.push_back(call);
    }
  }

 private:
  News take_answer(Told& told) {
    told.call = static_cast<std::uint32_t>(requests_.pop().id);
    return told.call == no_index ? News::late : News::answered;
  }

  // Of the requests behind the last one that the peer answers.
  News tell_not_processed(Told& told) {
    while (!requests_.empty()) {
      told.call = static_cast<std::uint32_t>(requests_.pop().id);
      if (told.call != no_index) return News::not_processed;
    }
    return News::nothing;
  }

  net::WireCodec& codec_;
  net::RequestQueue requests_;
  bool is_leaving_ = false;
};

class InOrderProtocol final : public Protocol {
 public:
  explicit InOrderProtocol(std::unique_ptr<net::WireCodec> codec) : codec_(std::move(codec)) {}

  std::unique_ptr<Session> begin_session() override {
    return std::make_unique<InOrderSession>(*codec_);
  }

 private:
  std::unique_ptr<net::WireCodec> codec_;
};

}  // namespace

std::unique_ptr<Protocol> make_in_order_protocol(std::unique_ptr<net::WireCodec> codec) {
  return std::make_unique<InOrderProtocol>(std::move(codec));
}

}  // namespace rps::fleet
