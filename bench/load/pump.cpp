#include "bench/load/pump.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <optional>
#include <string_view>
#include <vector>

#include <poll.h>
#include <sys/socket.h>

#include "bench/load/limits.hpp"
#include "core/net/connect.hpp"
#include "core/net/epoll.hpp"
#include "core/net/fd.hpp"

namespace rps::load {

namespace {

// How long the first response of `bytes` is, by its Content-Length; without one it has no body.
// Nothing while its end has not come.
std::optional<std::size_t> http_response_bytes(std::string_view bytes) {
  constexpr std::string_view head_end = "\r\n\r\n";
  constexpr std::string_view field = "Content-Length: ";
  const std::size_t end = bytes.find(head_end);
  if (end == std::string_view::npos) return std::nullopt;
  const std::size_t length_at = bytes.substr(0, end).find(field);
  std::size_t length = 0;
  if (length_at != std::string_view::npos) {
    std::from_chars(bytes.data() + length_at + field.size(), bytes.data() + end, length);
  }
  const std::size_t size = end + head_end.size() + length;
  return bytes.size() < size ? std::nullopt : std::optional(size);
}

using Framing = PumpOptions::Framing;

// How long the first reply of `bytes` is; nothing while its end has not come.
std::optional<std::size_t> reply_bytes(std::string_view bytes, Framing framing) {
  if (framing == Framing::frames) {
    constexpr std::size_t header = 5;
    if (bytes.size() < header) return std::nullopt;
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
    const std::size_t size = header + static_cast<std::size_t>(byte(3) << 8 | byte(4));
    return bytes.size() < size ? std::nullopt : std::optional(size);
  }
  return http_response_bytes(bytes);
}

struct Lane {
  net::Fd socket;
  std::string in;                       // The beginning of a reply.
  std::string out;                      // What the socket did not take.
  std::vector<Clock::time_point> sent;  // A ring: when each open call was sent, or due.
  std::size_t oldest = 0;
  std::size_t open = 0;
  std::size_t due = 0;  // Calls to be sent now.
  bool waits_for_room = false;
};

class Pump {
 public:
  explicit Pump(const PumpOptions& options) : options_(options), lanes_(options.connections) {
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
      Lane& lane = lanes_[i];
      lane.socket =
          net::connect_tcp(options.address.host, options.address.port, limits::connect_max);
      lane.sent.resize(options.depth);
      epoll_.add(lane.socket.get(), EPOLLIN, i);
    }
    for (std::size_t i = 0; i < options.depth; ++i) requests_ += options.request;
  }

  PumpResult run() {
    const Clock::time_point start = Clock::now();
    opens_at_ = start + options_.warmup;
    closes_at_ = opens_at_ + options_.window;
    next_due_ = start;
    if (!is_open_loop()) {
      for (Lane& lane : lanes_) call(lane, options_.depth, start);
    }
    for (now_ = start; now_ < closes_at_ && !result_.broken;) {
      const auto ready = epoll_.wait(is_open_loop() ? Clock::time_point::min() : closes_at_);
      now_ = Clock::now();
      for (const epoll_event& event : ready) serve(event.data.u64, event.events);
      if (is_open_loop()) issue();
    }
    result_.seconds = std::chrono::duration<double>(now_ - opens_at_).count();
    return std::move(result_);
  }

 private:
  bool is_open_loop() const { return options_.calls_per_second > 0; }
  bool in_window() const { return now_ >= opens_at_; }

  // Sends all calls that are due by now, each on the next connection in turn.
  void issue() {
    const auto interval = std::chrono::duration_cast<Clock::duration>(
        std::chrono::duration<double>(1 / options_.calls_per_second));
    touched_.clear();
    for (; next_due_ <= now_; next_due_ += interval) {
      const std::size_t index = turn_++ % lanes_.size();
      Lane& lane = lanes_[index];
      if (lane.open + lane.due == options_.depth) {
        if (in_window()) ++result_.dropped;
        continue;
      }
      if (lane.due == 0) touched_.push_back(index);
      lane.sent[(lane.oldest + lane.open + lane.due++) % options_.depth] = next_due_;
    }
    for (const std::size_t index : touched_) {
      Lane& lane = lanes_[index];
      lane.open += lane.due;
      send(index, std::exchange(lane.due, 0));
    }
  }

  void call(Lane& lane, std::size_t count, Clock::time_point at) {
    for (std::size_t i = 0; i < count; ++i) {
      lane.sent[(lane.oldest + lane.open++) % options_.depth] = at;
    }
    send(static_cast<std::size_t>(&lane - lanes_.data()), count);
  }

  void send(std::size_t index, std::size_t count) {
    Lane& lane = lanes_[index];
    const std::string_view bytes(requests_.data(), count * options_.request.size());
    if (!lane.out.empty()) {
      lane.out += bytes;
      return;
    }
    const ssize_t size = ::send(lane.socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (size < 0 && errno != EAGAIN) result_.broken = true;
    const std::size_t taken = size > 0 ? static_cast<std::size_t>(size) : 0;
    if (taken < bytes.size()) lane.out = bytes.substr(taken);
    wait_for_room(index, !lane.out.empty());
  }

  void wait_for_room(std::size_t index, bool waits) {
    Lane& lane = lanes_[index];
    if (std::exchange(lane.waits_for_room, waits) == waits) return;
    epoll_.modify(lane.socket.get(), waits ? EPOLLIN | EPOLLOUT : EPOLLIN, index);
  }

  void serve(std::size_t index, std::uint32_t events) {
    Lane& lane = lanes_[index];
    if ((events & EPOLLOUT) != 0) {
      const ssize_t size =
          ::send(lane.socket.get(), lane.out.data(), lane.out.size(), MSG_NOSIGNAL);
      if (size > 0) lane.out.erase(0, static_cast<std::size_t>(size));
      wait_for_room(index, !lane.out.empty());
    }
    if ((events & ~static_cast<std::uint32_t>(EPOLLOUT)) == 0) return;
    const ssize_t size = ::recv(lane.socket.get(), buffer_.data(), buffer_.size(), 0);
    if (size <= 0) {
      if (size == 0 || errno != EAGAIN) result_.broken = true;
      return;
    }
    const std::string_view bytes(buffer_.data(), static_cast<std::size_t>(size));
    now_ = Clock::now();
    const std::size_t replies =
        lane.in.empty() ? take(lane, bytes) : take(lane, lane.in.append(bytes));
    if (replies > 0 && !is_open_loop()) call(lane, replies, now_);
  }

  // Counts the whole replies of `bytes` and keeps the rest.
  std::size_t take(Lane& lane, std::string_view bytes) {
    std::size_t replies = 0;
    std::size_t at = 0;
    while (const auto size = reply_bytes(bytes.substr(at), options_.framing)) {
      const bool good = bytes.substr(at + options_.good_at).starts_with(options_.good);
      at += *size;
      ++replies;
      if (lane.open == 0) {
        result_.broken = true;
        break;
      }
      const Clock::duration latency = now_ - lane.sent[lane.oldest];
      lane.oldest = (lane.oldest + 1) % options_.depth;
      --lane.open;
      if (in_window()) (good ? result_.good : result_.refused).record(latency);
    }
    lane.in = std::string(bytes.substr(at));
    return replies;
  }

  const PumpOptions& options_;
  net::Epoll epoll_;
  std::vector<Lane> lanes_;
  std::string requests_;  // `depth` of them, so that any number leaves in one write.
  std::array<char, 1 << 17> buffer_;
  std::vector<std::size_t> touched_;
  std::size_t turn_ = 0;
  Clock::time_point now_;
  Clock::time_point opens_at_;
  Clock::time_point closes_at_;
  Clock::time_point next_due_;
  PumpResult result_;
};

}  // namespace

PumpResult run_pump(const PumpOptions& options) {
  return Pump(options).run();
}

std::string ask_once(const HostPort& address, const std::string& bytes, Framing framing) {
  const net::Fd socket = net::connect_tcp(address.host, address.port, limits::connect_max);
  if (::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0) return {};
  std::string in;
  while (!reply_bytes(in, framing)) {
    pollfd readable{.fd = socket.get(), .events = POLLIN, .revents = 0};
    std::array<char, 4096> buffer;
    if (::poll(&readable, 1, static_cast<int>(limits::connect_max.count())) <= 0) return {};
    const ssize_t size = ::recv(socket.get(), buffer.data(), buffer.size(), 0);
    if (size <= 0) return {};
    in.append(buffer.data(), static_cast<std::size_t>(size));
  }
  return in.substr(0, *reply_bytes(in, framing));
}

}  // namespace rps::load
