#include "bench/scenarios/tables.hpp"

#include <array>

#include "bench/scenarios/subjects.hpp"

namespace rps::scenarios {

namespace {

using report::CellName;
using report::ClaimedRatio;
using report::ColumnSpec;
using report::connections_of_claims;
using report::Measured;
using report::RowSpec;
using report::TableSpec;
using report::Untestable;
using Kind = ColumnSpec::Kind;

template <std::size_t count>
using Words = std::array<std::string_view, count>;

// The articles, by their titles.
constexpr std::string_view evolution = "《Go语言猜拳微服务架构演进史：单体→RPC→gRPC→eBPF观测》";
constexpr std::string_view twelve_leaps =
    "《Go微服务架构演进史（2012–2024）：从标准库HTTP到eBPF可观测性的12次关键跃迁》";
constexpr std::string_view own_rpc_framework =
    "《Go语言趣构微服务：零依赖手撸RPC框架，比gin快2.3倍的秘密》";
constexpr std::string_view grpc_overview = "《Go + gRPC微服务架构全景认知》";
constexpr std::string_view game_service = "《Go猜拳服务的架构设计与核心逻辑》";

// A function, which rps-micro times.
constexpr CellName function(std::string_view subject) {
  return {.subject = subject, .connections = 0, .depth = 0};
}

// ---- The main table ------------------------------------------------------------------------

constexpr auto main_columns = std::to_array<ColumnSpec>({
    {.heading = "claimed\nlatency", .width = 7, .kind = Kind::claim, .claim = 0},
    {.heading = "mean latency\nhere",
     .width = 12,
     .metric = model::Metric::mean,
     .with_range = true},
    {.heading = "p50", .width = 7, .metric = model::Metric::p50},
    {.heading = "p99", .width = 7, .metric = model::Metric::p99},
    {.heading = "claimed\nQPS", .width = 7, .kind = Kind::claim, .claim = 1},
    {.heading = "QPS\nhere", .width = 10, .metric = model::Metric::qps, .with_range = true},
    {.heading = "CPU\nµs/req", .width = 6, .metric = model::Metric::cpu_us},
    {.heading = "QPS/\nCPU-s", .width = 6, .metric = model::Metric::qps_per_cpu_second},
    {.heading = "server\nthreads", .width = 7, .metric = model::Metric::threads},
});

// The stages with one call open on each of so many connections.
template <std::size_t connections>
constexpr auto stage_rows = std::to_array<RowSpec>({
    {.cell = {"inproc", connections}},
    {.cell = {"cli", connections}, .claims = {"", "3.2k"}},
    {.cell = {"jsonrpc", connections}, .claims = {"8–12 ms", "8.7k"}},
    {.cell = {"grpc", connections}, .claims = {"2–4 ms", "24.5k"}},
    {.cell = {"ebpf", connections}, .claims = {"2–4 ms", "23.1k"}},
});

constexpr auto main_ratios = std::to_array<ClaimedRatio>({
    {.sentence = "RPC (JSON) answers 2.72 times what the monolith answers",
     .ours = {"jsonrpc"},
     .theirs = {"cli"},
     .claimed = 8.7 / 3.2},
    {.sentence = "gRPC answers 2.82 times what RPC (JSON) answers",
     .ours = {"grpc"},
     .theirs = {"jsonrpc"},
     .claimed = 24.5 / 8.7},
    {.sentence = "gRPC's mean latency is 0.3 times that of RPC (JSON)",
     .ours = {"grpc"},
     .theirs = {"jsonrpc"},
     .metric = model::Metric::mean,
     .claimed = 3.0 / 10.0},
});

constexpr auto main_untestable = std::to_array<Untestable>({
    {.sentence = "3.2k, 8.7k, 24.5k and 23.1k QPS",
     .why = "they had 16 cores; here the servers have one. The ratios above are what carries over"},
    {.sentence = "1 container, 2 containers, 3 containers + etcd, 3 containers + DaemonSet",
     .why = "what a deployment needs is no measurement; what each stage here needs stands in the "
            "table of what the stages offer"},
});

constexpr Words<4> main_notes{
    "no wire: the game called inside the harness, what is left without a transport.",
    "monolith: one rps-cli process a connection, a line in and a line out over two pipes; only "
    "this row of the console is comparable with servers at equal concurrency.",
    "server threads: of all the server's processes together. They all run on one CPU, so threads "
    "beyond one take turns.",
    "CPU µs/req is user and system time of the server's processes; QPS/CPU-s is its inverse. It "
    "hardly depends on which side was the bottleneck, which QPS does."};

// ---- What the stages offer -----------------------------------------------------------------

constexpr auto offer_columns = std::to_array<ColumnSpec>({
    {.heading = "claimed\nobservability", .width = 22, .kind = Kind::claim, .claim = 0},
    {.heading = "observability\nhere", .width = 22, .kind = Kind::observability},
    {.heading = "claimed\ndeployment", .width = 17, .kind = Kind::claim, .claim = 1},
    {.heading = "deployment\nhere", .width = 16, .kind = Kind::deployment},
});

constexpr auto offer_rows = std::to_array<RowSpec>({
    {.cell = {"inproc"}},
    {.cell = {"cli"}, .claims = {"log + stdout", "1 container"}},
    {.cell = {"jsonrpc"}, .claims = {"access log", "2 containers"}},
    {.cell = {"grpc"}, .claims = {"gRPC stats + metrics", "3 containers + etcd"}},
    {.cell = {"ebpf"},
     .claims = {"syscall, network stack, context switch", "3 containers + eBPF DaemonSet"}},
});

constexpr Words<1> offer_notes{
    "Nothing here is measured: one column says what the articles say of "
    "their stages, the next what the stage here does."};

// ---- One connection, floors, the console ---------------------------------------------------

constexpr auto single_columns = std::to_array<ColumnSpec>({
    {.heading = "mean latency", .width = 13, .metric = model::Metric::mean, .with_range = true},
    {.heading = "p50", .width = 8, .metric = model::Metric::p50},
    {.heading = "p99", .width = 8, .metric = model::Metric::p99},
    {.heading = "QPS", .width = 11, .metric = model::Metric::qps, .with_range = true},
    {.heading = "CPU\nµs/req", .width = 6, .metric = model::Metric::cpu_us},
    {.heading = "syscalls\n/req", .width = 8, .metric = model::Metric::syscalls},
    {.heading = "switches\n/req", .width = 8, .metric = model::Metric::switches},
});

constexpr auto console_rows = std::to_array<RowSpec>({
    {.cell = {"inproc", 1}},
    {.cell = {"cli", 1}},
    {.cell = {"cli-pty", 1}},
    {.cell = {"floor-pipe", 1}},
    {.cell = {"cli-spawn", 1}},
    {.cell = {"floor-spawn", 1}},
});

constexpr Words<2> console_notes{
    "The articles do not say how their monolith was called: their 3.2k may be held against a "
    "process a round as well as against one that stays.",
    "echo on a pipe and an empty process are the floors of the rows above them."};

constexpr auto floor_columns = std::to_array<ColumnSpec>({
    {.heading = "mean\nlatency", .width = 7, .metric = model::Metric::mean},
    {.heading = "above its\nfloor",
     .width = 9,
     .kind = Kind::net_of_floor,
     .metric = model::Metric::mean},
    {.heading = "QPS", .width = 6, .metric = model::Metric::qps},
    {.heading = "CPU\nµs/req", .width = 6, .metric = model::Metric::cpu_us},
    {.heading = "above its\nfloor",
     .width = 9,
     .kind = Kind::net_of_floor,
     .metric = model::Metric::cpu_us},
    {.heading = "syscalls\n/req", .width = 8, .metric = model::Metric::syscalls},
    {.heading = "bytes\nout", .width = 5, .metric = model::Metric::bytes_sent},
    {.heading = "bytes\nin", .width = 5, .metric = model::Metric::bytes_received},
    {.heading = "server\nthreads", .width = 7, .metric = model::Metric::threads},
});

constexpr auto floor_rows = std::to_array<RowSpec>({
    {.cell = {"cli"}},
    {.cell = {"floor-pipe"}},
    {.cell = {"jsonrpc"}},
    {.cell = {"floor-tcp"}},
    {.cell = {"floor-asio"}},
    {.cell = {"msgpack"}},
    {.cell = {"floor-tcp-msgpack"}},
    {.cell = {"binary"}},
    {.cell = {"floor-tcp-binary"}},
    {.cell = {"http"}},
    {.cell = {"floor-http"}},
    {.cell = {"grpc"}},
    {.cell = {"ebpf"}},
    {.cell = {"floor-grpc"}},
    {.cell = {"floor-http2"}},
    {.cell = {"grpc-lean"}},
    {.cell = {"ebpf-lean"}},
    {.cell = {"floor-grpc-lean"}},
    {.cell = {"floor-http2-lean"}},
});

constexpr Words<4> floor_notes{
    "A floor moves the same bytes in the same way and does nothing with them: what a stage costs "
    "above it is framing, parsing, limits, counters and the game. A cell whose bytes differ from "
    "its floor's by more than 2 % is flagged.",
    "echo on Boost.Asio moves what echo on epoll moves: the two differ by the library alone.",
    "HTTP/2 on epoll moves what the empty gRPC handler moves, on libnghttp2: the two differ by the "
    "library alone.",
    "The lean client is ours, on libnghttp2. It leaves the load's CPU half idle, so the server is "
    "what is measured; but its calls cost the server more than those of grpc++'s own client.",
};

// ---- Codecs, HTTP, middleware --------------------------------------------------------------

constexpr auto load_columns = std::to_array<ColumnSpec>({
    {.heading = "claimed", .width = 20, .kind = Kind::claim, .claim = 0},
    {.heading = "QPS", .width = 11, .metric = model::Metric::qps, .with_range = true},
    {.heading = "p50", .width = 8, .metric = model::Metric::p50},
    {.heading = "p99", .width = 8, .metric = model::Metric::p99},
    {.heading = "CPU\nµs/req", .width = 6, .metric = model::Metric::cpu_us},
    {.heading = "bytes\nout", .width = 6, .metric = model::Metric::bytes_sent},
    {.heading = "bytes\nin", .width = 6, .metric = model::Metric::bytes_received},
    {.heading = "RSS\nMB", .width = 5, .metric = model::Metric::rss_peak},
});

constexpr auto codec_wire_rows = std::to_array<RowSpec>({
    {.cell = {"jsonrpc"}, .name = "JSON"},
    {.cell = {"msgpack"}, .name = "MessagePack", .claims = {"124 → 38 µs of work"}},
    {.cell = {"binary"}, .name = "fixed layout"},
});

constexpr auto codec_wire_ratios = std::to_array<ClaimedRatio>({
    {.sentence = "MessagePack in place of JSON takes 0.31 times the processor time (124 → 38 µs)",
     .ours = {"msgpack"},
     .theirs = {"jsonrpc"},
     .metric = model::Metric::cpu_us,
     .claimed = 38.0 / 124.0,
     .scope =
         "measured on the whole server: the claim is of the work in the codec alone, see the table "
         "of codecs as work"},
    {.sentence = "MessagePack in place of JSON takes 0.66 times the bytes (216 → 142)",
     .ours = {"msgpack"},
     .theirs = {"jsonrpc"},
     .metric = model::Metric::bytes_received,
     .claimed = 142.0 / 216.0},
});

constexpr auto http_rows = std::to_array<RowSpec>({
    {.cell = {"binary"}, .name = "own RPC, fixed layout", .claims = {"128.4k, 3.1 ms, 18 MB"}},
    {.cell = {"jsonrpc"}, .name = "own RPC, JSON"},
    {.cell = {"http"}, .name = "JSON over HTTP", .claims = {"55.7k, 7.2 ms, 43 MB"}},
    {.cell = {"floor-http"}, .name = "empty HTTP handler", .claims = {"92.1k, 4.8 ms, 31 MB"}},
    {.cell = {"binary", 16, 16}, .name = "own RPC, 16 deep"},
});

constexpr auto http_ratios = std::to_array<ClaimedRatio>({
    {.sentence = "An RPC framework of one's own answers 2.31 times what a JSON API over HTTP does",
     .ours = {"binary"},
     .theirs = {"http"},
     .claimed = 128.4 / 55.7},
    {.sentence = "Its peak memory is 0.43 times as much",
     .ours = {"binary"},
     .theirs = {"http"},
     .metric = model::Metric::rss_peak,
     .claimed = 18.2 / 42.6},
});

constexpr Words<1> http_notes{
    "Here both are the same binary, on the same port, with the same game: only the wire differs. "
    "With 16 calls open on each connection a framed protocol shows what it is for."};

constexpr auto middleware_rows = std::to_array<RowSpec>({
    {.cell = {"floor-http"}, .name = "HTTP, bare", .claims = {"28,450; p99 3.2 ms"}},
    {.cell = {"http"}, .name = "HTTP, whole", .claims = {"26,710; p99 3.8 ms"}},
    {.cell = {"floor-grpc"}, .name = "gRPC, bare"},
    {.cell = {"grpc"}, .name = "gRPC, whole"},
});

constexpr auto middleware_ratios = std::to_array<ClaimedRatio>({
    {.sentence = "HTTP with middleware answers 0.94 times what it answers bare",
     .ours = {"http"},
     .theirs = {"floor-http"},
     .claimed = 26'710.0 / 28'450.0,
     .scope = "measured on more than the middleware: JSON and the game are in it"},
});

constexpr Words<1> middleware_notes{
    "Bare is a handler that answers a constant. Whole adds what the articles call middleware "
    "(limits, counters, errors, trace ids) and also the JSON and the game, so it is an upper bound "
    "of what the middleware costs."};

constexpr auto codec_columns = std::to_array<ColumnSpec>({
    {.heading = "claimed", .width = 30, .kind = Kind::claim, .claim = 0},
    {.heading = "time", .width = 16, .metric = model::Metric::micro_ns, .with_range = true},
    {.heading = "bytes", .width = 8, .metric = model::Metric::micro_bytes},
    {.heading = "allocations", .width = 11, .metric = model::Metric::micro_allocations},
});

constexpr auto codec_rows = std::to_array<RowSpec>({
    {.cell = function("codec-dom-encode"), .claims = {"JSON: 217 µs, 9,861 B"}},
    {.cell = function("codec-dom-decode"), .claims = {"JSON: 304 µs"}},
    {.cell = function("codec-json-encode")},
    {.cell = function("codec-json-decode")},
    {.cell = function("codec-msgpack-encode"), .claims = {"MessagePack: 17 → 3 alloc."}},
    {.cell = function("codec-msgpack-decode")},
    {.cell = function("codec-binary-encode"), .claims = {"gob: 82 µs, 6,142 B"}},
    {.cell = function("codec-binary-decode"), .claims = {"gob: 95 µs"}},
    {.cell = function("codec-protobuf-encode")},
    {.cell = function("codec-protobuf-decode")},
});

constexpr auto codec_ratios = std::to_array<ClaimedRatio>({
    {.sentence = "A binary codec encodes 10 kB in 0.38 times the time of JSON (82 against 217 µs)",
     .ours = function("codec-binary-encode"),
     .theirs = function("codec-dom-encode"),
     .metric = model::Metric::micro_ns,
     .claimed = 82.0 / 217.0},
    {.sentence = "It decodes it in 0.31 times the time (95 against 304 µs)",
     .ours = function("codec-binary-decode"),
     .theirs = function("codec-dom-decode"),
     .metric = model::Metric::micro_ns,
     .claimed = 95.0 / 304.0},
    {.sentence = "It takes 0.62 times the bytes (6,142 against 9,861)",
     .ours = function("codec-binary-encode"),
     .theirs = function("codec-dom-encode"),
     .metric = model::Metric::micro_bytes,
     .claimed = 6142.0 / 9861.0},
});

constexpr Words<2> codec_notes{
    "The message is a batch of 100 plays, 10.7 kB of JSON. general: nlohmann's DOM, what the "
    "articles' JSON is nearest to; without that word it is this repository's own codec, made for "
    "these messages.",
    "The articles' gob is a binary format of Go; the fixed layout stands in its place."};

constexpr auto queue_columns = std::to_array<ColumnSpec>({
    {.heading = "claimed", .width = 36, .kind = Kind::claim, .claim = 0},
    {.heading = "time", .width = 16, .metric = model::Metric::micro_ns, .with_range = true},
});

constexpr auto queue_rows = std::to_array<RowSpec>({
    {.cell = function("queue-locked-flow"), .claims = {"p99 18.2 ms at 10k requests a second"}},
    {.cell = function("queue-ring-flow"), .claims = {"p99 2.7 ms"}},
    {.cell = function("queue-locked")},
    {.cell = function("queue-ring")},
});

constexpr auto queue_ratios = std::to_array<ClaimedRatio>({
    {.sentence =
         "A lock-free ring in place of a locked queue takes 0.15 times the time (p99 18.2 → "
         "2.7 ms of a service)",
     .ours = function("queue-ring-flow"),
     .theirs = function("queue-locked-flow"),
     .metric = model::Metric::micro_ns,
     .claimed = 2.7 / 18.2,
     .scope =
         "measured on the part alone: the time of one element in a queue that is kept busy; the "
         "claim is of the p99 of a whole service"},
});

constexpr Words<1> queue_notes{
    "Time of one element: flow keeps the queue busy, hand-over goes there and back. No server here "
    "hands a request from one thread to another, so the p99 of a whole service is not compared."};

// ---- gRPC: modes, balancing, the observer --------------------------------------------------

constexpr std::string_view watched =
    "measured on more than the stream: a round of a duel takes two throws, of which two players "
    "and a spectator hear";

constexpr auto mode_rows = std::to_array<RowSpec>({
    {.cell = {"grpc"}, .name = "unary (Play)", .claims = {"12.4k, p99 42 ms"}},
    {.cell = {"watch"}, .name = "server streaming", .claims = {"8.9k, p99 67 ms"}},
    {.cell = {"many"}, .name = "client streaming", .claims = {"3.2k, p99 112 ms"}},
    {.cell = {"rally"}, .name = "bidirectional", .claims = {"2.6k, p99 138 ms"}},
});

constexpr auto mode_ratios = std::to_array<ClaimedRatio>({
    {.sentence = "Server streaming answers 0.72 times what unary calls answer",
     .ours = {"watch"},
     .theirs = {"grpc"},
     .claimed = 8.9 / 12.4,
     .scope = watched},
    {.sentence = "Client streaming answers 0.26 times what unary calls answer",
     .ours = {"many"},
     .theirs = {"grpc"},
     .claimed = 3.2 / 12.4},
    {.sentence = "Bidirectional streaming answers 0.21 times what unary calls answer",
     .ours = {"rally"},
     .theirs = {"grpc"},
     .claimed = 2.6 / 12.4},
});

constexpr Words<1> mode_notes{
    "QPS counts rounds: a PlayMany call carries 16 of them and its latency is that of the whole "
    "call. Server streaming is a round of a duel, from its two throws on a Duel stream until a "
    "Watch stream has shown it. The articles ran each mode at another concurrency (5,000 to "
    "1,200)."};

constexpr auto balance_rows = std::to_array<RowSpec>({
    {.cell = {"fleet-round-robin"}, .claims = {"12.4k, p99 48 ms"}},
    {.cell = {"fleet-least-request"}, .claims = {"14.1k, p99 32 ms"}},
    {.cell = {"fleet-hash"}, .claims = {"10.8k, p99 63 ms"}},
});

constexpr std::string_view on_one_cpu =
    "measured with six instances on one CPU: what a policy costs shows, what it saves does not";

constexpr auto balance_ratios = std::to_array<ClaimedRatio>({
    {.sentence = "least_request answers 1.14 times what round_robin answers",
     .ours = {"fleet-least-request"},
     .theirs = {"fleet-round-robin"},
     .claimed = 14.1 / 12.4,
     .scope = on_one_cpu},
    {.sentence = "Affinity by hash answers 0.87 times what round_robin answers",
     .ours = {"fleet-hash"},
     .theirs = {"fleet-round-robin"},
     .claimed = 10.8 / 12.4,
     .scope = on_one_cpu},
});

constexpr Words<1> balance_notes{
    "Six instances of stage 2's server share one core here, so no instance can be slower than "
    "another for want of a core: what a policy costs shows, what it saves does not. The table "
    "balancing-slow shows what it saves, and gRPC's own balancing."};

// ---- Balancing, one instance slow ----------------------------------------------------------

constexpr auto slow_columns = std::to_array<ColumnSpec>({
    {.heading = "claimed", .width = 16, .kind = Kind::claim, .claim = 0},
    {.heading = "QPS", .width = 11, .metric = model::Metric::qps, .with_range = true},
    {.heading = "p50", .width = 7, .metric = model::Metric::p50},
    {.heading = "p99", .width = 13, .metric = model::Metric::p99, .with_range = true},
    {.heading = "p50\nat 5k/s", .width = 8, .kind = Kind::base, .metric = model::Metric::p50},
    {.heading = "p99\nat 5k/s",
     .width = 13,
     .kind = Kind::base,
     .metric = model::Metric::p99,
     .with_range = true},
});

// A closed loop, and beside it an open one.
constexpr RowSpec closed_and_open(std::string_view subject, std::string_view claimed = "") {
  return {.cell = {subject},
          .claims = {claimed},
          .base = {.subject = subject, .connections = 16, .depth = 64, .per_second = 5000}};
}

constexpr auto slow_rows = std::to_array<RowSpec>({
    closed_and_open("six-channel", "12.4k, p99 48 ms"),
    closed_and_open("six-channel-slow"),
    closed_and_open("six-round-robin", "12.4k, p99 48 ms"),
    closed_and_open("six-round-robin-slow"),
    closed_and_open("six-least-request", "14.1k, p99 32 ms"),
    closed_and_open("six-least-request-slow"),
    closed_and_open("six-hash", "10.8k, p99 63 ms"),
    closed_and_open("six-hash-slow"),
});

constexpr std::string_view with_one_slow =
    "measured with one slow instance of six: the articles do not say whether theirs differed";

constexpr auto slow_ratios = std::to_array<ClaimedRatio>({
    {.sentence = "least_request answers 1.14 times what round_robin answers",
     .ours = {"six-least-request-slow"},
     .theirs = {"six-round-robin-slow"},
     .claimed = 14.1 / 12.4,
     .scope = with_one_slow},
    {.sentence = "With least_request the p99 is 0.67 times that with round_robin",
     .ours = {"six-least-request-slow"},
     .theirs = {"six-round-robin-slow"},
     .metric = model::Metric::p99,
     .claimed = 32.0 / 48.0,
     .scope = with_one_slow},
    {.sentence = "Affinity by hash answers 0.87 times what round_robin answers",
     .ours = {"six-hash-slow"},
     .theirs = {"six-round-robin-slow"},
     .claimed = 10.8 / 12.4,
     .scope = with_one_slow},
});

constexpr Words<4> slow_notes{
    "Six rps-grpc share one CPU. gRPC's round_robin is grpc++'s own channel to all six; the other "
    "rows are the fleet's client with that policy.",
    "one slow: a relay holds each answer of the first of the six back for 50 ms. It takes no CPU "
    "time of the servers.",
    "QPS, p50 and p99: a closed loop with 64 calls open, so that the rate falls when answers take "
    "longer. At 5k/s: an open loop, evenly spread, on 16 connections, where every call counts "
    "from when it was due.",
    "With hash each of the calls that may be open plays in a session of its own, which stays at "
    "its instance. In the closed loop a session at the slow instance makes few calls, and so few "
    "of all calls are slow; in the open loop all sessions make equally many."};

// ---- One of three instances fails ----------------------------------------------------------

constexpr auto failover_columns = std::to_array<ColumnSpec>({
    {.heading = "claimed\nrecovery", .width = 8, .kind = Kind::claim, .claim = 0},
    {.heading = "calls", .width = 6, .metric = model::Metric::calls},
    {.heading = "failed\ncalls",
     .width = 9,
     .metric = model::Metric::failed_calls,
     .with_range = true},
    {.heading = "longest\ngap",
     .width = 12,
     .metric = model::Metric::longest_gap,
     .with_range = true},
    {.heading = "full rate\nagain after",
     .width = 12,
     .metric = model::Metric::recovery,
     .with_range = true},
    {.heading = "in use after\nits restart",
     .width = 12,
     .metric = model::Metric::rejoin,
     .with_range = true},
});

constexpr RowSpec failing(std::string_view subject, std::string_view claimed = "") {
  return {.cell = {.subject = subject,
                   .connections = 16,
                   .depth = 128,
                   .per_second = 5000,
                   .windows = 16},
          .claims = {claimed}};
}

constexpr auto failover_rows = std::to_array<RowSpec>({
    failing("killed-channel", "4.3 s"),
    failing("killed-fleet-grpc", "4.3 s"),
    failing("killed-fleet-jsonrpc", "4.3 s"),
    failing("frozen-channel"),
    failing("frozen-fleet-grpc"),
    failing("frozen-fleet-attempts"),
    failing("frozen-fleet-jsonrpc"),
});

constexpr auto failover_untestable = std::to_array<Untestable>({
    {.sentence = "Mean recovery of 4.3 s, of network delay, a killed instance and a lost store",
     .why = "the articles do not say from what to what they measured; the table has the killed "
            "instance"},
});

constexpr Words<5> failover_notes{
    "Three servers share one CPU and get 5,000 calls a second, evenly spread, without sessions, on "
    "16 connections. A call may take 1 s.",
    "killed: the first server is killed (SIGKILL) after a quarter of the window, and started again "
    "at its address after half of it. frozen: it is stopped (SIGSTOP) and goes on (SIGCONT) at the "
    "same times. The window is 16 times that of other tables.",
    "failed calls got no right answer. longest gap is the longest time without any right answer, "
    "from the kill to the end of the window.",
    "full rate again after: from the kill until 95 % of the rate were answered in each of three "
    "tenths of a second in a row; 0 when the rate did not fall below that.",
    "in use after its restart: from when the server said that it serves until it had answered a "
    "call. A frozen server is not started again.",
};

constexpr auto observer_rows = std::to_array<RowSpec>({
    {.cell = {"grpc"}, .claims = {"24.5k"}},
    {.cell = {"ebpf"}, .claims = {"23.1k, CPU + 1.8 %"}},
    {.cell = {"grpc-lean"}},
    {.cell = {"ebpf-lean"}},
});

constexpr auto observer_ratios = std::to_array<ClaimedRatio>({
    {.sentence = "Observed from the kernel, gRPC answers 0.94 times what it answers unobserved",
     .ours = {"ebpf"},
     .theirs = {"grpc"},
     .claimed = 23.1 / 24.5},
    {.sentence = "The observer costs less than 1.8 % of the processor time",
     .ours = {"ebpf-lean"},
     .theirs = {"grpc-lean"},
     .metric = model::Metric::cpu_us,
     .claimed = 1.018,
     .at_most = true},
});

constexpr auto observer_untestable = std::to_array<Untestable>({
    {.sentence = "230,000 events a second on one node",
     .why = "the observer counts in the kernel and sends no event for a call; levels that do get "
            "their rows when they exist"},
});

// ---- Stage 2 alone -------------------------------------------------------------------------

constexpr auto stage2_columns = std::to_array<ColumnSpec>({
    {.heading = "QPS", .width = 11, .metric = model::Metric::qps, .with_range = true},
    {.heading = "share of\nits floor",
     .width = 9,
     .kind = Kind::share_of_floor,
     .metric = model::Metric::qps,
     .with_range = true},
    {.heading = "p50", .width = 8, .metric = model::Metric::p50},
    {.heading = "p99", .width = 13, .metric = model::Metric::p99, .with_range = true},
    {.heading = "CPU\nµs/req", .width = 6, .metric = model::Metric::cpu_us},
    {.heading = "load's\nCPU", .width = 6, .metric = model::Metric::load_cpu},
    {.heading = "RSS\nMB", .width = 5, .metric = model::Metric::rss_peak},
});

constexpr auto stage2_rows = std::to_array<RowSpec>({
    {.cell = {"jsonrpc-lean", 1}, .name = "JSON, 1 × 1"},
    {.cell = {"floor-tcp", 1}, .name = "its floor"},
    {.cell = {"binary-lean", 1}, .name = "fixed layout, 1 × 1"},
    {.cell = {"floor-tcp-binary", 1}, .name = "its floor"},
    {.cell = {"jsonrpc-lean"}, .name = "JSON, 64 × 1"},
    {.cell = {"floor-tcp"}, .name = "its floor"},
    {.cell = {"msgpack-lean"}, .name = "MessagePack, 64 × 1"},
    {.cell = {"floor-tcp-msgpack"}, .name = "its floor"},
    {.cell = {"binary-lean"}, .name = "fixed layout, 64 × 1"},
    {.cell = {"floor-tcp-binary"}, .name = "its floor"},
    {.cell = {"http-lean"}, .name = "JSON over HTTP, 64 × 1"},
    {.cell = {"jsonrpc-lean", 16, 16}, .name = "JSON, 16 × 16"},
    {.cell = {"floor-tcp", 16, 16}, .name = "its floor"},
    {.cell = {"msgpack-lean", 16, 16}, .name = "MessagePack, 16 × 16"},
    {.cell = {"floor-tcp-msgpack", 16, 16}, .name = "its floor"},
    {.cell = {"binary-lean", 16, 16}, .name = "fixed layout, 16 × 16"},
    {.cell = {"floor-tcp-binary", 16, 16}, .name = "its floor"},
    {.cell = {"http-lean", 16, 16}, .name = "JSON over HTTP, 16 × 16"},
    {.cell = {"jsonrpc-lean", 400}, .name = "JSON, 400 × 1"},
    {.cell = {.subject = "jsonrpc-lean", .connections = 1, .idle = 1000}, .name = "… +1000 idle"},
    {.cell = {"jsonrpc-lean", 16, 64, 20'000}, .name = "JSON, 20k/s"},
    {.cell = {"jsonrpc-lean", 16, 64, 20'000, 0, 1000}, .name = "… +1000 slow"},
});

constexpr double framework_over_http = 128.4 / 55.7;

constexpr auto stage2_ratios = std::to_array<ClaimedRatio>({
    {.sentence = "64 × 1: frames with JSON answer 2.31 times what HTTP with JSON answers",
     .ours = {"jsonrpc-lean"},
     .theirs = {"http-lean"},
     .claimed = framework_over_http},
    {.sentence = "16 × 16: frames with JSON answer 2.31 times what HTTP with JSON answers",
     .ours = {"jsonrpc-lean", 16, 16},
     .theirs = {"http-lean", 16, 16},
     .claimed = framework_over_http},
    {.sentence = "64 × 1: frames with the fixed layout answer 2.31 times what HTTP answers",
     .ours = {"binary-lean"},
     .theirs = {"http-lean"},
     .claimed = framework_over_http},
    {.sentence = "16 × 16: frames with the fixed layout answer 2.31 times what HTTP answers",
     .ours = {"binary-lean", 16, 16},
     .theirs = {"http-lean", 16, 16},
     .claimed = framework_over_http},
});

constexpr Words<4> stage2_notes{
    "64 × 1 is 64 connections with one call open on each. 20k/s is an open loop, evenly spread, on "
    "16 connections.",
    "The lean client sends the same bytes for each call and decodes no reply that begins as a good "
    "one does; the floor is asked and read in the same way.",
    "1000 idle: beside the load, 1000 connections have played a round each and stay open. The RSS "
    "of that row less that of \"JSON, 1 × 1\", in MB, is what an idle connection costs in kB.",
    "1000 slow: beside the load, 1000 connections have begun a request and send a byte of it about "
    "once a second each.",
};

// ---- Stage 3 alone -------------------------------------------------------------------------

constexpr auto part_columns = std::to_array<ColumnSpec>({
    {.heading = "CPU µs\nwith", .width = 6, .metric = model::Metric::cpu_us},
    {.heading = "CPU µs\nwithout", .width = 7, .kind = Kind::base, .metric = model::Metric::cpu_us},
    {.heading = "ratio\nof CPU",
     .width = 9,
     .kind = Kind::share_of_base,
     .metric = model::Metric::cpu_us,
     .with_range = true},
    {.heading = "QPS\nwith", .width = 6, .metric = model::Metric::qps},
    {.heading = "QPS\nwithout", .width = 7, .kind = Kind::base, .metric = model::Metric::qps},
    {.heading = "ratio\nof QPS",
     .width = 9,
     .kind = Kind::share_of_base,
     .metric = model::Metric::qps,
     .with_range = true},
    {.heading = "p99\nwith", .width = 7, .metric = model::Metric::p99},
    {.heading = "p99\nwithout", .width = 7, .kind = Kind::base, .metric = model::Metric::p99},
});

// A part of stage 3 at one load: what has it, and what lacks nothing else.
constexpr RowSpec part(std::string_view name, std::string_view with, std::string_view without,
                       std::size_t connections, std::size_t depth = 1) {
  return {.cell = {with, connections, depth}, .name = name, .base = {without, connections, depth}};
}

constexpr auto part_rows = std::to_array<RowSpec>({
    part("HTTP/2, 1 × 1", "floor-http2-lean", "floor-tcp-grpc", 1),
    part("… 64 × 1", "floor-http2-lean", "floor-tcp-grpc", 64),
    part("… 16 × 16", "floor-http2-lean", "floor-tcp-grpc", 16, 16),
    part("gRPC's library, 1 × 1", "floor-grpc-lean", "floor-http2-lean", 1),
    part("… 64 × 1", "floor-grpc-lean", "floor-http2-lean", 64),
    part("… 16 × 16", "floor-grpc-lean", "floor-http2-lean", 16, 16),
    part("our server, 1 × 1", "grpc-lean-uncoalesced", "floor-grpc-lean", 1),
    part("… 64 × 1", "grpc-lean-uncoalesced", "floor-grpc-lean", 64),
    part("… 16 × 16", "grpc-lean-uncoalesced", "floor-grpc-lean", 16, 16),
    part("write coalescing, 1 × 1", "grpc-lean", "grpc-lean-uncoalesced", 1),
    part("… 64 × 1", "grpc-lean", "grpc-lean-uncoalesced", 64),
    part("… 16 × 16", "grpc-lean", "grpc-lean-uncoalesced", 16, 16),
    part("TLS, 1 × 1", "grpc-lean-tls", "grpc-lean", 1),
    part("… 64 × 1", "grpc-lean-tls", "grpc-lean", 64),
    part("… 16 × 16", "grpc-lean-tls", "grpc-lean", 16, 16),
    part("auth by token, 16 × 16", "grpc-lean-auth", "grpc-lean-unlinked", 16, 16),
    part("trace, 16 × 16", "grpc-lean-trace", "grpc-lean-unlinked", 16, 16),
    part("… every call sampled", "grpc-lean-sampled", "grpc-lean-unlinked", 16, 16),
    part("rate limit, 16 × 16", "grpc-lean-limits", "grpc-lean-unlinked", 16, 16),
    part("metrics, 16 × 16", "grpc-lean-metrics", "grpc-lean-unlinked", 16, 16),
    part("access log, 16 × 16", "grpc-lean-log", "grpc-lean-unlinked", 16, 16),
    part("all links, 1 × 1", "grpc-lean-all", "grpc-lean-unlinked", 1),
    part("… 64 × 1", "grpc-lean-all", "grpc-lean-unlinked", 64),
    part("… 16 × 16", "grpc-lean-all", "grpc-lean-unlinked", 16, 16),
});

constexpr Words<6> part_notes{
    "Each row tells what one part adds: the same load on what has it and on what lacks only it. "
    "CPU "
    "µs is the server's processor time for a request; where its ratio is below 1, the part saves "
    "some.",
    "HTTP/2 is held against an echo of the same bytes, gRPC's library against HTTP/2 on epoll, our "
    "server against an empty gRPC handler. Neither of these two coalesces writes; HTTP/2 on epoll "
    "does.",
    "write coalescing: with --coalesce-writes=on and off. TLS: on connections that are open; "
    "handshakes are not in the window.",
    "auth, trace, rate limit, metrics and access log are the links of the chain; each is held "
    "against the server without any. trace and metrics are on by default, the others are not. No "
    "call of this load carries a traceparent; sampled means that each begins a trace. The lines of "
    "the access log go to /dev/null.",
    "all links: every call sampled, and everything else on.",
    "64 × 1 is 64 connections with one call open on each. All rows are measured by the lean "
    "client.",
};

// ---- REST ----------------------------------------------------------------------------------

constexpr auto rest_columns = std::to_array<ColumnSpec>({
    {.heading = "QPS", .width = 11, .metric = model::Metric::qps, .with_range = true},
    {.heading = "ratio to\nJSON-RPC",
     .width = 11,
     .kind = Kind::share_of_base,
     .metric = model::Metric::qps,
     .with_range = true},
    {.heading = "p50", .width = 7, .metric = model::Metric::p50},
    {.heading = "p99", .width = 7, .metric = model::Metric::p99},
    {.heading = "CPU\nµs/req", .width = 6, .metric = model::Metric::cpu_us},
    {.heading = "load's\nCPU", .width = 6, .metric = model::Metric::load_cpu},
    {.heading = "bytes\nout", .width = 5, .metric = model::Metric::bytes_sent},
    {.heading = "bytes\nin", .width = 5, .metric = model::Metric::bytes_received},
});

// A wire at one load, held against JSON-RPC over HTTP at the same load.
constexpr RowSpec against_http(std::string_view name, std::string_view subject,
                               std::size_t connections, std::size_t depth = 1) {
  return {
      .cell = {subject, connections, depth}, .name = name, .base = {"http", connections, depth}};
}

constexpr auto rest_rows = std::to_array<RowSpec>({
    against_http("REST, 1 × 1", "rest", 1),
    {.cell = {"http", 1}, .name = "JSON-RPC over HTTP"},
    against_http("gRPC", "grpc", 1),
    against_http("REST, 64 × 1", "rest", 64),
    {.cell = {"http", 64}, .name = "JSON-RPC over HTTP"},
    against_http("gRPC", "grpc", 64),
    against_http("REST, 16 × 16", "rest", 16, 16),
    {.cell = {"http", 16, 16}, .name = "JSON-RPC over HTTP"},
    against_http("gRPC", "grpc", 16, 16),
});

constexpr Words<3> rest_notes{
    "REST is the gateway of the gRPC server (--rest): the same game behind the same chain, as JSON "
    "over HTTP/1.1. JSON-RPC over HTTP is stage 2, gRPC is stage 3 by gRPC's own client.",
    "64 × 1 is 64 connections with one call open on each. With 16 open on each of 16 connections "
    "the requests of HTTP/1.1 are pipelined.",
    "The gateway answers on one thread. Where the load's CPU is near 100 % and the server's is "
    "not, "
    "the client is what limits the QPS; CPU µs/req is the server's and does not depend on that."};

// ---- The four modes at 1,000 connections ---------------------------------------------------

constexpr auto thousand_columns = std::to_array<ColumnSpec>({
    {.heading = "claimed", .width = 26, .kind = Kind::claim, .claim = 0},
    {.heading = "QPS", .width = 11, .metric = model::Metric::qps, .with_range = true},
    {.heading = "p50", .width = 8, .metric = model::Metric::p50},
    {.heading = "p99", .width = 8, .metric = model::Metric::p99},
    {.heading = "CPU\nµs/req", .width = 6, .metric = model::Metric::cpu_us},
    {.heading = "claimed\nMB", .width = 7, .kind = Kind::claim, .claim = 1},
    {.heading = "MB\nhere",
     .width = 5,
     .kind = Kind::net_of_base,
     .metric = model::Metric::rss_peak},
});

// A mode of gRPC on a thousand connections, held against one connection.
constexpr RowSpec thousand(std::string_view name, std::string_view subject, std::string_view load,
                           std::string_view memory) {
  return {.cell = {subject, 1000}, .name = name, .claims = {load, memory}, .base = {subject, 1}};
}

constexpr auto thousand_rows = std::to_array<RowSpec>({
    thousand("unary (Play)", "grpc", "12.4k, p99 42 ms at 5,000", "18"),
    thousand("server streaming", "watch", "8.9k, p99 67 ms at 2,000", "41"),
    thousand("client streaming", "many", "3.2k, p99 112 ms at 1,500", "53"),
    thousand("bidirectional", "rally", "2.6k, p99 138 ms at 1,200", "69"),
});

constexpr Words<3> thousand_notes{
    "Each of 1,000 connections has one call open. The articles say how many were concurrent: "
    "5,000, "
    "2,000, 1,500 and 1,200.",
    "MB is the memory of the server at 1,000 connections less that at one connection.",
    "QPS counts rounds: a PlayMany call carries 16 of them and its latency is that of the whole "
    "call. For server streaming each connection carries a Duel stream and a Watch stream."};

constexpr std::array tables{
    TableSpec{.key = "main",
              .title = "64 connections, one call open on each",
              .source = evolution,
              .columns = main_columns,
              .rows = stage_rows<connections_of_claims>,
              .ratios = main_ratios,
              .untestable = main_untestable,
              .notes = main_notes},
    TableSpec{.key = "offers",
              .title = "What the stages offer",
              .source = evolution,
              .columns = offer_columns,
              .rows = offer_rows,
              .notes = offer_notes},
    TableSpec{.key = "main100",
              .title = "100 connections, one call open on each",
              .columns = main_columns,
              .rows = stage_rows<100>},
    TableSpec{.key = "single",
              .title = "1 connection: latency where nobody waits",
              .columns = single_columns,
              .rows = stage_rows<1>},
    TableSpec{.key = "floors",
              .title = "Each stage above its floor, 64 connections",
              .columns = floor_columns,
              .rows = floor_rows,
              .notes = floor_notes},
    TableSpec{.key = "console",
              .title = "The console, one round at a time",
              .columns = single_columns,
              .rows = console_rows,
              .notes = console_notes},
    TableSpec{.key = "codecs",
              .title = "Codecs on the wire",
              .source = game_service,
              .columns = load_columns,
              .rows = codec_wire_rows,
              .ratios = codec_wire_ratios},
    TableSpec{.key = "codec-work",
              .title = "Codecs as work: 10 kB encoded and decoded",
              .source = evolution,
              .columns = codec_columns,
              .rows = codec_rows,
              .ratios = codec_ratios,
              .notes = codec_notes},
    TableSpec{.key = "queues",
              .title = "A locked queue against a ring",
              .source = game_service,
              .columns = queue_columns,
              .rows = queue_rows,
              .ratios = queue_ratios,
              .notes = queue_notes},
    TableSpec{.key = "http",
              .title = "A protocol of one's own against HTTP",
              .source = own_rpc_framework,
              .columns = load_columns,
              .rows = http_rows,
              .ratios = http_ratios,
              .notes = http_notes},
    TableSpec{.key = "middleware",
              .title = "With and without what surrounds the handler",
              .source = twelve_leaps,
              .columns = load_columns,
              .rows = middleware_rows,
              .ratios = middleware_ratios,
              .notes = middleware_notes},
    TableSpec{.key = "modes",
              .title = "Four modes of gRPC",
              .source = grpc_overview,
              .columns = load_columns,
              .rows = mode_rows,
              .ratios = mode_ratios,
              .notes = mode_notes},
    TableSpec{.key = "balancing",
              .title = "Balancing over six instances",
              .source = grpc_overview,
              .columns = load_columns,
              .rows = balance_rows,
              .ratios = balance_ratios,
              .notes = balance_notes},
    TableSpec{.key = "balancing-slow",
              .title = "Balancing over six instances of which one is slow",
              .source = grpc_overview,
              .columns = slow_columns,
              .rows = slow_rows,
              .ratios = slow_ratios,
              .notes = slow_notes,
              .measured = Measured::when_named},
    TableSpec{.key = "failover",
              .title = "One of three instances fails",
              .source = grpc_overview,
              .columns = failover_columns,
              .rows = failover_rows,
              .untestable = failover_untestable,
              .notes = failover_notes,
              .measured = Measured::when_named},
    TableSpec{.key = "observer",
              .title = "What watching from the kernel costs",
              .source = evolution,
              .columns = load_columns,
              .rows = observer_rows,
              .ratios = observer_ratios,
              .untestable = observer_untestable},
    TableSpec{.key = "stage2",
              .title = "The JSON-RPC server, measured by the lean client",
              .source = own_rpc_framework,
              .columns = stage2_columns,
              .rows = stage2_rows,
              .ratios = stage2_ratios,
              .notes = stage2_notes,
              .measured = Measured::when_named},
    TableSpec{.key = "stage3",
              .title = "What each part of the gRPC server costs",
              .columns = part_columns,
              .rows = part_rows,
              .notes = part_notes,
              .measured = Measured::when_published},
    TableSpec{.key = "rest",
              .title = "REST beside JSON-RPC over HTTP and gRPC",
              .columns = rest_columns,
              .rows = rest_rows,
              .notes = rest_notes,
              .measured = Measured::when_named},
    TableSpec{.key = "modes1000",
              .title = "Four modes of gRPC, 1,000 connections",
              .source = grpc_overview,
              .columns = thousand_columns,
              .rows = thousand_rows,
              .notes = thousand_notes,
              .measured = Measured::when_published},
};

}  // namespace

report::Catalogue catalogue() {
  return {.subjects = all_subjects(), .tables = tables};
}

}  // namespace rps::scenarios
