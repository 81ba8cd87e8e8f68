// What the flags of rps-ebpf set: those of stage 3's server, and --observe.
#pragma once

#include "stage3_grpc/limits.hpp"
#include "stage4_ebpf/start.hpp"

namespace rps::observe {

struct Settings : rpc::Limits {
  Mode mode = Mode::automatic;
};

// REQUIRES: `settings` outlive the parser.
inline void add_flags(CLI::App& app, Settings& settings) {
  rpc::add_flags(app, settings);
  add_flags(app, settings.mode);
}

}  // namespace rps::observe
