#include "bench/load/clients/grpc_lean_client.hpp"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "bench/load/clients/tls_session.hpp"
#include "core/net/dialling.hpp"
#include "core/net/endpoint.hpp"
#include "core/net/event_loop.hpp"
#include "core/net/loop_client.hpp"
#include "core/net/resolver.hpp"
#include "core/net/stream.hpp"
#include "core/net/stream_client.hpp"
#include "stage3_grpc/lean/connection.hpp"

namespace rps::load {

namespace {

using rpc::LeanCall;
using rpc::LeanConnection;
using rpc::LeanHeaders;
using rpc::LeanMessages;

bool is_over_tls(const Url& url) {
  return url.scheme == "grpcs+lean";
}

std::string read_authority(const Url& url) {
  if (url.host.empty() || !url.path.empty()) {
    throw std::invalid_argument("a lean gRPC URL is " + url.scheme + "://HOST:PORT?name=value&…");
  }
  for (const auto& [name, value] : url.query) {
    const bool is_of_tls = name == "ca" || name == "name";
    if (name == "token" || (is_of_tls && is_over_tls(url))) continue;
    throw std::invalid_argument("a " + url.scheme + " URL knows no '" + name + "'");
  }
  return to_string(HostPort{.host = url.host, .port = url.port});
}

std::string read_parameter(const Url& url, std::string_view name, std::string_view otherwise) {
  return std::string(url.find(name).value_or(otherwise));
}

LeanHeaders read_headers(const Url& url) {
  return LeanHeaders(read_authority(url), is_over_tls(url), read_parameter(url, "token", ""));
}

// Null: no TLS.
std::unique_ptr<TlsContext> read_tls(const Url& url) {
  if (!is_over_tls(url)) return nullptr;
  return std::make_unique<TlsContext>(read_parameter(url, "ca", ""),
                                      read_parameter(url, "name", url.host));
}

// A socket, and the HTTP/2 connection over it. After GOAWAY it stays until its calls have ended.
struct Link {
  enum class State : std::uint8_t { free, dialling, open };

  Link(net::EventLoop& loop, std::uint32_t index) : dialling(loop, index), stream(loop, index) {}

  State state = State::free;
  net::Dialling dialling;
  net::Address address;  // Of the connection.
  net::BufferedStream stream;
  std::optional<TlsSession> tls;  // Without TLS nothing.
  std::optional<LeanConnection> http;
  std::size_t place = 0;
  bool has_heard = false;    // Any byte of the peer.
  bool has_carried = false;  // A call was begun on it.
  bool is_proven = false;    // It has brought an answer.
};

// One of the client's connections: the link that carries its calls now.
struct Place {
  Link* link = nullptr;      // None: dialled with the next call.
  std::size_t failures = 0;  // In a row: connections that brought no answer.
  Clock::time_point dial_from;
  bool is_out_of_service = false;
};

class LeanClient final : public net::LoopClient {
 public:
  LeanClient(const Url& url, const ConnectOptions& options);

  void submit(std::uint64_t id, const Command& command) override;
  std::size_t in_flight_max() const override { return places_.size() * depth_; }
  ConnectionCounts connection_counts() const override { return counts_; }

 private:
  using Fate = LeanConnection::Fate;

  Link& take_link(std::size_t place);
  void await_settings(Clock::time_point deadline);
  Link* find_link(std::uint64_t id);
  bool may_dial(const Place& place) const;
  Link& dial(std::size_t place);
  void advance_dialling(Link& link);
  void finish_dialling(Link& link);
  void fail_dialling(Link& link);

  void step(Clock::time_point until) override;
  void on_input(std::uint32_t index) override;
  void on_output(std::uint32_t index) override;
  void on_looked_up();
  bool receive(Link& link);
  bool send(Link& link);
  bool take(Link& link);
  void settle(Link& link, bool is_well);
  void leave_place(Link& link);
  void count_failure(const Link& link);
  void give_up(Place& place);
  void end(Link& link);
  void hand_over_ended(Link& link);
  void prove(Link& link);
  bool send_again(LeanCall& call);

  std::size_t depth_;
  bool outlasts_outages_;
  LeanHeaders headers_;
  const std::unique_ptr<TlsContext> tls_;  // Null: no TLS.
  net::Endpoint endpoint_;
  net::Resolver resolver_;
  LeanMessages messages_;
  std::deque<Link> links_;
  std::vector<Link*> free_links_;
  std::vector<Place> places_;
  std::size_t dialling_ = 0;  // Links.
  ConnectionCounts counts_;
  std::string text_;               // Of one connection: to be encrypted, or just decrypted.
  Clock::time_point received_at_;  // When the last read returned.
};

LeanClient::LeanClient(const Url& url, const ConnectOptions& options)
    : depth_(options.depth),
      outlasts_outages_(options.outlasts_outages),
      headers_(read_headers(url)),
      tls_(read_tls(url)),
      endpoint_({.host = url.host, .port = url.port}),
      resolver_(loop()),
      places_(options.connections) {
  assert(options.connections > 0 && options.depth > 0);
  const Clock::time_point deadline = Clock::now() + options.timeout_max;
  for (std::size_t i = 0; i < options.connections; ++i) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    Link& link = take_link(i);
    if (!link.stream.open({.in = endpoint_.connect(left)})) {
      throw std::system_error(errno, std::system_category(), "epoll_ctl");
    }
    link.state = Link::State::open;
    link.address = endpoint_.addresses().front();
    link.stream.request_write();
  }
  await_settings(deadline);
}

// Sends what begins an HTTP/2 connection, and waits until every peer has sent its SETTINGS.
void LeanClient::await_settings(Clock::time_point deadline) {
  const auto is_settled = [](const Link& link) {
    return link.state != Link::State::open || link.http->has_settings();
  };
  while (!std::ranges::all_of(links_, is_settled) && Clock::now() < deadline) step(deadline);
  for (const Link& link : links_) {
    if (link.http && link.http->has_settings()) continue;
    if (link.tls && !link.tls->failure().empty()) {
      throw std::runtime_error("TLS failed: " + link.tls->failure());
    }
    if (link.tls && !link.tls->is_open() && link.state != Link::State::open) {
      throw std::runtime_error("TLS failed: the peer closed the connection during the handshake");
    }
    if (link.has_heard) {
      throw std::runtime_error(tls_ ? "what the peer sends over TLS is not HTTP/2"
                                    : "what the peer sends is not HTTP/2 without TLS");
    }
    throw std::runtime_error(link.state == Link::State::open
                                 ? "the peer sent no HTTP/2 SETTINGS within the time for connecting"
                                 : "the peer closed the connection before it sent HTTP/2 SETTINGS");
  }
}

void LeanClient::submit(std::uint64_t id, const Command& command) {
  if (is_of_duel(command.operation)) {
    return refuse(id, command.operation, Error::unknown_operation);
  }
  Link* const link = find_link(id);
  if (link == nullptr) return refuse(id, command.operation, Error::unavailable);
  // The time until there is a connection counts.
  const bool is_open = link->state == Link::State::open;
  link->http->begin(id, command, is_open ? Clock::time_point{} : Clock::now());
  link->has_carried = true;
  link->stream.request_write();
}

// ---- Connections ---------------------------------------------------------------------------

// The link of the id's place when it has room, else of the next place where one has. Null when none
// has.
Link* LeanClient::find_link(std::uint64_t id) {
  for (std::size_t i = 0; i < places_.size(); ++i) {
    const std::size_t index = (id + i) % places_.size();
    const Place& place = places_[index];
    if (place.link == nullptr && may_dial(place)) return &dial(index);
    if (place.link != nullptr && place.link->http->has_room()) return place.link;
  }
  return nullptr;
}

bool LeanClient::may_dial(const Place& place) const {
  if (place.is_out_of_service) return false;
  return place.dial_from == Clock::time_point{} || place.dial_from <= Clock::now();
}

Link& LeanClient::take_link(std::size_t place) {
  if (free_links_.empty()) {
    free_links_.push_back(&links_.emplace_back(loop(), static_cast<std::uint32_t>(links_.size())));
  }
  Link& link = *free_links_.back();
  free_links_.pop_back();
  link.tls.reset();
  if (tls_) link.tls.emplace(*tls_);
  link.http.emplace(headers_, messages_, depth_);
  link.place = place;
  link.has_heard = link.has_carried = link.is_proven = false;
  places_[place].link = &link;
  return link;
}

// The calls that begin meanwhile are sent when it is connected.
Link& LeanClient::dial(std::size_t place) {
  Link& link = take_link(place);
  link.state = Link::State::dialling;
  ++dialling_;
  const Clock::time_point now = Clock::now();
  link.dialling.begin(endpoint_, resolver_, now, now + net::StreamClient::dial_max);
  link.stream.request_write();  // There it goes on, when the call has begun.
  return link;
}

void LeanClient::advance_dialling(Link& link) {
  switch (link.dialling.advance(Clock::now())) {
    case net::Dialling::Outcome::pending: return;
    case net::Dialling::Outcome::connected: return finish_dialling(link);
    case net::Dialling::Outcome::failed: return fail_dialling(link);
  }
}

void LeanClient::finish_dialling(Link& link) {
  net::Race::Winner winner = link.dialling.take();
  if (!link.stream.open({.in = std::move(winner.socket)})) return fail_dialling(link);
  link.address = winner.address;
  link.state = Link::State::open;
  --dialling_;
  ++counts_.reconnects;
  link.stream.request_write();
}

// All addresses have failed: the calls are answered.
void LeanClient::fail_dialling(Link& link) {
  give_up(places_[link.place]);
  --dialling_;
  end(link);
}

void LeanClient::on_looked_up() {
  resolver_.acknowledge();
  // By index: what the sink submits may add a link.
  for (std::size_t i = 0; i < links_.size(); ++i) {
    if (links_[i].state == Link::State::dialling) advance_dialling(links_[i]);
  }
}

// The connection has brought no answer. After so many failures as there are addresses its place is
// given up.
void LeanClient::count_failure(const Link& link) {
  Place& place = places_[link.place];
  endpoint_.avoid(link.address);
  if (++place.failures >= endpoint_.addresses().size()) give_up(place);
}

// The place waits, or is out of service.
void LeanClient::give_up(Place& place) {
  place.failures = 0;
  if (outlasts_outages_) {
    place.dial_from = Clock::now() + net::StreamClient::dial_period;
  } else {
    place.is_out_of_service = true;
  }
}

// ---- Bytes ---------------------------------------------------------------------------------

void LeanClient::step(Clock::time_point until) {
  if (dialling_ > 0) {
    const Clock::time_point now = Clock::now();
    // By index: what the sink submits may add a link.
    for (std::size_t i = 0; i < links_.size(); ++i) {
      Link& link = links_[i];
      if (link.state == Link::State::dialling && link.dialling.due() <= now) advance_dialling(link);
      if (link.state == Link::State::dialling) until = std::min(until, link.dialling.due());
    }
  }
  flush_and_wait(until);
}

void LeanClient::on_input(std::uint32_t index) {
  if (index == net::Resolver::key) return on_looked_up();
  Link& link = links_[index];
  if (link.state != Link::State::open) return;
  const bool is_well = receive(link);
  settle(link, is_well);
  if (link.state == Link::State::open) {
    link.stream.request_write();  // Reading brings acknowledgements, too.
  }
}

void LeanClient::on_output(std::uint32_t index) {
  Link& link = links_[index];
  if (link.state == Link::State::dialling) advance_dialling(link);
  if (link.state != Link::State::open) return;
  const bool is_well = send(link);
  if (!is_well) {
    receive(link);  // The peer does not read any longer, but what it wrote before can be read.
  } else if (!link.http->ended().empty()) {  // By GOAWAY or a malformed answer.
    received_at_ = Clock::now();
  }
  settle(link, is_well);
}

// Reads once. False when the connection has ended or cannot be used any longer.
bool LeanClient::receive(Link& link) {
  const net::InputBuffer::Arrival arrival = link.stream.read();
  received_at_ = Clock::now();
  if (arrival == net::InputBuffer::Arrival::nothing) return true;
  if (arrival != net::InputBuffer::Arrival::bytes) return false;
  link.has_heard = true;
  const bool is_well = take(link);
  link.stream.input.clear();
  return is_well;
}

// False when the connection cannot be used any longer; what can be sent is sent all the same.
bool LeanClient::send(Link& link) {
  if (!link.tls) return link.http->write(link.stream.output, Clock::now()) && link.stream.write();
  text_.clear();
  const bool is_well =
      link.http->write(text_, Clock::now()) && link.tls->write(text_, link.stream.output);
  return link.stream.write() && is_well;
}

// Gives what was read to HTTP/2.
bool LeanClient::take(Link& link) {
  const std::string_view bytes = link.stream.input.bytes();
  if (!link.tls) return link.http->read(bytes);
  text_.clear();
  const bool is_well = link.tls->read(bytes, text_);
  return link.http->read(text_) && is_well;
}

// Hands over what has ended, and sees whether the connection goes on.
void LeanClient::settle(Link& link, bool is_well) {
  const bool is_over = !is_well || link.http->is_over();
  if (is_over || link.http->is_leaving()) leave_place(link);
  hand_over_ended(link);
  if (is_over) end(link);
}

// The place gets another link with its next call.
void LeanClient::leave_place(Link& link) {
  Place& place = places_[link.place];
  if (place.link == &link) place.link = nullptr;
}

// Closes the connection and answers its open calls, or sends them again.
void LeanClient::end(Link& link) {
  leave_place(link);
  const bool was_open = link.state == Link::State::open;
  link.state = Link::State::free;
  link.stream.close();
  received_at_ = Clock::now();
  if (was_open && link.has_carried && !link.is_proven) count_failure(link);
  link.http->abandon(received_at_);
  hand_over_ended(link);
  free_links_.push_back(&link);
}

void LeanClient::hand_over_ended(Link& link) {
  // By index: what the sink submits may end at once.
  for (std::size_t i = 0; i < link.http->ended().size(); ++i) {
    const auto [call, fate] = link.http->ended()[i];
    if (fate == Fate::not_processed && send_again(*call)) {
      link.http->release(*call);
      continue;
    }
    if (fate == Fate::broken) ++counts_.uncertain;
    const std::uint64_t id = call->id();
    const bool is_answered = fate == Fate::answered || fate == Fate::refused;
    const Stamps stamps{
        .sent_at = call->sent_at, .received_at = received_at_, .is_answered = is_answered};
    const Reply reply = fate == Fate::answered
                            ? call->answer(messages_)
                            : Reply{.operation = call->operation(), .error = Error::unavailable};
    if (fate == Fate::answered) prove(link);
    link.http->release(*call);
    hand_over(id, reply, stamps);
  }
  link.http->clear_ended();
}

void LeanClient::prove(Link& link) {
  if (std::exchange(link.is_proven, true)) return;
  places_[link.place].failures = 0;
  places_[link.place].is_out_of_service = false;
}

// False when no connection can take the call.
bool LeanClient::send_again(LeanCall& call) {
  Link* const link = find_link(call.id());
  if (link == nullptr) return false;
  if (call.has_left) ++counts_.resent;
  link->http->begin_again(call);
  link->has_carried = true;
  link->stream.request_write();
  return true;
}

}  // namespace

void check_grpc_lean(const Url& url) {
  (void)read_authority(url);
  (void)read_tls(url);
}

std::unique_ptr<Client> connect_grpc_lean(const Url& url, const ConnectOptions& options) {
  return std::make_unique<LeanClient>(url, options);
}

}  // namespace rps::load
