// A table of fixed width for a terminal: no line is ever longer than the columns add up to.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace rps::report {

// No report line is longer.
inline constexpr std::size_t report_columns = 100;

struct Column {
  std::string heading;  // May have several lines; they stand at the bottom of the head.
  std::size_t width = 0;
  bool is_number = false;  // Aligned to the right.
};

class Table {
 public:
  // REQUIRES: the widths and one space between any two fit report_columns.
  explicit Table(std::vector<Column> columns);

  // One cell a column; a cell that is too wide or holds newlines takes several lines.
  void add_row(const std::vector<std::string>& cells);

  // A name in the first column and then one sentence across all others.
  void add_remark(std::string_view name, std::string_view sentence);

  std::string render() const;

 private:
  using Lines = std::vector<std::string>;

  void append(const std::vector<Lines>& cells, bool at_bottom, std::string& out) const;

  std::vector<Column> columns_;
  std::string body_;
};

}  // namespace rps::report
