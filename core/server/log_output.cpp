#include "core/server/log_output.hpp"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstddef>
#include <new>
#include <utility>

#include <poll.h>
#include <prometheus/counter.h>
#include <prometheus/registry.h>
#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include "core/server/limits.hpp"

namespace rps::server {

std::string_view first_lines(std::string_view lines) {
  if (lines.size() <= limits::log_line_bytes_max) return lines;
  return lines.substr(0, lines.rfind('\n', limits::log_line_bytes_max - 1) + 1);
}

LogOutput::LogOutput(int descriptor, LogSpelling spelling)
    : descriptor_(descriptor),
      spelling_(std::move(spelling)),
      registry_(std::make_shared<prometheus::Registry>()),
      lost_(&prometheus::BuildCounter()
                 .Name("rps_log_lines_lost_total")
                 .Help("Lines of the log that stderr did not take.")
                 .Register(*registry_)
                 .Add({})) {
  kept_.reserve(limits::log_kept_bytes_max);  // To keep a line needs no memory then.
}

LogOutput::~LogOutput() {
  if (put_kept()) put_report();
}

void LogOutput::write(std::string_view line) {
  const std::scoped_lock lock(mutex_);
  if (put_kept() && put_report() && put(line) != Taken::not_now) return;
  if (kept_.size() + line.size() > limits::log_kept_bytes_max) return lose(1);
  kept_.append(line);
}

bool LogOutput::try_write(std::string_view lines) {
  const std::scoped_lock lock(mutex_);
  return put_kept() && put_report() && put(lines) != Taken::not_now;
}

void LogOutput::wait_until_ready(std::chrono::milliseconds patience) const {
  is_ready(patience);
}

void LogOutput::lose(std::uint64_t count) {
  lost_->Increment(static_cast<double>(count));
  unreported_.fetch_add(count, std::memory_order_relaxed);
}

void LogOutput::lose(std::string_view lines) {
  lose(static_cast<std::uint64_t>(std::ranges::count(lines, '\n')));
}

std::shared_ptr<prometheus::Collectable> LogOutput::metrics() const {
  return registry_;
}

// A descriptor with an error is ready, too: then writing says what the error is.
bool LogOutput::is_ready(std::chrono::milliseconds patience) const {
  pollfd ready{.fd = descriptor_, .events = POLLOUT, .revents = 0};
  return ::poll(&ready, 1, static_cast<int>(patience.count())) > 0;
}

// Returns whether no line is kept any more.
bool LogOutput::put_kept() {
  while (!kept_.empty()) {
    const std::string_view lines = first_lines(kept_);
    if (put(lines) == Taken::not_now) return false;
    kept_.erase(0, lines.size());
  }
  return true;
}

// Says how many lines were lost. Returns whether there is more to write for now. When there is no
// memory for it, a later line says so.
bool LogOutput::put_report() {
  const std::uint64_t lost = unreported_.load(std::memory_order_relaxed);
  if (lost == 0) return true;
  std::string line;
  try {
    line = report_of(lost);
  } catch (const std::bad_alloc&) {
    return true;
  }
  const Taken taken = put(line);
  if (taken == Taken::all) unreported_.fetch_sub(lost, std::memory_order_relaxed);
  return taken != Taken::not_now;
}

std::string LogOutput::report_of(std::uint64_t lost) const {
  const std::string text =
      fmt::format("lines of the log that are lost because stderr did not take them: {}", lost);
  std::string line;
  spelling_.append(LogTime().text(Clock::now()), spdlog::level::warn, text, line);
  return line;
}

// A pipe that can be written to takes limits::log_line_bytes_max bytes at once. What is never taken
// is counted.
LogOutput::Taken LogOutput::put(std::string_view lines) {
  assert(first_lines(lines) == lines);
  if (!is_ready(std::chrono::milliseconds(0))) return Taken::not_now;
  std::string_view line_feed = is_in_line_ ? "\n" : "";
  is_in_line_ = is_in_line_ && !put_all(line_feed);
  std::string_view left = lines;
  if (put_all(left)) return Taken::all;
  if (left.size() == lines.size() && errno == EAGAIN) return Taken::not_now;
  const std::string_view written = lines.substr(0, lines.size() - left.size());
  if (!written.empty()) is_in_line_ = !written.ends_with('\n');
  lose(left);
  return Taken::never;
}

// Writes `lines` and leaves in it what could not be written; then errno says why.
bool LogOutput::put_all(std::string_view& lines) {
  while (!lines.empty()) {
    const ssize_t written = ::write(descriptor_, lines.data(), lines.size());
    if (written < 0 && errno != EINTR) return false;
    lines.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(written, 0)));
  }
  return true;
}

}  // namespace rps::server
