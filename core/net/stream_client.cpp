#include "core/net/stream_client.hpp"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <system_error>
#include <utility>

#include "core/net/child.hpp"

namespace rps::net {

namespace {

// How long children may take to end on their own, all of them together.
constexpr std::chrono::milliseconds children_end_max{200};

}  // namespace

StreamClient::StreamClient(std::unique_ptr<WireCodec> codec, std::size_t streams, std::size_t depth,
                           const Open& open)
    : codec_(std::move(codec)), depth_(depth), resolver_(loop()) {
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

StreamClient::StreamClient(std::unique_ptr<WireCodec> codec, Endpoint endpoint,
                           const ConnectOptions& options)
    : StreamClient(std::move(codec), options.connections, options.depth,
                   [&] { return Stream{.in = endpoint.connect(options.timeout_max)}; }) {
  endpoint_ = std::move(endpoint);
  // All of them are connected to the address that answered the first.
  for (Slot& slot : slots_) slot.address = endpoint_->addresses().front();
  outlasts_outages_ = options.outlasts_outages;
}

StreamClient::~StreamClient() {
  close_streams();
}

void StreamClient::close_streams() {
  for (Slot& slot : slots_) slot.stream.close();  // The children's input ends, so they end.
  end_children(children_, children_end_max);
}

void StreamClient::submit(std::uint64_t id, const Command& command) {
  if (const auto error = codec_->refusal(command)) {
    refuse(id, command.operation, *error);
    return;
  }
  Slot* const slot = find_slot(id);
  if (slot == nullptr) {
    refuse(id, command.operation, Error::unavailable);
    return;
  }
  slot->requests.push(*codec_, id, command, slot->unanswered.back());
  // The time until there is a connection counts.
  if (slot->state != Slot::State::open) slot->requests.mark_sent(Clock::now());
  slot->stream.request_write();
}

bool StreamClient::has_room(const Slot& slot) const {
  switch (slot.state) {
    case Slot::State::open:
    case Slot::State::closed:
    case Slot::State::dialling: return slot.requests.size() < depth_;
    case Slot::State::waiting:
    case Slot::State::out_of_service: break;
  }
  return false;
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

// ---- Bytes ---------------------------------------------------------------------------------

void StreamClient::step(Clock::time_point until) {
  if (timed_slots_ > 0) {
    const Clock::time_point now = Clock::now();
    for (Slot& slot : slots_) {
      if (slot.state == Slot::State::waiting && slot.due <= now) dial(slot);
      if (slot.state == Slot::State::dialling && slot.due <= now) advance_dialling(slot);
      if (is_timed(slot.state)) until = std::min(until, slot.due);
    }
  }
  flush_and_wait(until);
}

void StreamClient::on_input(std::uint32_t index) {
  using Arrival = InputBuffer::Arrival;
  if (index == Resolver::key) return on_looked_up();
  Slot& slot = slots_[index];
  if (slot.state != Slot::State::open) return;
  const Arrival arrival = slot.stream.read();
  received_at_ = Clock::now();
  switch (arrival) {
    case Arrival::nothing: return;
    case Arrival::bytes: return decode(slot);
    case Arrival::end: return decode_end(slot);
    case Arrival::failure: return end(slot, End::lost);
  }
}

// There are requests to write, or there is room to write, or the outcome of dialling is known.
void StreamClient::on_output(std::uint32_t index) {
  Slot& slot = slots_[index];
  switch (slot.state) {
    case Slot::State::open: break;
    case Slot::State::closed:
      if (!slot.requests.empty()) dial(slot);
      return;
    case Slot::State::dialling: return advance_dialling(slot);
    case Slot::State::waiting:
    case Slot::State::out_of_service: return;
  }
  if (write(slot)) return;
  // The peer does not read any longer, but what it wrote before can still be read.
  using Arrival = InputBuffer::Arrival;
  Arrival arrival = Arrival::bytes;
  while (slot.state == Slot::State::open && (arrival = slot.stream.read()) == Arrival::bytes) {
    received_at_ = Clock::now();
    decode(slot);
  }
  if (slot.state != Slot::State::open) return;
  if (arrival == Arrival::end) return decode_end(slot);
  end(slot, End::lost);
}

// False when the stream does not take bytes any longer.
bool StreamClient::write(Slot& slot) {
  slot.requests.mark_sent(Clock::now());
  const bool is_alone = codec_->has_last_replies() && !slot.is_proven && !slot.requests.empty();
  const std::size_t due = is_alone ? slot.requests.oldest().bytes : slot.unanswered.size();
  if (due <= slot.written) return slot.stream.write();
  const std::size_t begin = std::exchange(slot.written, due);
  return slot.stream.write(slot.unanswered.view().substr(begin, due - begin));
}

// Hands over every whole message of the input.
void StreamClient::decode(Slot& slot) {
  while (slot.state == Slot::State::open) {
    Reply reply;
    Event event;
    switch (slot.requests.decode(*codec_, slot.stream.input, reply, event)) {
      case WireCodec::Outcome::need_more: return;
      case WireCodec::Outcome::broken: return end(slot, End::broken);
      case WireCodec::Outcome::event: hand_over(event); break;
      case WireCodec::Outcome::reply: take_reply(slot, reply); break;
      case WireCodec::Outcome::last_reply: return take_last_reply(slot, reply);
    }
  }
}

// The peer has ended the stream. The end may complete the answer to the oldest request.
void StreamClient::decode_end(Slot& slot) {
  Reply reply;
  const auto outcome = slot.requests.decode_end(*codec_, slot.stream.input, reply);
  if (outcome == WireCodec::Outcome::last_reply) return take_last_reply(slot, reply);
  end(slot, End::lost);
}

// Takes out the oldest call, which is answered.
RequestQueue::Request StreamClient::pop(Slot& slot) {
  const RequestQueue::Request request = slot.requests.pop();
  slot.unanswered.drop(request.bytes);
  slot.written -= request.bytes;
  return request;
}

void StreamClient::take_reply(Slot& slot, const Reply& reply) {
  const RequestQueue::Request request = pop(slot);
  // The requests that the first one did not have with it may follow.
  if (!std::exchange(slot.is_proven, true)) slot.stream.request_write();
  hand_over(request.id, reply, {.sent_at = request.sent_at, .received_at = received_at_});
}

// The connection is closed before the reply is handed over, so that a call which is submitted then
// waits for the next one.
void StreamClient::take_last_reply(Slot& slot, const Reply& reply) {
  const RequestQueue::Request request = pop(slot);
  slot.is_proven = true;
  end(slot, End::in_order);
  hand_over(request.id, reply, {.sent_at = request.sent_at, .received_at = received_at_});
}

// ---- Connections ---------------------------------------------------------------------------

void StreamClient::set_state(Slot& slot, Slot::State state, Clock::time_point due) {
  timed_slots_ -= is_timed(slot.state) ? 1 : 0;
  timed_slots_ += is_timed(state) ? 1 : 0;
  slot.state = state;
  slot.due = due;
}

void StreamClient::dial(Slot& slot) {
  const Clock::time_point now = Clock::now();
  slot.dialling.begin(*endpoint_, resolver_, now, now + dial_max);
  set_state(slot, Slot::State::dialling, now);
  advance_dialling(slot);
}

void StreamClient::advance_dialling(Slot& slot) {
  switch (slot.dialling.advance(Clock::now())) {
    case Dialling::Outcome::pending: slot.due = slot.dialling.due(); return;
    case Dialling::Outcome::connected: return finish_dialling(slot);
    case Dialling::Outcome::failed: return fail_dialling(slot);
  }
}

void StreamClient::finish_dialling(Slot& slot) {
  Race::Winner winner = slot.dialling.take();
  if (!slot.stream.open({.in = std::move(winner.socket)})) return fail_dialling(slot);
  slot.address = winner.address;
  set_state(slot, Slot::State::open);
  slot.is_proven = false;
  ++counts_.reconnects;
  counts_.resent += std::exchange(slot.resent, 0);
  if (!write(slot)) end(slot, End::lost);
}

// All addresses have failed: the calls are answered.
void StreamClient::fail_dialling(Slot& slot) {
  slot.failures = 0;
  if (outlasts_outages_) {
    set_state(slot, Slot::State::waiting, Clock::now() + dial_period);
  } else {
    set_state(slot, Slot::State::out_of_service);
  }
  retire(slot);
  answer_lost();
}

void StreamClient::on_looked_up() {
  resolver_.acknowledge();
  for (Slot& slot : slots_) {
    if (slot.state == Slot::State::dialling) advance_dialling(slot);
  }
}

// Closes the stream and sorts out its calls.
void StreamClient::end(Slot& slot, End how) {
  const Slot::State next = state_after(slot, how);
  slot.stream.close();
  slot.requests.mark_sent(Clock::now());
  const bool waits = next == Slot::State::waiting;
  set_state(slot, next, waits ? Clock::now() + dial_period : Clock::time_point{});
  if (next == Slot::State::closed) {
    sort_out(slot, how);
  } else {
    retire(slot);
  }
  answer_lost();
}

StreamClient::Slot::State StreamClient::state_after(Slot& slot, End how) {
  if (!endpoint_) return Slot::State::out_of_service;
  const Slot::State given_up =
      outlasts_outages_ ? Slot::State::waiting : Slot::State::out_of_service;
  if (how == End::broken && !slot.requests.empty()) return given_up;
  const bool has_failed = how != End::in_order && !slot.is_proven && slot.written > 0;
  slot.failures = has_failed ? slot.failures + 1 : 0;
  if (has_failed) endpoint_->avoid(slot.address);
  if (slot.failures < endpoint_->addresses().size()) return Slot::State::closed;
  slot.failures = 0;
  return given_up;
}

// Keeps the calls that are sent again, and takes out the others.
void StreamClient::sort_out(Slot& slot, End how) {
  std::string kept;
  std::size_t at = 0;
  slot.resent = 0;
  for (std::size_t left = slot.requests.size(); left > 0; --left) {
    const RequestQueue::Request request = slot.requests.pop();
    const bool was_written = at < slot.written;
    const bool is_safe =
        !was_written || how == End::in_order || (request.may_repeat && slot.is_proven);
    if (is_safe) {
      kept += slot.unanswered.view().substr(at, request.bytes);
      slot.requests.put_back(request);
      slot.resent += was_written ? 1 : 0;
    } else {
      lost_.push_back(request);
      ++counts_.uncertain;
    }
    at += request.bytes;
  }
  slot.unanswered.drop(slot.unanswered.size());
  slot.unanswered.back() = std::move(kept);
  slot.written = 0;
  if (!slot.requests.empty()) slot.stream.request_write();
}

// Takes out all calls: there is no connection to send them over.
void StreamClient::retire(Slot& slot) {
  std::size_t at = 0;
  while (!slot.requests.empty()) {
    lost_.push_back(slot.requests.pop());
    if (at < slot.written) ++counts_.uncertain;
    at += lost_.back().bytes;
  }
  slot.resent = 0;
  slot.unanswered.drop(slot.unanswered.size());
  slot.written = 0;
}

// What the sink submits meanwhile adds nothing to the list.
void StreamClient::answer_lost() {
  const Clock::time_point now = Clock::now();
  for (const RequestQueue::Request& request : lost_) {
    hand_over(request.id, {.operation = request.operation, .error = Error::unavailable},
              {.sent_at = request.sent_at, .received_at = now, .is_answered = false});
  }
  lost_.clear();
}

std::unique_ptr<StreamClient> connect_streams(const Url& url, const ConnectOptions& options,
                                              std::unique_ptr<WireCodec> codec) {
  return std::make_unique<StreamClient>(std::move(codec),
                                        Endpoint({.host = url.host, .port = url.port}), options);
}

}  // namespace rps::net
