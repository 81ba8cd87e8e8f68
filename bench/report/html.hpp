// A run as one HTML file: first the main table, chart and verdicts, then all tables and charts, and
// the run itself.
//
// The file needs no network and no other file. C++ writes the tables; the script in the file draws
// the charts, with the tables of their numbers, from the run (figures.js says what each shows,
// page.js draws it with Chart.js). Dark and light follow the reader's system, or the switch at the
// top. The stored run is in the element #run as JSON, and a button saves it.
#pragma once

#include <string>

#include "bench/model/run.hpp"
#include "bench/report/view.hpp"

namespace rps::report {

std::string to_html(const model::Run& run, const View& view);

}  // namespace rps::report
