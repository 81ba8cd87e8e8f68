// Distributions in the two formats that the tools around HdrHistogram read.
//
// Source: HdrHistogram 2.1 (Gil Tene), AbstractHistogram: encodeIntoCompressedByteBuffer and
// outputPercentileDistribution. Its buckets for three significant digits and a lowest discernible
// value of one are those of Histogram, index by index.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "bench/load/distribution.hpp"

namespace rps::model {

// V2 compressed encoding in base64: what HdrHistogram's log files hold. It keeps the buckets, not
// the exact mean, least and greatest value.
//
//   outer, big-endian: cookie 0x1c849314, length, zlib( inner )
//   inner, big-endian: cookie 0x1c849313, length of the counts, 0, digits 3, lowest 1,
//                      highest value_max, ratio 1.0, counts
//   counts: ZigZag LEB128 of at most nine bytes; a negative one stands for so many zeros
//
// Throws std::bad_alloc only.
std::string to_hdr_base64(const load::Distribution& distribution);

// The inverse. Mean, least and greatest value are those of the buckets: their middles, the first's
// beginning and the last's end. The error is a sentence: damaged, of another precision or unit, or
// reaching beyond Histogram::value_max. Takes at most a few hundred KiB, whatever the text says.
std::expected<load::Distribution, std::string> parse_hdr_base64(std::string_view text);

// The text of outputPercentileDistribution() (".hgrm"), which the usual plotters read: a line a
// percentile, `ticks_per_half_distance` of them up to 50 %, as many up to 75 %, and so on. Values
// are divided by `unit_ns`: 1e3 for µs, 1e6 for ms. REQUIRES: 0 < unit_ns, 0 < ticks.
std::string to_hgrm(const load::Distribution& distribution, double unit_ns,
                    unsigned ticks_per_half_distance = 5);

}  // namespace rps::model
