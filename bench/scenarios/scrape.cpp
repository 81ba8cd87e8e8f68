#include "bench/scenarios/scrape.hpp"

#include <array>
#include <cstddef>
#include <exception>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/load/limits.hpp"
#include "core/clock.hpp"
#include "core/net/endpoint.hpp"
#include "core/net/fd.hpp"
#include "core/net/http_response.hpp"
#include "core/number.hpp"

namespace rps::scenarios {

namespace {

bool wait_readable(int fd, Clock::time_point deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
  pollfd watched{.fd = fd, .events = POLLIN, .revents = 0};
  return left.count() > 0 && ::poll(&watched, 1, static_cast<int>(left.count())) > 0;
}

// The body of the response, when its status is 200.
std::optional<std::string> read_page(int fd, Clock::time_point deadline) {
  using Outcome = net::HttpResponseReader::Outcome;
  net::HttpResponseReader response({.header_bytes_max = load::limits::scrape_bytes_max,
                                    .body_bytes_max = load::limits::scrape_bytes_max});
  std::string bytes;
  Outcome outcome = Outcome::need_more;
  while (outcome == Outcome::need_more && wait_readable(fd, deadline)) {
    std::array<char, 16'384> chunk;
    const ssize_t size = ::read(fd, chunk.data(), chunk.size());
    if (size < 0) return std::nullopt;
    bytes.append(chunk.data(), static_cast<std::size_t>(size));
    std::size_t consumed = 0;
    outcome = size > 0 ? response.read(bytes, consumed) : response.finish();
    bytes.erase(0, consumed);
  }
  if (outcome != Outcome::response || response.status() != 200) return std::nullopt;
  return std::string(response.body());
}

// The value of the next sample of `metric`; `text` becomes what stands behind it.
std::optional<double> next_sample(std::string_view& text, std::string_view metric) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(line.size() == text.size() ? line.size() : line.size() + 1);
    if (!line.starts_with(metric)) continue;
    const std::string_view rest = line.substr(metric.size());
    if (!rest.starts_with(' ') && !rest.starts_with('{')) continue;
    if (const auto value = parse_number<double>(line.substr(line.rfind(' ') + 1))) return value;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> http_get(const HostPort& address, std::string_view path) {
  const Clock::time_point deadline = Clock::now() + load::limits::scrape_max;
  const std::string request = "GET " + std::string(path) +
                              " HTTP/1.1\r\nHost: " + to_string(address) +
                              "\r\nConnection: close\r\n\r\n";
  try {
    const net::Fd socket = net::connect_tcp(address.host, address.port, load::limits::scrape_max);
    // A fresh socket's buffer takes so short a request whole.
    const ssize_t sent = ::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL);
    if (sent != static_cast<ssize_t>(request.size())) return std::nullopt;
    return read_page(socket.get(), deadline);
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

std::optional<double> metric_value(std::string_view text, std::string_view metric) {
  return next_sample(text, metric);
}

double metric_sum(std::string_view text, std::string_view metric) {
  double sum = 0;
  while (const auto value = next_sample(text, metric)) sum += *value;
  return sum;
}

}  // namespace rps::scenarios
