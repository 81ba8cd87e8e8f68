// Prints the HTML report of a made-up run, for those who look at it with a browser:
//
//   bench_html_page everything|failed|one-trial|many-subjects|empty|table:KEY
//
// table:KEY is a run of that table of `rps-bench compare`.
#include <iostream>
#include <span>
#include <string>
#include <string_view>

#include "bench/scenarios/tables.hpp"
#include "tests/bench/html_run.hpp"
#include "tests/bench/made_up_table.hpp"

namespace {

using namespace rps;
using namespace rps::report;

std::string page_of_table(std::string_view key) {
  const Catalogue catalogue = scenarios::catalogue();
  const TableSpec* const table = catalogue.find_table(key);
  if (table == nullptr) return {};
  const model::Run run = model::made_up_run_of(*table);
  return to_html(run, view_of(run, catalogue));
}

std::string page_of(std::string_view name) {
  if (name == "everything") {
    return to_html(run_with_everything(), view_with_everything());
  }
  constexpr std::string_view table = "table:";
  if (name.starts_with(table)) return page_of_table(name.substr(table.size()));
  model::Run run;
  if (name == "failed") run = run_that_failed();
  if (name == "one-trial") run = run_of_one_trial();
  if (name == "many-subjects") run = run_of_many_subjects();
  return to_html(run, View{.title = std::string(name)});
}

}  // namespace

int main(int count, char** arguments) {
  const std::span all(arguments, static_cast<std::size_t>(count));
  std::cout << page_of(all.size() > 1 ? all[1] : "everything");
  return std::cout.flush() ? 0 : 1;
}
