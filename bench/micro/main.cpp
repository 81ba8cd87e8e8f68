// rps-micro: what single functions cost. `rps-micro --benchmark_filter=judge`
#include <iostream>

#include <benchmark/benchmark.h>

#include "bench/load/environment.hpp"

int main(int argc, char** argv) {
  if (const auto warning = rps::load::build_warning(); !warning.empty()) {
    std::cerr << "rps-micro: WARNING: " << warning << '\n';
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
