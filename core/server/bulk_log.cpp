#include "core/server/bulk_log.hpp"

#include <new>

#include <spdlog/logger.h>

#include "core/net/thread.hpp"
#include "core/server/limits.hpp"
#include "core/server/thread_index.hpp"

namespace rps::server {

BulkLog::~BulkLog() {
  if (!thread_.joinable()) return;
  {
    const std::scoped_lock lock(mutex_);
    is_over_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void BulkLog::start() {
  if (!thread_.joinable()) thread_ = start_thread([this] { run(); });
}

bool BulkLog::is_on() const {
  return log_.should_log(spdlog::level::info);
}

void BulkLog::write(Clock::time_point at, std::string_view message) noexcept {
  if (waiting_.load(std::memory_order_relaxed) >= limits::bulk_log_waiting_bytes_max) {
    return output_.lose(1);
  }
  const Growth waiting = append(parts_[thread_index() % part_count], at, message);
  constexpr std::size_t enough = limits::bulk_log_write_bytes;
  const bool is_first = waiting.before == 0 && waiting.after > 0;
  if (is_first || (waiting.before < enough && waiting.after >= enough)) wake();
}

BulkLog::Growth BulkLog::append(Part& part, Clock::time_point at, std::string_view message) {
  const std::scoped_lock lock(part.mutex);
  const std::size_t begin = part.lines.size();
  try {
    output_.spelling().append(part.time.text(at), spdlog::level::info, message, part.lines);
  } catch (const std::bad_alloc&) {
    part.lines.resize(begin);
    output_.lose(1);
  }
  const std::size_t size = part.lines.size() - begin;
  const std::size_t before = waiting_.fetch_add(size);  // Before the thread can take the line.
  return {.before = before, .after = before + size};
}

void BulkLog::wake() {
  {
    const std::scoped_lock lock(mutex_);
  }  // The thread has looked and waits, or has not looked.
  wake_.notify_one();
}

void BulkLog::flush(Clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  if (waiting_ == 0) return;
  is_asked_ = true;
  wake_.notify_one();
  written_.wait_until(lock, deadline, [this] { return waiting_ == 0; });
}

void BulkLog::run() {
  for (bool goes_on = true; goes_on;) {
    goes_on = wait_for_lines();
    for (Part& part : parts_) write_out(part);
    const std::scoped_lock lock(mutex_);
    written_.notify_all();
  }
}

// Returns false at the end.
bool BulkLog::wait_for_lines() {
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] { return is_over_ || waiting_ > 0; });
  wake_.wait_for(lock, limits::bulk_log_wait_max, [this] {
    return is_over_ || is_asked_ || waiting_ >= limits::bulk_log_write_bytes;
  });
  is_asked_ = false;
  return !is_over_;
}

void BulkLog::write_out(Part& part) {
  taken_.clear();
  if (taken_.capacity() > limits::bulk_log_write_bytes * 4) taken_.shrink_to_fit();
  {
    const std::scoped_lock lock(part.mutex);
    taken_.swap(part.lines);
  }
  write_out(taken_);
}

void BulkLog::write_out(std::string_view lines) {
  while (!lines.empty()) {
    const std::string_view piece = first_lines(lines);
    while (!output_.try_write(piece)) {
      if (is_over()) {
        output_.lose(piece);
        break;
      }
      output_.wait_until_ready(limits::bulk_log_wait_max);
    }
    waiting_.fetch_sub(piece.size());
    lines.remove_prefix(piece.size());
  }
}

bool BulkLog::is_over() {
  const std::scoped_lock lock(mutex_);
  return is_over_;
}

}  // namespace rps::server
