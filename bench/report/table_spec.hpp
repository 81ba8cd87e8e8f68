// What a table of a report shows, as data: its columns, the cells of its rows, and the claims that
// are held against them. The tables themselves are in bench/scenarios/tables.cpp.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "bench/model/metric.hpp"
#include "bench/model/subject.hpp"
#include "bench/model/target.hpp"

namespace rps::report {

// The load of the articles, by Little's law: latency times QPS is 70 to 90 calls in flight.
inline constexpr std::size_t connections_of_claims = 64;

// A subject at a load: what a row shows. A function has no connections.
struct CellName {
  std::string_view subject;
  std::size_t connections = connections_of_claims;
  std::size_t depth = 1;
  double per_second = 0;  // Calls of an open loop, evenly spread; 0: a closed loop.
  std::size_t idle = 0;   // As Load says.
  std::size_t slow = 0;
  double windows = 1;  // How long an open loop is: so many times the window of a closed one.

  // `seconds` is the window of a closed loop.
  model::Load load(double seconds) const {
    model::Load made{
        .connections = connections, .depth = depth, .schedule = {}, .idle = idle, .slow = slow};
    if (per_second > 0) {
      made.schedule = load::steady(load::Arrivals::constant, per_second, windows * seconds);
    }
    return made;
  }
};

struct ColumnSpec {
  std::string_view heading;
  std::size_t width = 0;
  enum class Kind : std::uint8_t {
    measured,
    share_of_floor,  // What was measured, as a share of the same of the subject's floor.
    net_of_floor,    // What was measured, less the same of the subject's floor.
    base,            // The same of the row's base …
    share_of_base,   // … what was measured, as a share of that …
    net_of_base,     // … and less that.
    claim,           // The articles' words for this row.
    observability,   // What the subject offers: Subject::observability …
    deployment,      // … and Subject::deployment.
  } kind = Kind::measured;
  model::Metric metric = model::Metric::qps;  // Of what is measured.
  bool with_range = false;                    // The interval below the median.
  std::size_t claim = 0;                      // Which of the row's claims.

  bool is_measured() const {
    return kind != Kind::claim && kind != Kind::observability && kind != Kind::deployment;
  }
};

struct RowSpec {
  CellName cell;
  std::string_view name;  // Empty: the subject's own.
  std::array<std::string_view, 2> claims;
  std::string_view missing;  // Why there is nothing to measure; empty when there is.
  CellName base = {};        // What `cell` is held against; without a subject nothing.
};

// A claim of the form "A answers 2.8 times what B answers". Unlike absolute figures, such a ratio
// can be compared between machines.
struct ClaimedRatio {
  std::string_view sentence;
  CellName ours, theirs;
  model::Metric metric = model::Metric::qps;
  double claimed = 1;
  bool at_most = false;  // The claim is a bound: not more than that.
  // Stands behind the verdict when what was measured is not what the claim is about, but a part of
  // it or more than it: "measured on the part alone: …". Empty: both are about the same.
  std::string_view scope;
};

// A claim that this harness cannot test, and why.
struct Untestable {
  std::string_view sentence;
  std::string_view why;
};

// Which runs measure a table that is not named.
enum class Measured : std::uint8_t { always, when_published, when_named };

struct TableSpec {
  std::string_view key;
  std::string_view title;
  std::string_view source;  // The article that claims it; may be empty.
  std::span<const ColumnSpec> columns;
  std::span<const RowSpec> rows;
  std::span<const ClaimedRatio> ratios;
  std::span<const Untestable> untestable;
  std::span<const std::string_view> notes;
  Measured measured = Measured::always;

  // Whether ratios of its cells are told: then they are measured in every round, otherwise in
  // fewer.
  bool is_judged() const {
    return !ratios.empty() || std::ranges::any_of(columns, [](const ColumnSpec& column) {
      return column.kind == ColumnSpec::Kind::share_of_base;
    });
  }

  // Without a figure there is nothing to measure: its rows stand in every report.
  bool is_measured() const { return std::ranges::any_of(columns, &ColumnSpec::is_measured); }
};

// All tables that a run may name, and the subjects of their rows.
struct Catalogue {
  std::span<const model::Subject> subjects;
  std::span<const TableSpec> tables;

  // Null when there is none.
  const TableSpec* find_table(std::string_view key) const {
    const auto found = std::ranges::find(tables, key, &TableSpec::key);
    return found == tables.end() ? nullptr : &*found;
  }
};

}  // namespace rps::report
