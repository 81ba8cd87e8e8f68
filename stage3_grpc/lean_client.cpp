#include "stage3_grpc/lean_client.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <sys/socket.h>

#include "core/net/epoll.hpp"
#include "core/net/fd.hpp"
#include "core/net/stream_client.hpp"
#include "stage3_grpc/lean_connection.hpp"

namespace rps::rpc {

namespace {

std::string read_authority(const Url& url) {
  if (url.host.empty() || !url.path.empty() || !url.query.empty()) {
    throw std::invalid_argument("a lean gRPC URL is grpc+lean://HOST:PORT and takes no parameters");
  }
  return to_string(HostPort{.host = url.host, .port = url.port});
}

// A connection and its socket.
struct Lane {
  Lane(const LeanHeaders& headers, LeanMessages& messages, std::size_t depth)
      : http(headers, messages, depth) {}

  net::Fd socket;
  LeanConnection http;
  std::string out;
  std::size_t written = 0;  // Bytes of `out`.
  bool dirty = false;       // Stands in dirty_.
  bool blocked = false;     // Waits for room to write.
  bool broken = false;
};

class Nobody final : public Sink {
 public:
  void on_reply(std::uint64_t, const Reply&, const Stamps&) override {}
  void on_event(const Event&) override {}
};

class LeanClient final : public Client {
 public:
  LeanClient(const Url& url, const ConnectOptions& options);

  void submit(std::uint64_t id, const Command& command) override;
  std::size_t poll(Clock::time_point deadline, Sink& sink) override;
  std::size_t in_flight_max() const override { return lanes_.size() * depth_; }

 private:
  struct Refused {
    std::uint64_t id = 0;
    Operation operation = Operation::play;
    Error error = Error::unavailable;
    Clock::time_point at;
  };

  void introduce(Clock::time_point deadline);
  Lane* lane_for(std::uint64_t id);
  void soil(Lane& lane);

  void step(Clock::time_point until, Sink& sink);
  bool receive(Lane& lane);
  void serve(Lane& lane, Sink& sink);
  void hand_over(Lane& lane, Sink& sink);
  void answer_refused(Sink& sink);

  void flush_dirty(Sink& sink);
  bool write_out(Lane& lane);
  void watch_for_room(Lane& lane, bool blocked);
  void fail(Lane& lane, Sink& sink);

  std::size_t depth_;
  LeanHeaders headers_;
  LeanMessages messages_;
  net::Epoll epoll_;
  std::deque<Lane> lanes_;
  std::vector<Lane*> dirty_;              // Lanes that may have something new to write.
  std::vector<Refused> refused_;          // Calls that found no connection …
  std::vector<Refused> refused_in_turn_;  // … and those of them being answered.
  std::vector<char> buffer_ = std::vector<char>(std::size_t{256} << 10);
  Clock::time_point received_at_;  // When the last read returned.
  std::size_t handed_over_ = 0;    // By this poll.
};

LeanClient::LeanClient(const Url& url, const ConnectOptions& options)
    : depth_(options.depth), headers_(read_authority(url)) {
  assert(options.connections > 0 && options.depth > 0);
  const Clock::time_point deadline = Clock::now() + options.timeout_max;
  dirty_.reserve(options.connections);
  for (std::size_t i = 0; i < options.connections; ++i) {
    Lane& lane = lanes_.emplace_back(headers_, messages_, depth_);
    lane.socket = net::connect_tcp(url.host, url.port, options.timeout_max);
    if (!epoll_.add(lane.socket.get(), EPOLLIN, i)) {
      throw std::system_error(errno, std::system_category(), "epoll_ctl");
    }
    soil(lane);
  }
  introduce(deadline);
}

// Says what a client has to say first, and waits until every peer has done so, too.
void LeanClient::introduce(Clock::time_point deadline) {
  Nobody nobody;
  flush_dirty(nobody);
  const auto is_settled = [](const Lane& lane) { return lane.broken || lane.http.is_introduced(); };
  while (!std::ranges::all_of(lanes_, is_settled) && Clock::now() < deadline) {
    step(deadline, nobody);
  }
  for (const Lane& lane : lanes_) {
    if (!lane.http.is_introduced()) {
      throw std::runtime_error("who answers there does not speak HTTP/2 without TLS");
    }
  }
}

// ---- Which connection carries a call -------------------------------------------------------

void LeanClient::submit(std::uint64_t id, const Command& command) {
  const bool is_unary =
      command.operation == Operation::play || command.operation == Operation::score;
  Lane* const lane = is_unary ? lane_for(id) : nullptr;
  if (lane == nullptr) {
    refused_.push_back({.id = id,
                        .operation = command.operation,
                        .error = is_unary ? Error::unavailable : Error::unknown_operation,
                        .at = Clock::now()});
    return;
  }
  lane->http.begin(id, command);
  soil(*lane);
}

// The connection of the id when it has room, else the next one that has. Null when none has.
Lane* LeanClient::lane_for(std::uint64_t id) {
  const std::size_t home = id % lanes_.size();
  if (lanes_[home].http.has_room()) return &lanes_[home];
  for (std::size_t i = 1; i < lanes_.size(); ++i) {
    Lane& lane = lanes_[(home + i) % lanes_.size()];
    if (lane.http.has_room()) return &lane;
  }
  return nullptr;
}

void LeanClient::soil(Lane& lane) {
  if (lane.dirty || lane.broken) return;
  lane.dirty = true;
  dirty_.push_back(&lane);
}

// ---- Arrivals ------------------------------------------------------------------------------

std::size_t LeanClient::poll(Clock::time_point deadline, Sink& sink) {
  handed_over_ = 0;
  answer_refused(sink);
  flush_dirty(sink);
  do {
    step(handed_over_ > 0 ? Clock::time_point::min() : deadline, sink);
  } while (handed_over_ == 0 && Clock::now() < deadline);
  return handed_over_;
}

void LeanClient::step(Clock::time_point until, Sink& sink) {
  for (const epoll_event& event : epoll_.wait(until)) {
    Lane& lane = lanes_[event.data.u64];
    if (lane.broken) continue;  // By an earlier event of this batch.
    if ((event.events & EPOLLOUT) != 0) {
      watch_for_room(lane, false);
      soil(lane);
    }
    if ((event.events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) serve(lane, sink);
    flush_dirty(sink);  // At once: the peer may work while the other connections are read.
  }
}

void LeanClient::serve(Lane& lane, Sink& sink) {
  const bool is_well = receive(lane);
  hand_over(lane, sink);
  if (!is_well || lane.http.is_over()) return fail(lane, sink);
  soil(lane);  // Reading brings acknowledgements, too.
}

// Reads all there is. False when the connection has ended.
bool LeanClient::receive(Lane& lane) {
  for (;;) {
    const ssize_t size = ::recv(lane.socket.get(), buffer_.data(), buffer_.size(), 0);
    received_at_ = Clock::now();
    if (size < 0) return errno == EAGAIN || errno == EINTR;
    const auto bytes = static_cast<std::size_t>(size);
    if (bytes == 0 || !lane.http.read({buffer_.data(), bytes})) return false;
    if (bytes < buffer_.size()) return true;
  }
}

void LeanClient::hand_over(Lane& lane, Sink& sink) {
  // By index: what the sink submits may end at once.
  for (std::size_t i = 0; i < lane.http.ended().size(); ++i) {
    const LeanConnection::Ended ended = lane.http.ended()[i];
    const std::uint64_t id = ended.call->id();
    const Stamps stamps{.sent_at = ended.call->sent_at, .received_at = received_at_};
    const Reply reply =
        ended.broken ? Reply{.operation = ended.call->operation(), .error = Error::unavailable}
                     : ended.call->answer(messages_);
    lane.http.release(*ended.call);
    sink.on_reply(id, reply, stamps);
    ++handed_over_;
  }
  lane.http.clear_ended();
}

void LeanClient::answer_refused(Sink& sink) {
  // What is refused while these are answered waits for the next poll.
  std::swap(refused_, refused_in_turn_);
  for (const Refused& call : refused_in_turn_) {
    sink.on_reply(call.id, {.operation = call.operation, .error = call.error},
                  {.sent_at = call.at, .received_at = Clock::now()});
    ++handed_over_;
  }
  refused_in_turn_.clear();
}

// ---- Departures ----------------------------------------------------------------------------

void LeanClient::flush_dirty(Sink& sink) {
  // By index: what a failing connection answers may make the sink submit, and so dirty another.
  for (std::size_t i = 0; i < dirty_.size(); ++i) {
    Lane& lane = *dirty_[i];
    lane.dirty = false;
    if (lane.broken || lane.blocked) continue;
    if (!write_out(lane)) {
      serve(lane, sink);  // Nobody reads there any more, but what was said before is to be heard.
      if (!lane.broken) fail(lane, sink);
    } else if (!lane.http.ended().empty()) {  // GOAWAY overtook a call, or an answer was nonsense.
      received_at_ = Clock::now();
      hand_over(lane, sink);
    }
  }
  dirty_.clear();
}

// Writes what can be written. False when the connection does not take bytes any longer.
bool LeanClient::write_out(Lane& lane) {
  if (!lane.http.write(lane.out, Clock::now())) return false;
  while (lane.written < lane.out.size()) {
    const ssize_t count = ::send(lane.socket.get(), lane.out.data() + lane.written,
                                 lane.out.size() - lane.written, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno != EAGAIN) return false;
    if (count < 0) {
      watch_for_room(lane, true);
      return true;
    }
    lane.written += static_cast<std::size_t>(count);
  }
  lane.out.clear();
  lane.written = 0;
  return true;
}

// Begins or ends to be told when there is room to write.
void LeanClient::watch_for_room(Lane& lane, bool blocked) {
  if (lane.blocked == blocked) return;
  lane.blocked = blocked;
  const auto index = static_cast<std::uint64_t>(
      std::ranges::find(lanes_, &lane, [](const Lane& other) { return &other; }) - lanes_.begin());
  epoll_.modify(lane.socket.get(), blocked ? EPOLLIN | EPOLLOUT : EPOLLIN, index);
}

// Takes the connection out of service and answers its open calls.
void LeanClient::fail(Lane& lane, Sink& sink) {
  lane.broken = true;
  lane.socket = net::Fd();
  received_at_ = Clock::now();
  lane.http.abandon(received_at_);
  hand_over(lane, sink);
}

}  // namespace

std::unique_ptr<Client> connect_lean(const Url& url, const ConnectOptions& options) {
  return std::make_unique<LeanClient>(url, options);
}

}  // namespace rps::rpc
