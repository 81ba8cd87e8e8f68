// The rows of the comparison, as data: how each stage is started here, and what the articles that
// this repository reproduces say of it. They measured on 16 cores.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string_view>

#include "bench/load/trial.hpp"

namespace rps::load {

struct Claim {
  std::string_view latency;  // As printed there; empty: they give none.
  std::string_view qps;
  double qps_value = 0;  // 0: they give none.
  std::string_view observability;
  std::string_view deployment;
};

struct Stage {
  std::string_view key;     // For --stages.
  std::string_view name;    // In tables; at most 11 characters.
  std::string_view scheme;  // Of its URLs.
  std::string_view binary;  // Empty: it is this process.
  bool has_observer = false;
  Claim claim;
};

inline constexpr std::array<Stage, 5> all_stages{{
    {.key = "inproc",
     .name = "no wire",
     .scheme = "inproc",
     .claim = {.observability = "-", .deployment = "a function"}},
    {.key = "cli",
     .name = "monolith",
     .scheme = "cli",
     .binary = "rps-cli",
     .claim = {.qps = "3.2k",
               .qps_value = 3'200,
               .observability = "log + stdout",
               .deployment = "1 container"}},
    {.key = "jsonrpc",
     .name = "RPC (JSON)",
     .scheme = "jsonrpc",
     .binary = "rps-jsonrpc",
     .claim = {.latency = "8–12 ms",
               .qps = "8.7k",
               .qps_value = 8'700,
               .observability = "access log",
               .deployment = "2 containers"}},
    {.key = "grpc",
     .name = "gRPC",
     .scheme = "grpc",
     .binary = "rps-grpc",
     .claim = {.latency = "2–4 ms",
               .qps = "24.5k",
               .qps_value = 24'500,
               .observability = "gRPC stats + metrics",
               .deployment = "3 containers + etcd"}},
    {.key = "ebpf",
     .name = "gRPC + eBPF",
     .scheme = "grpc",
     .binary = "rps-ebpf",
     .has_observer = true,
     .claim = {.latency = "2–4 ms",
               .qps = "23.1k",
               .qps_value = 23'100,
               .observability = "syscall, network stack, context switch",
               .deployment = "3 containers + eBPF DaemonSet"}},
}};

// The load at which the claims fit Little's law: latency times QPS is 70 to 90 calls in flight.
inline constexpr std::size_t connections_of_claims = 64;

// How `stage` is reached; its binary stands in `directory`. All play against the same house.
Target target_of(const Stage& stage, const std::filesystem::path& directory, std::uint64_t seed);

}  // namespace rps::load
