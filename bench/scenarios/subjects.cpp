#include "bench/scenarios/subjects.hpp"

#include <array>
#include <chrono>

namespace rps::scenarios {

namespace {

// The servers of the stages. One with an observer is started with --observe=require: where the
// kernel does not permit the observer it does not start, and its row says why.
constexpr std::string_view stage_flags =
    "--listen=127.0.0.1:0 --house=fair --seed={seed} --log-level=warn";
constexpr model::Program jsonrpc_server{.name = "rps-jsonrpc", .flags = stage_flags};
constexpr model::Program grpc_server{.name = "rps-grpc", .flags = stage_flags};
constexpr model::Program observed_server{.name = "rps-ebpf",
                                         .flags = stage_flags,
                                         .more_flags = "--admin=127.0.0.1:0 --observe=require",
                                         .has_observer = true};

constexpr model::Program grpc_server_with(std::string_view more_flags) {
  model::Program program = grpc_server;
  program.more_flags = more_flags;
  return program;
}

constexpr model::Program rest_gateway{
    .name = "rps-grpc", .flags = stage_flags, .more_flags = "--rest=127.0.0.1:0", .port = "rest"};

constexpr std::string_view logging_flags =
    "--listen=127.0.0.1:0 --house=fair --seed={seed} --log-level=info";

// Stage 3 with some of the links of its chain. Its bytes differ from those of any floor.
constexpr model::Subject linked(std::string_view key, std::string_view name,
                                std::string_view more_flags, std::string_view url = "grpc+lean:") {
  return {.key = key, .name = name, .server = grpc_server_with(more_flags), .url = url};
}

// Six instances of stage 3, by one of their clients and its balancing. In the second subject of
// each pair one instance is slow.
constexpr std::chrono::milliseconds slow_by{50};

constexpr model::Subject six(std::string_view key, std::string_view name, std::string_view url,
                             load::Judging judging, std::chrono::milliseconds slow = {}) {
  return {.key = key,
          .name = name,
          .server = grpc_server,
          .url = url,
          .judging = judging,
          .instances = 6,
          .slow_by = slow};
}

// The fleet's deadline is that of gRPC's client, so that a call of either may wait as long.
constexpr std::string_view by_channel = "grpc:?deadline_ms=10000";
constexpr std::string_view in_turns = "?balance=round_robin&deadline_ms=10000";
constexpr std::string_view by_open_calls = "?balance=least_request&deadline_ms=10000";
constexpr std::string_view by_hash = "?balance=hash&deadline_ms=10000";

// Three instances of which the first fails. A call may take as long as a fleet's does by default.
constexpr model::Subject three(std::string_view key, std::string_view name, model::Fault fault,
                               model::Program program, std::string_view url) {
  return {.key = key,
          .name = name,
          .server = program,
          .url = url,
          .judging = load::Judging::rounds,
          .instances = 3,
          .fault = fault};
}

constexpr std::string_view channel_of_three = "grpc:?deadline_ms=1000";
constexpr std::string_view fleet_of_three = "?balance=round_robin&deadline_ms=1000";
constexpr std::string_view impatient_fleet = "?balance=round_robin&deadline_ms=1000&attempt_ms=300";

// A server that answers without the game.
constexpr model::Subject floor(std::string_view key, std::string_view name, model::Program program,
                               model::CallBytes bytes, model::CallBytes framing = {},
                               std::string_view url = {}) {
  return {.key = key,
          .name = name,
          .server = program,
          .url = url,
          .judging = load::Judging::none,
          .bytes = bytes,
          .framing = framing};
}

// The same, moving what another floor moves.
constexpr model::Subject like(std::string_view other, model::Subject subject) {
  subject.moves_like = other;
  return subject;
}

constexpr model::Program echo{.name = "rps-floor-echo", .flags = "{request} {reply}"};
constexpr model::Program asio_echo{.name = "rps-floor-asio", .flags = "{request} {reply}"};
constexpr model::Program http_floor{.name = "rps-floor-http", .flags = "{request} {reply}"};
constexpr model::Program grpc_floor{.name = "rps-floor-grpc", .flags = "{reply}"};
constexpr model::Program http2_floor{.name = "rps-floor-http2", .flags = "{reply}"};

// What is not body of a POST and its response, and not message of a gRPC call.
constexpr model::CallBytes http_framing{.request = 98, .reply = 134};
constexpr model::CallBytes grpc_framing{.request = 0, .reply = 36.3};
constexpr model::CallBytes http2_framing{.request = 0, .reply = 35};

constexpr model::CallBytes json_bytes{.request = 126, .reply = 186};
constexpr model::CallBytes grpc_bytes{.request = 90, .reply = 77.1};

// A benchmark of rps-micro.
constexpr model::Subject function(std::string_view key, std::string_view name,
                                  std::string_view benchmark) {
  return {.key = key, .name = name, .micro = benchmark};
}

constexpr auto subjects = std::to_array<model::Subject>({
    // The stages.
    {.key = "inproc",
     .name = "no wire",
     .url = "inproc:?house=fair&seed={seed}",
     .deployment = "a function call"},
    {.key = "cli",
     .name = "monolith",
     .url = "cli:{bin}/rps-cli?house=fair&seed={seed}",
     .floor = "floor-pipe",
     .observability = "errors on stderr",
     .deployment = "one process a player"},
    {.key = "jsonrpc",
     .name = "RPC (JSON)",
     .server = jsonrpc_server,
     .floor = "floor-tcp",
     .observability = "log, /metrics, sampled calls by traceparent",
     .deployment = "one process"},
    {.key = "grpc",
     .name = "gRPC",
     .server = grpc_server,
     .floor = "floor-grpc",
     .observability = "log, access log, /metrics, traceparent, gRPC health service",
     .deployment = "one process"},
    {.key = "ebpf",
     .name = "gRPC + eBPF",
     .server = observed_server,
     .floor = "floor-grpc",
     .observability = "as gRPC; the kernel's counts in /metrics",
     .deployment = "one process that may load BPF"},

    // The same stages, reached in other ways.
    {.key = "cli-spawn",
     .name = "a process a round",
     .url = "cli+spawn:{bin}/rps-cli?house=fair&seed={seed}",
     .judging = load::Judging::rounds,
     .floor = "floor-spawn"},
    {.key = "cli-pty",
     .name = "monolith, terminal",
     .url = "cli+pty:{bin}/rps-cli?house=fair&seed={seed}"},
    {.key = "msgpack",
     .name = "RPC (MessagePack)",
     .server = jsonrpc_server,
     .url = "?codec=msgpack",
     .floor = "floor-tcp-msgpack"},
    {.key = "binary",
     .name = "RPC (fixed layout)",
     .server = jsonrpc_server,
     .url = "?codec=binary",
     .floor = "floor-tcp-binary"},
    {.key = "http",
     .name = "RPC over HTTP",
     .server = jsonrpc_server,
     .url = "http:",
     .floor = "floor-http"},
    {.key = "rest", .name = "REST gateway", .server = rest_gateway, .url = "http+rest:"},
    {.key = "grpc-lean",
     .name = "gRPC, lean client",
     .server = grpc_server,
     .url = "grpc+lean:",
     .floor = "floor-grpc-lean"},
    {.key = "ebpf-lean",
     .name = "gRPC + eBPF, lean client",
     .server = observed_server,
     .url = "grpc+lean:",
     .floor = "floor-grpc-lean"},
    {.key = "grpc-lean-uncoalesced",
     .name = "gRPC, a send a reply",
     .server = grpc_server_with("--coalesce-writes=off"),
     .url = "grpc+lean:",
     .floor = "floor-grpc-lean"},
    {.key = "grpc-lean-tls",
     .name = "gRPC over TLS",
     .server = grpc_server_with("--tls-cert={files}/server.crt --tls-key={files}/server.key"),
     .url = "grpcs+lean:?ca={files}/ca.crt"},
    linked("grpc-lean-unlinked", "gRPC, no link", "--trace=off --metrics=off"),
    linked("grpc-lean-trace", "gRPC, trace", "--metrics=off"),
    linked("grpc-lean-sampled", "gRPC, all traced", "--metrics=off --trace-sampling=1"),
    linked("grpc-lean-metrics", "gRPC, metrics", "--trace=off"),
    linked("grpc-lean-limits", "gRPC, rate limit",
           "--trace=off --metrics=off --rate-limit=1M --rate-burst=1000000 "
           "--max-calls-in-progress=1000000"),
    linked("grpc-lean-auth", "gRPC, auth by token",
           "--trace=off --metrics=off --auth=on --auth-tokens={files}/callers",
           "grpc+lean:?token=rps-bench"),
    {.key = "grpc-lean-log",
     .name = "gRPC, access log",
     .server = {.name = "rps-grpc",
                .flags = logging_flags,
                .more_flags = "--trace=off --metrics=off --access-log=on",
                .drops_log = true},
     .url = "grpc+lean:"},
    {.key = "grpc-lean-all",
     .name = "gRPC, the whole chain",
     .server = {.name = "rps-grpc",
                .flags = logging_flags,
                .more_flags = "--trace-sampling=1 --rate-limit=1M --rate-burst=1000000 "
                              "--max-calls-in-progress=1000000 --auth=on "
                              "--auth-tokens={files}/callers --access-log=on",
                .drops_log = true},
     .url = "grpc+lean:?token=rps-bench"},
    {.key = "rally", .name = "gRPC Rally", .server = grpc_server, .url = "?mode=rally"},
    {.key = "many",
     .name = "gRPC PlayMany",
     .server = grpc_server,
     .url = "?mode=many&rounds=16",
     .judging = load::Judging::summaries,
     .rounds_per_call = 16},
    {.key = "watch",
     .name = "gRPC Watch",
     .server = grpc_server,
     .url = "?mode=watch",
     .judging = load::Judging::rounds},

    // Stage 2 with a client that decodes no reply: load/clients/jsonrpc_lean.hpp.
    {.key = "jsonrpc-lean",
     .name = "JSON, lean client",
     .server = jsonrpc_server,
     .url = "jsonrpc+lean:",
     .judging = load::Judging::errors,
     .floor = "floor-tcp"},
    {.key = "msgpack-lean",
     .name = "MessagePack, lean client",
     .server = jsonrpc_server,
     .url = "jsonrpc+lean:?codec=msgpack",
     .judging = load::Judging::errors,
     .floor = "floor-tcp-msgpack"},
    {.key = "binary-lean",
     .name = "fixed layout, lean",
     .server = jsonrpc_server,
     .url = "jsonrpc+lean:?codec=binary",
     .judging = load::Judging::errors,
     .floor = "floor-tcp-binary"},
    {.key = "http-lean",
     .name = "HTTP, lean client",
     .server = jsonrpc_server,
     .url = "jsonrpc+lean:?framing=http",
     .judging = load::Judging::errors},

    // Six instances behind the fleet's client, as in the articles.
    {.key = "fleet-round-robin",
     .name = "round_robin",
     .server = jsonrpc_server,
     .url = "?balance=round_robin",
     .judging = load::Judging::rounds,
     .instances = 6},
    {.key = "fleet-least-request",
     .name = "least_request",
     .server = jsonrpc_server,
     .url = "?balance=least_request",
     .judging = load::Judging::rounds,
     .instances = 6},
    {.key = "fleet-hash",
     .name = "hash of the session",
     .server = jsonrpc_server,
     .url = "?balance=hash",
     .instances = 6},

    six("six-channel", "gRPC's round_robin", by_channel, load::Judging::rounds),
    six("six-channel-slow", "… one slow", by_channel, load::Judging::rounds, slow_by),
    six("six-round-robin", "fleet, round_robin", in_turns, load::Judging::rounds),
    six("six-round-robin-slow", "… one slow", in_turns, load::Judging::rounds, slow_by),
    six("six-least-request", "fleet, least_request", by_open_calls, load::Judging::rounds),
    six("six-least-request-slow", "… one slow", by_open_calls, load::Judging::rounds, slow_by),
    six("six-hash", "fleet, hash", by_hash, load::Judging::sessions),
    six("six-hash-slow", "… one slow", by_hash, load::Judging::sessions, slow_by),

    three("killed-channel", "killed: gRPC's channel", model::Fault::kill, grpc_server,
          channel_of_three),
    three("killed-fleet-grpc", "killed: fleet, gRPC", model::Fault::kill, grpc_server,
          fleet_of_three),
    three("killed-fleet-jsonrpc", "killed: fleet, JSON-RPC", model::Fault::kill, jsonrpc_server,
          fleet_of_three),
    three("frozen-channel", "frozen: gRPC's channel", model::Fault::freeze, grpc_server,
          channel_of_three),
    three("frozen-fleet-grpc", "frozen: fleet, gRPC", model::Fault::freeze, grpc_server,
          fleet_of_three),
    three("frozen-fleet-attempts", "… with attempt_ms=300", model::Fault::freeze, grpc_server,
          impatient_fleet),
    three("frozen-fleet-jsonrpc", "frozen: fleet, JSON-RPC", model::Fault::freeze, jsonrpc_server,
          fleet_of_three),

    // The floors: the same bytes without the game. The sizes are those of a call of the stage. In a
    // run that measures the stage, too, they become those that are counted there.
    {.key = "floor-pipe",
     .name = "echo on a pipe",
     .url = "echo+pipe:{bin}/rps-floor-pipe?request={request}&reply={reply}",
     .judging = load::Judging::none,
     .bytes = {.request = 41, .reply = 108}},
    {.key = "floor-spawn",
     .name = "an empty process",
     .url = "spawn:{bin}/rps-floor-nothing",
     .judging = load::Judging::none},
    floor("floor-tcp", "echo on epoll", echo, json_bytes),
    floor("floor-tcp-msgpack", "echo, as MessagePack", echo, {.request = 103, .reply = 143}),
    floor("floor-tcp-binary", "echo, as fixed layout", echo, {.request = 50, .reply = 55}),
    like("floor-tcp", floor("floor-asio", "echo on Boost.Asio", asio_echo, json_bytes)),
    floor("floor-http", "empty HTTP handler", http_floor, {.request = 218, .reply = 315},
          http_framing),
    floor("floor-grpc", "empty gRPC handler", grpc_floor, grpc_bytes, grpc_framing),
    floor("floor-grpc-lean", "empty gRPC, lean client", grpc_floor, grpc_bytes, grpc_framing,
          "grpc+lean:"),
    like("floor-grpc",
         floor("floor-http2", "HTTP/2 on epoll", http2_floor, grpc_bytes, http2_framing)),
    like("floor-grpc-lean", floor("floor-http2-lean", "HTTP/2, lean client", http2_floor,
                                  grpc_bytes, http2_framing, "grpc+lean:")),
    like("floor-grpc-lean", floor("floor-tcp-grpc", "echo, as gRPC", echo, grpc_bytes)),

    // Functions, timed by rps-micro.
    function("codec-dom-encode", "JSON, general, encode", "codec/json_dom/encode/10kB"),
    function("codec-dom-decode", "JSON, general, decode", "codec/json_dom/decode/10kB"),
    function("codec-json-encode", "JSON, encode", "codec/json/encode/10kB"),
    function("codec-json-decode", "JSON, decode", "codec/json/decode/10kB"),
    function("codec-msgpack-encode", "MessagePack, encode", "codec/message_pack/encode/10kB"),
    function("codec-msgpack-decode", "MessagePack, decode", "codec/message_pack/decode/10kB"),
    function("codec-binary-encode", "fixed layout, encode", "codec/fixed_layout/encode/10kB"),
    function("codec-binary-decode", "fixed layout, decode", "codec/fixed_layout/decode/10kB"),
    function("codec-protobuf-encode", "protobuf, encode", "codec/protobuf/encode/10kB"),
    function("codec-protobuf-decode", "protobuf, decode", "codec/protobuf/decode/10kB"),
    function("queue-ring", "ring, hand-over", "queue/round_trip/ring/real_time"),
    function("queue-locked", "locked queue, hand-over", "queue/round_trip/locked/real_time"),
    function("queue-ring-flow", "ring, flow", "queue/transfer/ring/real_time"),
    function("queue-locked-flow", "locked queue, flow", "queue/transfer/locked/real_time"),
});

}  // namespace

std::span<const model::Subject> all_subjects() {
  return subjects;
}

const model::Subject* find_subject(std::string_view key) {
  return model::find_subject(subjects, key);
}

}  // namespace rps::scenarios
