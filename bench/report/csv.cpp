#include "bench/report/csv.hpp"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "core/number.hpp"

namespace rps::report {

namespace {

using Fields = std::vector<std::string>;

std::string as_field(std::string_view field) {
  if (field.find_first_of("\",\r\n") == std::string_view::npos) return std::string(field);
  std::string text = "\"";
  for (const char character : field) {
    if (character == '"') text += '"';
    text += character;
  }
  return text + '"';
}

void append_line(const Fields& fields, std::string& out) {
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) out += ',';
    out += as_field(fields[i]);
  }
  out += "\r\n";
}

Fields header() {
  Fields fields{"run",  "date",    "cell",      "subject", "connections", "depth",
                "loop", "round",   "order",     "valid",   "complaint",   "seconds",
                "due",  "dropped", "timed_out", "lost",    "answered"};
  for (const model::MetricInfo& each : model::all_metrics) fields.emplace_back(each.column);
  for (const char* const column :
       {"unanswered", "reconnects", "resent", "uncertain", "outages", "outage_seconds"}) {
    fields.emplace_back(column);
  }
  fields.emplace_back("absent");
  return fields;
}

// Which figures are absent, and why: "p99_ns p999_ns: fewer than ten answers …; syscalls_per_call:
// …".
std::string absent_in(const model::Trial& trial, const model::Cell& cell) {
  std::vector<std::pair<std::string, std::string>> columns_by_reason;
  for (const model::MetricInfo& metric : model::all_metrics) {
    const std::string why = model::why_absent(trial, cell, metric.metric);
    if (why.empty()) continue;
    const auto known =
        std::ranges::find(columns_by_reason, why, &std::pair<std::string, std::string>::first);
    if (known == columns_by_reason.end()) {
      columns_by_reason.emplace_back(why, metric.column);
    } else {
      known->second.append(" ").append(metric.column);
    }
  }
  std::string text;
  for (const auto& [why, columns] : columns_by_reason) {
    text.append(text.empty() ? "" : "; ").append(columns).append(": ").append(why);
  }
  return text;
}

Fields line_of(const model::Run& run, const model::CellTrial& each) {
  const model::Cell& cell = run.cells[each.cell];
  const model::Trial& trial = each.trial;
  Fields fields{run.id,
                run.environment.date,
                cell.key,
                cell.subject,
                std::to_string(cell.load.connections),
                std::to_string(cell.load.depth),
                cell.load.schedule.is_closed() ? "closed" : "open",
                std::to_string(each.round),
                std::to_string(each.order),
                trial.valid ? "true" : "false",
                trial.complaint(),
                number_text(trial.seconds),
                std::to_string(trial.due),
                std::to_string(trial.dropped),
                std::to_string(trial.timed_out),
                std::to_string(trial.lost),
                std::to_string(trial.answered)};
  for (const model::MetricInfo& metric : model::all_metrics) {
    const auto value = model::figure(trial, cell, metric.metric);
    fields.push_back(value ? number_text(*value) : "");
  }
  for (const std::uint64_t count :
       {trial.unanswered, trial.connections.reconnects, trial.connections.resent,
        trial.connections.uncertain, trial.outages.count}) {
    fields.push_back(std::to_string(count));
  }
  fields.push_back(number_text(trial.outages.seconds));
  fields.push_back(absent_in(trial, cell));
  return fields;
}

}  // namespace

std::string to_csv(const model::Run& run) {
  std::string out;
  append_line(header(), out);
  for (const model::CellTrial& each : run.trials) append_line(line_of(run, each), out);
  return out;
}

}  // namespace rps::report
