#include "bench/report/table.hpp"

#include <algorithm>
#include <cassert>
#include <numeric>
#include <utility>

#include "bench/model/format.hpp"

namespace rps::report {

namespace {

std::size_t total_width(const std::vector<Column>& columns) {
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

}  // namespace

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {
  assert(!columns_.empty() && total_width(columns_) <= report_columns);
}

void Table::add_row(const std::vector<std::string>& cells) {
  assert(cells.size() == columns_.size());
  std::vector<Lines> wrapped;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    wrapped.push_back(model::wrap(cells[i], columns_[i].width));
  }
  append(wrapped, false, body_);
}

void Table::add_remark(std::string_view name, std::string_view sentence) {
  const Column first = columns_.front();
  const Column rest{.heading = "", .width = total_width(columns_) - first.width - 1};
  Table remark({first, rest});
  remark.add_row({std::string(name), std::string(sentence)});
  body_ += remark.body_;
}

std::string Table::render() const {
  std::vector<Lines> headings;
  for (const Column& column : columns_)
    headings.push_back(model::wrap(column.heading, column.width));
  std::string out;
  append(headings, true, out);
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    out += std::string(columns_[i].width, '-') + (i + 1 < columns_.size() ? " " : "\n");
  }
  return out + body_;
}

void Table::append(const std::vector<Lines>& cells, bool at_bottom, std::string& out) const {
  const std::size_t height = std::ranges::max(cells, {}, &Lines::size).size();
  for (std::size_t line = 0; line < height; ++line) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const std::size_t skipped = at_bottom ? height - cells[i].size() : 0;
      const bool present = line >= skipped && line - skipped < cells[i].size();
      append_padded(present ? cells[i][line - skipped] : "", columns_[i], out);
      if (i + 1 < cells.size()) out += ' ';
    }
    end_line(out);
  }
}

}  // namespace rps::report
