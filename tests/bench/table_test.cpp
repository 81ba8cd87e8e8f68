#include "bench/report/table.hpp"

#include "tests/catch.hpp"

using rps::report::Table;

TEST_CASE("numbers stand right, words left, and long cells take lines of their own") {
  Table table{.columns = {{.heading = "stage", .width = 6},
                          {.heading = "mean latency", .width = 7, .is_number = true},
                          {.heading = "notes", .width = 9}}};
  table.rows.push_back({.cells = {"gRPC", "131 µs\n129–135", "stats + metrics"}});
  table.rows.push_back({.cells = {"none"}, .remark = "not built here"});
  CHECK(table.render() ==
        "          mean\n"
        "stage  latency notes\n"
        "------ ------- ---------\n"
        "gRPC    131 µs stats +\n"
        "       129–135 metrics\n"
        "none   not built here\n");
}
