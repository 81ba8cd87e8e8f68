// The load as it is said on the command line.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <vector>

#include "bench/model/target.hpp"

namespace CLI {
class App;
}

namespace rps::commands {

class LoadFlags {
 public:
  // REQUIRES: outlives the parsing.
  explicit LoadFlags(CLI::App& command);

  // Every number of connections with every rate, or with none: then the loops are closed. The error
  // is a sentence.
  std::expected<std::vector<model::Load>, std::string> loads() const;

  double seconds() const { return seconds_; }
  double warmup() const { return warmup_; }
  std::size_t rounds() const { return rounds_; }
  Clock::duration timeout() const { return std::chrono::milliseconds(timeout_ms_); }
  Clock::duration interval() const { return std::chrono::milliseconds(interval_ms_); }

 private:
  std::vector<std::size_t> connections_{64};
  std::size_t depth_ = 1;
  std::vector<std::string> rates_;
  std::string arrivals_ = "poisson";
  std::size_t burst_ = 1;
  double seconds_ = 10;
  double warmup_ = 1;
  std::size_t rounds_ = 1;
  std::uint64_t timeout_ms_ = 10'000;
  std::uint64_t interval_ms_ = 1000;
};

}  // namespace rps::commands
