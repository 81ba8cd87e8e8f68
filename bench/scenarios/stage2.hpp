// `rps-bench stage2`: what the framed JSON-RPC server costs beside its floor, a bare epoll loop
// that moves the same bytes, and how it stands up to those who wish it ill.
#pragma once

#include <array>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "bench/machine/cpus.hpp"
#include "bench/model/statistics.hpp"
#include "bench/scenarios/interrupt.hpp"

namespace rps::scenarios {

// How a call is spelled: the query of its URL.
struct Spelling {
  std::string_view name;
  std::string_view query;
};

inline constexpr Spelling json_frames{"JSON", ""};
inline constexpr Spelling message_pack_frames{"MessagePack", "?codec=msgpack"};
inline constexpr Spelling fixed_frames{"fixed layout", "?codec=binary"};
inline constexpr Spelling http_bodies{"HTTP", "?framing=http"};

struct Stage2Row {
  Spelling ours;
  std::size_t connections;
  std::size_t depth;
  // What `ours` is divided by: the floor, or the same load in another spelling.
  bool against_floor = true;
  Spelling theirs{};
};

// The last two are the claim's own case: a protocol and a codec made for the purpose, beside HTTP.
inline constexpr std::array<Stage2Row, 12> stage2_rows{{
    {.ours = json_frames, .connections = 1, .depth = 1},
    {.ours = fixed_frames, .connections = 1, .depth = 1},
    {.ours = json_frames, .connections = 64, .depth = 1},
    {.ours = message_pack_frames, .connections = 64, .depth = 1},
    {.ours = fixed_frames, .connections = 64, .depth = 1},
    {.ours = json_frames, .connections = 16, .depth = 16},
    {.ours = message_pack_frames, .connections = 16, .depth = 16},
    {.ours = fixed_frames, .connections = 16, .depth = 16},
    {json_frames, 64, 1, false, http_bodies},
    {json_frames, 16, 16, false, http_bodies},
    {fixed_frames, 64, 1, false, http_bodies},
    {fixed_frames, 16, 16, false, http_bodies},
}};

struct Stage2Options {
  std::size_t rounds = 6;
  double seconds = 1;
  double warmup = 0.2;
  machine::CpuPlan cpus;
  std::filesystem::path binaries;
  std::filesystem::path out;  // Where the servers' log goes.
  bool quiet = false;
};

// One row's figures, a value for each round.
struct Pair {
  std::vector<double> ours_per_second, theirs_per_second;
  std::vector<double> ours_p50_ns, theirs_p50_ns;
};

struct Stage2Run {
  std::array<Pair, stage2_rows.size()> rows;

  double idle_bytes_per_connection = 0;
  double rss_peak_bytes = 0;  // With rss_connections under load.

  std::vector<double> p99_alone_ns, p99_beside_slow_ns;  // Of a client at a moderate rate.

  double peak_per_second = 0;           // Of a closed loop …
  double overload_good_per_second = 0;  // … and answered well when twice as much is offered.
  double overload_refused_per_second = 0;
  double overload_good_p99_ns = 0;
  double overload_refused_p99_ns = 0;
  double overload_dropped_per_second =
      0;                             // By the load, that keeps so many calls open and no more.
  double before_p99_ns = 0;          // At half the peak …
  std::vector<double> after_p99_ns;  // … and in the seconds after the overload.

  bool interrupted = false;
};

inline constexpr std::size_t idle_connections = 1000;
inline constexpr std::size_t rss_connections = 400;
inline constexpr std::size_t slow_peers = 1000;

// Throws std::exception when a server cannot be started or goes away.
Stage2Run run_stage2(const Stage2Options& options, Interrupt& interrupt);

// The tables of README's last section, within report_columns.
std::string stage2_text(const Stage2Options& options, const Stage2Run& run);

}  // namespace rps::scenarios
