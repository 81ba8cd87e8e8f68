#include "bench/scenarios/search.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "bench/model/format.hpp"
#include "bench/model/summary.hpp"
#include "bench/scenarios/peak.hpp"

namespace rps::scenarios {

namespace {

// The search begins above the rate of the closed loop: with more open calls more may be possible.
constexpr double first_guess = 1.5;

// The search ends after so many rates; the interval halves each time.
constexpr std::size_t steps_max = 16;

class Search {
 public:
  Search(Measurement& measurement, const SearchOptions& options)
      : measurement_(measurement), run_(measurement.run), options_(options) {}

  SearchResult run() {
    result_.closed_loop =
        measure_peak(measurement_, options_.target, options_.load, options_.rounds);
    double holds = 0;
    double fails = result_.closed_loop * first_guess;
    while (fails - holds > options_.precision * fails && result_.steps.size() < steps_max &&
           !run_.interrupted) {
      const double rate = std::round((holds + fails) / 2);
      if (rate < 1) break;
      (try_rate(rate) ? holds : fails) = rate;
    }
    result_.best = holds;
    return std::move(result_);
  }

 private:
  bool try_rate(double rate) {
    model::Load open = options_.load;
    open.schedule = steady(options_.arrivals, rate, run_.plan.seconds);
    run_cells(measurement_, {options_.target.at(open, options_.rounds)});
    if (run_.interrupted) return false;
    std::string why = why_not(run_.cells.size() - 1);
    const bool holds = why.empty();
    result_.steps.push_back({.rate = rate, .holds = holds, .why = std::move(why)});
    return holds;
  }

  // Empty when the rate holds.
  std::string why_not(std::size_t cell) const {
    for (const model::Flagged& flagged : model::flags_of(run_, cell)) {
      const model::Flag flag = flagged.flag;
      const bool counts = flag == model::Flag::invalid || flag == model::Flag::rate_missed ||
                          flag == model::Flag::overloaded;
      if (counts) return std::string(model::info(flag).word) + ": " + flagged.detail;
    }
    std::vector<model::Threshold> objectives = options_.objectives;
    for (model::Threshold& objective : objectives) objective.cell = run_.cells[cell].key;
    for (const model::ThresholdResult& result : model::check_thresholds(run_, objectives)) {
      if (!result.passed) return result.sentence();
    }
    return {};
  }

  Measurement& measurement_;
  model::Run& run_;
  const SearchOptions& options_;
  SearchResult result_;
};

}  // namespace

SearchResult run_search(Measurement& measurement, const SearchOptions& options) {
  return Search(measurement, options).run();
}

std::string to_text(const SearchOptions& options, const SearchResult& result) {
  std::string text = "\n## The greatest rate that holds\n\n- Asked of it:";
  for (const model::Threshold& objective : options.objectives) text += " " + objective.text;
  text += ", everything due sent in time and none dropped.\n- A closed loop got " +
          model::format_rate(result.closed_loop) + "/s.\n";
  for (const SearchStep& step : result.steps) {
    text += "- " + model::format_rate(step.rate) + "/s " +
            (step.holds ? std::string("holds") : "does not: " + step.why) + "\n";
  }
  return text + "- **" +
         (result.best > 0 ? model::format_rate(result.best) + "/s" : std::string("No rate")) +
         " holds.**\n";
}

}  // namespace rps::scenarios
