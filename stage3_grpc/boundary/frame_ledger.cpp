#include "stage3_grpc/boundary/frame_ledger.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace rps::rpc::boundary {

namespace {

// A gRPC message begins with a prefix of five bytes.
constexpr std::uint32_t message_bytes_min = 5;

constexpr std::uint32_t continuation_bytes = 1'024;
constexpr int answered_weight = 2;      // What the end of an answer pays back of the calls …
constexpr int answer_frame_weight = 4;  // … and each of its frames of the control frames.
constexpr int acknowledged_weight = 2;  // PING and SETTINGS have to be acknowledged.

// HTTP/2's first window (65,535 bytes) holds 2,500 of the shortest answers. A client may get them
// at once, and send a WINDOW_UPDATE of the stream and one of the connection for each afterwards.
constexpr std::uint64_t free_window_updates_max = 10'000;
constexpr int window_updates_weight = 2;

// The weight of a call (call_pool.hpp). With 8 KiB of headers, which gRPC counts uncompressed and
// with 32 bytes for each field, it costs four times as much memory as one with short headers.
constexpr std::uint64_t header_bytes_of_weight = 128;
constexpr int limited_weight_max = 4;

// Adds to a counter that wraps and that only one thread writes.
void add(std::atomic<std::uint32_t>& counter, std::uint32_t amount) {
  counter.store(counter.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
}

}  // namespace

void FrameLedger::Account::pay_back(std::uint64_t amount) {
  used_ -= static_cast<int>(std::min(amount, static_cast<std::uint64_t>(used_)));
}

void FrameLedger::Account::forgive(double seconds) {
  pay_back(static_cast<std::uint64_t>(seconds * allowance_.per_second));
}

FrameLedger::FrameLedger(const Budgets& budgets, std::shared_ptr<CallPool> pool,
                         Clock::time_point now)
    : unanswered_calls_(budgets.unanswered_calls),
      cancelled_calls_(budgets.cancelled_calls),
      control_frames_(budgets.control_frames),
      budgets_(budgets),
      calls_(std::move(pool)),
      forgiven_at_(now) {}

std::optional<Breach> FrameLedger::received(std::span<const std::uint8_t> bytes,
                                            Clock::time_point now) {
  pay_back(now);
  cancelled_calls_.set_max(std::min(budgets_.cancelled_calls.max, calls_.pool().share()));
  std::optional<Breach> breach;
  cancelled_ = {};
  in_.cut(bytes, [&](const Frame& frame) {
    if (!breach) breach = charge(frame, now);
  });
  // After a breach gRPC gets none of these calls.
  if (!breach && cancelled_.count != 0) calls_.pool().cancel(cancelled_.count, cancelled_.weight);
  return breach;
}

bool FrameLedger::sent(std::span<const std::uint8_t> bytes) {
  bool has_ended = false;
  std::uint32_t ends = 0;
  std::uint32_t frames = 0;
  out_.cut(bytes, [&](const Frame& frame) {
    if (frame.type == Frame::settings) answers_.has_settings.store(true, std::memory_order_relaxed);
    if (frame.type == Frame::ping && (frame.flags & Frame::ack) == 0) add(answers_.pings, 1);
    if (frame.type == Frame::headers || frame.type == Frame::continuation) {
      are_headers_unfinished_ = (frame.flags & Frame::end_headers) == 0;
    }
    if (frame.ends_stream() || frame.type == Frame::rst_stream) {
      has_ended = calls_.close(frame.stream) != 0 || has_ended;
    } else if (frame.type == Frame::data) {
      calls_.answer(frame.stream);
    }
    if (frame.type != Frame::data && frame.type != Frame::headers) return;
    ++frames;
    if (frame.ends_stream()) ++ends;
  });
  add(answers_.ends, ends);
  add(answers_.frames, frames);
  return has_ended && calls_.weight() == 0;
}

bool FrameLedger::may_begin_frame() const {
  return answers_.has_settings.load(std::memory_order_relaxed) && out_.is_between_frames() &&
         !are_headers_unfinished_;
}

std::optional<Clock::time_point> FrameLedger::served_at() const {
  const Clock::time_point at = served_at_.load(std::memory_order_relaxed);
  if (at == Clock::time_point{}) return std::nullopt;
  return at;
}

void FrameLedger::pay_back(Clock::time_point now) {
  const std::uint32_t ends = answers_.ends.load(std::memory_order_relaxed);
  const std::uint32_t frames = answers_.frames.load(std::memory_order_relaxed);
  unanswered_calls_.pay_back(answered_weight * std::uint64_t{ends - ends_seen_});
  cancelled_calls_.pay_back(frames - frames_seen_);
  control_frames_.pay_back(answer_frame_weight * std::uint64_t{frames - frames_seen_});
  free_window_updates_ =
      std::min(free_window_updates_ + window_updates_weight * std::uint64_t{frames - frames_seen_},
               free_window_updates_max);
  if (ends != ends_seen_ && calls_.weight() != 0) note_served(now);
  ends_seen_ = ends;
  frames_seen_ = frames;
}

// Of the time that has passed, one second counts at most.
void FrameLedger::forgive(Clock::time_point now) {
  const double seconds =
      std::clamp(std::chrono::duration<double>(now - forgiven_at_).count(), 0.0, 1.0);
  unanswered_calls_.forgive(seconds);
  cancelled_calls_.forgive(seconds);
  control_frames_.forgive(seconds);
  forgiven_at_ = now;
}

std::optional<Breach> FrameLedger::charge(const Frame& frame, Clock::time_point now) {
  const auto control = [&](int weight, Breach breach) {
    return charge(control_frames_, weight, breach, now);
  };
  switch (frame.type) {
    case Frame::headers:
      header_bytes_ = 0;
      if (const auto breach = charge_headers(frame, frame.length, now)) return breach;
      return charge(unanswered_calls_, 1, Breach::unanswered_calls, now);
    case Frame::continuation: return charge_headers(frame, frame.length + continuation_bytes, now);
    case Frame::rst_stream:
      if (const int weight = calls_.close(frame.stream)) {
        ++cancelled_.count;
        cancelled_.weight += weight;
        if (calls_.weight() == 0) note_served(now);
      }
      return charge(cancelled_calls_, 1, Breach::cancelled_calls, now);
    case Frame::data:
      if (calls_.receive(frame.stream, frame.length) && has_too_many_calls()) {
        return Breach::too_many_calls;
      }
      if (frame.length >= message_bytes_min) return std::nullopt;
      return control(1, Breach::empty_data);
    case Frame::ping:
      if ((frame.flags & Frame::ack) != 0) {
        pings_acknowledged_.fetch_add(1, std::memory_order_release);
      }
      return control(acknowledged_weight, Breach::ping);
    case Frame::settings:
      if ((frame.flags & Frame::ack) != 0) {
        has_acknowledged_ = answers_.has_settings.load(std::memory_order_relaxed);
      }
      return control(acknowledged_weight, Breach::settings);
    case Frame::window_update:
      if (free_window_updates_ == 0) return control(1, Breach::window_update);
      --free_window_updates_;
      return std::nullopt;
    case Frame::priority: return control(1, Breach::priority);
    default: return control(1, Breach::other_frame);
  }
}

std::optional<Breach> FrameLedger::charge_headers(const Frame& frame, std::uint64_t bytes,
                                                  Clock::time_point now) {
  header_bytes_ += bytes;
  if (header_bytes_ > budgets_.header_bytes) return Breach::header_bytes;
  if (calls_.weight() == 0) note_served(now);
  calls_.open(frame.stream, weight_of_headers());
  if (has_too_many_calls()) return Breach::too_many_calls;
  return std::nullopt;
}

bool FrameLedger::has_too_many_calls() const {
  return calls_.weight() > calls_.pool().share();
}

int FrameLedger::weight_of_headers() const {
  const int weight = 1 + static_cast<int>(header_bytes_ / header_bytes_of_weight);
  return has_acknowledged_ ? std::min(weight, limited_weight_max) : weight;
}

// What time forgives is computed only when it decides.
std::optional<Breach> FrameLedger::charge(Account& account, int amount, Breach breach,
                                          Clock::time_point now) {
  account.charge(amount);
  if (!account.is_exceeded()) return std::nullopt;
  forgive(now);
  if (!account.is_exceeded()) return std::nullopt;
  return breach;
}

}  // namespace rps::rpc::boundary
