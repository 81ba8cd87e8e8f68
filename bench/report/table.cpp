#include "bench/report/table.hpp"

#include <algorithm>
#include <cassert>
#include <numeric>
#include <span>

#include "bench/model/format.hpp"

namespace rps::report {

namespace {

using Lines = std::vector<std::string>;

std::size_t total_width(std::span<const Column> columns) {
  return std::accumulate(columns.begin(), columns.end(), columns.size() - 1,
                         [](std::size_t sum, const Column& column) { return sum + column.width; });
}

void append_padded(const std::string& text, const Column& column, std::string& out) {
  const std::string padding(column.width - model::display_width(text), ' ');
  out += column.is_number ? padding + text : text + padding;
}

void end_line(std::string& out) {
  out.erase(out.find_last_not_of(' ') + 1);
  out += '\n';
}

std::vector<Lines> wrapped(std::span<const std::string> cells, std::span<const Column> columns) {
  assert(cells.size() == columns.size());
  std::vector<Lines> lines;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    lines.push_back(model::wrap(cells[i], columns[i].width));
  }
  return lines;
}

void append_lines(const std::vector<Lines>& cells, std::span<const Column> columns, bool at_bottom,
                  std::string& out) {
  const std::size_t height = std::ranges::max(cells, {}, &Lines::size).size();
  for (std::size_t line = 0; line < height; ++line) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const std::size_t skipped = at_bottom ? height - cells[i].size() : 0;
      const bool present = line >= skipped && line - skipped < cells[i].size();
      append_padded(present ? cells[i][line - skipped] : "", columns[i], out);
      if (i + 1 < cells.size()) out += ' ';
    }
    end_line(out);
  }
}

void append_head(std::span<const Column> columns, std::string& out) {
  std::vector<std::string> headings;
  for (const Column& column : columns) headings.push_back(column.heading);
  append_lines(wrapped(headings, columns), columns, true, out);
  for (std::size_t i = 0; i < columns.size(); ++i) {
    out += std::string(columns[i].width, '-') + (i + 1 < columns.size() ? " " : "\n");
  }
}

// The name in the first column, and then one sentence across all others.
void append_remark(const Row& row, std::span<const Column> columns, std::string& out) {
  const std::size_t left = total_width(columns) - columns.front().width - 1;
  const std::vector<Column> two{columns.front(), {.heading = "", .width = left}};
  append_lines(wrapped(std::vector{row.cells.front(), row.remark}, two), two, false, out);
}

}  // namespace

std::string paragraph(std::string_view text) {
  std::string out;
  for (const std::string& line : model::wrap(text, report_columns)) out += line + "\n";
  return out;
}

std::string Table::render() const {
  assert(!columns.empty() && total_width(columns) <= report_columns);
  std::string out;
  append_head(columns, out);
  for (const Row& row : rows) {
    if (row.remark.empty()) {
      append_lines(wrapped(row.cells, columns), columns, false, out);
    } else {
      append_remark(row, columns, out);
    }
  }
  return out;
}

}  // namespace rps::report
