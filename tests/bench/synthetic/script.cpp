#include "tests/bench/synthetic/script.hpp"

#include <charconv>
#include <cmath>
#include <optional>
#include <vector>

#include "core/random.hpp"

namespace rps::synthetic {

namespace {

// Evenly distributed in [0, 1), with the 53 bits that a double holds.
double unit(std::uint64_t random) {
  return std::ldexp(static_cast<double>(random >> 11), -53);
}

Clock::duration from_seconds(double seconds) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

// The number at the front, and what stands behind it; nothing for a number below zero.
std::optional<std::pair<double, std::string_view>> split_number(std::string_view text) {
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, number);
  if (failure != std::errc() || !(number >= 0) || !std::isfinite(number)) return std::nullopt;
  return std::pair(number, std::string_view(rest, static_cast<std::size_t>(end - rest)));
}

std::optional<double> parse_seconds(std::string_view text) {
  const auto split = split_number(text);
  if (!split) return std::nullopt;
  const auto [number, unit_name] = *split;
  if (unit_name == "ns") return number * 1e-9;
  if (unit_name == "us") return number * 1e-6;
  if (unit_name == "ms") return number * 1e-3;
  if (unit_name == "s") return number;
  return std::nullopt;
}

std::optional<double> parse_share(std::string_view text) {
  const auto split = split_number(text);
  if (!split || !split->second.empty() || split->first > 1) return std::nullopt;
  return split->first;
}

std::vector<std::string_view> split_at_commas(std::string_view text) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t comma = text.find(',');
    parts.push_back(text.substr(0, comma));
    if (comma == std::string_view::npos) return parts;
    text.remove_prefix(comma + 1);
  }
}

}  // namespace

std::expected<Delay, std::string> Delay::parse(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view kind = text.substr(0, colon);
  const std::vector<std::string_view> parts =
      split_at_commas(colon == std::string_view::npos ? "" : text.substr(colon + 1));
  const auto first = parse_seconds(parts.front());
  if (first && parts.size() == 1 && kind == "fixed") return Delay(Kind::fixed, *first, 0, 0);
  if (first && parts.size() == 1 && kind == "exp") return Delay(Kind::exponential, *first, 0, 0);
  if (first && parts.size() == 3 && kind == "bimodal") {
    const auto second = parse_seconds(parts[1]);
    const auto share = parse_share(parts[2]);
    if (second && share) return Delay(Kind::bimodal, *first, *second, *share);
  }
  return std::unexpected("a delay is fixed:1ms, exp:1ms or bimodal:1ms,20ms,0.01, not " +
                         std::string(text));
}

Clock::duration Delay::draw(std::uint64_t random) const {
  switch (kind_) {
    case Kind::fixed: return from_seconds(first_seconds_);
    case Kind::exponential: return from_seconds(first_seconds_ * -std::log1p(-unit(random)));
    case Kind::bimodal:
      return from_seconds(unit(random) < second_share_ ? second_seconds_ : first_seconds_);
  }
  return {};
}

Script::Step Script::next() {
  const std::uint64_t call = calls_.fetch_add(1, std::memory_order_relaxed);
  const std::uint64_t random = mix(options_.seed, call);
  const double luck = unit(mix(random));
  Step step{.delay = options_.delay.draw(random), .fate = Fate::right};
  if (luck < options_.wrong) {
    step.fate = Fate::wrong;
  } else if (luck < options_.wrong + options_.error) {
    step.fate = Fate::error;
  }
  fates_[static_cast<std::size_t>(step.fate)].fetch_add(1, std::memory_order_relaxed);
  return step;
}

void Script::answered(Clock::duration late) {
  const std::int64_t nanoseconds = std::chrono::nanoseconds(late).count();
  answers_.fetch_add(1, std::memory_order_relaxed);
  late_.fetch_add(nanoseconds, std::memory_order_relaxed);
  std::int64_t max = late_max_.load(std::memory_order_relaxed);
  while (nanoseconds > max && !late_max_.compare_exchange_weak(max, nanoseconds)) {
  }
}

std::string Script::summary() const {
  const std::uint64_t answers = answers_.load();
  const std::int64_t mean = answers > 0 ? late_.load() / static_cast<std::int64_t>(answers) : 0;
  return "right=" + std::to_string(fates_[0].load()) +
         " wrong=" + std::to_string(fates_[1].load()) +
         " error=" + std::to_string(fates_[2].load()) + " answered=" + std::to_string(answers) +
         " late_mean_ns=" + std::to_string(mean) +
         " late_max_ns=" + std::to_string(late_max_.load());
}

}  // namespace rps::synthetic
