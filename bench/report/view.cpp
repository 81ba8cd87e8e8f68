#include "bench/report/view.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <expected>
#include <optional>
#include <utility>

#include "bench/model/format.hpp"
#include "bench/model/summary.hpp"

namespace rps::report {

namespace {

const std::string none = "-";

// In what units a column counts: a heading names them, so that cells stay narrow.
double in_column_unit(model::Metric metric, double value) {
  return metric == model::Metric::rss_peak ? value / 1e6 : value;
}

bool is_whole(model::Metric metric) {
  return metric == model::Metric::threads || metric == model::Metric::calls ||
         metric == model::Metric::failed_calls;
}

// Times and rates carry their unit, which fits their size; everything else is a bare number.
std::string format_value(model::Metric metric, double value) {
  if (is_whole(metric)) return std::to_string(std::lround(value));
  if (value == 0) return "0";
  switch (model::info(metric).unit) {
    case model::Unit::nanoseconds:
    case model::Unit::per_second:
    case model::Unit::share: return model::format_metric(metric, value);
    case model::Unit::microseconds:
    case model::Unit::bytes:
    case model::Unit::count: return model::format_number(in_column_unit(metric, value));
  }
  return none;
}

std::string format_range(model::Metric metric, model::Estimate estimate) {
  if (estimate.high == 0) return "0–0";
  switch (model::info(metric).unit) {
    case model::Unit::nanoseconds: return model::format_nanoseconds_range(estimate);
    case model::Unit::per_second: return model::format_rate_range(estimate);
    case model::Unit::microseconds:
    case model::Unit::bytes:
    case model::Unit::share:
    case model::Unit::count: break;
  }
  if (is_whole(metric)) {
    return std::to_string(std::lround(estimate.low)) + "–" +
           std::to_string(std::lround(estimate.high));
  }
  estimate.low = in_column_unit(metric, estimate.low);
  estimate.high = in_column_unit(metric, estimate.high);
  return model::format_number_range(estimate);
}

// Says each reason once: which figures of which cells it took away.
class Absences {
 public:
  // What stands in the figure's place.
  std::string add(std::string_view column, const std::string& cell, const std::string& why) {
    std::string heading(column);
    std::ranges::replace(heading, '\n', ' ');
    std::vector<std::string>& cells = cells_of(heading, why);
    if (std::ranges::find(cells, cell) == cells.end()) cells.push_back(cell);
    return none;
  }

  // "p99.9 of grpc/1x1; cli/1x1: fewer than ten answers are above it."
  std::vector<std::string> sentences() const {
    std::vector<std::string> sentences;
    for (const Absence& each : absences_) {
      std::string cells;
      for (const std::string& cell : each.cells)
        cells.append(cells.empty() ? "" : "; ").append(cell);
      sentences.push_back(each.heading + " of " + cells + ": " + each.why + ".");
    }
    return sentences;
  }

 private:
  struct Absence {
    std::string heading;
    std::string why;
    std::vector<std::string> cells;
  };

  std::vector<std::string>& cells_of(const std::string& heading, const std::string& why) {
    const auto found = std::ranges::find_if(
        absences_, [&](const Absence& each) { return each.heading == heading && each.why == why; });
    if (found != absences_.end()) return found->cells;
    return absences_.emplace_back(Absence{.heading = heading, .why = why, .cells = {}}).cells;
  }

  std::vector<Absence> absences_;
};

// A column that shows figures, and where it tells which it lacks.
struct Shown {
  std::string_view heading;
  model::Metric metric;
  bool with_range;
  Absences& absences;
};

std::string measured(const model::Run& run, std::size_t cell, const Shown& shown) {
  const auto& [heading, metric, with_range, absences] = shown;
  const model::Estimate estimate = model::estimate_of(run, cell, metric);
  if (estimate.trials == 0) {
    return absences.add(heading, run.cells[cell].key, model::why_absent(run, cell, metric));
  }
  const std::string value = format_value(metric, estimate.median);
  return with_range && estimate.trials > 1 ? value + "\n" + format_range(metric, estimate) : value;
}

std::optional<std::size_t> find_cell(const model::Run& run, const CellName& name) {
  return run.index_of(model::cell_key(name.subject, name.load(run.plan.seconds)));
}

// Why there are no figures; empty when there are.
std::string why_none(const model::Run& run, const CellName& name) {
  const auto cell = find_cell(run, name);
  return cell ? model::why_no_trial(run, *cell) : model::why_not_measured(run, name.subject);
}

// ---- The tables of the catalogue -----------------------------------------------------------

// The cell that another is held against, or why there is none.
using Other = std::expected<std::size_t, std::string>;

// What lacks the metric is no such cell.
Other that_has(const model::Run& run, std::size_t other, model::Metric metric) {
  std::string why = model::why_absent(run, other, metric);
  if (why.empty()) return other;
  return std::unexpected(std::move(why));
}

Other floor_of(const model::Run& run, std::size_t cell, model::Metric metric) {
  const model::Cell& stage = run.cells[cell];
  if (stage.is_floor) return std::unexpected("it is a floor");
  if (stage.floor.empty()) return std::unexpected("it has no floor");
  const auto floor = model::floor_of(run, cell);
  if (floor) return that_has(run, *floor, metric);
  return std::unexpected(stage.floor + " was " + model::why_not_measured(run, stage.floor));
}

Other base_of(const model::Run& run, const CellName& base, model::Metric metric) {
  if (base.subject.empty()) return std::unexpected("it is held against nothing");
  if (std::string why = why_none(run, base); !why.empty()) {
    return std::unexpected(std::string(base.subject) + " was " + why);
  }
  return that_has(run, *find_cell(run, base), metric);
}

std::string text_of(const model::Estimate& ratio) {
  return model::format_number(ratio.median) + "\n" + model::format_number_range(ratio);
}

constexpr std::string_view no_common_round = "no round has both";

// A cell beside the one that it is held against.
class Held {
 public:
  Held(const model::Run& run, std::size_t cell, Other other, const Shown& shown)
      : run_(run), cell_(cell), other_(std::move(other)), shown_(shown) {}

  std::string other() const {
    return other_ ? measured(run_, *other_, shown_) : absent(other_.error());
  }

  std::string share() const {
    if (const std::string why = why_none(); !why.empty()) return absent(why);
    const auto ratio = model::compare_cells(run_, cell_, *other_, shown_.metric).ratio;
    return ratio.trials > 0 ? text_of(ratio) : absent(std::string(no_common_round));
  }

  std::string difference() const {
    if (const std::string why = why_none(); !why.empty()) return absent(why);
    const double net = median_of(cell_) - median_of(*other_);
    return (net < 0 ? "-" : "") + format_value(shown_.metric, std::abs(net));
  }

 private:
  // Why one of the two lacks the figure; empty when both have it.
  std::string why_none() const {
    return other_ ? model::why_absent(run_, cell_, shown_.metric) : other_.error();
  }
  double median_of(std::size_t cell) const {
    return model::estimate_of(run_, cell, shown_.metric).median;
  }
  std::string absent(const std::string& why) const {
    return shown_.absences.add(shown_.heading, run_.cells[cell_].key, why);
  }

  const model::Run& run_;
  std::size_t cell_;
  Other other_;
  Shown shown_;
};

// Makes the ready-made table of one description.
class TableMaker {
 public:
  // What the table lacks is told to `absences`.
  TableMaker(const model::Run& run, const Catalogue& catalogue, const TableSpec& spec,
             Absences& absences)
      : run_(run), catalogue_(catalogue), spec_(spec), absences_(absences) {}

  Table make() const {
    Table table{.key = std::string(spec_.key),
                .title = std::string(spec_.title),
                .source = std::string(spec_.source),
                .columns = {{.heading = "", .width = name_width()}},
                .notes = {spec_.notes.begin(), spec_.notes.end()}};
    for (const ColumnSpec& column : spec_.columns) {
      table.columns.push_back({.heading = std::string(column.heading),
                               .width = column.width,
                               .is_number = column.is_measured()});
    }
    for (const RowSpec& row : spec_.rows) table.rows.push_back(row_of(row));
    return table;
  }

 private:
  const model::Subject* subject_of(const RowSpec& row) const {
    return model::find_subject(catalogue_.subjects, row.cell.subject);
  }

  std::string name_of(const RowSpec& row) const {
    if (!row.name.empty()) return std::string(row.name);
    const model::Subject* const subject = subject_of(row);
    return std::string(subject == nullptr ? row.cell.subject : subject->name);
  }

  // The name column takes what the longest name needs, or what the others leave.
  std::size_t name_width() const {
    std::size_t others = 0;
    for (const ColumnSpec& column : spec_.columns) others += column.width + 1;
    std::size_t longest = 0;
    for (const RowSpec& row : spec_.rows) {
      longest = std::max(longest, model::display_width(name_of(row)));
    }
    return std::min(longest, report_columns - others);
  }

  Row row_of(const RowSpec& row) const {
    Row made{.cells = {name_of(row)}};
    if (spec_.is_measured()) {
      made.remark = row.missing.empty() ? why_none(run_, row.cell) : std::string(row.missing);
      if (!made.remark.empty()) return made;
      made.is_floor = run_.cells[*find_cell(run_, row.cell)].is_floor;
    }
    for (const ColumnSpec& column : spec_.columns) made.cells.push_back(cell_of(row, column));
    return made;
  }

  std::string cell_of(const RowSpec& row, const ColumnSpec& column) const {
    using Kind = ColumnSpec::Kind;
    const model::Subject* const subject = subject_of(row);
    const Shown shown{.heading = column.heading,
                      .metric = column.metric,
                      .with_range = column.with_range,
                      .absences = absences_};
    const auto words = [&](std::string_view text, const std::string& why) {
      return text.empty() ? absences_.add(column.heading, name_of(row), why) : std::string(text);
    };
    switch (column.kind) {
      case Kind::claim: return words(row.claims.at(column.claim), "the articles claim nothing");
      case Kind::observability:
        return words(subject == nullptr ? "" : subject->observability, "it offers none");
      case Kind::deployment:
        return words(subject == nullptr ? "" : subject->deployment, "it has none");
      case Kind::measured: return measured(run_, *find_cell(run_, row.cell), shown);
      case Kind::share_of_floor: return against_floor(row, shown).share();
      case Kind::net_of_floor: return against_floor(row, shown).difference();
      case Kind::base: return against_base(row, shown).other();
      case Kind::share_of_base: return against_base(row, shown).share();
      case Kind::net_of_base: return against_base(row, shown).difference();
    }
    return none;
  }

  Held against_floor(const RowSpec& row, const Shown& shown) const {
    const std::size_t cell = *find_cell(run_, row.cell);
    return {run_, cell, floor_of(run_, cell, shown.metric), shown};
  }

  Held against_base(const RowSpec& row, const Shown& shown) const {
    const std::size_t cell = *find_cell(run_, row.cell);
    return {run_, cell, base_of(run_, row.base, shown.metric), shown};
  }

  const model::Run& run_;
  const Catalogue& catalogue_;
  const TableSpec& spec_;
  Absences& absences_;
};

// ---- Claims --------------------------------------------------------------------------------

std::string verdict_on_bound(double claimed, const model::Estimate& ratio) {
  if (ratio.high <= claimed) return "confirmed";
  if (ratio.low > claimed) return "contradicted: it is more";
  return "undecided: the interval holds the bound";
}

// An interval whose ends are further apart than this factor contains almost any claimed ratio.
constexpr double wide_interval = 2;

// A difference that is less than this share of the claimed one is hardly that difference.
constexpr double hardly_share = 0.25;

std::string verdict_on_ratio(double claimed, const model::Estimate& ratio) {
  const bool holds_claim = ratio.contains(claimed);
  const bool holds_one = ratio.contains(1);
  if (holds_claim && holds_one) return "undecided: this run cannot tell it from no difference";
  if (holds_claim && ratio.high > wide_interval * ratio.low) {
    return "undecided: the interval is too wide to confirm anything";
  }
  if (holds_claim) return "confirmed";
  if (holds_one) return "contradicted: no difference";
  const double share = std::log(ratio.median) / std::log(claimed);
  if (share < 0) return "contradicted: the other way round";
  if (share < hardly_share) return "contradicted: hardly a difference";
  return std::string("confirmed in direction; the difference is ") +
         (share > 1 ? "greater" : "smaller");
}

// Why a ratio cannot be computed: the first of its cells that lacks the figure, and the reason.
std::string why_untested(const model::Run& run, const ClaimedRatio& claim) {
  for (const CellName& name : {claim.ours, claim.theirs}) {
    std::string subject(name.subject);
    if (const std::string why = why_none(run, name); !why.empty()) {
      return subject.append(" was ").append(why);
    }
    const std::string why = model::why_absent(run, *find_cell(run, name), claim.metric);
    if (!why.empty()) return subject.append(" lacks the figure: ").append(why);
  }
  return std::string(no_common_round);
}

std::string verdict_on(const ClaimedRatio& claim, const model::Estimate& ratio) {
  if (ratio.trials < model::trials_for_interval) {
    return "undecided: too few rounds for an interval";
  }
  const std::string verdict = claim.at_most ? verdict_on_bound(claim.claimed, ratio)
                                            : verdict_on_ratio(claim.claimed, ratio);
  return claim.scope.empty() ? verdict : verdict + " (" + std::string(claim.scope) + ")";
}

Claim claim_of(const model::Run& run, const ClaimedRatio& claim) {
  Claim made{.sentence = std::string(claim.sentence),
             .measured = none,
             .verdict = "not testable here: " + why_untested(run, claim)};
  const auto ours = find_cell(run, claim.ours);
  const auto theirs = find_cell(run, claim.theirs);
  if (!ours || !theirs) return made;
  const model::Comparison measured = model::compare_cells(run, *ours, *theirs, claim.metric);
  if (measured.ratio.trials == 0) return made;
  made.measured = model::format_number(measured.ratio.median) + " times (" +
                  model::format_number_range(measured.ratio) + ")";
  made.verdict = verdict_on(claim, measured.ratio);
  return made;
}

void add_claims(const model::Run& run, const TableSpec& table, std::vector<Claim>& claims) {
  for (const ClaimedRatio& claim : table.ratios) claims.push_back(claim_of(run, claim));
  for (const Untestable& claim : table.untestable) {
    claims.push_back({.sentence = std::string(claim.sentence),
                      .measured = none,
                      .verdict = "not testable here: " + std::string(claim.why)});
  }
}

// ---- Any run -------------------------------------------------------------------------------

// With fewer pairs p cannot fall below comparison_alpha.
constexpr std::size_t trials_to_tell = 7;

constexpr std::array general_metrics{model::Metric::qps,    model::Metric::p50,
                                     model::Metric::p99,    model::Metric::p999,
                                     model::Metric::cpu_us, model::Metric::qps_per_cpu_second};

// The first at a load is what the others are compared with.
std::string against_first(const model::Run& run, std::size_t cell, const Shown& shown) {
  const std::size_t base = model::first_at_load(run, cell);
  if (base == cell) return "first";
  const model::Estimate ratio = model::compare_cells(run, cell, base, shown.metric).ratio;
  if (ratio.trials > 0) return text_of(ratio);
  const std::string why = model::why_absent(run, base, shown.metric);
  return shown.absences.add(
      shown.heading, run.cells[cell].key,
      why.empty() ? std::string(no_common_round) : run.cells[base].key + " has none: " + why);
}

std::string verdict_of(model::Metric metric, const model::Comparison& measured) {
  if (measured.ratio.trials < trials_to_tell) return "too few rounds to tell";
  if (measured.tendency == model::Tendency::indistinguishable) return "indistinguishable";
  const bool is_higher = measured.tendency == model::Tendency::higher;
  return is_higher == (model::info(metric).better == model::Better::higher) ? "better" : "worse";
}

// "grpc/64x1 against jsonrpc/64x1, qps: 0.34 times (0.32–0.35), worse. 4.4 % could have been seen."
std::string comparison_of(const model::Run& run, std::size_t ours, std::size_t theirs,
                          model::Metric metric) {
  const model::Comparison measured = model::compare_cells(run, ours, theirs, metric);
  if (measured.ratio.trials == 0) return {};
  return run.cells[ours].key + " against " + run.cells[theirs].key + ", " +
         std::string(model::info(metric).key) + ": " + model::format_number(measured.ratio.median) +
         " times (" + model::format_number_range(measured.ratio) + "), " +
         verdict_of(metric, measured) + ". " +
         model::format_number(measured.smallest_effect * 100) + " % could have been seen.";
}

std::vector<std::string> comparisons_of(const model::Run& run) {
  std::vector<std::string> sentences;
  for (std::size_t cell = 0; cell < run.cells.size(); ++cell) {
    const std::size_t base = model::first_at_load(run, cell);
    if (base == cell) continue;
    for (const model::Metric metric :
         {model::Metric::qps, model::Metric::p50, model::Metric::p99, model::Metric::cpu_us}) {
      std::string sentence = comparison_of(run, cell, base, metric);
      if (!sentence.empty()) sentences.push_back(std::move(sentence));
    }
  }
  return sentences;
}

std::string flag_words(const model::Run& run, std::size_t cell) {
  std::string words;
  for (const model::Flagged& flagged : model::flags_of(run, cell)) {
    if (!words.empty()) words += '\n';
    words += model::info(flagged.flag).word;
  }
  return words.empty() ? "none" : words;
}

// The columns of `general_metrics` stand behind the first.
Table all_cells(const model::Run& run, Absences& absences) {
  Table table{.key = "cells",
              .title = "What was measured",
              .columns = {{.heading = "target and load", .width = 26},
                          {.heading = "QPS", .width = 11, .is_number = true},
                          {.heading = "p50", .width = 8, .is_number = true},
                          {.heading = "p99", .width = 8, .is_number = true},
                          {.heading = "p99.9", .width = 8, .is_number = true},
                          {.heading = "CPU\nµs/req", .width = 6, .is_number = true},
                          {.heading = "QPS/\nCPU-s", .width = 6, .is_number = true},
                          {.heading = "× first", .width = 9, .is_number = true},
                          {.heading = "flags", .width = 10}}};
  for (std::size_t cell = 0; cell < run.cells.size(); ++cell) {
    Row row{.cells = {run.cells[cell].key},
            .remark = model::why_no_trial(run, cell),
            .is_floor = run.cells[cell].is_floor};
    if (row.remark.empty()) {
      for (const model::Metric metric : general_metrics) {
        row.cells.push_back(measured(run, cell,
                                     {.heading = table.columns[row.cells.size()].heading,
                                      .metric = metric,
                                      .with_range = metric == model::Metric::qps,
                                      .absences = absences}));
      }
      row.cells.push_back(against_first(run, cell,
                                        {.heading = table.columns[row.cells.size()].heading,
                                         .metric = model::Metric::qps,
                                         .with_range = true,
                                         .absences = absences}));
      row.cells.push_back(flag_words(run, cell));
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

std::vector<std::string> preamble_of(const model::Run& run) {
  const machine::Environment& environment = run.environment;
  std::vector<std::string> paragraphs{
      "Interleaved rounds: " + std::to_string(run.plan.rounds) +
      ". Every trial has fresh servers: " + model::format_number(run.plan.warmup) + " s warm-up, " +
      model::format_number(run.plan.seconds) +
      " s measured (a schedule has its own length). Every answer is checked."};
  std::string machine = environment.cpu + ", " + std::to_string(environment.cores) + " cores, " +
                        environment.kernel + ", " + environment.compiler + ", " + environment.build;
  if (!environment.revision.empty()) machine += ", revision " + environment.revision;
  paragraphs.push_back(machine + ", " + environment.date + ".");
  if (run.plan.cpus) {
    paragraphs.push_back("Servers on CPU " + std::to_string(run.plan.cpus->server) +
                         ", load on CPU " + std::to_string(run.plan.cpus->load) +
                         (run.plan.cpus->shared() ? ": THEY SHARE ONE." : "."));
  }
  if (!environment.warning.empty()) paragraphs.push_back("WARNING: " + environment.warning + ".");
  if (run.interrupted) paragraphs.push_back("Ended early: what follows is what there was by then.");
  return paragraphs;
}

// A sentence for each flag that holds somewhere, with the cells. Open loops beside the articles'
// tables are driven beyond what can be kept on purpose: theirs stand in the other outputs.
std::vector<std::string> flags_of_run(const model::Run& run) {
  std::array<std::string, model::all_flags.size()> cells;
  for (std::size_t cell = 0; cell < run.cells.size(); ++cell) {
    if (!run.tables.empty() && !run.cells[cell].load.schedule.is_closed()) continue;
    for (const model::Flagged& flagged : model::flags_of(run, cell)) {
      std::string& list = cells[static_cast<std::size_t>(flagged.flag)];
      list.append(list.empty() ? "" : ", ").append(run.cells[cell].key);
      list.append(" (").append(flagged.detail).append(")");
    }
  }
  std::vector<std::string> sentences;
  for (const model::FlagInfo& each : model::all_flags) {
    const std::string& list = cells[static_cast<std::size_t>(each.flag)];
    if (list.empty()) continue;
    sentences.push_back(std::string(each.word) + ". " + std::string(each.explanation) + " " + list +
                        ".");
  }
  return sentences;
}

std::vector<std::string> general_notes(const model::Run& run) {
  const bool has_intervals = run.plan.rounds >= model::trials_for_interval;
  return {"Figures are medians over the rounds; the range with them is " +
              std::string(has_intervals ? "their 95 % bootstrap interval"
                                        : "from the lowest to the highest: too few rounds for an "
                                          "interval") +
              ". Where a cell was measured in fewer than " +
              std::to_string(model::trials_for_interval) +
              " rounds it is from the lowest to the highest.",
          "Latency counts from when a call was due: in a closed loop when it was sent, in an open "
          "one when the schedule said.",
          "A stage with the load's CPU full and its own not (client-limited) could do more."};
}

// ---- Text ----------------------------------------------------------------------------------

std::string item(std::string_view text) {
  std::string out;
  for (const std::string& line : model::wrap(text, report_columns - 2)) {
    out.append(out.empty() ? "- " : "  ").append(line).append("\n");
  }
  return out;
}

std::string items(std::string_view heading, const std::vector<std::string>& sentences) {
  if (sentences.empty()) return {};
  std::string out = "\n## " + std::string(heading) + "\n\n";
  for (const std::string& sentence : sentences) out += item(sentence);
  return out;
}

std::string text_of(const Table& table) {
  std::string out = "\n## " + table.title + "\n\n";
  if (!table.source.empty()) out += paragraph("Claimed by: " + table.source + ".") + "\n";
  out += "```\n" + table.render() + "```\n";
  for (const std::string& note : table.notes) {
    out += (&note == &table.notes.front() ? "\n" : "") + item(note);
  }
  return out;
}

std::string text_of(const std::vector<Claim>& claims) {
  std::vector<std::string> sentences;
  for (const Claim& claim : claims) {
    std::string sentence = claim.sentence + ". ";
    if (claim.measured != none) sentence += "Here: " + claim.measured + ". ";
    sentences.push_back(sentence + claim.verdict + ".");
  }
  return items("The claims, and what became of them", sentences);
}

}  // namespace

View view_of(const model::Run& run, const Catalogue& catalogue) {
  View view{.title = run.title, .preamble = preamble_of(run)};
  Absences absences;
  for (const std::string& key : run.tables) {
    const TableSpec* const spec = catalogue.find_table(key);
    if (spec == nullptr) continue;  // Stored by a later version.
    view.tables.push_back(TableMaker(run, catalogue, *spec, absences).make());
    add_claims(run, *spec, view.claims);
  }
  if (run.tables.empty()) {
    view.tables.push_back(all_cells(run, absences));
    view.comparisons = comparisons_of(run);
  }
  view.absent = absences.sentences();
  view.flags = flags_of_run(run);
  view.notes = general_notes(run);
  return view;
}

View without_words(View view) {
  for (Table& table : view.tables) table.notes.clear();
  view.claims.clear();
  view.comparisons.clear();
  view.absent.clear();
  view.flags.clear();
  view.notes.clear();
  return view;
}

std::string to_text(const View& view) {
  std::string out = "# " + view.title + "\n\n";
  for (const std::string& each : view.preamble) out += paragraph(each);
  for (const Table& table : view.tables) out += text_of(table);
  out += text_of(view.claims);
  out += items("Each against the first at the same load", view.comparisons);
  out += items("What is absent, and why", view.absent);
  out += items("Read with care", view.flags);
  return out + items("How to read it", view.notes);
}

}  // namespace rps::report
