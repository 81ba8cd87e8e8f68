// The flags that describe a load.
#pragma once

#include <chrono>
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

  double seconds() const { return seconds_.count(); }
  double warmup() const { return warmup_.count(); }
  std::size_t rounds() const { return rounds_; }
  Clock::duration timeout() const { return timeout_; }
  Clock::duration interval() const { return interval_; }

 private:
  std::vector<std::size_t> connections_{64};
  std::size_t depth_ = 1;
  std::size_t idle_ = 0;
  std::size_t slow_ = 0;
  std::vector<std::string> rates_;
  load::Arrivals arrivals_ = load::Arrivals::poisson;
  std::size_t burst_ = 1;
  std::chrono::duration<double> seconds_{10};
  std::chrono::duration<double> warmup_{1};
  std::size_t rounds_ = 1;
  std::chrono::milliseconds timeout_{10'000};
  std::chrono::milliseconds interval_{1000};
};

}  // namespace rps::commands
