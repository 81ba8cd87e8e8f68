// The links that every message passes before the game sees it, and its answer afterwards:
//
//   begin  Auth ──▶ Trace ──▶ RateLimit ──▶ Metrics ──▶ Log ──▶ game
//   end         ◀──       ◀──           ◀──         ◀──     ◀── answer
//
// A link that refuses a message stops it there. The links before it have begun and get end(); the
// links behind it have not begun and get refused(), so that a refused message is counted and
// logged as well.
//
// Links are switched on and off while messages are under way. Which links are on is looked up once
// for each message, with one load of an atomic, so each link sees the two halves of a message or
// neither.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <tuple>
#include <utility>

#include "stage3_grpc/chain/call_info.hpp"
#include "stage3_grpc/chain/settings.hpp"

namespace rps::rpc::chain {

// The functions of a link, which do nothing here. A link derives from this and defines those that
// it needs. All but configure() are called from any number of threads at once.
struct Link {
  // The message of `call` is about to be carried out. Any returned refusal becomes its answer.
  std::optional<Refusal> begin(CallInfo& /*call*/) { return std::nullopt; }

  // After begin() without a refusal: the message is answered.
  void end(const CallInfo& /*call*/, const Outcome& /*outcome*/) noexcept {}

  // Without begin(): a link in front of this one has refused the message, and it is answered.
  void refused(const CallInfo& /*call*/, const Outcome& /*outcome*/) noexcept {}

  // The call is over, also when the link is off by now. Not called for a call without a message.
  void end_call(const CallInfo& /*call*/) noexcept {}
};

// REQUIRES of each link, besides the functions of Link: `bool configure(const ChainSettings&)`,
// which takes the settings and says whether the link is on.
template <class... Links>
class Chain {
 public:
  // The way of one message through the chain.
  class Passage {
   public:
    const std::optional<Refusal>& refusal() const { return refusal_; }

   private:
    friend class Chain;
    std::uint32_t on_ = 0;     // A bit for each link that was on when the message came.
    std::uint32_t began_ = 0;  // Of them those that have begun.
    std::optional<Refusal> refusal_;
  };

  // All links are off. REQUIRES: the links outlive the chain.
  explicit Chain(Links&... links) : links_(links...) {}

  // Applies to messages that come from now on. Any thread, one at a time.
  void configure(const ChainSettings& settings) {
    std::uint32_t on = 0;
    for_each([&]<std::size_t i>(auto& link) {
      if (link.configure(settings)) on |= bit<i>();
    });
    on_.store(on, std::memory_order_release);
  }

  // Passes a message to the links. When the passage has a refusal, that is the answer.
  Passage begin(CallInfo& call) {
    Passage passage;
    passage.on_ = on_.load(std::memory_order_acquire);
    for_each([&]<std::size_t i>(auto& link) {
      if ((passage.on_ & bit<i>()) == 0 || passage.refusal_) return;
      passage.refusal_ = link.begin(call);
      if (!passage.refusal_) passage.began_ |= bit<i>();
    });
    return passage;
  }

  // The message is answered. To be called once after each begin().
  void end(const CallInfo& call, const Passage& passage, const Outcome& outcome) noexcept {
    const std::uint32_t refusing = first_bit(passage.on_ & ~passage.began_);
    for_each_reversed([&]<std::size_t i>(auto& link) {
      if ((passage.began_ & bit<i>()) != 0) {
        link.end(call, outcome);
      } else if ((passage.on_ & bit<i>()) != 0 && bit<i>() != refusing) {
        link.refused(call, outcome);
      }
    });
  }

  // The call is over, after the last end(). To be called once for each CallInfo.
  void end_call(const CallInfo& call) noexcept {
    for_each_reversed([&]<std::size_t>(auto& link) { link.end_call(call); });
  }

 private:
  static constexpr std::size_t count = sizeof...(Links);
  static_assert(count <= 32);

  template <std::size_t i>
  static constexpr std::uint32_t bit() {
    return std::uint32_t{1} << i;
  }
  static constexpr std::uint32_t first_bit(std::uint32_t bits) { return bits & (~bits + 1); }

  void for_each(auto visit) {
    [&]<std::size_t... i>(std::index_sequence<i...>) {
      (visit.template operator()<i>(std::get<i>(links_)), ...);
    }(std::make_index_sequence<count>());
  }
  void for_each_reversed(auto visit) {
    [&]<std::size_t... i>(std::index_sequence<i...>) {
      (visit.template operator()<count - 1 - i>(std::get<count - 1 - i>(links_)), ...);
    }(std::make_index_sequence<count>());
  }

  std::tuple<Links&...> links_;
  std::atomic<std::uint32_t> on_{0};
};

}  // namespace rps::rpc::chain
