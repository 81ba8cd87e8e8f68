#include "bench/scenarios/scrape.hpp"

#include <array>
#include <cstddef>
#include <exception>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/load/limits.hpp"
#include "core/clock.hpp"
#include "core/net/fd.hpp"
#include "core/net/stream_client.hpp"
#include "core/number.hpp"

namespace rps::scenarios {

namespace {

bool wait_readable(int fd, Clock::time_point deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
  pollfd watched{.fd = fd, .events = POLLIN, .revents = 0};
  return left.count() > 0 && ::poll(&watched, 1, static_cast<int>(left.count())) > 0;
}

// Reads until the server closes, which `Connection: close` asks of it.
std::optional<std::string> read_to_end(int fd, Clock::time_point deadline) {
  std::string answer;
  while (answer.size() <= load::limits::scrape_bytes_max && wait_readable(fd, deadline)) {
    std::array<char, 16'384> chunk;
    const ssize_t size = ::read(fd, chunk.data(), chunk.size());
    if (size < 0) return std::nullopt;
    if (size == 0) return answer;
    answer.append(chunk.data(), static_cast<std::size_t>(size));
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
    const auto answer = read_to_end(socket.get(), deadline);
    if (!answer || !answer->starts_with("HTTP/1.1 200")) return std::nullopt;
    const std::size_t head_end = answer->find("\r\n\r\n");
    if (head_end == std::string::npos) return std::nullopt;
    return answer->substr(head_end + 4);
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

std::optional<double> metric_value(std::string_view text, std::string_view metric) {
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

}  // namespace rps::scenarios
