#include "bench/scenarios/targets.hpp"

#include <algorithm>

#include "bench/load/clients/connect.hpp"
#include "core/number.hpp"
#include "core/url.hpp"

namespace rps::scenarios {

namespace {

std::string known_keys() {
  std::string keys;
  for (const Subject& subject : all_subjects) {
    keys.append(keys.empty() ? "" : ", ").append(subject.key);
  }
  return keys;
}

load::Judging judging_of(const Url& url) {
  if (url.scheme.starts_with("echo") || url.scheme == "spawn") return load::Judging::none;
  if (url.scheme == "cli+spawn") return load::Judging::rounds;
  if (url.find("mode") == "many") return load::Judging::summaries;
  const auto balance = url.find("balance");
  return balance && *balance != "hash" ? load::Judging::rounds : load::Judging::sessions;
}

std::size_t rounds_of(const Url& url) {
  constexpr std::size_t rounds_default = 16;
  return parse_number<std::size_t>(url.find("rounds").value_or("")).value_or(rounds_default);
}

}  // namespace

PlannedCell NamedTarget::at(const model::Load& load, std::size_t rounds) const {
  return {.cell = {.key = cell_key(key, load),
                   .subject = key,
                   .name = name,
                   .command = command,
                   .is_floor = target.judging == load::Judging::none,
                   .rounds_per_call = target.rounds_per_call,
                   .load = load},
          .target = target,
          .rounds = rounds};
}

NamedTarget named(const Subject& subject, const std::filesystem::path& binaries,
                  std::uint64_t seed) {
  model::Target target = target_of(subject, binaries, seed);
  return {.key = std::string(subject.key),
          .name = std::string(subject.name),
          .command = command_of(target, binaries),
          .target = std::move(target)};
}

std::expected<NamedTarget, std::string> parse_target(std::string_view text,
                                                     const std::filesystem::path& binaries,
                                                     std::uint64_t seed) {
  if (const Subject* const subject = find_subject(text)) {
    const std::string obstacle = why_not(*subject, binaries);
    if (!obstacle.empty()) return std::unexpected(std::string(text) + ": " + obstacle);
    return named(*subject, binaries, seed);
  }
  const auto url = parse_url(text);
  if (!url) {
    return std::unexpected("'" + std::string(text) + "' is neither a URL (" + url.error() +
                           ") nor one of " + known_keys());
  }
  if (!load::speaks(url->scheme))
    return std::unexpected("this build does not speak " + url->scheme);
  return NamedTarget{.key = std::string(text),
                     .name = std::string(text),
                     .command = std::string(text),
                     .target = target_of_url(text)};
}

model::Target target_of_url(std::string_view text) {
  model::Target target{.url = std::string(text)};
  const auto url = parse_url(text);
  if (!url) return target;
  target.judging = judging_of(*url);
  if (target.judging == load::Judging::summaries) target.rounds_per_call = rounds_of(*url);
  return target;
}

}  // namespace rps::scenarios
