// From a URL to a client: the only file of the harness that names the transports.
//
//   inproc:                the game in this process            bench/load/clients/inproc.hpp
//   cli: cli+pty:          stage 1, children behind pipes, or behind pseudo-terminals
//   cli+spawn:             stage 1, a process for each call    bench/load/clients/spawn.hpp
//   jsonrpc: jsonrpc+fleet: stage 2                            stage2_jsonrpc/client.hpp
//   jsonrpc+lean:          stage 2, replies not decoded        bench/load/clients/jsonrpc_lean.hpp
//   http:                  stage 2 over HTTP/1.1, as jsonrpc: with framing=http
//   grpc: grpcs:           stage 3, gRPC's own client          stage3_grpc/client.hpp
//   http+rest:             stage 3's REST gateway              stage3_grpc/rest/client.hpp
//   grpc+fleet: file:      many servers of stage 3, or of both    core/fleet/connect.hpp
//   etcd: etcds:           the same, as etcd lists them        core/etcd/registry.hpp
//   grpc+lean:             stage 3, by nghttp2 on bare sockets, grpc_lean_client.hpp in this folder
//   echo: echo+pipe: echo+http: spawn:   floors: what a transport costs without a game
//                                                              bench/load/clients/floors.hpp
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "core/client.hpp"
#include "core/url.hpp"

namespace rps::load {

struct Connection {
  std::unique_ptr<Client> client;
  // The processes that live as long as the client: of cli:, cli+pty: and echo+pipe:. Those of
  // cli+spawn: and spawn: come and go; their CPU time is in this process's RUSAGE_CHILDREN.
  std::vector<pid_t> children;
};

// Whether this build can speak to `scheme`, one of those above.
bool speaks(std::string_view scheme);

// Whether connect() understands all of the URL, without opening anything; the error is a sentence
// for the person who typed it. A file that the URL names for TLS is read.
std::expected<void, std::string> check(const Url& url);

// Whether the client of `url` answers a call before submit() returns, so that no call is ever open.
bool answers_in_submit(std::string_view url);

// Opens a client, or throws std::exception whose what() says why not: the URL is wrong or has a
// parameter that its scheme does not know, its scheme is unknown or left out of this build, or
// no server answers there.
Connection connect(std::string_view url, const ConnectOptions& options);

}  // namespace rps::load
