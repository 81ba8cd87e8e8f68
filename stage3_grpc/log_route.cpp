#include "stage3_grpc/log_route.hpp"

#include <chrono>
#include <mutex>

#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>
#include <spdlog/logger.h>

#include "core/clock.hpp"
#include "stage3_grpc/limits.hpp"

namespace rps::rpc {

namespace {

struct Target {
  std::mutex mutex;  // Held while a line is written, so that no logger goes away under it.
  spdlog::logger* log = nullptr;
  Clock::time_point second_began_at;
  int lines = 0;  // In this second.
};

constinit Target target;

spdlog::level::level_enum level_of(gpr_log_severity severity) {
  switch (severity) {
    case GPR_LOG_SEVERITY_DEBUG: return spdlog::level::debug;
    case GPR_LOG_SEVERITY_INFO: return spdlog::level::info;
    case GPR_LOG_SEVERITY_ERROR: return spdlog::level::err;
  }
  return spdlog::level::err;
}

bool is_second_over(Clock::time_point now) {
  return now - target.second_began_at >= std::chrono::seconds(1);
}

// REQUIRES: the mutex is held, and there is a logger.
void begin_second(Clock::time_point now) {
  const int unwritten = target.lines - limits::log_lines_per_second_max;
  if (unwritten > 0) target.log->warn("grpc: {} more lines were not written", unwritten);
  target.second_began_at = now;
  target.lines = 0;
}

// Peers can make gRPC log, so it may not fill the disk.
void write_line(gpr_log_func_args* line) {
  const std::scoped_lock lock(target.mutex);
  if (!target.log) return;
  const Clock::time_point now = Clock::now();
  if (is_second_over(now)) begin_second(now);
  if (++target.lines > limits::log_lines_per_second_max) return;
  target.log->log(level_of(line->severity), "grpc: {}", line->message);
}

}  // namespace

LogRoute::LogRoute(spdlog::logger& log) : log_(log) {
  const std::scoped_lock lock(target.mutex);
  target.log = &log;
  gpr_set_log_function(write_line);
  // Protobuf would write a line for each request with invalid UTF-8, which is refused and counted.
  google::protobuf::SetLogHandler(nullptr);
}

LogRoute::~LogRoute() {
  const std::scoped_lock lock(target.mutex);
  if (target.log != &log_) return;
  begin_second(Clock::now());
  target.log = nullptr;
}

void LogRoute::tick(Clock::time_point now) {
  const std::scoped_lock lock(target.mutex);
  if (target.log == &log_ && is_second_over(now)) begin_second(now);
}

}  // namespace rps::rpc
