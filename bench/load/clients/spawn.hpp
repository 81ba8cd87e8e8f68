// A client that starts a process for each call: the cost of a service without a server process.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/client.hpp"
#include "core/net/wire_codec.hpp"
#include "core/url.hpp"

namespace rps::load {

struct SpawnOptions {
  std::vector<std::string> argv;  // argv[0] is the path.
  // Encodes what goes to a child's stdin, and decodes what comes from its stdout. Null: nothing
  // does, and a child that exits with 0 has answered a default-constructed Reply.
  std::unique_ptr<net::WireCodec> codec;
};

// A client that starts `argv` for each call, writes the request, closes stdin, and answers when the
// process has ended: the stamps hold its whole life, from before its start until it was reaped. A
// child that cannot be started, dies, exits with anything but 0, or does not write exactly one
// reply is Error::unavailable. As many as connections × depth live at once; a session, if a call
// has one, begins anew in each. A child that writes more than a pipe holds (64 KiB) never ends.
// Children that live when the client goes are killed.
//
// Throws std::exception when argv[0] is no file that may be executed.
std::unique_ptr<Client> connect_spawn(SpawnOptions options, const ConnectOptions& connect);

// `cli+spawn:PATH?name=value&…`: the console, `PATH --batch --name=value …` for each call.
std::unique_ptr<Client> connect_cli_spawn(const Url& url, const ConnectOptions& options);

// `spawn:PATH`: a program without arguments, input and output (rps-floor-nothing).
std::unique_ptr<Client> connect_bare_spawn(const Url& url, const ConnectOptions& options);

// Throws std::invalid_argument when the URL of such a program is wrong.
void check_bare_spawn(const Url& url);

}  // namespace rps::load
