#include "bench/report/junit.hpp"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <string_view>

#include "bench/model/format.hpp"
#include "core/utf8.hpp"

namespace rps::report {

namespace {

enum class Result : std::uint8_t { passed, failed, skipped };

struct Case {
  std::string classname;
  std::string name;
  double seconds = 0;
  Result result = Result::passed;
  std::string message;  // Why it failed or was skipped.
};

// One character of a text, as it may stand in an attribute. XML 1.0 has no control characters but
// three, and neither U+FFFE nor U+FFFF.
std::string escaped_character(std::string_view character) {
  if (character == "&") return "&amp;";
  if (character == "<") return "&lt;";
  if (character == ">") return "&gt;";
  if (character == "\"") return "&quot;";
  if (character == "\n") return "&#10;";
  if (character == "\r") return "&#13;";
  if (character == "\t") return "&#9;";
  const bool is_control = static_cast<unsigned char>(character.front()) < 0x20;
  const bool is_no_character = character == "\xEF\xBF\xBE" || character == "\xEF\xBF\xBF";
  return is_control || is_no_character ? "?" : std::string(character);
}

std::string escaped(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    out += length == 0 ? "?" : escaped_character(text.substr(0, length));
    text.remove_prefix(std::max<std::size_t>(1, length));
  }
  return out;
}

std::string attribute(std::string_view name, std::string_view value) {
  return " " + std::string(name) + "=\"" + escaped(value) + "\"";
}

// A cell passes when its trials are valid.
Case case_of(const model::Run& run, std::size_t cell) {
  Case result{.classname = run.cells[cell].subject, .name = run.cells[cell].key};
  std::size_t trials = 0;
  for (const model::CellTrial& each : model::trials_of(run, cell)) {
    ++trials;
    result.seconds += each.trial.seconds;
    if (each.trial.valid || result.result == Result::failed) continue;
    result.result = Result::failed;
    result.message = "round " + std::to_string(each.round + 1) + ": " + each.trial.complaint();
  }
  if (trials == 0) {
    result.result = Result::skipped;
    result.message = model::why_no_trial(run, cell);
  }
  return result;
}

Case case_of(const model::ThresholdResult& result) {
  return {.classname = "threshold",
          .name = (result.cell.empty() ? "" : result.cell + ": ") + result.threshold.text,
          .result = result.passed ? Result::passed : Result::failed,
          .message = result.passed ? "" : result.sentence()};
}

std::string to_xml(const Case& each) {
  std::string text = "  <testcase" + attribute("classname", each.classname) +
                     attribute("name", each.name) +
                     attribute("time", model::format_number(each.seconds));
  switch (each.result) {
    case Result::passed: return text + "/>\n";
    case Result::failed:
      return text + "><failure" + attribute("message", each.message) + "/></testcase>\n";
    case Result::skipped:
      return text + "><skipped" + attribute("message", each.message) + "/></testcase>\n";
  }
  return text;
}

}  // namespace

std::string to_junit(const model::Run& run, const std::vector<model::ThresholdResult>& thresholds) {
  std::vector<Case> cases;
  for (std::size_t cell = 0; cell < run.cells.size(); ++cell) cases.push_back(case_of(run, cell));
  for (const model::LeftOut& each : run.left_out) {
    if (std::ranges::find(run.cells, each.subject, &model::Cell::subject) != run.cells.end()) {
      continue;
    }
    cases.push_back({.classname = each.subject,
                     .name = each.subject,
                     .result = Result::skipped,
                     .message = model::why_not_measured(run, each.subject)});
  }
  for (const model::ThresholdResult& result : thresholds) cases.push_back(case_of(result));

  const auto count = [&](Result result) {
    return std::to_string(std::ranges::count(cases, result, &Case::result));
  };
  const double seconds =
      std::accumulate(cases.begin(), cases.end(), 0.0,
                      [](double sum, const Case& each) { return sum + each.seconds; });
  std::string xml =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite" +
      attribute("name", "rps-bench " + run.id) + attribute("tests", std::to_string(cases.size())) +
      attribute("failures", count(Result::failed)) + attribute("errors", "0") +
      attribute("skipped", count(Result::skipped)) + attribute("timestamp", run.environment.date) +
      attribute("time", model::format_number(seconds)) + ">\n";
  for (const Case& each : cases) xml += to_xml(each);
  return xml + "</testsuite>\n";
}

}  // namespace rps::report
