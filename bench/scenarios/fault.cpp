#include "bench/scenarios/fault.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <system_error>
#include <utility>

#include "bench/scenarios/scrape.hpp"
#include "core/net/thread.hpp"

namespace rps::scenarios {

namespace {

using Seconds = std::chrono::duration<double>;

// How often a server that was started again is asked whether it has answered a call.
constexpr std::chrono::milliseconds ask_every{10};

// How exactly the time is found from which on the rate is full.
constexpr std::chrono::milliseconds step{1};

Clock::duration part_of(Clock::duration window, double share) {
  return std::chrono::duration_cast<Clock::duration>(window * share);
}

void signal_to(pid_t pid, int signal) {
  if (::kill(pid, signal) != 0) {
    throw std::system_error(errno, std::system_category(), "cannot signal a server");
  }
}

// How many of the sorted times are in [from, to).
std::size_t count_between(const std::vector<Clock::time_point>& times, Clock::time_point from,
                          Clock::time_point to) {
  const auto first = std::ranges::lower_bound(times, from);
  return static_cast<std::size_t>(std::lower_bound(first, times.end(), to) - first);
}

// The longest time without one of the sorted times, from `from` to `to`.
Clock::duration longest_gap(const std::vector<Clock::time_point>& times, Clock::time_point from,
                            Clock::time_point to) {
  Clock::duration longest{};
  Clock::time_point last = from;
  for (auto next = std::ranges::lower_bound(times, from); next != times.end() && *next < to;
       ++next) {
    longest = std::max(longest, *next - last);
    last = *next;
  }
  return std::max(longest, to - last);
}

bool is_full_from(Clock::time_point from, const std::vector<Clock::time_point>& answered,
                  double per_second) {
  const double full = per_second * Seconds(piece_of_time).count();
  for (std::size_t piece = 0; piece < full_pieces; ++piece, from += piece_of_time) {
    const auto count = count_between(answered, from, from + piece_of_time);
    if (static_cast<double>(count) < full_rate_share * full) return false;
  }
  return true;
}

// From when on the rate is full, at `from` or later.
std::optional<Clock::time_point> full_from(Clock::time_point from, Clock::time_point closed,
                                           const std::vector<Clock::time_point>& answered,
                                           double per_second) {
  for (; from + full_pieces * piece_of_time <= closed; from += step) {
    if (is_full_from(from, answered, per_second)) return from;
  }
  return std::nullopt;
}

}  // namespace

// ---- FaultInjector -------------------------------------------------------------------------

FaultInjector::~FaultInjector() {
  {
    const std::lock_guard lock(mutex_);
    is_over_ = is_to_end_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void FaultInjector::begin(Clock::duration window) {
  thread_ = start_thread([this, opened = Clock::now(), window] { run(opened, window); });
}

FaultTimes FaultInjector::finish() {
  if (!thread_.joinable()) return {};
  {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
  }
  changed_.notify_all();
  return times_.get_future().get();
}

void FaultInjector::run(Clock::time_point opened, Clock::duration window) {
  try {
    times_.set_value(carry_out(opened, window));
  } catch (...) {
    times_.set_exception(std::current_exception());
  }
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return is_to_end_; });
  again_.reset();  // On the thread that started it, as machine::Process demands.
}

FaultTimes FaultInjector::carry_out(Clock::time_point opened, Clock::duration window) {
  const pid_t victim = servers_.pids().front();
  FaultTimes times;
  if (!wait_until(opened + part_of(window, fault_begins_at))) return times;
  signal_to(victim, fault_ == model::Fault::kill ? SIGKILL : SIGSTOP);
  times.began = Clock::now();
  const bool goes_on = wait_until(opened + part_of(window, fault_ends_at));
  if (fault_ == model::Fault::freeze) signal_to(victim, SIGCONT);
  if (!goes_on) return times;
  if (fault_ == model::Fault::kill) again_.emplace(servers_.start_first_again());
  times.ended = Clock::now();
  if (again_) times.rejoined = await_call(again_->admin.value());
  return times;
}

// False when the window is over before.
bool FaultInjector::wait_until(Clock::time_point time) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_until(lock, time, [this] { return is_over_; });
}

// Nothing when the window is over before.
std::optional<Clock::time_point> FaultInjector::await_call(const HostPort& admin) {
  do {
    const auto page = http_get(admin, "/metrics");
    if (page && metric_sum(*page, "rps_requests_total") > 0) return Clock::now();
  } while (wait_until(Clock::now() + ask_every));
  return std::nullopt;
}

// ---- AnswerLog -----------------------------------------------------------------------------

std::size_t AnswerLog::poll(Clock::time_point deadline, Sink& sink) {
  sink_ = &sink;
  return client_.poll(deadline, *this);
}

void AnswerLog::on_reply(std::uint64_t id, const Reply& reply, const Stamps& stamps) {
  if (!reply.error) answered_.push_back(stamps.received_at);
  sink_->on_reply(id, reply, stamps);
}

// ---- Judging -------------------------------------------------------------------------------

std::optional<model::FaultEffect> judge_fault(const FaultTimes& times,
                                              const std::vector<Clock::time_point>& answered,
                                              double per_second, Clock::time_point opened,
                                              Clock::time_point closed) {
  if (!times.began || !times.ended) return std::nullopt;
  const auto between = [](Clock::time_point from, Clock::time_point to) {
    return Seconds(to - from).count();
  };
  model::FaultEffect effect{
      .began_seconds = between(opened, *times.began),
      .ended_seconds = between(opened, *times.ended),
      .gap_seconds = Seconds(longest_gap(answered, *times.began, closed)).count()};
  if (const auto full = full_from(*times.began, closed, answered, per_second)) {
    effect.recovered_seconds = between(*times.began, *full);
  }
  if (times.rejoined) effect.rejoined_seconds = between(*times.ended, *times.rejoined);
  return effect;
}

}  // namespace rps::scenarios
