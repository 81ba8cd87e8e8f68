#include "bench/load/clients/grpc_lean_client.hpp"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

#include "bench/load/clients/grpc_lean_connection.hpp"
#include "core/net/connect.hpp"
#include "core/net/event_loop.hpp"
#include "core/net/loop_client.hpp"
#include "core/net/stream.hpp"

namespace rps::load {

namespace {

std::string read_authority(const Url& url) {
  if (url.host.empty() || !url.path.empty() || !url.query.empty()) {
    throw std::invalid_argument("a lean gRPC URL is grpc+lean://HOST:PORT and takes no parameters");
  }
  return to_string(HostPort{.host = url.host, .port = url.port});
}

// A socket, and the HTTP/2 connection over it.
struct Slot {
  Slot(net::EventLoop& loop, std::uint32_t index, const LeanHeaders& headers,
       LeanMessages& messages, std::size_t depth)
      : stream(loop, index), http(headers, messages, depth) {}

  net::BufferedStream stream;
  LeanConnection http;
  bool is_broken = false;
};

class LeanClient final : public net::LoopClient {
 public:
  LeanClient(const Url& url, const ConnectOptions& options);

  void submit(std::uint64_t id, const Command& command) override;
  std::size_t in_flight_max() const override { return slots_.size() * depth_; }

 private:
  void await_settings(Clock::time_point deadline);
  Slot* find_slot(std::uint64_t id);

  void on_input(std::uint32_t index) override;
  void on_output(std::uint32_t index) override;
  bool receive(Slot& slot);
  void hand_over_ended(Slot& slot);
  void fail(Slot& slot);

  std::size_t depth_;
  LeanHeaders headers_;
  LeanMessages messages_;
  std::deque<Slot> slots_;
  Clock::time_point received_at_;  // When the last read returned.
};

LeanClient::LeanClient(const Url& url, const ConnectOptions& options)
    : depth_(options.depth), headers_(read_authority(url)) {
  assert(options.connections > 0 && options.depth > 0);
  const Clock::time_point deadline = Clock::now() + options.timeout_max;
  for (std::uint32_t i = 0; i < options.connections; ++i) {
    Slot& slot = slots_.emplace_back(loop(), i, headers_, messages_, depth_);
    if (!slot.stream.open({.in = net::connect_tcp(url.host, url.port, options.timeout_max)})) {
      throw std::system_error(errno, std::system_category(), "epoll_ctl");
    }
    slot.stream.request_write();
  }
  await_settings(deadline);
}

// Sends what begins an HTTP/2 connection, and waits until every peer has sent its SETTINGS.
void LeanClient::await_settings(Clock::time_point deadline) {
  const auto is_settled = [](const Slot& slot) {
    return slot.is_broken || slot.http.has_settings();
  };
  while (!std::ranges::all_of(slots_, is_settled) && Clock::now() < deadline) {
    step(deadline);
  }
  if (!std::ranges::all_of(slots_, [](const Slot& slot) { return slot.http.has_settings(); })) {
    throw std::runtime_error("the peer does not speak HTTP/2 without TLS");
  }
}

void LeanClient::submit(std::uint64_t id, const Command& command) {
  const bool is_unary =
      command.operation == Operation::play || command.operation == Operation::score;
  Slot* const slot = is_unary ? find_slot(id) : nullptr;
  if (slot == nullptr) {
    refuse(id, command.operation, is_unary ? Error::unavailable : Error::unknown_operation);
    return;
  }
  slot->http.begin(id, command);
  slot->stream.request_write();
}

// The slot of the id when it has room, else the next one that has. Null when none has.
Slot* LeanClient::find_slot(std::uint64_t id) {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    Slot& slot = slots_[(id + i) % slots_.size()];
    if (slot.http.has_room()) return &slot;
  }
  return nullptr;
}

void LeanClient::on_input(std::uint32_t index) {
  Slot& slot = slots_[index];
  if (slot.is_broken) return;
  const bool is_well = receive(slot);
  hand_over_ended(slot);
  if (!is_well || slot.http.is_over()) return fail(slot);
  slot.stream.request_write();  // Reading brings acknowledgements, too.
}

void LeanClient::on_output(std::uint32_t index) {
  Slot& slot = slots_[index];
  if (slot.is_broken) return;
  if (!slot.http.write(slot.stream.output, Clock::now()) || !slot.stream.write()) {
    receive(slot);  // The peer does not read any longer, but what it wrote before can be read.
    hand_over_ended(slot);
    fail(slot);
  } else if (!slot.http.ended().empty()) {  // GOAWAY or a malformed answer ended a call.
    received_at_ = Clock::now();
    hand_over_ended(slot);
  }
}

// Reads once. False when the connection has ended or cannot be used any longer.
bool LeanClient::receive(Slot& slot) {
  const net::InputBuffer::Arrival arrival = slot.stream.read();
  received_at_ = Clock::now();
  if (arrival == net::InputBuffer::Arrival::nothing) return true;
  if (arrival == net::InputBuffer::Arrival::end) return false;
  const bool is_well = slot.http.read(slot.stream.input.bytes());
  slot.stream.input.clear();
  return is_well;
}

void LeanClient::hand_over_ended(Slot& slot) {
  // By index: what the sink submits may end at once.
  for (std::size_t i = 0; i < slot.http.ended().size(); ++i) {
    const LeanConnection::Ended ended = slot.http.ended()[i];
    const std::uint64_t id = ended.call->id();
    const Stamps stamps{.sent_at = ended.call->sent_at, .received_at = received_at_};
    const Reply reply =
        ended.broken ? Reply{.operation = ended.call->operation(), .error = Error::unavailable}
                     : ended.call->answer(messages_);
    slot.http.release(*ended.call);
    hand_over(id, reply, stamps);
  }
  slot.http.clear_ended();
}

// Takes the connection out of service and answers its open calls.
void LeanClient::fail(Slot& slot) {
  slot.is_broken = true;
  slot.stream.close();
  received_at_ = Clock::now();
  slot.http.abandon(received_at_);
  hand_over_ended(slot);
}

}  // namespace

std::unique_ptr<Client> connect_grpc_lean(const Url& url, const ConnectOptions& options) {
  return std::make_unique<LeanClient>(url, options);
}

}  // namespace rps::load
