// Lets other implementations of HdrHistogram try ours: tests/clients/hdr_histogram.js.
//
//   bench_hdr_tool write   nanoseconds from stdin, one a line → the encoding, a line; then .hgrm in
//   µs bench_hdr_tool read    an encoding from stdin → "value count" of each bucket, a line each,
//   the
//                          value being the bucket's last
#include <iostream>
#include <string>
#include <string_view>

#include "bench/model/hdr.hpp"

namespace {

using namespace rps;
using namespace rps::model;

int write() {
  load::Histogram histogram;
  for (std::int64_t ns = 0; std::cin >> ns;) histogram.record(std::chrono::nanoseconds(ns));
  const load::Distribution distribution(histogram);
  std::cout << to_hdr_base64(distribution) << '\n' << to_hgrm(distribution, 1e3);
  return 0;
}

int read() {
  std::string text;
  std::cin >> text;
  const auto distribution = parse_hdr_base64(text);
  if (!distribution) {
    std::cerr << distribution.error() << '\n';
    return 1;
  }
  for (const auto& bucket : distribution->buckets) {
    std::cout << load::Histogram::last_value_of(bucket.index) << ' ' << bucket.count << '\n';
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view command = argc == 2 ? argv[1] : "";
  if (command == "write") return write();
  if (command == "read") return read();
  std::cerr << "usage: bench_hdr_tool write|read\n";
  return 2;
}
