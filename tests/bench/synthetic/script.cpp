#include "tests/bench/synthetic/script.hpp"

#include <cmath>
#include <vector>

#include "core/number.hpp"
#include "core/random.hpp"

namespace rps::synthetic {

namespace {

// Evenly distributed in [0, 1), with the 53 bits that a double holds.
double unit(std::uint64_t random) {
  return std::ldexp(static_cast<double>(random >> 11), -53);
}

// The unit must be there: what a bare number would count is not obvious here.
std::expected<std::chrono::nanoseconds, std::string> parse_time(std::string_view text) {
  return parse_duration(text, {});
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
  const auto first = parse_time(parts.front());
  if (first && parts.size() == 1 && kind == "fixed") return Delay(Kind::fixed, *first);
  if (first && parts.size() == 1 && kind == "exp") return Delay(Kind::exponential, *first);
  if (first && parts.size() == 3 && kind == "bimodal") {
    const auto second = parse_time(parts[1]);
    const auto share = parse_share(parts[2]);
    if (second && share) return Delay(Kind::bimodal, *first, *second, *share);
  }
  return std::unexpected("a delay is fixed:1ms, exp:1ms or bimodal:1ms,20ms,0.01, not " +
                         std::string(text));
}

Clock::duration Delay::draw(std::uint64_t random) const {
  switch (kind_) {
    case Kind::fixed: return first_;
    case Kind::exponential: {
      const double draw = static_cast<double>(first_.count()) * -std::log1p(-unit(random));
      return Clock::duration(static_cast<Clock::rep>(draw));
    }
    case Kind::bimodal: return unit(random) < second_share_ ? second_ : first_;
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
