#include "core/net/stream_client.hpp"

#include <cassert>
#include <cerrno>
#include <system_error>
#include <utility>

#include "core/net/child.hpp"
#include "core/net/connect.hpp"

namespace rps::net {

namespace {

// How long children may take to end on their own, all of them together.
constexpr std::chrono::milliseconds children_end_max{200};

}  // namespace

StreamClient::StreamClient(std::unique_ptr<WireCodec> codec, std::size_t streams, std::size_t depth,
                           const Open& open)
    : codec_(std::move(codec)), depth_(depth) {
  assert(streams > 0 && depth > 0);
  try {
    for (std::uint32_t i = 0; i < streams; ++i) {
      Stream stream = open();
      if (stream.child > 0) children_.push_back(stream.child);
      if (!slots_.emplace_back(loop(), i).stream.open(std::move(stream))) {
        throw std::system_error(errno, std::system_category(), "epoll_ctl");
      }
    }
  } catch (...) {
    close_streams();
    throw;
  }
}

StreamClient::~StreamClient() {
  close_streams();
}

void StreamClient::close_streams() {
  for (Slot& slot : slots_) slot.stream.close();  // The children's input ends, so they end.
  end_children(children_, children_end_max);
}

void StreamClient::submit(std::uint64_t id, const Command& command) {
  Slot* const slot = find_slot(id);
  if (slot == nullptr) {
    refuse(id, command.operation, Error::unavailable);
    return;
  }
  slot->requests.push(*codec_, id, command, slot->stream.output);
  slot->stream.request_write();
}

// The slot that is to carry the call; null when none has room.
StreamClient::Slot* StreamClient::find_slot(std::uint64_t id) {
  Slot& home = slots_[id % slots_.size()];
  if (has_room(home)) return &home;
  Slot* found = nullptr;
  ++turn_;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    Slot& slot = slots_[(turn_ + i) % slots_.size()];
    if (!has_room(slot)) continue;
    if (slot.requests.empty()) return &slot;
    if (found == nullptr) found = &slot;
  }
  return found;
}

void StreamClient::on_input(std::uint32_t index) {
  Slot& slot = slots_[index];
  const InputBuffer::Arrival arrival = slot.stream.read();
  received_at_ = Clock::now();
  if (arrival == InputBuffer::Arrival::nothing) return;
  if (arrival == InputBuffer::Arrival::end || !decode(slot)) fail(slot);
}

void StreamClient::on_output(std::uint32_t index) {
  Slot& slot = slots_[index];
  if (slot.is_broken) return;
  slot.requests.mark_sent(Clock::now());
  if (slot.stream.write()) return;
  // The peer does not read any longer, but what it wrote before can still be read.
  slot.is_broken = true;
  while (slot.stream.read() == InputBuffer::Arrival::bytes) {
    received_at_ = Clock::now();
    if (!decode(slot)) break;
  }
  fail(slot);
}

// Hands over every whole message of the input. False when its bytes are no message.
bool StreamClient::decode(Slot& slot) {
  for (;;) {
    Reply reply;
    Event event;
    switch (slot.requests.decode(*codec_, slot.stream.input, reply, event)) {
      case WireCodec::Outcome::need_more: return true;
      case WireCodec::Outcome::broken: return false;
      case WireCodec::Outcome::event: hand_over(event); break;
      case WireCodec::Outcome::reply: {
        const RequestQueue::Request request = slot.requests.pop();
        hand_over(request.id, reply, {.sent_at = request.sent_at, .received_at = received_at_});
        break;
      }
    }
  }
}

// Takes the stream out of service and answers its open calls.
void StreamClient::fail(Slot& slot) {
  slot.is_broken = true;
  slot.stream.close();
  const Clock::time_point now = Clock::now();
  slot.requests.mark_sent(now);
  while (!slot.requests.empty()) {
    const RequestQueue::Request request = slot.requests.pop();
    hand_over(request.id, {.operation = request.operation, .error = Error::unavailable},
              {.sent_at = request.sent_at, .received_at = now});
  }
}

std::unique_ptr<StreamClient> connect_streams(const Url& url, const ConnectOptions& options,
                                              std::unique_ptr<WireCodec> codec) {
  return std::make_unique<StreamClient>(std::move(codec), options.connections, options.depth, [&] {
    return Stream{.in = connect_tcp(url.host, url.port, options.timeout_max)};
  });
}

}  // namespace rps::net
