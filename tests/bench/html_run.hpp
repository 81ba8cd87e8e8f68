// A made-up run that has something for every chart of the HTML report, and texts that would break
// a page which takes them for markup.
#pragma once

#include "bench/report/html.hpp"

namespace rps::report {

// The same for every call.
model::Run run_with_everything();

// Parts of it: every trial failed; a single trial; ten subjects, which are more than the colours.
model::Run run_that_failed();
model::Run run_of_one_trial();
model::Run run_of_many_subjects();

View view_with_everything();

}  // namespace rps::report
