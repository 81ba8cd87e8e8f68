// Reloads the configuration of a server while it runs: argv and the text of --config are read again
// as a whole, and either all of the new values are put in force or none.
//
//   rps_config_reloads_total{result}     "accepted" or "rejected"
//   rps_config_last_reload_successful    1, or 0 while the text as it was last read is rejected
//   rps_config_last_reload_success_timestamp_seconds
//                                        when the values in force were read, in Unix time
//   rps_config_source_current            1, or 0 while the file or etcd cannot be read, so that a
//                                        change would not be noticed
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/flags/group.hpp"
#include "core/server/config_source.hpp"
#include "core/server/flags.hpp"
#include "core/server/metrics.hpp"

namespace prometheus {
class Counter;
class Gauge;
class Registry;
}  // namespace prometheus

namespace spdlog {
class logger;
}

namespace rps::server {

// All functions are called by one thread.
class Reload {
 public:
  // The flags as argv and a new text set them.
  struct Candidate {
    std::vector<flags::FlagValue> values;
    // Puts the values in force, or throws std::exception and leaves those before.
    std::function<void()> apply;
  };
  // Reads the flags with `text` as that of --config; the error is a sentence for a person.
  using Read = std::function<std::expected<Candidate, std::string>(const std::string& text)>;

  // `in_force` is what the server was started with, `source` its --config. Adds the metrics above.
  // REQUIRES: in_force has a --config; `log` outlives this.
  Reload(const Settings& in_force, std::unique_ptr<ConfigSource> source, Read read,
         Metrics& metrics, spdlog::logger& log);
  ~Reload();
  Reload(const Reload&) = delete;
  Reload& operator=(const Reload&) = delete;

  // Reloads if the source has another text. To be called about once a second.
  void poll(Clock::time_point now);

  // Reloads at once. A text that is in force changes nothing. One that is rejected (it cannot be
  // read, a flag is wrong, a flag would change that is not reloadable) is logged with the reason,
  // and all values stay as they were.
  void reload();

 private:
  void take();
  std::expected<std::string, std::string> put_in_force(const ConfigSource::Text& text);

  const std::string name_;
  const std::unique_ptr<ConfigSource> source_;
  const Read read_;
  spdlog::logger& log_;
  const std::shared_ptr<prometheus::Registry> registry_;  // Owns the next five.
  prometheus::Counter* accepted_;
  prometheus::Counter* rejected_;
  prometheus::Gauge* successful_;
  prometheus::Gauge* success_time_;
  prometheus::Gauge* current_;
  std::vector<flags::FlagValue> values_;  // In force.
};

}  // namespace rps::server
