#include "bench/scenarios/targets.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "bench/load/clients/connect.hpp"
#include "bench/scenarios/micro.hpp"
#include "bench/scenarios/subjects.hpp"
#include "core/net/child.hpp"
#include "core/number.hpp"
#include "core/url.hpp"

namespace rps::scenarios {

namespace {

std::string replace(std::string text, std::string_view mark, std::string_view value) {
  for (std::size_t at = text.find(mark); at != std::string::npos;
       at = text.find(mark, at + value.size())) {
    text.replace(at, mark.size(), value);
  }
  return text;
}

// No floor takes less than a byte.
std::string size_argument(double bytes) {
  return std::to_string(std::max(1L, std::lround(bytes)));
}

// The scheme that `subject` is reached by; the server's own when it is not said.
std::string_view scheme_of(const model::Subject& subject) {
  const std::size_t colon = subject.url.find(':');
  if (colon != std::string_view::npos) return subject.url.substr(0, colon);
  if (subject.instances > 1) return "file";
  return subject.server.name == "rps-jsonrpc" ? "jsonrpc" : "grpc";
}

// The program that a URL like "cli:{bin}/rps-cli?…" starts; empty: none.
std::string_view program_in(std::string_view url) {
  constexpr std::string_view mark = "{bin}/";
  const std::size_t at = url.find(mark);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = url.substr(at + mark.size());
  return rest.substr(0, rest.find('?'));
}

// Of a command.
std::string_view words_of(model::Fault fault) {
  switch (fault) {
    case model::Fault::none: return "";
    case model::Fault::kill: return "  (the first is killed, and started again)";
    case model::Fault::freeze: return "  (the first is frozen for a time)";
  }
  return "";
}

std::string known_keys() {
  std::string keys;
  for (const model::Subject& subject : all_subjects()) {
    keys.append(keys.empty() ? "" : ", ").append(subject.key);
  }
  return keys;
}

load::Judging judging_of(const Url& url) {
  if (url.scheme.starts_with("echo") || url.scheme == "spawn") return load::Judging::none;
  if (url.scheme == "jsonrpc+lean") return load::Judging::errors;
  if (url.scheme == "cli+spawn") return load::Judging::rounds;
  if (url.find("mode") == "many") return load::Judging::summaries;
  if (url.find("mode") == "watch") return load::Judging::rounds;  // A duel is no session.
  const auto balance = url.find("balance");
  return balance && *balance != "hash" ? load::Judging::rounds : load::Judging::sessions;
}

std::size_t rounds_of(const Url& url) {
  constexpr std::size_t rounds_default = 16;
  return parse_number<std::size_t>(url.find("rounds").value_or("")).value_or(rounds_default);
}

}  // namespace

std::string path_in_url(const std::filesystem::path& path) {
  return replace(replace(path.string(), "%", "%25"), "?", "%3F");
}

model::Target target_of(const model::Subject& subject, const std::filesystem::path& binaries,
                        std::uint64_t seed, const model::CallBytes& bytes) {
  const model::CallBytes& framing = subject.framing;
  const auto filled = [&](std::string_view text, const std::string& bin) {
    std::string made = replace(std::string(text), "{seed}", std::to_string(seed));
    made = replace(std::move(made), "{request}", size_argument(bytes.request - framing.request));
    made = replace(std::move(made), "{reply}", size_argument(bytes.reply - framing.reply));
    return replace(std::move(made), "{bin}", bin);
  };
  model::Target target{.server = {},
                       .instances = subject.instances,
                       .slow_by = subject.slow_by,
                       .fault = subject.fault,
                       .url = filled(subject.url, path_in_url(binaries)),
                       .has_observer = subject.server.has_observer,
                       .drops_log = subject.server.drops_log,
                       .port = std::string(subject.server.port),
                       .judging = subject.judging,
                       .rounds_per_call = subject.rounds_per_call,
                       .micro = std::string(subject.micro)};
  if (subject.server.name.empty()) return target;
  target.server.push_back((binaries / subject.server.name).string());
  for (const std::string_view some : {subject.server.flags, subject.server.more_flags}) {
    std::istringstream flags(filled(some, binaries.string()));
    for (std::string flag; flags >> flag;) target.server.push_back(flag);
  }
  return target;
}

std::string command_of(const model::Target& target, const std::filesystem::path& binaries) {
  if (!target.micro.empty()) return "rps-micro --benchmark_filter='^" + target.micro + "$'";
  std::string command = target.server.empty() ? target.url : "";
  for (const std::string& word : target.server) {
    command.append(command.empty() ? "" : " ").append(word);
  }
  if (target.instances > 1) command += "  (" + std::to_string(target.instances) + " of them)";
  if (target.slow_by.count() > 0) {
    command +=
        "  (a relay holds the answers of the first back for " + duration_text(target.slow_by) + ")";
  }
  command += words_of(target.fault);
  if (!target.server.empty() && !target.url.empty()) command += "  reached by " + target.url;
  return replace(std::move(command), binaries.string() + "/", "");
}

std::string why_not(const model::Subject& subject, const std::filesystem::path& binaries) {
  const std::string_view program = !subject.micro.empty()         ? "rps-micro"
                                   : !subject.server.name.empty() ? subject.server.name
                                                                  : program_in(subject.url);
  std::error_code unknown;
  const bool is_there = program.empty() || std::filesystem::exists(binaries / program, unknown);
  if (!is_there && !unknown) return "not built here";
  if (!subject.micro.empty()) return {};
  const std::string_view scheme = scheme_of(subject);
  if (!load::speaks(scheme)) return "this build does not speak " + std::string(scheme);
  return scheme == "cli+pty" ? net::why_no_terminal() : std::string();
}

bool needs_two_cpus(const model::Subject& subject) {
  return subject.micro.ends_with(wall_clock_suffix);
}

PlannedCell NamedTarget::at(const model::Load& load, std::size_t rounds) const {
  return {.cell = {.key = model::cell_key(key, load),
                   .subject = key,
                   .name = name,
                   .command = command,
                   .is_floor = target.judging == load::Judging::none,
                   .floor = floor,
                   .answers_in_submit = load::answers_in_submit(target.url),
                   .rounds_per_call = target.rounds_per_call,
                   .load = load},
          .target = target,
          .rounds = rounds};
}

NamedTarget named(const model::Subject& subject, const std::filesystem::path& binaries,
                  std::uint64_t seed) {
  model::Target target = target_of(subject, binaries, seed, subject.bytes);
  return {.key = std::string(subject.key),
          .name = std::string(subject.name),
          .command = command_of(target, binaries),
          .floor = std::string(subject.floor),
          .target = std::move(target)};
}

void fit_floor(PlannedCell& floor, const model::Subject& subject,
               const std::filesystem::path& binaries, std::uint64_t seed,
               const model::CallBytes& bytes) {
  if (subject.bytes.reply <= 0) return;
  floor.target = target_of(subject, binaries, seed, bytes);
  floor.cell.command = command_of(floor.target, binaries);
}

std::expected<NamedTarget, std::string> parse_target(std::string_view text,
                                                     const std::filesystem::path& binaries,
                                                     std::uint64_t seed) {
  if (const model::Subject* const subject = find_subject(text)) {
    const std::string obstacle = why_not(*subject, binaries);
    if (!obstacle.empty()) return std::unexpected(std::string(text) + ": " + obstacle);
    return named(*subject, binaries, seed);
  }
  const auto url = parse_url(text);
  if (!url) {
    return std::unexpected("'" + std::string(text) + "' is neither a URL (" + url.error() +
                           ") nor one of " + known_keys());
  }
  if (const auto checked = load::check(*url); !checked) return std::unexpected(checked.error());
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
