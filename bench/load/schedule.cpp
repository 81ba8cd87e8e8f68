#include "bench/load/schedule.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>
#include <utility>

#include "core/number.hpp"
#include "core/random.hpp"

namespace rps::load {

namespace {

constexpr double per_second_max = 1e9;

double integral_of(const Phase& phase) {
  return phase.seconds * (phase.from_per_second + phase.to_per_second) / 2;
}

// Seconds into `phase` at which its integral reaches `calls`, which it does.
double seconds_until(const Phase& phase, double calls) {
  const double slope = (phase.to_per_second - phase.from_per_second) / phase.seconds;
  if (slope == 0) return calls / phase.from_per_second;
  // The root of from * t + slope / 2 * t² = calls, in the form that stays exact when the slope is
  // small.
  const double from = phase.from_per_second;
  const double root = std::sqrt(std::max(0.0, from * from + 2 * slope * calls));
  return 2 * calls / (from + root);
}

std::string quoted(std::string_view text) {
  std::string out = "'";
  out.append(text).append("'");
  return out;
}

// "1000" or "1k..5k".
std::expected<Phase, std::string> parse_rates(std::string_view text, double seconds) {
  constexpr RealRange range{.min = 0, .max = per_second_max};
  const std::size_t dots = text.find("..");
  const bool ramp = dots != std::string_view::npos;
  const auto from = parse_rate(text.substr(0, dots), range);
  const auto to = ramp ? parse_rate(text.substr(dots + 2), range) : from;
  if (!from || !to || *from + *to <= 0) {
    return std::unexpected(quoted(text) + " is no rate: calls a second, above 0 and at most " +
                           rate_text(per_second_max));
  }
  return Phase{.seconds = seconds, .from_per_second = *from, .to_per_second = *to};
}

// "5s@1000".
std::expected<Phase, std::string> parse_phase(std::string_view text) {
  using namespace std::chrono_literals;
  const std::size_t at = text.find('@');
  const auto length = parse_duration(text.substr(0, at), {.min = 1ns, .max = 24h, .bare = 1s});
  if (at == std::string_view::npos || !length) {
    return std::unexpected(quoted(text) + " is no phase: 5s@1000 or 500ms@1k..2k, of 24h at most");
  }
  return parse_rates(text.substr(at + 1), std::chrono::duration<double>(*length).count());
}

}  // namespace

double Schedule::seconds() const {
  return std::accumulate(phases.begin(), phases.end(), 0.0,
                         [](double sum, const Phase& phase) { return sum + phase.seconds; });
}

double Schedule::calls() const {
  return std::accumulate(phases.begin(), phases.end(), 0.0,
                         [](double sum, const Phase& phase) { return sum + integral_of(phase); });
}

Schedule steady(Arrivals arrivals, double per_second, double seconds) {
  return {
      .arrivals = arrivals,
      .phases = {{.seconds = seconds, .from_per_second = per_second, .to_per_second = per_second}}};
}

std::expected<std::vector<Phase>, std::string> parse_phases(std::string_view text, double seconds) {
  std::vector<Phase> phases;
  const bool has_lengths = text.find('@') != std::string_view::npos;
  for (std::string_view rest = text; !rest.empty() || phases.empty();) {
    const std::size_t comma = rest.find(',');
    const std::string_view word = rest.substr(0, comma);
    const auto phase = has_lengths ? parse_phase(word) : parse_rates(word, seconds);
    if (!phase) return std::unexpected(phase.error());
    phases.push_back(*phase);
    if (comma == std::string_view::npos) break;
    if (!has_lengths) return std::unexpected("several phases need their lengths: 5s@1000,5s@2000");
    rest.remove_prefix(comma + 1);
    if (rest.empty()) return std::unexpected("a phase is missing after the last comma");
  }
  return phases;
}

std::string to_string(const std::vector<Phase>& phases) {
  std::string text;
  for (const Phase& phase : phases) {
    if (!text.empty()) text += ',';
    text.append(number_text(phase.seconds)).append("s@").append(number_text(phase.from_per_second));
    if (phase.to_per_second != phase.from_per_second) {
      text.append("..").append(number_text(phase.to_per_second));
    }
  }
  return text;
}

ArrivalClock::ArrivalClock(Schedule schedule, std::uint64_t seed)
    : schedule_(std::move(schedule)), random_(mix(seed)) {
  assert(schedule_.burst > 0);
}

// How far the integral of the rate goes on until the next burst.
double ArrivalClock::step() {
  const auto burst = static_cast<double>(schedule_.burst);
  if (schedule_.arrivals == Arrivals::constant) return burst;
  random_ = mix(random_);
  const double uniform = (static_cast<double>(random_ >> 11) + 0.5) * 0x1p-53;  // In (0, 1).
  return -std::log(uniform) * burst;
}

std::optional<std::chrono::nanoseconds> ArrivalClock::next() {
  if (left_of_burst_ > 0) {
    --left_of_burst_;
    return last_;
  }
  target_ += step();
  while (phase_ < schedule_.phases.size()) {
    const Phase& phase = schedule_.phases[phase_];
    const double calls = integral_of(phase);
    if (target_ <= phase_integral_ + calls) {
      const double at = phase_begins_ + seconds_until(phase, target_ - phase_integral_);
      last_ = std::max(last_, std::chrono::nanoseconds(std::llround(at * 1e9)));
      left_of_burst_ = schedule_.burst - 1;
      return last_;
    }
    phase_begins_ += phase.seconds;
    phase_integral_ += calls;
    ++phase_;
  }
  return std::nullopt;
}

}  // namespace rps::load
