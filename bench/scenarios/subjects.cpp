#include "bench/scenarios/subjects.hpp"

#include <algorithm>
#include <sstream>

#include <unistd.h>

#include "bench/load/clients/connect.hpp"
#include "bench/scenarios/runner.hpp"

namespace rps::scenarios {

namespace {

// Escapes what would end or change the path inside a URL.
std::string percent_encode(std::string_view path) {
  std::string out;
  for (const char c : path) {
    if (c == '%') {
      out += "%25";
    } else if (c == '?') {
      out += "%3F";
    } else {
      out += c;
    }
  }
  return out;
}

std::string replace(std::string text, std::string_view mark, std::string_view value) {
  for (std::size_t at = text.find(mark); at != std::string::npos;
       at = text.find(mark, at + value.size())) {
    text.replace(at, mark.size(), value);
  }
  return text;
}

bool is_program(const std::filesystem::path& path) {
  return ::access(path.c_str(), X_OK) == 0;
}

// The scheme that `subject` is reached by; the server's own when it is not said.
std::string_view scheme_of(const Subject& subject) {
  const std::size_t colon = subject.url.find(':');
  if (colon != std::string_view::npos) return subject.url.substr(0, colon);
  if (subject.instances > 1) return "jsonrpc+fleet";
  return subject.binary == "rps-jsonrpc" ? "jsonrpc" : "grpc";
}

// The program that a URL like "cli:{bin}/rps-cli?…" starts; empty: none.
std::string_view program_in(std::string_view url) {
  constexpr std::string_view mark = "{bin}/";
  const std::size_t at = url.find(mark);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = url.substr(at + mark.size());
  return rest.substr(0, rest.find('?'));
}

}  // namespace

const Subject* find_subject(std::string_view key) {
  const auto found = std::ranges::find(all_subjects, key, &Subject::key);
  return found == all_subjects.end() ? nullptr : &*found;
}

std::vector<report::FloorPair> floor_pairs(const model::Run& run) {
  std::vector<report::FloorPair> pairs;
  for (const model::Cell& cell : run.cells) {
    const Subject* const subject = find_subject(cell.subject);
    if (subject == nullptr || subject->floor.empty()) continue;
    const std::string floor = cell_key(subject->floor, cell.load);
    if (run.find(floor) != nullptr) pairs.push_back({.stage = cell.key, .floor = floor});
  }
  return pairs;
}

model::Target target_of(const Subject& subject, const std::filesystem::path& binaries,
                        std::uint64_t seed) {
  const std::string seed_text = std::to_string(seed);
  const auto filled = [&](std::string_view text, const std::string& bin) {
    return replace(replace(std::string(text), "{seed}", seed_text), "{bin}", bin);
  };
  model::Target target{.server = {},
                       .instances = subject.instances,
                       .url = filled(subject.url, percent_encode(binaries.string())),
                       .has_observer = subject.has_observer,
                       .judging = subject.judging,
                       .rounds_per_call = subject.rounds_per_call,
                       .micro = std::string(subject.micro)};
  if (subject.binary.empty()) return target;
  target.server.push_back((binaries / subject.binary).string());
  std::istringstream flags(filled(subject.flags, binaries.string()));
  for (std::string flag; flags >> flag;) target.server.push_back(flag);
  return target;
}

std::string command_of(const model::Target& target, const std::filesystem::path& binaries) {
  if (!target.micro.empty()) return "rps-micro --benchmark_filter='^" + target.micro + "$'";
  std::string command = target.server.empty() ? target.url : "";
  for (const std::string& word : target.server) {
    command.append(command.empty() ? "" : " ").append(word);
  }
  if (target.instances > 1) command += "  (" + std::to_string(target.instances) + " of them)";
  if (!target.server.empty() && !target.url.empty()) command += "  reached by " + target.url;
  return replace(std::move(command), binaries.string() + "/", "");
}

std::string why_not(const Subject& subject, const std::filesystem::path& binaries) {
  const std::string_view program = !subject.micro.empty()    ? "rps-micro"
                                   : !subject.binary.empty() ? subject.binary
                                                             : program_in(subject.url);
  if (!program.empty() && !is_program(binaries / program)) return "not built here";
  if (!subject.micro.empty() || load::speaks(scheme_of(subject))) return {};
  return "this build does not speak " + std::string(scheme_of(subject));
}

}  // namespace rps::scenarios
