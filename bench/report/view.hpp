// The content of a report, from which text, Markdown and HTML are written: tables of formatted
// cells, and sentences. All outputs have the same content.
#pragma once

#include <string>
#include <vector>

#include "bench/model/run.hpp"
#include "bench/report/table.hpp"
#include "bench/report/table_spec.hpp"

namespace rps::report {

// A claim and its outcome.
struct Claim {
  std::string sentence;  // "gRPC answers 2.82 times what RPC (JSON) answers"
  std::string measured;  // "0.34 times (0.32–0.35)"
  // Begins with "confirmed", "contradicted", "not testable here: " or "undecided: "; ends with the
  // claim's scope in parentheses, if it has one.
  std::string verdict;
};

struct View {
  std::string title;
  std::vector<std::string> preamble;  // Paragraphs: how it was measured, and where.
  std::vector<Table> tables;
  std::vector<Claim> claims;
  std::vector<std::string> comparisons;  // Of a run without claims: each cell with the first.
  // Why a dash stands in a table: a sentence for each column and reason, with its rows.
  std::vector<std::string> absent;
  // What to read with care: a sentence for each reason, with its cells.
  std::vector<std::string> flags;
  std::vector<std::string> notes;  // How to read it all.
};

// The tables that `run` names, as `catalogue` describes them; those that it does not know are left
// out. Without tables: one of all cells.
View view_of(const model::Run& run, const Catalogue& catalogue);

// For a terminal, and as Markdown that is readable as it is: no line longer than 100 columns.
std::string to_text(const View& view);

// Only the tables, without their notes, and where they were measured: for a page that says the rest
// in its own words.
View without_words(View view);

}  // namespace rps::report
