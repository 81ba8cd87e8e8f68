// How the observer joins a server process: a flag, an attempt, one log line.
#pragma once

#include <cstdint>

#include "core/server/server.hpp"

namespace CLI {
class App;
}

namespace rps::observe {

// --observe: the process observes itself when it can, or does not start without, or does not try.
enum class Mode : std::uint8_t { automatic, require, off };

// REQUIRES: `mode` outlives the parsing; it is set when the flag is given.
void add_flags(CLI::App& app, Mode& mode);

// Attaches the observer as `mode` says and hands it to the metrics, which own it. To be called
// before the server listens. When it cannot be had: logs once what is off and why, or with
// Mode::require throws std::runtime_error.
void start_observer(const server::Context& context, Mode mode);

}  // namespace rps::observe
