// All subjects that the harness can measure: stages, their variants, their floors, and functions.
// To add a subject, add an entry to subjects.cpp.
#pragma once

#include <span>
#include <string_view>

#include "bench/model/subject.hpp"

namespace rps::scenarios {

std::span<const model::Subject> all_subjects();

// Null when there is none.
const model::Subject* find_subject(std::string_view key);

}  // namespace rps::scenarios
