#include "core/fleet/in_order_session.hpp"

#include <cassert>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/fleet/call_table.hpp"
#include "core/net/request_queue.hpp"

namespace rps::fleet {

namespace {

using Outcome = net::WireCodec::Outcome;

// The handle of a call that was not sent.
constexpr std::uint64_t no_handle = UINT64_MAX;

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
  bool is_over() const override { return is_leaving_ && requests_.empty() && refused_.empty(); }
  std::size_t open_calls() const override { return requests_.size() + refused_.size(); }

  bool has_news() const override {
    return !refused_.empty() || (is_leaving_ && !requests_.empty());
  }

  std::optional<Clock::time_point> owes_since() const override {
    if (requests_.empty()) return std::nullopt;
    return requests_.oldest().sent_at;
  }

  std::uint64_t begin(std::uint32_t call, const Command& command, std::string& out) override {
    if (const auto error = codec_.refusal(command)) {
      refused_.push_back({.call = call, .operation = command.operation, .error = *error});
      return no_handle;
    }
    return requests_.push(codec_, call, command, out);
  }

  bool write(std::string&, Clock::time_point now) override {
    requests_.mark_sent(now);
    return true;
  }

  bool wants_to_write() const override { return false; }

  void cancel(std::uint64_t handle) override {
    assert(handle != no_handle);
    requests_.numbered(handle).id = no_index;
  }

  News read(net::InputBuffer& input, Told& told) override {
    if (!refused_.empty()) return tell_refused(told);
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

  void abandon(std::vector<std::uint32_t>& lost,
               std::vector<std::uint32_t>& not_processed) override {
    while (!requests_.empty()) {
      const auto call = static_cast<std::uint32_t>(requests_.pop().id);
      if (call != no_index) lost.push_back(call);
    }
    for (const Refused& call : refused_) not_processed.push_back(call.call);
  }

 private:
  struct Refused {
    std::uint32_t call = 0;
    Operation operation = Operation::play;
    Error error = Error::unknown_operation;
  };

  News tell_refused(Told& told) {
    told.call = refused_.back().call;
    told.reply = {.operation = refused_.back().operation, .error = refused_.back().error};
    refused_.pop_back();
    return News::answered;
  }

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
  std::vector<Refused> refused_;  // By the codec; not told yet.
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
