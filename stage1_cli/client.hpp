// The player's side of stage 1: child processes behind pipes.
#pragma once

#include <memory>

#include "core/client.hpp"
#include "core/runtime/stream_client.hpp"
#include "core/url.hpp"

namespace rps::cli {

// Starts options.connections children for `cli:PATH?name=value&…`, each as `PATH --batch
// --name=value …`. PATH is a file, not searched for. Each child plays its own game: sessions and
// duels are not shared between connections. Throws std::exception when a child cannot be started;
// a child that does not like its flags ends, and its calls are answered with Error::unavailable.
std::unique_ptr<runtime::StreamClient> connect(const Url& url, const ConnectOptions& options);

}  // namespace rps::cli
