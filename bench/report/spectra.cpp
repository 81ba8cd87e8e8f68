#include "bench/report/spectra.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include <nlohmann/json.hpp>

#include "bench/model/statistics.hpp"

namespace rps::report {

namespace {

using nlohmann::json;
using Part = load::Distribution model::Trial::*;

constexpr int steps_per_decade = 12;  // For each power of ten of 1 / (1 - p) …
constexpr int decades = 6;            // … up to 99.9999 %.

// Evenly spaced, and the percentiles below 90 % that the tables show.
std::vector<double> places() {
  std::vector<double> out;
  for (const double share : {0.1, 0.5, 0.75}) out.push_back(-std::log10(1 - share));
  for (int step = 1; step <= decades * steps_per_decade; ++step) {
    out.push_back(static_cast<double>(step) / steps_per_decade);
  }
  std::ranges::sort(out);
  return out;
}

// Of the percentiles that every valid trial of the cell supports.
json spectrum_of(const model::Run& run, std::size_t cell, Part part) {
  json points = json::array();
  for (const double place : places()) {
    std::vector<double> values;
    for (const model::CellTrial& each : model::trials_of(run, cell)) {
      if (!each.trial.valid) continue;
      const auto value = (each.trial.*part).supported_quantile_ns(1 - std::pow(10, -place));
      if (!value) return points;
      values.push_back(*value);
    }
    if (values.empty()) return points;
    const auto [low, high] = std::ranges::minmax(values);
    points.push_back({place, model::median(values), low, high});
  }
  return points;
}

}  // namespace

std::string spectra_json(const model::Run& run) {
  json spectra = json::object();
  for (std::size_t cell = 0; cell < run.cells.size(); ++cell) {
    const json response = spectrum_of(run, cell, &model::Trial::response);
    if (response.empty()) continue;
    json& found = spectra[run.cells[cell].key];
    found["response"] = response;
    if (!run.cells[cell].load.schedule.is_closed()) {
      found["service"] = spectrum_of(run, cell, &model::Trial::service);
    }
  }
  return spectra.dump();
}

}  // namespace rps::report
