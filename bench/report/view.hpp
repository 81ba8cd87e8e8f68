// A run as people read it, before it is text, Markdown or HTML: tables of ready-made cells, and
// sentences. Every output shows the same.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "bench/model/run.hpp"

namespace rps::report {

struct ViewColumn {
  std::string heading;    // Lines are separated by newlines.
  std::size_t width = 0;  // In a terminal; all columns and the spaces between fit 100.
  bool is_number = false;
};

struct ViewRow {
  std::vector<std::string> cells;  // One a column; lines are separated by newlines.
  std::string remark;              // Instead of the cells behind the first: why there are none.
  bool is_floor = false;
};

struct ViewTable {
  std::string key;
  std::string title;
  std::string source;  // Where the claims come from, in a few words; may be empty.
  std::vector<ViewColumn> columns;
  std::vector<ViewRow> rows;
  std::vector<std::string> notes;
};

// A claim and what became of it.
struct ViewClaim {
  std::string sentence;  // "gRPC answers 2.82 times what RPC (JSON) answers"
  std::string measured;  // "0.34 times (0.32–0.35)"
  std::string verdict;   // "confirmed", "contradicted", "not testable here: …", "undecided: …"
};

struct View {
  std::string title;
  std::vector<std::string> preamble;  // Paragraphs: how it was measured, and where.
  std::vector<ViewTable> tables;
  std::vector<ViewClaim> claims;
  std::vector<std::string> comparisons;  // Of a run without claims: each cell with the first.
  std::vector<std::string>
      flags;  // What to read with care: a sentence for each reason, with its cells.
  std::vector<std::string> notes;  // How to read it all.
};

View view_of(const model::Run& run);

// For a terminal, and as Markdown that is readable as it is: no line longer than 100 columns.
std::string to_text(const View& view);

}  // namespace rps::report
