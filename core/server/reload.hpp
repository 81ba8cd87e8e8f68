// Reloads the configuration of a server while it runs: argv and the file of --config are read again
// as a whole, and either all of the new values are put in force or none.
//
//   rps_config_reloads_total{result}     "accepted" or "rejected"
//   rps_config_last_reload_successful    1, or 0 while the file as it was last read is rejected
//   rps_config_last_reload_success_timestamp_seconds
//                                        when the values in force were read, in Unix time
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/flags/group.hpp"
#include "core/net/followed.hpp"
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
  // The flags as argv and a new text of the file set them.
  struct Candidate {
    std::vector<flags::FlagValue> values;
    // Puts the values in force, or throws std::exception and leaves those before.
    std::function<void()> apply;
  };
  // Reads the flags with `text` as the file; the error is a sentence for a person.
  using Read = std::function<std::expected<Candidate, std::string>(const std::string& text)>;

  // `in_force` is what the server was started with. Adds the metrics above. REQUIRES: in_force has
  // a file; `log` outlives this.
  Reload(const Settings& in_force, Read read, Metrics& metrics, spdlog::logger& log);
  ~Reload();
  Reload(const Reload&) = delete;
  Reload& operator=(const Reload&) = delete;

  // Reloads if the file has changed (followed.hpp). To be called about once a second.
  void poll(Clock::time_point now);

  // Reloads at once. A text that is in force changes nothing. One that is rejected (the file cannot
  // be read, a flag is wrong, a flag would change that is not reloadable) is logged with the
  // reason, and all values stay as they were.
  void reload();

 private:
  using Text = std::expected<std::string, std::string>;

  void take();
  std::expected<std::string, std::string> put_in_force(const Text& text);

  const std::string path_;
  const Read read_;
  spdlog::logger& log_;
  const std::shared_ptr<prometheus::Registry> registry_;  // Owns the next four.
  prometheus::Counter* accepted_;
  prometheus::Counter* rejected_;
  prometheus::Gauge* successful_;
  prometheus::Gauge* success_time_;
  net::Followed<Text> text_;
  std::vector<flags::FlagValue> values_;  // In force.
};

}  // namespace rps::server
