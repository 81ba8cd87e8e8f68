// The articles' tables, as data: what they claim, and the cells that are held against it.
//
// A new table or row is an entry here and nothing else. The claims are facts of the articles that
// this repository reproduces; they measured on 16 cores, and on 4 for the RPC framework.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "bench/model/run.hpp"

namespace rps::scenarios {

// The load at which the claims fit Little's law: latency times QPS is 70 to 90 calls in flight.
inline constexpr std::size_t connections_of_claims = 64;

// A subject at a closed load: what a row shows. A function has no connections.
struct CellName {
  std::string_view subject;
  std::size_t connections = connections_of_claims;
  std::size_t depth = 1;
};

struct TableColumn {
  std::string_view heading;
  std::size_t width = 0;
  enum class Kind : std::uint8_t { measured, words, net_of_floor } kind = Kind::measured;
  model::Metric metric = model::Metric::qps;  // Unless it is words.
  bool with_range = false;                    // The interval below the median.
  std::size_t words = 0;                      // Which of the row's words.
};

struct TableRow {
  CellName cell;
  std::string_view name;                  // Empty: the subject's own.
  std::array<std::string_view, 4> words;  // The articles', or why there is no such row.
  std::string_view missing;               // Why there is nothing to measure; empty when there is.
};

// "A does so many times what B does": a statement that holds on other machines, if it holds.
struct ClaimedRatio {
  std::string_view sentence;
  CellName ours, theirs;
  model::Metric metric = model::Metric::qps;
  double claimed = 1;
  bool at_most = false;  // The claim is a bound: not more than that.
};

// A statement that this run cannot test, and why.
struct Untestable {
  std::string_view sentence;
  std::string_view why;
};

struct ArticleTable {
  std::string_view key;
  std::string_view title;
  std::string_view source;
  std::span<const TableColumn> columns;
  std::span<const TableRow> rows;
  std::span<const ClaimedRatio> ratios;
  std::span<const Untestable> untestable;
  std::span<const std::string_view> notes;
  // Whether claims hang on it: then its cells are measured in every round, otherwise in fewer.
  bool is_judged() const { return !ratios.empty(); }
};

std::span<const ArticleTable> article_tables();

// Null when there is none.
const ArticleTable* find_table(std::string_view key);

}  // namespace rps::scenarios
