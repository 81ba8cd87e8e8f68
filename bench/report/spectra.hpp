// Response and service times of every cell over the percentile, for the charts of the HTML report.
#pragma once

#include <string>

#include "bench/model/run.hpp"

namespace rps::report {

// JSON: {"cell key": {"response": [[nines, median, low, high], …], "service": […]}, …}. `nines` is
// -log10(1 - p) of the percentile p; the times, in ns, are the median, lowest and highest of the
// valid trials. A spectrum ends where a trial has too few answers above the percentile to tell it.
// `service` is left out of closed loops, where it is the same; a cell without answers is left out.
std::string spectra_json(const model::Run& run);

}  // namespace rps::report
