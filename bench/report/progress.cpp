#include "bench/report/progress.hpp"

#include <chrono>
#include <iostream>
#include <utility>

#include <unistd.h>

#include "bench/report/format.hpp"

namespace rps::load {

namespace {

constexpr std::string_view clear_line = "\r\x1b[K";

}  // namespace

ProgressStyle progress_style(bool quiet) {
  if (quiet) return ProgressStyle::quiet;
  return ::isatty(STDERR_FILENO) == 1 ? ProgressStyle::live : ProgressStyle::lines;
}

Progress::Progress(ProgressStyle style, std::size_t trials)
    : style_(style), trials_(trials), started_at_(Clock::now()) {}

Progress::~Progress() {
  if (style_ == ProgressStyle::live) std::cerr << clear_line << std::flush;
}

void Progress::begin(std::string name) {
  name_ = std::move(name);
  tick();
}

void Progress::tick() {
  if (style_ != ProgressStyle::live) return;
  std::string line = std::string(clear_line) + head();
  if (ended_ > 0) {
    // Trials are equally long, so those that ended tell how long the rest will take.
    const auto elapsed = std::chrono::duration<double>(Clock::now() - started_at_);
    const double total =
        elapsed.count() / static_cast<double>(ended_) * static_cast<double>(trials_);
    const std::chrono::seconds left(static_cast<std::int64_t>(total - elapsed.count()));
    line += "  about " + format_minutes(left) + " left";
  }
  std::cerr << line << std::flush;
}

void Progress::end(std::string_view result) {
  if (style_ == ProgressStyle::lines) std::cerr << head() << "  " << result << '\n';
  ++ended_;
}

std::string Progress::head() const {
  return "[" + std::to_string(ended_ + 1) + "/" + std::to_string(trials_) + "] " + name_;
}

}  // namespace rps::load
