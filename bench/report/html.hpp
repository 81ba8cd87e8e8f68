// A run as one HTML file that opens anywhere: charts drawn as SVG, tables, and the run itself.
//
// The file needs no script, no network and no other file. Dark and light follow the reader's
// system, or the switch at the top. The stored run is in the element #run as JSON, and can be
// saved from the page unless it is too long for a link.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "bench/model/run.hpp"
#include "bench/report/view.hpp"

namespace rps::report {

// Keys of two cells: what a stage took, and what its transport takes with nothing behind it.
struct FloorPair {
  std::string stage;
  std::string floor;
};

// The longest run, in bytes of JSON, that the page offers as a link.
inline constexpr std::size_t linked_run_bytes_max = std::size_t{4} << 20;

std::string to_html(const model::Run& run, const View& view,
                    std::span<const FloorPair> floors = {});

inline std::string to_html(const model::Run& run, std::span<const FloorPair> floors = {}) {
  return to_html(run, view_of(run), floors);
}

}  // namespace rps::report
