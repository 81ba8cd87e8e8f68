#include "core/fleet/fleet_client.hpp"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <utility>

#include "core/random.hpp"
#include "core/url.hpp"

namespace rps::fleet {

namespace {

// epoll says which connection, and of which generation; and this is the registry.
constexpr std::uint64_t registry_tag = ~std::uint64_t{0};

// For turns in which no call can be open.
class NoCalls final : public Sink {
 public:
  void on_reply(std::uint64_t, const Reply&, const Stamps&) override { assert(false); }
  void on_event(const Event&) override {}
};

bool is_duel(const Command& command) {
  return !command.game_id.empty();
}

// Whether a reply says that the call was not carried out, and may be elsewhere or later.
bool is_refusal(const Reply& reply) {
  return reply.error == Error::unavailable || reply.error == Error::overloaded;
}

// Whether a reply says that the instance is sick. One that is overloaded is well and busy.
bool is_sign_of_sickness(const Reply& reply) {
  return reply.error == Error::internal || reply.error == Error::deadline_exceeded;
}

}  // namespace

FleetClient::FleetClient(FleetOptions options, std::unique_ptr<net::WireCodec> codec,
                         std::unique_ptr<Registry> registry)
    : options_(std::move(options)),
      codec_(std::move(codec)),
      registry_(std::move(registry)),
      balancer_(options_.balance, mix(options_.seed, 1)),
      retry_budget_(options_.retry_budget, Clock::now()),
      pool_(options_.pool),
      random_(mix(options_.seed, 2)),
      calls_(options_.connections * options_.depth),
      now_(Clock::now()),
      sweep_at_(now_) {
  assert(options_.connections > 0 && options_.depth > 0);
  for (std::size_t i = calls_.size(); i > 0; --i) {
    free_calls_.push_back(static_cast<std::uint32_t>(i - 1));
  }
  // Without it the registry is asked when it is due.
  if (registry_->fd() >= 0) epoll_.add(registry_->fd(), EPOLLIN, registry_tag);
  apply_listing();
}

FleetClient::~FleetClient() = default;

std::size_t FleetClient::await_instances(Clock::time_point deadline) {
  assert(oldest_ == nobody);
  NoCalls sink;
  handed_over_ = 0;
  const auto is_unknown = [](const auto& instance) {
    return instance && instance->reach == Instance::Reach::unknown;
  };
  do {
    turn(deadline, sink);
  } while (std::ranges::any_of(instances_, is_unknown) && Clock::now() < deadline);
  return static_cast<std::size_t>(std::ranges::count_if(instances_, [](const auto& instance) {
    return instance && instance->reach == Instance::Reach::up;
  }));
}

std::vector<InstanceStatus> FleetClient::instances() const {
  std::vector<InstanceStatus> statuses;
  for (const auto& instance : instances_) {
    if (!instance) continue;
    statuses.push_back({.url = instance->url,
                        .is_up = instance->reach == Instance::Reach::up,
                        .breaker = instance->breaker.state(Clock::now()),
                        .open_calls = instance->open_calls,
                        .connections = instance->connections.size()});
  }
  return statuses;
}

// ---- Which instances there are -------------------------------------------------------------

void FleetClient::poll_registry() {
  if (!registry_->poll(now_)) return;
  ++stats_.registry_changes;
  apply_listing();
}

void FleetClient::apply_listing() {
  const std::vector<std::string>& urls = registry_->list().urls;
  for (std::uint32_t i = 0; i < instances_.size(); ++i) {
    if (!instances_[i]) continue;
    if (std::ranges::find(urls, instances_[i]->url) != urls.end()) {
      keep_instance(i);
    } else {
      drop_instance(i);
    }
  }
  for (const std::string& url : urls) add_instance(url);
}

// One that had left the list, but still has calls open, may come back to it.
void FleetClient::keep_instance(std::uint32_t index) {
  Instance& instance = *instances_[index];
  if (std::exchange(instance.is_listed, true)) return;
  for (const std::uint32_t connection : instance.connections) rest_if_idle(connection);
}

// Does nothing when it is there.
void FleetClient::add_instance(const std::string& url) {
  const auto has_url = [&](const auto& instance) { return instance && instance->url == url; };
  if (std::ranges::any_of(instances_, has_url)) return;

  const auto parsed = parse_url(url);
  if (!parsed || parsed->scheme != options_.scheme) {
    options_.notice(url + " is left out: its scheme is not " + options_.scheme);
    return;
  }
  const auto address = parse_address({.host = parsed->host, .port = parsed->port});
  if (!address) {
    options_.notice(url + " is left out: " + address.error());
    return;
  }
  auto place = std::ranges::find_if(instances_, [](const auto& instance) { return !instance; });
  if (place == instances_.end()) {
    instances_.emplace_back();
    candidates_.emplace_back();
    place = std::prev(instances_.end());
  }
  const auto index = static_cast<std::uint32_t>(place - instances_.begin());
  *place = std::make_unique<Instance>(url, *address, options_.breaker);
  candidates_[index] = {.identity = identity_of(url)};
  dial(index);
}

// No new calls; open ones are answered, then its connections are closed.
void FleetClient::drop_instance(std::uint32_t index) {
  Instance& instance = *instances_[index];
  instance.is_listed = false;
  const std::vector<std::uint32_t> connections = instance.connections;
  for (const std::uint32_t connection : connections) {
    if (connections_[connection].is_idle()) close_connection(connection);
  }
  forget_if_gone(index);
}

void FleetClient::forget_if_gone(std::uint32_t index) {
  const Instance& instance = *instances_[index];
  if (instance.is_listed || !instance.connections.empty()) return;
  assert(instance.open_calls == 0);
  instances_[index].reset();
  candidates_[index] = {};
}

// ---- Which one carries a call --------------------------------------------------------------

void FleetClient::submit(std::uint64_t id, const Command& command) {
  ++stats_.calls;
  retry_budget_.on_call();
  now_ = Clock::now();
  const std::uint32_t call = open_call(id, command, now_);
  if (!place(call)) schedule(call, now_);  // Its failure can be told in poll() only.
}

// Puts the call on a connection. False when there is none for it.
bool FleetClient::place(std::uint32_t index) {
  Call& call = calls_[index];
  const auto chosen = choose_instance(call);
  if (!chosen) return false;
  Instance& instance = *instances_[*chosen];
  const auto ticket = instance.breaker.allow(now_);
  assert(ticket);
  call.ticket = *ticket;
  call.instance = *chosen;
  call.connection = choose_connection(*chosen, is_duel(call.command));
  call.place = Call::Place::waiting;
  candidates_[*chosen].open_calls = ++instance.open_calls;
  connections_[call.connection].waiting.push_back(index);
  mark_dirty(call.connection);
  return true;
}

std::optional<std::uint32_t> FleetClient::choose_instance(const Call& call) {
  const Command& command = call.command;
  std::optional<std::uint64_t> session;
  if (!command.session_id.empty()) session = identity_of(command.session_id);
  for (const Choice choice : {Choice::good, Choice::avoided, Choice::being_dialled}) {
    for (std::uint32_t i = 0; i < candidates_.size(); ++i) {
      candidates_[i].is_usable = instances_[i] && is_candidate(i, call, choice);
    }
    const auto chosen = is_duel(command) ? rendezvous(candidates_, identity_of(command.game_id))
                                         : balancer_.pick(candidates_, session);
    if (chosen) return static_cast<std::uint32_t>(*chosen);
  }
  return std::nullopt;
}

bool FleetClient::is_candidate(std::uint32_t index, const Call& call, Choice choice) const {
  const Instance& instance = *instances_[index];
  if (!instance.is_listed || !instance.breaker.would_allow(now_)) return false;
  switch (choice) {
    case Choice::good: return instance.reach != Instance::Reach::down && index != call.avoided;
    case Choice::avoided: return instance.reach != Instance::Reach::down;
    case Choice::being_dialled: return !instance.connections.empty();
  }
  return false;
}

// The connection that was used last and is idle now; else a new one; else one that has other calls.
std::uint32_t FleetClient::choose_connection(std::uint32_t index, bool is_duel) {
  Instance& instance = *instances_[index];
  if (is_duel) {
    if (instance.duel_connection == nobody) {
      const std::uint32_t chosen =
          instance.connections.empty() ? dial(index) : instance.connections.front();
      pool_.remove(chosen);
      connections_[chosen].keeps_seat = true;
      instance.duel_connection = chosen;
    }
    return instance.duel_connection;
  }
  if (const auto idle = pool_.take(index)) return *idle;
  const bool may_dial =
      instance.connections.size() < options_.connections && instance.reach != Instance::Reach::down;
  return may_dial ? dial(index) : least_loaded(instance);
}

std::uint32_t FleetClient::least_loaded(const Instance& instance) const {
  return *std::ranges::min_element(instance.connections, {}, [&](std::uint32_t connection) {
    return connections_[connection].load();
  });
}

// ---- Connections ---------------------------------------------------------------------------

std::uint32_t FleetClient::dial(std::uint32_t instance) {
  if (free_connections_.empty()) {
    free_connections_.push_back(static_cast<std::uint32_t>(connections_.size()));
    connections_.emplace_back();
  }
  const std::uint32_t index = free_connections_.back();
  free_connections_.pop_back();
  Connection& connection = connections_[index];
  connection.dial(instances_[instance]->address, instance, now_, now_ + options_.connect_max);
  instances_[instance]->connections.push_back(index);
  if (connection.socket && !epoll_.add(connection.socket.get(), EPOLLOUT, tag_of(index))) {
    connection.error = errno;
    connection.socket = net::Fd();
  }
  if (!connection.socket) mark_dirty(index);  // So its failure is found in this turn or the next.
  return index;
}

void FleetClient::end_dialling(std::uint32_t index, Sink& sink) {
  Connection& connection = connections_[index];
  if (!connection.finish_dialling()) {
    fail_connection(index, sink);
    return;
  }
  ++stats_.connects;
  Instance& instance = *instances_[connection.instance];
  if (instance.reach == Instance::Reach::down) options_.notice(instance.url + " is back");
  instance.reach = Instance::Reach::up;
  instance.dial_failures = 0;
  epoll_.modify(connection.socket.get(), EPOLLIN, tag_of(index));
  rest_if_idle(index);
  flush(index, sink);
}

void FleetClient::serve(std::uint32_t index, Sink& sink) {
  using Arrival = net::InputBuffer::Arrival;
  Connection& connection = connections_[index];
  const Arrival arrival = connection.input.read_from(connection.socket);
  now_ = Clock::now();
  if (arrival == Arrival::nothing) return;
  if (arrival == Arrival::end || !decode(index, sink)) fail_connection(index, sink);
}

// Hands over every whole message that has been read. False when its bytes are no message.
bool FleetClient::decode(std::uint32_t index, Sink& sink) {
  using Outcome = net::WireCodec::Outcome;
  Connection& connection = connections_[index];
  while (!connection.input.empty()) {
    const bool owes = connection.owes();
    const Connection::Owed owed = owes ? connection.oldest() : Connection::Owed{};
    const net::WireCodec::Expected expected{.operation = owed.operation,
                                            .sequence = connection.oldest_sequence()};
    std::size_t consumed = 0;
    Reply reply;
    Event event;
    const Outcome outcome = codec_->decode(connection.input.bytes(), owes ? &expected : nullptr,
                                           consumed, reply, event);
    if (outcome == Outcome::need_more) return true;
    if (outcome == Outcome::broken) return false;
    connection.input.consume(consumed);
    if (outcome == Outcome::event) {
      sink.on_event(event);
      ++handed_over_;
      continue;
    }
    connection.pop_oldest(now_);
    rest_if_idle(index);  // First, so that a call made from on_reply() finds it.
    if (owed.call != nobody) {
      on_answer(owed.call, reply, sink);
    } else {
      ++stats_.late_replies;
    }
  }
  return true;
}

void FleetClient::flush_dirty(Sink& sink) {
  // By index: what a failing connection answers may make the sink submit, and so dirty another.
  for (std::size_t i = 0; i < dirty_.size(); ++i) {
    connections_[dirty_[i]].is_dirty = false;
    flush(dirty_[i], sink);
  }
  dirty_.clear();
}

void FleetClient::flush(std::uint32_t index, Sink& sink) {
  Connection& connection = connections_[index];
  if (connection.state == Connection::State::dialling && !connection.socket) {
    fail_connection(index, sink);
    return;
  }
  if (connection.state != Connection::State::open || connection.is_blocked) return;
  for (const std::uint32_t waiting : connection.waiting) {
    Call& call = calls_[waiting];
    call.place = Call::Place::sent;
    call.sent_at = now_;
    call.sequence = connection.encode(*codec_, waiting, call.command, now_);
  }
  connection.waiting.clear();
  if (connection.write_out()) {
    set_blocked(index, connection.has_output());
    return;
  }
  // Nobody reads there any more, but what was said before that is still to be heard.
  while (connection.input.read_from(connection.socket) == net::InputBuffer::Arrival::bytes &&
         decode(index, sink)) {
  }
  fail_connection(index, sink);
}

// Begins or ends to be told when there is room to write.
void FleetClient::set_blocked(std::uint32_t index, bool is_blocked) {
  Connection& connection = connections_[index];
  if (std::exchange(connection.is_blocked, is_blocked) == is_blocked) return;
  const std::uint32_t events = is_blocked ? EPOLLIN | EPOLLOUT : EPOLLIN;
  epoll_.modify(connection.socket.get(), events, tag_of(index));
}

void FleetClient::mark_dirty(std::uint32_t index) {
  if (std::exchange(connections_[index].is_dirty, true)) return;
  dirty_.push_back(index);
}

// Gives an open connection without calls to the pool. One whose instance has left the list is
// closed by the next sweep.
void FleetClient::rest_if_idle(std::uint32_t index) {
  const Connection& connection = connections_[index];
  const bool is_open = connection.state == Connection::State::open;
  if (!is_open || !connection.is_idle() || connection.keeps_seat) return;
  if (instances_[connection.instance]->is_listed) pool_.put(index, connection.instance, now_);
}

// Closes the connection and sorts out its calls. Its instance is looked for at once when it has
// failed calls; a peer that closes a connection without any may do so.
void FleetClient::fail_connection(std::uint32_t index, Sink& sink) {
  Connection& connection = connections_[index];
  const std::uint32_t at = connection.instance;
  Instance& instance = *instances_[at];
  const bool was_dialling = connection.state == Connection::State::dialling;
  const int error = connection.error;
  sent_.clear();
  not_sent_.clear();
  connection.hand_over(sent_, not_sent_);
  close_connection(index);

  const bool has_failed_calls = !sent_.empty() || !not_sent_.empty();
  if (was_dialling) {
    ++stats_.connect_failures;
    if (instance.reach != Instance::Reach::down) {
      options_.notice(instance.url + " cannot be reached: " + std::strerror(error));
    }
    instance.reach = Instance::Reach::down;
    instance.dial_at = now_ + backoff(options_.backoff, ++instance.dial_failures, next_random());
  } else if (has_failed_calls) {
    ++stats_.connections_lost;
    if (instance.reach == Instance::Reach::up) {
      options_.notice(instance.url + " broke a connection with calls open");
    }
    instance.reach = Instance::Reach::down;
    if (instance.is_listed) dial(at);
  }

  // One broken connection is one failure to the breaker, however many calls it carried.
  bool is_reported = false;
  for (const auto* calls : {&sent_, &not_sent_}) {
    for (const std::uint32_t call : *calls) {
      if (!std::exchange(is_reported, true)) {
        report_failure(instance, calls_[call].ticket);
      } else {
        instance.breaker.on_abandoned(calls_[call].ticket);
      }
      leave_instance(calls_[call]);
    }
  }
  const Reply gone{.error = Error::unavailable};
  // The sink may submit, but nothing that it does can come here again: these lists stay.
  for (const std::uint32_t call : sent_) on_failure(call, Reach::lost, gone, sink);
  for (const std::uint32_t call : not_sent_) on_failure(call, Reach::not_sent, gone, sink);
  if (instances_[at]) forget_if_gone(at);
}

void FleetClient::close_connection(std::uint32_t index) {
  Connection& connection = connections_[index];
  Instance& instance = *instances_[connection.instance];
  std::erase(instance.connections, index);
  if (instance.duel_connection == index) instance.duel_connection = nobody;
  if (instance.connections.empty()) instance.dial_at = now_ + options_.pool.probe_period;
  pool_.remove(index);
  connection.close();
  free_connections_.push_back(index);
}

std::uint64_t FleetClient::tag_of(std::uint32_t index) const {
  return std::uint64_t{connections_[index].generation} << 32 | index;
}

// ---- Calls ---------------------------------------------------------------------------------

std::uint32_t FleetClient::open_call(std::uint64_t id, const Command& command,
                                     Clock::time_point now) {
  assert(!free_calls_.empty());
  const std::uint32_t index = free_calls_.back();
  free_calls_.pop_back();
  Call& call = calls_[index];
  call.id = id;
  call.text.assign(command.session_id).append(command.game_id).append(command.player_id);
  std::string_view rest = call.text;
  const auto next = [&](std::size_t size) {
    const std::string_view part = rest.substr(0, size);
    rest.remove_prefix(size);
    return part;
  };
  call.command = command;
  call.command.session_id = next(command.session_id.size());
  call.command.game_id = next(command.game_id.size());
  call.command.player_id = next(command.player_id.size());
  call.deadline = now + options_.deadline;
  call.sent_at = now;
  call.retries = 0;
  call.instance = call.avoided = call.connection = nobody;
  call.older = newest_;
  call.newer = nobody;
  (newest_ == nobody ? oldest_ : calls_[newest_].newer) = index;
  newest_ = index;
  return index;
}

void FleetClient::close_call(std::uint32_t index) {
  Call& call = calls_[index];
  (call.older == nobody ? oldest_ : calls_[call.older].newer) = call.newer;
  (call.newer == nobody ? newest_ : calls_[call.newer].older) = call.older;
  call.place = Call::Place::free;
  free_calls_.push_back(index);
}

// The call is on no connection any longer.
void FleetClient::leave_instance(Call& call) {
  candidates_[call.instance].open_calls = --instances_[call.instance]->open_calls;
  call.connection = nobody;
}

void FleetClient::on_answer(std::uint32_t index, const Reply& reply, Sink& sink) {
  Call& call = calls_[index];
  Instance& instance = *instances_[call.instance];
  if (reply.error == Error::unavailable) {
    on_farewell(instance, call.ticket);
  } else if (is_sign_of_sickness(reply)) {
    report_failure(instance, call.ticket);
  } else {
    instance.breaker.on_success(call.ticket, now_);
  }
  leave_instance(call);
  if (is_refusal(reply)) {
    on_failure(index, Reach::refused, reply, sink);
  } else {
    answer(index, reply, sink);
  }
}

// An instance that drains says so to every call that still comes. It is not sick: when its
// successor can be reached it is up again. To the breaker all this is one failure.
void FleetClient::on_farewell(Instance& instance, CircuitBreaker::Ticket ticket) {
  if (instance.reach == Instance::Reach::down) {
    instance.breaker.on_abandoned(ticket);
    return;
  }
  options_.notice(instance.url + " says that it is not available");
  instance.reach = Instance::Reach::down;
  instance.dial_at = now_ + backoff(options_.backoff, 1, next_random());
  report_failure(instance, ticket);
}

void FleetClient::on_failure(std::uint32_t index, Reach reach, const Reply& reply, Sink& sink) {
  if (schedule_retry(index, reach, reply)) return;
  Reply last = reply;
  last.operation = calls_[index].command.operation;
  answer(index, last, sink);
}

// False when the call must not be tried again, or could not be in time, or the fleet has no retry
// to spare.
bool FleetClient::schedule_retry(std::uint32_t index, Reach reach, const Reply& reply) {
  Call& call = calls_[index];
  if (!may_repeat(call.command, reach) || call.retries == options_.retries_max) return false;
  // What never left goes elsewhere at once; all else waits, so that the fleet can recover.
  const bool at_once = reach == Reach::not_sent && call.retries == 0;
  Clock::duration wait{};
  if (!at_once) wait = backoff(options_.backoff, call.retries + 1, next_random());
  wait = std::max<Clock::duration>(wait, std::chrono::milliseconds(reply.retry_after_ms));
  if (now_ + wait >= call.deadline) return false;
  if (!retry_budget_.take(now_)) {
    ++stats_.budget_denied;
    return false;
  }
  ++call.retries;
  ++stats_.retries;
  // Who is only busy keeps the call: its session may live there.
  call.avoided = reply.error == Error::overloaded ? nobody : call.instance;
  schedule(index, now_ + wait);
  return true;
}

void FleetClient::schedule(std::uint32_t index, Clock::time_point at) {
  calls_[index].place = Call::Place::pending;
  pending_.push_back({.at = at, .call = index});
  std::ranges::push_heap(pending_, std::ranges::greater(), &Pending::at);
}

void FleetClient::answer(std::uint32_t index, const Reply& reply, Sink& sink) {
  const Call& call = calls_[index];
  const std::uint64_t id = call.id;
  const Stamps stamps{.sent_at = call.sent_at, .received_at = now_};
  ++stats_.answered;
  if (is_refusal(reply) || reply.error == Error::deadline_exceeded) ++stats_.failed;
  close_call(index);  // First: the sink may submit, and that must find room.
  sink.on_reply(id, reply, stamps);
  ++handed_over_;
}

void FleetClient::report_failure(Instance& instance, CircuitBreaker::Ticket ticket) {
  if (!instance.breaker.on_failure(ticket, now_)) return;
  ++stats_.breaker_opened;
  options_.notice(instance.url + " failed too often and gets no calls for a while");
}

// ---- Time ----------------------------------------------------------------------------------

std::size_t FleetClient::poll(Clock::time_point deadline, Sink& sink) {
  handed_over_ = 0;
  do {
    turn(deadline, sink);
  } while (handed_over_ == 0 && Clock::now() < deadline);
  return handed_over_;
}

// Does what is due, sends, waits once and takes in what has arrived.
void FleetClient::turn(Clock::time_point deadline, Sink& sink) {
  now_ = Clock::now();
  if (now_ >= sweep_at_) sweep(sink);
  const Clock::time_point now =
      now_;  // The same for both: an expired call is not pending any more.
  run_pending(now, sink);
  expire_calls(now, sink);
  flush_dirty(sink);
  const Clock::time_point until =
      handed_over_ > 0 ? Clock::time_point::min() : std::min(deadline, next_due());
  for (const epoll_event& event : epoll_.wait(until)) handle(event.data.u64, event.events, sink);
  now_ = Clock::now();
  flush_dirty(sink);
}

void FleetClient::handle(std::uint64_t tag, std::uint32_t events, Sink& sink) {
  now_ = Clock::now();
  if (tag == registry_tag) {
    poll_registry();
    return;
  }
  const auto index = static_cast<std::uint32_t>(tag);
  Connection& connection = connections_[index];
  if (connection.state == Connection::State::closed || tag != tag_of(index)) return;
  if (connection.state == Connection::State::dialling) {
    end_dialling(index, sink);
    return;
  }
  if ((events & EPOLLOUT) != 0 && connection.is_blocked) {
    set_blocked(index, false);
    flush(index, sink);
  }
  const bool is_still_it = connection.state == Connection::State::open && tag == tag_of(index);
  if (is_still_it && (events & ~std::uint32_t{EPOLLOUT}) != 0) serve(index, sink);
}

Clock::time_point FleetClient::next_due() const {
  Clock::time_point due = sweep_at_;
  if (!pending_.empty()) due = std::min(due, pending_.front().at);
  if (oldest_ != nobody) due = std::min(due, calls_[oldest_].deadline);
  return due;
}

// Tries the calls whose time has come. A call that is scheduled meanwhile is due later than now.
void FleetClient::run_pending(Clock::time_point now, Sink& sink) {
  while (!pending_.empty() && pending_.front().at <= now) {
    const std::uint32_t call = pending_.front().call;
    std::ranges::pop_heap(pending_, std::ranges::greater(), &Pending::at);
    pending_.pop_back();
    if (calls_[call].deadline <= now) continue;  // Expires in this turn.
    if (!place(call)) on_failure(call, Reach::nowhere, {.error = Error::unavailable}, sink);
  }
}

void FleetClient::expire_calls(Clock::time_point now, Sink& sink) {
  while (oldest_ != nobody && calls_[oldest_].deadline <= now) {
    const std::uint32_t index = oldest_;
    Call& call = calls_[index];
    if (call.place == Call::Place::waiting) {
      instances_[call.instance]->breaker.on_abandoned(call.ticket);
      connections_[call.connection].withdraw(index);
      rest_if_idle(call.connection);
      leave_instance(call);
    } else if (call.place == Call::Place::sent) {
      report_failure(*instances_[call.instance], call.ticket);
      connections_[call.connection].give_up(call.sequence);
      leave_instance(call);
    }
    ++stats_.deadline_exceeded;
    answer(index, {.operation = call.command.operation, .error = Error::deadline_exceeded}, sink);
  }
}

void FleetClient::sweep(Sink& sink) {
  sweep_at_ = now_ + limits::sweep_period;
  if (registry_->due() <= now_) poll_registry();
  sweep_pool(sink);
  sweep_connections(sink);
  sweep_instances();
}

void FleetClient::sweep_pool(Sink& sink) {
  while (const auto task = pool_.next_task(now_)) {
    if (task->kind == Pool::Task::Kind::probe) {
      serve(task->connection, sink);
      continue;
    }
    ++stats_.pool_idle_closed;
    close_connection(task->connection);
  }
}

void FleetClient::sweep_connections(Sink& sink) {
  for (std::uint32_t i = 0; i < connections_.size(); ++i) {
    Connection& connection = connections_[i];
    switch (connection.state) {
      case Connection::State::closed: break;
      case Connection::State::dialling:
        if (now_ < connection.dial_until) break;
        connection.error = ETIMEDOUT;
        fail_connection(i, sink);
        break;
      case Connection::State::open:
        if (connection.owes() && now_ - connection.owing_since() >= options_.silence_max) {
          fail_connection(i, sink);
        } else if (connection.is_idle() && !instances_[connection.instance]->is_listed) {
          const std::uint32_t instance = connection.instance;
          close_connection(i);
          forget_if_gone(instance);
        }
        break;
    }
  }
}

// Dials those that are down or have no connection, when it is time for it.
void FleetClient::sweep_instances() {
  const auto is_dialled = [&](std::uint32_t connection) {
    return connections_[connection].state == Connection::State::dialling;
  };
  for (std::uint32_t i = 0; i < instances_.size(); ++i) {
    const Instance* const instance = instances_[i].get();
    if (!instance || !instance->is_listed || now_ < instance->dial_at) continue;
    const bool is_down = instance->reach == Instance::Reach::down;
    if (!instance->connections.empty() && !is_down) continue;
    if (std::ranges::none_of(instance->connections, is_dialled)) dial(i);
  }
}

std::uint64_t FleetClient::next_random() {
  random_ = mix(random_);
  return random_;
}

}  // namespace rps::fleet
