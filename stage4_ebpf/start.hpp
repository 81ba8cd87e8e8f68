// The flag --observe, and starting the observer in a server process.
#pragma once

#include <cstdint>

#include "core/server/server.hpp"

namespace CLI {
class App;
}

namespace rps::observe {

// --observe: `automatic` serves on when the observer cannot be loaded, `require` then does not
// start, `off` does not try to load it.
enum class Mode : std::uint8_t { automatic, require, off };

// REQUIRES: `mode` outlives the parsing; it is set when the flag is given.
void add_flags(CLI::App& app, Mode& mode);

// Attaches the observer as `mode` says and hands it to the metrics, which own it. To be called
// before the server listens. When the observer cannot be loaded, logs once why. With Mode::require
// it throws instead: server::Unsupported when it was found what this machine lacks, else
// std::runtime_error.
void start_observer(const server::Context& context, Mode mode);

}  // namespace rps::observe
