// The benchmarks of rps-micro. The name of a benchmark is a path. Names must not change, because
// the harness's tables and stored baselines refer to them.
//
//   loop/ clock/ judge strategy/ id/ url/ game/ session_store/     the game and its parts
//   cli/ jsonrpc/                                                  encoding and decoding
//   codec/CODEC/encode|decode/MESSAGE                              codec_table.hpp
//   chain/                                                         in front of gRPC's game
//   queue/                                                         between threads
//   histogram/ referee/ harness/                                   the harness itself
//
// google-benchmark adds "/real_time" to what is measured in wall time, because threads wait in it;
// all others count the CPU time of one thread. Counters: `bytes` that one iteration writes or
// reads, `allocations` that it makes.
#pragma once

namespace rps::micro {

// Each adds its benchmarks to google-benchmark's list. Those of a stage exist where it is built.
void add_core_benchmarks();
void add_session_benchmarks();
void add_queue_benchmarks();
void add_load_benchmarks();
void add_loop_benchmarks();
void add_cli_benchmarks();
void add_codec_benchmarks();
void add_jsonrpc_benchmarks();
void add_grpc_benchmarks();
void add_chain_benchmarks();

}  // namespace rps::micro
