#include "bench/report/html.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/model/summary.hpp"
#include "bench/report/html_figure.hpp"
#include "bench/report/html_style.hpp"
#include "bench/report/svg.hpp"

namespace rps::report {

namespace {

// A part of the page, and its entry in the contents.
struct Section {
  std::string id;
  std::string title;
  std::string body;  // Markup. A section without one is left out.
};

// With line breaks where the text has them.
std::string text_with_lines(std::string_view text) {
  std::string out;
  for (const char c : escape_markup(text)) {
    if (c == '\n') {
      out += "<br>";
    } else {
      out += c;
    }
  }
  return out;
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

std::string table_of(std::string_view caption, std::string_view head, std::string_view body) {
  const std::string inner =
      (caption.empty() ? std::string() : text_element("caption", {}, caption)) +
      element("thead", {}, element("tr", {}, head)) + "\n" + element("tbody", {}, body);
  // Whoever has no pointer must be able to scroll it too.
  return element("div", {{"class", "scroll"}, {"tabindex", "0"}}, element("table", {}, inner)) +
         "\n";
}

std::string heading_cell(std::string_view text, bool is_number) {
  return element("th", {{"scope", "col"}, {"class", is_number ? "number" : ""}},
                 text_with_lines(text));
}

std::string row_heading(std::string_view text) {
  return element("th", {{"scope", "row"}}, text_with_lines(text));
}

std::string cell(std::string_view text, bool is_number = false) {
  return element("td", {{"class", is_number ? "number" : ""}}, text_with_lines(text));
}

std::string row_of(const ViewTable& table, const ViewRow& row) {
  std::string cells = row_heading(row.cells.empty() ? "" : row.cells.front());
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

std::string view_table(const ViewTable& table) {
  std::string head;
  for (const ViewColumn& column : table.columns) {
    head += heading_cell(column.heading, column.is_number);
  }
  std::string body;
  for (const ViewRow& row : table.rows) body += row_of(table, row);
  std::string out = text_element("h3", {{"id", "table-" + table.key}}, table.title) + "\n";
  if (!table.source.empty()) {
    out += text_element("p", {{"class", "source"}}, "Claimed by: " + table.source + ".");
  }
  return out + table_of("", head, body) + list(table.notes);
}

// The first column names the rows, the others are numbers.
std::string numbers_table(const FigureNumbers& numbers) {
  std::string head;
  for (const std::string& heading : numbers.headings) head += heading_cell(heading, !head.empty());
  std::string body;
  for (const std::vector<std::string>& row : numbers.rows) {
    std::string cells = row_heading(row.front());
    for (std::size_t i = 1; i < row.size(); ++i) cells += cell(row[i], true);
    body += element("tr", {}, cells) + "\n";
  }
  return table_of("", head, body);
}

// ---- Sections ------------------------------------------------------------------------------

std::string figure_of(const Figure& figure) {
  std::string drawings;
  for (const std::string& drawing : figure.drawings) {
    drawings += element("div", {{"class", "scroll"}, {"tabindex", "0"}}, drawing) + "\n";
  }
  const std::string numbers = element(
      "details", {}, text_element("summary", {}, "The numbers") + numbers_table(figure.numbers));
  return element(
             "figure", {{"id", figure.id}},
             element("figcaption", {},
                     text_element("h3", {}, figure.title) + text_element("p", {}, figure.reading)) +
                 "\n" + drawings + numbers) +
         "\n";
}

// What a run must have for a chart, and the command that measures it.
struct Chart {
  std::string_view name;
  std::string_view command;
  std::optional<Figure> figure;
};

std::vector<Chart> charts_of(const model::Run& run, std::span<const FloorPair> floors) {
  const FigureSource source(run);
  constexpr std::string_view compare = "rps-bench compare";
  constexpr std::string_view rates = "rps-bench load TARGET --rate 1000 --rate 5000";
  std::vector<Chart> charts;
  charts.push_back({"Response times, closed loop", compare, spectrum_closed(source)});
  charts.push_back({"Response and service times, open loop", rates, spectrum_open(source)});
  charts.push_back({"Latency against throughput", rates, latency_against_rate(source)});
  charts.push_back({"QPS against concurrency", "rps-bench load TARGET --connections 1,8,64",
                    rate_against_concurrency(source)});
  charts.push_back({"Goodput against offered load", rates, goodput_against_rate(source)});
  charts.push_back({"What a call costs", compare, cost_of_a_call(source)});
  charts.push_back(
      {"What is ours, and what is the transport's", compare, time_against_floor(source, floors)});
  charts.push_back({"Over time", "rps-bench overload TARGET", time_series(source)});
  charts.push_back({"Every trial", compare, trial_dots(source)});
  return charts;
}

Section charts_section(const std::vector<Chart>& charts) {
  Section section{.id = "charts", .title = "Charts", .body = {}};
  std::string missing;
  for (const Chart& chart : charts) {
    if (chart.figure) {
      section.body += figure_of(*chart.figure);
    } else {
      missing += element("li", {},
                         escape_markup(chart.name) + ": this run has nothing to draw it from; " +
                             text_element("code", {}, chart.command) + " measures it.") +
                 "\n";
    }
  }
  if (!missing.empty()) {
    section.body += text_element("h3", {}, "Charts that this run cannot fill") +
                    element("ul", {{"class", "missing"}}, missing);
  }
  return section;
}

Section tables_section(const View& view) {
  Section section{.id = "tables", .title = "Tables", .body = {}};
  for (const ViewTable& table : view.tables) section.body += view_table(table);
  return section;
}

// A sign before the verdict, so that it is not told by its colour alone.
struct VerdictSign {
  std::string_view begins;
  std::string_view sign;
  std::string_view style;
};
constexpr std::array<VerdictSign, 3> verdict_signs{
    {{"confirmed", "✓ ", "good"}, {"contradicted", "✗ ", "bad"}, {"not testable", "– ", "open"}}};

std::string verdict_cell(std::string_view verdict) {
  VerdictSign sign{.begins = "", .sign = "? ", .style = "open"};
  for (const VerdictSign& each : verdict_signs) {
    if (verdict.starts_with(each.begins)) sign = each;
  }
  return element("td", {{"class", "verdict " + std::string(sign.style)}},
                 std::string(sign.sign) + escape_markup(verdict));
}

Section claims_section(const View& view) {
  Section section{.id = "claims", .title = "The claims, and what became of them", .body = {}};
  if (view.claims.empty()) return section;
  std::string rows;
  for (const ViewClaim& claim : view.claims) {
    rows +=
        element("tr", {},
                row_heading(claim.sentence) + cell(claim.measured) + verdict_cell(claim.verdict)) +
        "\n";
  }
  section.body = table_of("",
                          heading_cell("claim", false) + heading_cell("measured here", false) +
                              heading_cell("verdict", false),
                          rows);
  return section;
}

Section flags_section(const model::Run& run) {
  std::string rows;
  for (std::size_t i = 0; i < run.cells.size(); ++i) {
    for (const model::Flagged& flagged : model::flags_of(run, i)) {
      rows += element("tr", {},
                      row_heading(run.cells[i].key) + cell(to_string(flagged.flag)) +
                          cell(flagged.detail) + cell(explain(flagged.flag))) +
              "\n";
    }
  }
  const std::string head = heading_cell("cell", false) + heading_cell("flag", false) +
                           heading_cell("found", false) + heading_cell("what it means", false);
  return {.id = "flags",
          .title = "Read with care",
          .body = rows.empty() ? text_element("p", {}, "No cell was flagged.")
                               : table_of("", head, rows)};
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out.append(out.empty() ? "" : " ").append(word);
  return out;
}

void add_facts(const std::vector<std::pair<std::string, std::string>>& facts, std::string& rows) {
  for (const auto& [name, value] : facts) {
    if (!value.empty()) rows += element("tr", {}, row_heading(name) + cell(value)) + "\n";
  }
}

Section environment_section(const model::Run& run) {
  const machine::Environment& environment = run.environment;
  const model::Plan& plan = run.plan;
  std::string rows;
  add_facts({{"date", environment.date},
             {"processor", environment.cpu},
             {"cores online", std::to_string(environment.cores)},
             {"kernel", environment.kernel},
             {"compiler", environment.compiler},
             {"build", environment.build},
             {"revision", environment.revision},
             {"rounds", std::to_string(plan.rounds)},
             {"seed", std::to_string(plan.seed)}},
            rows);
  if (plan.cpus) {
    add_facts({{"CPU of the servers", std::to_string(plan.cpus->server)},
               {"CPU of the load", std::to_string(plan.cpus->load)}},
              rows);
  }
  add_facts(environment.details, rows);
  return {.id = "environment",
          .title = "Where and how",
          .body = table_of("", heading_cell("what", false) + heading_cell("here", false), rows)};
}

// In the order of the cells.
std::vector<std::pair<std::string, std::string>> cells_by_command(const model::Run& run) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const model::Cell& each : run.cells) {
    const auto known = std::ranges::find(out, each.command, &decltype(out)::value_type::first);
    if (known == out.end()) {
      out.emplace_back(each.command, each.key);
    } else {
      known->second += ", " + each.key;
    }
  }
  return out;
}

Section commands_section(const model::Run& run) {
  std::string rows;
  for (const auto& [command, keys] : cells_by_command(run)) {
    rows +=
        element("tr", {}, element("td", {}, text_element("code", {}, command)) + cell(keys)) + "\n";
  }
  return {
      .id = "commands",
      .title = "The exact commands",
      .body = element("pre", {{"tabindex", "0"}},
                      text_element("code", {}, joined(run.plan.command_line))) +
              table_of("", heading_cell("what was measured", false) + heading_cell("cells", false),
                       rows)};
}

// ---- The run itself ------------------------------------------------------------------------

// As content of a script element, which ends at "</script" and changes its ways at "<!--": JSON
// has a "<" in strings only, where it can be said otherwise.
std::string json_in_script(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  for (const char c : json) {
    if (c == '<') {
      out += "\\u003c";
    } else {
      out += c;
    }
  }
  return out;
}

// What a URL would take for its own, or drop. Browsers encode the rest.
std::string json_in_url(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  for (const char c : json) {
    switch (c) {
      case '%': out += "%25"; break;
      case '#': out += "%23"; break;
      case '"': out += "%22"; break;
      case '\n': out += "%0A"; break;
      default: out += c;
    }
  }
  return out;
}

Section data_section(const model::Run& run) {
  const std::string json = model::to_json(run);
  Section section{.id = "data", .title = "The run itself", .body = {}};
  section.body =
      "<p>Every trial with its histograms is in this page, as JSON in the element "
      "<code>#run</code>; tables and charts can be made from it again.</p>\n";
  if (json.size() <= linked_run_bytes_max) {
    section.body +=
        element("p", {},
                text_element("a",
                             {{"class", "download"},
                              {"download", run.id + ".json"},
                              {"href", "data:application/json;charset=utf-8," + json_in_url(json)}},
                             "Save the run as JSON"));
  }
  section.body +=
      "\n<script type=\"application/json\" id=\"run\">" + json_in_script(json) + "</script>\n";
  return section;
}

// ---- The page ------------------------------------------------------------------------------

// Three radio buttons; the style sheet asks which is chosen.
std::string light_switch() {
  std::string out = "<legend>Colours</legend>";
  constexpr std::array<std::pair<std::string_view, std::string_view>, 3> choices{
      {{"auto", "as the system"}, {"light", "light"}, {"dark", "dark"}}};
  for (const auto& [id, name] : choices) {
    const std::string checked = id == "auto" ? " checked" : "";
    out += "<label><input type=\"radio\" name=\"colours\" id=\"colours-" + std::string(id) + "\"" +
           checked + "> " + std::string(name) + "</label>";
  }
  return element("fieldset", {{"class", "colours"}}, out);
}

std::string header(const model::Run& run, const View& view) {
  std::string out = light_switch() + text_element("h1", {}, view.title);
  if (!run.id.empty()) out += text_element("p", {{"class", "run-id"}}, "Run " + run.id);
  if (run.interrupted) {
    out += text_element("p", {{"class", "warning"}},
                        "This run was ended early: what follows is what there was by then.");
  }
  if (!run.interrupted && !run.all_valid()) {
    out += text_element("p", {{"class", "warning"}},
                        "Not every trial is valid: see what is to be read with care.");
  }
  return element("header", {}, out + "\n" + paragraphs(view.preamble));
}

std::string contents(const std::vector<Section>& sections, const std::vector<Chart>& charts) {
  std::string items;
  for (const Section& section : sections) {
    std::string inner = text_element("a", {{"href", "#" + section.id}}, section.title);
    if (section.id == "charts") {
      std::string figures;
      for (const Chart& chart : charts) {
        if (!chart.figure) continue;
        figures += element(
            "li", {}, text_element("a", {{"href", "#" + chart.figure->id}}, chart.figure->title));
      }
      inner += element("ul", {}, figures);
    }
    items += element("li", {}, inner) + "\n";
  }
  return element("nav", {{"aria-label", "Contents"}}, element("ul", {}, items));
}

}  // namespace

std::string to_html(const model::Run& run, const View& view, std::span<const FloorPair> floors) {
  const std::vector<Chart> charts = charts_of(run, floors);
  std::vector<Section> sections{
      tables_section(view),
      claims_section(view),
      {.id = "comparisons",
       .title = "Each against the first at the same load",
       .body = list(view.comparisons)},
      charts_section(charts),
      flags_section(run),
      {.id = "notes", .title = "How to read it", .body = list(view.notes)},
      environment_section(run),
      commands_section(run),
      data_section(run)};
  std::erase_if(sections, [](const Section& section) { return section.body.empty(); });

  std::string body = header(run, view) + "\n" + contents(sections, charts) + "\n";
  std::string main;
  for (const Section& section : sections) {
    main += element("section", {{"aria-labelledby", section.id}},
                    text_element("h2", {{"id", section.id}}, section.title) + "\n" + section.body) +
            "\n";
  }
  return "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n" +
         text_element("title", {}, view.title) + "\n" + element("style", {}, html_style()) +
         "\n</head>\n<body>\n" + body + element("main", {}, main) + "\n</body>\n</html>\n";
}

}  // namespace rps::report
