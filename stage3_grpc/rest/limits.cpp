#include "stage3_grpc/rest/limits.hpp"

#include <cstdint>

#include <CLI/CLI.hpp>

#include "core/flags/group.hpp"

namespace rps::rpc::rest {

void add_flags(CLI::App& app, Settings& settings) {
  using namespace std::chrono_literals;
  constexpr std::uint64_t mebibyte = 1 << 20;
  constexpr DurationRange time{.min = 1ms, .max = 24h, .bare = 1ms};

  flags::Group rest(app, "REST");
  rest.add_address("--rest", settings.listen,
                   "Address of the REST gateway: the same calls by HTTP/1.1 with JSON, without "
                   "TLS; without this flag there is none");
  rest.add_count("--rest-max-connections", settings.connections_max, {.min = 1, .max = 100'000},
                 "Connections to the gateway open at once; for one more an idle one is closed");
  rest.add_size("--rest-max-header-bytes", settings.header_bytes_max, {.min = 256, .max = mebibyte},
                "Bytes of the request line and the fields of a request; with more it gets 431");
  rest.add_size("--rest-max-body-bytes", settings.body_bytes_max, {.min = 1, .max = 16 * mebibyte},
                "Bytes of the body of a request; with more it gets 413");
  rest.add_duration("--rest-request-timeout", settings.request_max, time,
                    "Time from the first byte of a request to its last, and for the client to read "
                    "some of its answer; a request that takes longer gets 408");
  rest.add_duration("--rest-idle-timeout", settings.idle_max, time,
                    "Time without a request after which a connection to the gateway is closed");
}

}  // namespace rps::rpc::rest
