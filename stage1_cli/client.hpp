// The player's side of stage 1: child processes behind pipes.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/client.hpp"
#include "core/net/child.hpp"
#include "core/net/stream_client.hpp"
#include "core/url.hpp"

namespace rps::cli {

// What the bytes between a player and `--batch` mean.
std::unique_ptr<net::WireCodec> make_codec();

// The command line for `SCHEME:PATH?name=value&…`: `PATH --batch --name=value …`. PATH is a file,
// not searched for. Throws std::invalid_argument for a URL that is none of these.
std::vector<std::string> arguments_of(const Url& url);

// How a child is started: net::spawn_child or net::spawn_child_on_terminal.
using Spawn = net::Stream (*)(const std::vector<std::string>& argv);

// Starts options.connections children with the URL's command line. Each child plays its own game:
// sessions and duels are not shared between connections. Throws std::exception when a child cannot
// be started; a child that refuses its flags ends, and its calls are answered with
// Error::unavailable.
std::unique_ptr<net::StreamClient> connect(const Url& url, const ConnectOptions& options,
                                           Spawn spawn = net::spawn_child);

}  // namespace rps::cli
