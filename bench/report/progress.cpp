#include "bench/report/progress.hpp"

#include <chrono>
#include <cmath>
#include <iostream>
#include <utility>

#include "bench/model/format.hpp"

namespace rps::report {

namespace {

// The block is two lines: back to the first, and everything from there on is cleared.
constexpr std::string_view clear_block = "\r\x1b[1A\x1b[J";

constexpr double long_trial_seconds = 5;
constexpr std::chrono::milliseconds line_every{900};  // Intervals of a second are not quite one.

std::string state_of(const load::Interval& interval) {
  const double seconds = interval.seconds > 0 ? interval.seconds : 1;
  std::string text = model::format_rate(static_cast<double>(interval.good) / seconds) + "/s  p50 " +
                     model::format_nanoseconds(interval.p50_ns) + "  p99 " +
                     model::format_nanoseconds(interval.p99_ns) + "  open " +
                     std::to_string(interval.open);
  if (interval.bad > 0) text += "  failed " + std::to_string(interval.bad);
  if (interval.dropped > 0) text += "  dropped " + std::to_string(interval.dropped);
  return text;
}

}  // namespace

Progress::Progress(ProgressStyle style, std::size_t trials, double seconds)
    : style_(style), trials_(trials), seconds_(seconds), started_at_(Clock::now()) {}

Progress::~Progress() {
  clear();
}

void Progress::begin(std::string name, double seconds) {
  name_ = std::move(name);
  trial_seconds_ = seconds;
  state_.clear();
  tick();
}

void Progress::tick() {
  if (style_ == ProgressStyle::live) draw();
}

void Progress::interval(const load::Interval& interval) {
  state_ = state_of(interval);
  // A short trial says all when it ends.
  const bool is_long = trial_seconds_ >= long_trial_seconds;
  const Clock::time_point now = Clock::now();
  if (style_ != ProgressStyle::lines || !is_long || now - line_at_ < line_every) return;
  line_at_ = now;
  std::cerr << head() << "  " << state_ << '\n';
}

void Progress::end(std::string_view result) {
  result_ = result;
  if (style_ == ProgressStyle::lines) std::cerr << head() << "  " << result << '\n';
  ++ended_;
  ended_seconds_ += trial_seconds_;
}

std::string Progress::head() const {
  return "[" + std::to_string(ended_ + 1) + "/" + std::to_string(trials_) + "] " + name_;
}

std::string Progress::time_left() const {
  const double elapsed = std::chrono::duration<double>(Clock::now() - started_at_).count();
  const double planned = ended_seconds_ > 0 ? elapsed / ended_seconds_ * seconds_ : seconds_;
  return "about " + model::format_minutes(std::chrono::seconds(std::llround(planned - elapsed))) +
         " left";
}

void Progress::draw() {
  clear();
  const std::string& below = state_.empty() ? result_ : state_;
  std::cerr << head() << "  " << time_left() << "\n  " << below << std::flush;
  drawn_ = true;
}

void Progress::clear() {
  if (std::exchange(drawn_, false)) std::cerr << clear_block << std::flush;
}

}  // namespace rps::report
