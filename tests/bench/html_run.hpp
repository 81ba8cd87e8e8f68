// A made-up run that has something for every chart of the HTML report, and texts that would break
// a page which takes them for markup.
#pragma once

#include <vector>

#include "bench/report/html.hpp"

namespace rps::report {

// The same for every call.
model::Run run_with_everything();
View view_with_everything();
std::vector<FloorPair> floors_of_everything();

}  // namespace rps::report
