// Everybody who can be measured, as data: stages, their variants, and the floors under them.
//
// A new one is an entry here. In `flags` and `url`, {bin} stands for the folder of the binaries,
// {seed} for the run's seed.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "bench/model/run.hpp"
#include "bench/model/target.hpp"
#include "bench/report/html.hpp"

namespace rps::scenarios {

struct Subject {
  std::string_view key;     // In cells' keys and on the command line.
  std::string_view name;    // In tables; at most 24 characters.
  std::string_view binary;  // The server to start; empty: `url` says all.
  std::string_view flags;   // Its own, separated by spaces.
  std::string_view url;     // As Target::url.
  bool has_observer = false;
  load::Judging judging = load::Judging::sessions;
  std::size_t rounds_per_call = 1;
  std::size_t instances = 1;
  std::string_view floor;  // The subject whose transport it uses; empty: none.
  std::string_view micro;  // An rps-micro benchmark instead of a server; its load is `function`.
};

// What every server of a stage is started with, and what every house is asked for.
inline constexpr std::string_view stage_flags =
    "--listen=127.0.0.1:0 --house=fair --seed={seed} --log-level=warn";
inline constexpr std::string_view observed_flags =
    "--listen=127.0.0.1:0 --admin=127.0.0.1:0 --house=fair --seed={seed} --log-level=warn";

inline constexpr auto all_subjects = std::to_array<Subject>({
    // The stages.
    {.key = "inproc", .name = "no wire", .url = "inproc:?house=fair&seed={seed}"},
    {.key = "cli",
     .name = "monolith",
     .url = "cli:{bin}/rps-cli?house=fair&seed={seed}",
     .floor = "floor-pipe"},
    {.key = "jsonrpc",
     .name = "RPC (JSON)",
     .binary = "rps-jsonrpc",
     .flags = stage_flags,
     .floor = "floor-tcp"},
    {.key = "grpc",
     .name = "gRPC",
     .binary = "rps-grpc",
     .flags = stage_flags,
     .floor = "floor-grpc"},
    {.key = "ebpf",
     .name = "gRPC + eBPF",
     .binary = "rps-ebpf",
     .flags = observed_flags,
     .has_observer = true,
     .floor = "floor-grpc"},

    // The same stages, reached in other ways.
    {.key = "cli-spawn",
     .name = "a process a round",
     .url = "cli+spawn:{bin}/rps-cli?house=fair&seed={seed}",
     .judging = load::Judging::rounds,
     .floor = "floor-spawn"},
    {.key = "cli-pty",
     .name = "monolith, terminal",
     .url = "cli+pty:{bin}/rps-cli?house=fair&seed={seed}",
     .floor = "floor-pipe"},
    {.key = "msgpack",
     .name = "RPC (MessagePack)",
     .binary = "rps-jsonrpc",
     .flags = stage_flags,
     .url = "?codec=msgpack",
     .floor = "floor-tcp"},
    {.key = "binary",
     .name = "RPC (fixed layout)",
     .binary = "rps-jsonrpc",
     .flags = stage_flags,
     .url = "?codec=binary",
     .floor = "floor-tcp"},
    {.key = "http",
     .name = "RPC over HTTP",
     .binary = "rps-jsonrpc",
     .flags = stage_flags,
     .url = "http:",
     .floor = "floor-http"},
    {.key = "grpc-lean",
     .name = "gRPC, lean client",
     .binary = "rps-grpc",
     .flags = stage_flags,
     .url = "grpc+lean:",
     .floor = "floor-grpc-lean"},
    {.key = "ebpf-lean",
     .name = "gRPC + eBPF, lean client",
     .binary = "rps-ebpf",
     .flags = observed_flags,
     .url = "grpc+lean:",
     .has_observer = true,
     .floor = "floor-grpc-lean"},
    {.key = "rally",
     .name = "gRPC Rally",
     .binary = "rps-grpc",
     .flags = stage_flags,
     .url = "?mode=rally"},
    {.key = "many",
     .name = "gRPC PlayMany",
     .binary = "rps-grpc",
     .flags = stage_flags,
     .url = "?mode=many&rounds=16",
     .judging = load::Judging::summaries,
     .rounds_per_call = 16},

    // Six instances behind the fleet's client, as in the articles.
    {.key = "fleet-round-robin",
     .name = "round_robin",
     .binary = "rps-jsonrpc",
     .flags = stage_flags,
     .url = "?balance=round_robin",
     .judging = load::Judging::rounds,
     .instances = 6},
    {.key = "fleet-least-request",
     .name = "least_request",
     .binary = "rps-jsonrpc",
     .flags = stage_flags,
     .url = "?balance=least_request",
     .judging = load::Judging::rounds,
     .instances = 6},
    {.key = "fleet-hash",
     .name = "hash of the session",
     .binary = "rps-jsonrpc",
     .flags = stage_flags,
     .url = "?balance=hash",
     .instances = 6},

    // The floors: the same bytes with nothing behind them. The sizes are those of a call of the
    // stage above it, as the harness counts them.
    {.key = "floor-pipe",
     .name = "echo on a pipe",
     .url = "echo+pipe:{bin}/rps-floor-pipe?request=40&reply=107",
     .judging = load::Judging::none},
    {.key = "floor-spawn",
     .name = "an empty process",
     .url = "spawn:{bin}/rps-floor-nothing",
     .judging = load::Judging::none},
    {.key = "floor-tcp",
     .name = "echo on epoll",
     .binary = "rps-floor-echo",
     .flags = "124 180",
     .judging = load::Judging::none},
    {.key = "floor-http",
     .name = "empty HTTP handler",
     .binary = "rps-floor-http",
     .flags = "115 168",
     .judging = load::Judging::none},
    {.key = "floor-grpc",
     .name = "empty gRPC handler",
     .binary = "rps-floor-grpc",
     .judging = load::Judging::none},
    {.key = "floor-grpc-lean",
     .name = "empty gRPC, lean client",
     .binary = "rps-floor-grpc",
     .url = "grpc+lean:",
     .judging = load::Judging::none},

    // Functions, timed by rps-micro.
    {.key = "codec-dom-encode",
     .name = "JSON, general, encode",
     .micro = "codec/json_dom/encode/10kB"},
    {.key = "codec-dom-decode",
     .name = "JSON, general, decode",
     .micro = "codec/json_dom/decode/10kB"},
    {.key = "codec-json-encode", .name = "JSON, encode", .micro = "codec/json/encode/10kB"},
    {.key = "codec-json-decode", .name = "JSON, decode", .micro = "codec/json/decode/10kB"},
    {.key = "codec-msgpack-encode",
     .name = "MessagePack, encode",
     .micro = "codec/message_pack/encode/10kB"},
    {.key = "codec-msgpack-decode",
     .name = "MessagePack, decode",
     .micro = "codec/message_pack/decode/10kB"},
    {.key = "codec-binary-encode",
     .name = "fixed layout, encode",
     .micro = "codec/fixed_layout/encode/10kB"},
    {.key = "codec-binary-decode",
     .name = "fixed layout, decode",
     .micro = "codec/fixed_layout/decode/10kB"},
    {.key = "codec-protobuf-encode",
     .name = "protobuf, encode",
     .micro = "codec/protobuf/encode/10kB"},
    {.key = "codec-protobuf-decode",
     .name = "protobuf, decode",
     .micro = "codec/protobuf/decode/10kB"},
    {.key = "queue-ring", .name = "ring, hand-over", .micro = "queue/round_trip/ring/real_time"},
    {.key = "queue-locked",
     .name = "locked queue, hand-over",
     .micro = "queue/round_trip/locked/real_time"},
    {.key = "queue-ring-flow", .name = "ring, flow", .micro = "queue/transfer/ring/real_time"},
    {.key = "queue-locked-flow",
     .name = "locked queue, flow",
     .micro = "queue/transfer/locked/real_time"},
});

// Null when there is none.
const Subject* find_subject(std::string_view key);

// The cells of a run whose transport's floor was measured at the same load.
std::vector<report::FloorPair> floor_pairs(const model::Run& run);

// How `subject` is reached; its binary stands in `binaries`.
model::Target target_of(const Subject& subject, const std::filesystem::path& binaries,
                        std::uint64_t seed);

// What to type in the folder of the binaries to have it again: the server's command line, or the
// URL.
std::string command_of(const model::Target& target, const std::filesystem::path& binaries);

// Empty when it can be measured here, else why not: "not built", "this build does not speak grpc".
std::string why_not(const Subject& subject, const std::filesystem::path& binaries);

}  // namespace rps::scenarios
