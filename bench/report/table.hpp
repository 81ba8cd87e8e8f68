// A table of ready-made cells. Every output shows the same one; as text it has a fixed width: no
// line is longer than the columns add up to.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace rps::report {

// No report line is longer.
inline constexpr std::size_t report_columns = 100;

// The text in lines that are not longer, each with its end.
std::string paragraph(std::string_view text);

struct Column {
  std::string heading;     // May have several lines; they stand at the bottom of the head.
  std::size_t width = 0;   // Of the text.
  bool is_number = false;  // Aligned to the right.
};

struct Row {
  std::vector<std::string> cells;  // One a column; may hold newlines.
  std::string remark;              // Instead of the cells behind the first: why there are none.
  bool is_floor = false;
};

struct Table {
  std::string key;
  std::string title;
  std::string source;  // Where the claims come from, in a few words; may be empty.
  std::vector<Column> columns;
  std::vector<Row> rows;
  std::vector<std::string> notes;

  // The columns and rows as text. A cell that is too wide takes several lines.
  // REQUIRES: the widths and one space between any two fit report_columns; a row has one cell a
  // column, or one cell and a remark.
  std::string render() const;
};

}  // namespace rps::report
