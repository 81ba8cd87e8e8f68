// The tables of the reports, as data: what the articles claim, and the cells that are held against
// it.
//
// A new table or row is an entry in tables.cpp and nothing else. The claims are facts of the
// articles that this repository reproduces; they measured on 16 cores, and on 4 for the RPC
// framework.
#pragma once

#include "bench/report/table_spec.hpp"

namespace rps::scenarios {

// Every table, and every subject (subjects.hpp).
report::Catalogue catalogue();

}  // namespace rps::scenarios
