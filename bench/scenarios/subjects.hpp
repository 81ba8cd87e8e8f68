// Everybody who can be measured: stages, their variants, the floors under them, and functions.
// A new one is an entry in subjects.cpp.
#pragma once

#include <span>
#include <string_view>

#include "bench/model/subject.hpp"

namespace rps::scenarios {

std::span<const model::Subject> all_subjects();

// Null when there is none.
const model::Subject* find_subject(std::string_view key);

}  // namespace rps::scenarios
