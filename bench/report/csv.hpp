// A run for spreadsheets.
#pragma once

#include <string>

#include "bench/model/run.hpp"

namespace rps::report {

// RFC 4180: a header line and then one line a trial, in the order of the run, ended by CR LF. A
// figure that there is not is empty. Histograms and series stay in the JSON.
std::string to_csv(const model::Run& run);

}  // namespace rps::report
