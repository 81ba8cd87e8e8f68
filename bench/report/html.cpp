#include "bench/report/html.hpp"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/model/summary.hpp"
#include "bench/report/markup.hpp"
#include "bench/report/page_files.hpp"
#include "bench/report/spectra.hpp"

namespace rps::report {

namespace {

std::string replaced(std::string_view text, char mark, std::string_view with) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) out += c == mark ? with : std::string_view(&c, 1);
  return out;
}

// With line breaks where the text has them.
std::string text_with_lines(std::string_view text) {
  return replaced(escape_markup(text), '\n', "<br>");
}

std::string paragraphs(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += text_element("p", {}, text) + "\n";
  return out;
}

std::string list(const std::vector<std::string>& texts) {
  if (texts.empty()) return {};
  std::string items;
  for (const std::string& text : texts) items += text_element("li", {}, text) + "\n";
  return element("ul", {}, items);
}

// ---- Tables --------------------------------------------------------------------------------

// A verdict has a sign; its colour only repeats the sign.
std::string_view class_of(std::string_view text, bool is_number) {
  if (is_number) return "number";
  if (text.starts_with("✓")) return "good";
  return text.starts_with("✗") ? "bad" : "";
}

std::string cell(std::string_view text, bool is_number) {
  return element("td", {{"class", std::string(class_of(text, is_number))}}, text_with_lines(text));
}

std::string row_of(const Table& table, const Row& row) {
  std::string cells = element("th", {{"scope", "row"}},
                              text_with_lines(row.cells.empty() ? "" : row.cells.front()));
  if (row.remark.empty()) {
    for (std::size_t i = 1; i < row.cells.size(); ++i) {
      cells += cell(row.cells[i], i < table.columns.size() && table.columns[i].is_number);
    }
  } else {
    const std::size_t columns = std::max<std::size_t>(table.columns.size(), 2) - 1;
    cells += element("td", {{"class", "remark"}, {"colspan", std::to_string(columns)}},
                     text_with_lines(row.remark));
  }
  return element("tr", {{"class", row.is_floor ? "floor" : ""}}, cells) + "\n";
}

// Without a title there is no heading, and without rows no table.
std::string table_of(const Table& table) {
  std::string out;
  if (!table.title.empty()) {
    out += text_element("h3", {{"id", "table-" + table.key}}, table.title) + "\n";
  }
  if (!table.source.empty()) {
    out += text_element("p", {{"class", "source"}}, "Claimed by: " + table.source + ".");
  }
  if (table.rows.empty()) return out;
  std::string head;
  for (const Column& column : table.columns) {
    head += element("th", {{"scope", "col"}, {"class", column.is_number ? "number" : ""}},
                    text_with_lines(column.heading));
  }
  std::string body;
  for (const Row& row : table.rows) body += row_of(table, row);
  const std::string inner =
      element("thead", {}, element("tr", {}, head)) + "\n" + element("tbody", {}, body);
  // Whoever has no pointer must be able to scroll it too.
  return out +
         element("div", {{"class", "scroll"}, {"tabindex", "0"}}, element("table", {}, inner)) +
         "\n" + list(table.notes);
}

// ---- The parts of the page -----------------------------------------------------------------

std::string other_tables(const View& view) {
  std::string out;
  for (std::size_t i = 1; i < view.tables.size(); ++i) out += table_of(view.tables[i]);
  return out;
}

std::string signed_verdict(const std::string& verdict) {
  if (verdict.starts_with("confirmed")) return "✓ " + verdict;
  if (verdict.starts_with("contradicted")) return "✗ " + verdict;
  return (verdict.starts_with("not testable") ? "– " : "? ") + verdict;
}

// The claims that this run tests, and folded those that it cannot test.
std::string claims(const View& view) {
  if (view.claims.empty()) return {};
  Table tested{
      .columns = {{.heading = "claim"}, {.heading = "measured here"}, {.heading = "verdict"}}};
  Table untested{.columns = tested.columns};
  for (const Claim& claim : view.claims) {
    const bool is_tested = !claim.verdict.starts_with("not testable");
    (is_tested ? tested : untested)
        .rows.push_back({.cells = {claim.sentence, claim.measured, signed_verdict(claim.verdict)}});
  }
  std::string out = text_element("h3", {{"id", "claims"}}, "The claims, and what became of them") +
                    table_of(tested);
  if (untested.rows.empty()) return out;
  const std::string summary =
      "Claims that this run cannot test: " + std::to_string(untested.rows.size());
  return out + element("details", {}, text_element("summary", {}, summary) + table_of(untested));
}

std::string comparisons(const View& view) {
  if (view.comparisons.empty()) return {};
  return text_element("h3", {{"id", "comparisons"}}, "Each against the first at the same load") +
         list(view.comparisons);
}

std::string absent(const View& view) {
  return view.absent.empty() ? text_element("p", {}, "No figure of the tables is absent.")
                             : list(view.absent);
}

std::string flags(const model::Run& run) {
  Table table{.columns = {{.heading = "cell"},
                          {.heading = "flag"},
                          {.heading = "found"},
                          {.heading = "what it means"}}};
  for (std::size_t i = 0; i < run.cells.size(); ++i) {
    for (const model::Flagged& flagged : model::flags_of(run, i)) {
      const model::FlagInfo& flag = model::info(flagged.flag);
      table.rows.push_back({.cells = {run.cells[i].key, std::string(flag.word), flagged.detail,
                                      std::string(flag.explanation)}});
    }
  }
  return table.rows.empty() ? text_element("p", {}, "No cell was flagged.") : table_of(table);
}

std::string environment(const model::Run& run) {
  const machine::Environment& here = run.environment;
  std::vector<std::pair<std::string, std::string>> facts{
      {"date", here.date},
      {"processor", here.cpu},
      {"cores online", std::to_string(here.cores)},
      {"kernel", here.kernel},
      {"compiler", here.compiler},
      {"build", here.build},
      {"revision", here.revision},
      {"rounds", std::to_string(run.plan.rounds)},
      {"seed", std::to_string(run.plan.seed)}};
  if (run.plan.cpus) {
    facts.emplace_back("CPU of the servers", std::to_string(run.plan.cpus->server));
    facts.emplace_back("CPU of the load", std::to_string(run.plan.cpus->load));
  }
  facts.insert(facts.end(), here.details.begin(), here.details.end());
  Table table{.columns = {{.heading = "what"}, {.heading = "here"}}};
  for (const auto& [name, value] : facts) {
    if (!value.empty()) table.rows.push_back({.cells = {name, value}});
  }
  return table_of(table);
}

std::string warning(const model::Run& run) {
  if (run.interrupted) {
    return text_element("p", {{"class", "warning"}},
                        "This run was ended early: what follows is what there was by then.");
  }
  if (run.all_valid()) return {};
  return text_element("p", {{"class", "warning"}},
                      "Not every trial is valid: see what is to be read with care.");
}

// The cells of each command, in the order of the cells.
std::string commands(const model::Run& run) {
  Table table{.columns = {{.heading = "what was measured"}, {.heading = "cells"}}};
  for (const model::Cell& each : run.cells) {
    const auto known = std::ranges::find_if(
        table.rows, [&](const Row& row) { return row.cells.front() == each.command; });
    if (known == table.rows.end()) {
      table.rows.push_back({.cells = {each.command, each.key}});
    } else {
      known->cells.back() += ", " + each.key;
    }
  }
  return element("div", {{"class", "commands"}}, table_of(table));
}

std::string command_line(const model::Run& run) {
  std::string out;
  for (const std::string& word : run.plan.command_line) {
    out.append(out.empty() ? "" : " ").append(word);
  }
  return escape_markup(out);
}

// As content of a script element. HTML gives "</script" and "<!--" a meaning there. In JSON "<"
// occurs in strings only, so it is escaped.
std::string json_in_script(std::string_view json) {
  return replaced(json, '<', "\\u003c");
}

std::string no_charts() {
  if (!chart_js().empty()) return {};
  return text_element(
      "p", {},
      "This rps-bench was built without Chart.js (Debian: libjs-chart.js): the page "
      "has the numbers of the charts, and no charts.");
}

// The page with each "{{name}}" replaced by the part of that name. REQUIRES: every name is a part.
std::string filled(std::string_view page, const std::map<std::string_view, std::string>& parts) {
  std::string out;
  for (std::size_t at = page.find("{{"); at != std::string_view::npos; at = page.find("{{")) {
    const std::size_t end = page.find("}}", at);
    out += page.substr(0, at);
    out += parts.at(page.substr(at + 2, end - at - 2));
    page.remove_prefix(end + 2);
  }
  return out += page;
}

}  // namespace

std::string to_html(const model::Run& run, const View& view) {
  return filled(page_html(),
                {{"title", escape_markup(view.title)},
                 {"run id", run.id.empty() ? "" : "Run " + escape_markup(run.id)},
                 {"warning", warning(run)},
                 {"preamble", paragraphs(view.preamble)},
                 {"first table", view.tables.empty() ? "" : table_of(view.tables.front())},
                 {"claims", claims(view)},
                 {"comparisons", comparisons(view)},
                 {"other tables", other_tables(view)},
                 {"no charts", no_charts()},
                 {"absent", absent(view)},
                 {"flags", flags(run)},
                 {"notes", list(view.notes)},
                 {"environment", environment(run)},
                 {"command line", command_line(run)},
                 {"commands", commands(run)},
                 {"licence", escape_markup(chart_js_licence())},
                 {"run", json_in_script(model::to_json(run))},
                 {"spectra", json_in_script(spectra_json(run))},
                 {"page.css", std::string(page_css())},
                 {"chart.js", std::string(chart_js())},
                 {"figures.js", std::string(figures_js())},
                 {"page.js", std::string(page_js())}});
}

}  // namespace rps::report
