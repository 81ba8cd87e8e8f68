// The tables of the reports, as data: what the articles claim, and the cells that are held against
// it.
//
// To add a table or a row, add an entry to tables.cpp. The claims are figures of the articles that
// this repository reproduces; these were measured on 16 cores, and on 4 for the RPC framework.
#pragma once

#include "bench/report/table_spec.hpp"

namespace rps::scenarios {

// Every table, and every subject (subjects.hpp).
report::Catalogue catalogue();

}  // namespace rps::scenarios
