// The server of this stage, for runtime::run_server().
#pragma once

#include <memory>

#include "core/runtime/server.hpp"
#include "stage2_jsonrpc/limits.hpp"

namespace rps::jsonrpc {

// Listens at flags.listen with flags.threads threads, or throws std::exception.
std::unique_ptr<runtime::Server> make_server(const runtime::Context& context, const Limits& limits);

}  // namespace rps::jsonrpc
