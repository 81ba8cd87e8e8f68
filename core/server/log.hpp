// The structured log: one line for each event on stderr, as text for people or as JSON for machines
// (log_spelling.hpp). Nothing is logged to stdout, where a server prints its URL.
//
// Logging never waits for the reader of stderr. A line that stderr does not take at once is written
// before the next one, as long as few bytes wait; otherwise it is lost, and the next line that
// stderr takes says how many were (log_output.hpp).
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <spdlog/logger.h>
#include <unistd.h>

#include "core/server/bulk_log.hpp"
#include "core/server/log_output.hpp"
#include "core/server/log_spelling.hpp"

namespace rps::server {

// The lowest level that is logged. One line is above all of these and is logged even with `off`:
// why the process could not start or go on (level critical).
enum class LogLevel : std::uint8_t { debug, info, warn, error, off };

struct LogOptions {
  LogLevel level = LogLevel::info;
  LogFormat format = LogFormat::text;
};

// The log of a process. Every function may be called from any thread.
class Log {
 public:
  // `name`: of the program. `descriptor` stays the caller's.
  Log(const std::string& name, const LogOptions& options, int descriptor = STDERR_FILENO);

  // For lines that come now and then: they are written at once. Not spdlog's global logger.
  spdlog::logger& logger() { return logger_; }

  // For lines that come with every call: they are written together.
  BulkLog& bulk() { return bulk_; }

  // How many lines were lost.
  std::shared_ptr<prometheus::Collectable> metrics() const { return output_.metrics(); }

 private:
  LogOutput output_;
  spdlog::logger logger_;
  BulkLog bulk_;
};

// Changes the lowest level that `log` writes. Any thread.
void set_level(spdlog::logger& log, LogLevel level);

}  // namespace rps::server
