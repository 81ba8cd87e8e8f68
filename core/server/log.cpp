#include "core/server/log.hpp"

#include <string_view>

#include <spdlog/sinks/sink.h>

#include "core/net/terminal.hpp"

namespace rps::server {

namespace {

// spdlog's way to the output. How lines are spelled is not spdlog's business.
class Sink final : public spdlog::sinks::sink {
 public:
  explicit Sink(LogOutput& output) : output_(output) {}

  void log(const spdlog::details::log_msg& message) override {
    std::string line;
    const spdlog::string_view_t text = message.payload;
    output_.spelling().append(LogTime().text(Clock::now()), message.level,
                              std::string_view(text.data(), text.size()), line);
    output_.write(line);
  }
  void flush() override {}
  void set_pattern(const std::string& /*pattern*/) override {}
  void set_formatter(std::unique_ptr<spdlog::formatter> /*formatter*/) override {}

 private:
  LogOutput& output_;
};

spdlog::level::level_enum threshold(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return spdlog::level::debug;
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::warn: return spdlog::level::warn;
    case LogLevel::error: return spdlog::level::err;
    case LogLevel::off: return spdlog::level::critical;
  }
  return spdlog::level::info;
}

}  // namespace

Log::Log(const std::string& name, const LogOptions& options, int descriptor)
    : output_(descriptor, LogSpelling(name, options.format, net::shows_color(descriptor))),
      logger_(name, std::make_shared<Sink>(output_)),
      bulk_(logger_, output_) {
  set_level(logger_, options.level);
}

void set_level(spdlog::logger& log, LogLevel level) {
  log.set_level(threshold(level));
}

}  // namespace rps::server
