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

// The loop's key of the registry; that of a connection is its index.
constexpr std::uint32_t registry_key = no_index;
static_assert(registry_key != net::Resolver::key);

bool is_duel(const Command& command) {
  return !command.game_id.empty();
}

// Whether a reply says that the call was not carried out, and may be elsewhere or later.
bool is_refusal(const Reply& reply) {
  return reply.error == Error::unavailable || reply.error == Error::overloaded;
}

// Whether a reply says that the instance fails. An overloaded instance does not.
bool is_sign_of_sickness(const Reply& reply) {
  return reply.error == Error::internal || reply.error == Error::deadline_exceeded;
}

// "jsonrpc or grpc"
std::string list_of(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list.append(list.empty() ? "" : " or ").append(name);
  return list;
}

}  // namespace

FleetClient::FleetClient(FleetOptions options, MakeProtocol make_protocol,
                         std::unique_ptr<Registry> registry)
    : options_(std::move(options)),
      make_protocol_(std::move(make_protocol)),
      registry_(std::move(registry)),
      registry_entry_(registry_key),
      resolver_(loop()),
      instances_(options_.balance, mix(options_.seed, 1)),
      retry_budget_(options_.retry_budget, Clock::now()),
      pool_(options_.pool),
      random_(mix(options_.seed, 2)),
      calls_(options_.connections * options_.depth),
      now_(Clock::now()),
      sweep_at_(now_) {
  assert(options_.connections > 0 && options_.depth > 0);
  // When the registry has no descriptor, or the loop no room, it is asked when it is due.
  const int registry_fd = registry_->fd();
  if (registry_fd >= 0) loop().add(registry_entry_, registry_fd, registry_fd);
  apply_listing();
}

FleetClient::~FleetClient() = default;

std::size_t FleetClient::await_instances(Clock::time_point deadline) {
  assert(calls_.first_to_expire() == no_index);
  const auto is_unknown = [](const auto& instance) {
    return instance && instance->reach == Instance::Reach::unknown;
  };
  do {
    step(deadline);
  } while (std::ranges::any_of(instances_.places(), is_unknown) && Clock::now() < deadline);
  return static_cast<std::size_t>(std::ranges::count_if(
      instances_.places(),
      [](const auto& instance) { return instance && instance->reach == Instance::Reach::up; }));
}

std::vector<InstanceStatus> FleetClient::instances() const {
  std::vector<InstanceStatus> statuses;
  for (const auto& instance : instances_.places()) {
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
  for (std::uint32_t i = 0; i < instances_.places().size(); ++i) {
    if (!instances_.places()[i]) continue;
    if (std::ranges::find(urls, instances_[i].url) != urls.end()) {
      keep_instance(i);
    } else {
      drop_instance(i);
    }
  }
  for (const std::string& url : urls) add_instance(url);
}

// One that had left the list, but still has calls open, may come back to it.
void FleetClient::keep_instance(std::uint32_t index) {
  Instance& instance = instances_[index];
  if (std::exchange(instance.is_listed, true)) return;
  for (const std::uint32_t connection : instance.connections) rest_if_idle(connection);
}

// Does nothing when it is there.
void FleetClient::add_instance(const std::string& url) {
  if (instances_.contains(url)) return;
  const auto parsed = parse_url(url);
  const auto& schemes = options_.schemes;
  if (!parsed || std::ranges::find(schemes, parsed->scheme) == schemes.end()) {
    options_.notice(url + " is left out: its scheme is not " + list_of(schemes));
    return;
  }
  const HostPort authority{.host = parsed->host, .port = parsed->port};
  dial(instances_.add({.url = url,
                       .endpoint = net::Endpoint(authority, options_.look_up),
                       .protocol = make_protocol_(*parsed),
                       .breaker = CircuitBreaker(options_.breaker)}));
}

// No new calls; open ones are answered, then its connections are closed.
void FleetClient::drop_instance(std::uint32_t index) {
  Instance& instance = instances_[index];
  instance.is_listed = false;
  const std::vector<std::uint32_t> connections = instance.connections;
  for (const std::uint32_t connection : connections) {
    if (connections_[connection].is_idle()) close_connection(connection);
  }
  forget_if_gone(index);
}

void FleetClient::forget_if_gone(std::uint32_t index) {
  const Instance& instance = instances_[index];
  if (instance.is_listed || !instance.connections.empty() || !instance.leaving.empty()) return;
  assert(instance.open_calls == 0);
  instances_.remove(index);
}

// ---- Which one carries a call --------------------------------------------------------------

void FleetClient::submit(std::uint64_t id, const Command& command) {
  ++stats_.calls;
  retry_budget_.on_call();
  now_ = Clock::now();
  const std::uint32_t call = calls_.open(id, command, now_, now_ + options_.deadline);
  if (!place(call)) calls_.schedule(call, now_);  // Its failure can be told in poll() only.
}

// Puts the call on a connection. False when there is none for it.
bool FleetClient::place(std::uint32_t index) {
  Call& call = calls_[index];
  const auto chosen = instances_.choose(call, now_);
  if (!chosen) return false;
  Instance& instance = instances_[*chosen];
  const auto ticket = instance.breaker.allow(now_);
  assert(ticket);
  call.ticket = *ticket;
  call.instance = *chosen;
  call.connection = choose_connection(*chosen, is_duel(call.command));
  call.place = Call::Place::waiting;
  instances_.begin_call(*chosen);
  if (options_.attempt_max < call.deadline - now_) {
    calls_.begin_attempt(index, now_ + options_.attempt_max);
  }
  Connection& connection = connections_[call.connection];
  connection.waiting.push_back(index);
  connection.stream.request_write();
  return true;
}

// The connection that was used last and is idle now; else a new one; else one that has other calls:
// the one that brought the latest answer, so that calls that follow answers leave in one write, as
// long as it has its share; else the one with the fewest calls.
std::uint32_t FleetClient::choose_connection(std::uint32_t index, bool is_duel) {
  Instance& instance = instances_[index];
  if (is_duel) {
    if (instance.duel_connection == no_index) {
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
  if (may_dial) return dial(index);
  const std::uint32_t latest = instance.latest_connection;
  if (latest != no_index && connections_[latest].load() < options_.depth) return latest;
  const auto load_of = [&](std::uint32_t connection) { return connections_[connection].load(); };
  return *std::ranges::min_element(instance.connections, {}, load_of);
}

// ---- Connections ---------------------------------------------------------------------------

std::uint32_t FleetClient::dial(std::uint32_t instance) {
  if (free_connections_.empty()) {
    const auto next = static_cast<std::uint32_t>(connections_.size());
    connections_.emplace_back(loop(), next);
    free_connections_.push_back(next);
  }
  const std::uint32_t index = free_connections_.back();
  free_connections_.pop_back();
  instances_[instance].connections.push_back(index);
  Connection& connection = connections_[index];
  assert(connection.state == Connection::State::closed && connection.is_idle());
  connection.state = Connection::State::dialling;
  connection.instance = instance;
  connection.dialling.begin(instances_[instance].endpoint, resolver_, now_,
                            now_ + options_.connect_max);
  connection.stream.request_write();  // There it goes on.
  return index;
}

void FleetClient::advance_dialling(std::uint32_t index) {
  Connection& connection = connections_[index];
  switch (connection.dialling.advance(now_)) {
    case net::Dialling::Outcome::pending: return;
    case net::Dialling::Outcome::connected: return finish_dialling(index);
    case net::Dialling::Outcome::failed:
      connection.error = connection.dialling.error();
      return fail_connection(index);
  }
}

void FleetClient::on_looked_up() {
  resolver_.acknowledge();
  for (std::uint32_t i = 0; i < connections_.size(); ++i) {
    if (connections_[i].state == Connection::State::dialling) advance_dialling(i);
  }
}

void FleetClient::finish_dialling(std::uint32_t index) {
  Connection& connection = connections_[index];
  if (!connection.stream.open({.in = connection.dialling.take().socket})) {
    connection.error = std::strerror(errno);
    return fail_connection(index);
  }
  ++stats_.connects;
  connection.state = Connection::State::open;
  connection.session = instances_[connection.instance].protocol->begin_session();
  Instance& instance = instances_[connection.instance];
  if (instance.reach == Instance::Reach::down) options_.notice(instance.url + " is back");
  instance.reach = Instance::Reach::up;
  instance.dial_failures = 0;
  if (instance.ended_connections > 0) {
    --instance.ended_connections;
    ++stats_.reconnects;
  }
  connection.stream.request_write();
  rest_if_idle(index);
}

void FleetClient::on_input(std::uint32_t key) {
  using Arrival = net::InputBuffer::Arrival;
  if (key == registry_key) {
    now_ = Clock::now();
    poll_registry();
    return;
  }
  if (key == net::Resolver::key) {
    now_ = Clock::now();
    return on_looked_up();
  }
  Connection& connection = connections_[key];
  if (!connection.is_open()) return;
  const Arrival arrival = connection.stream.read();
  now_ = Clock::now();
  switch (arrival) {
    case Arrival::nothing: return;
    case Arrival::bytes:
      if (!take_news(key)) fail_connection(key);
      return;
    case Arrival::end: return take_end(key);
    case Arrival::failure: return fail_connection(key);
  }
}

// The instance has ended the stream, which may complete the answer to the oldest call.
void FleetClient::take_end(std::uint32_t index) {
  Connection& connection = connections_[index];
  Session::Told told;
  const Session::News news = connection.session->read_end(connection.stream.input, told);
  if (news == Session::News::broken) return fail_connection(index);
  take(index, news, told);
  if (!take_news(index)) fail_connection(index);
}

// Hands over all that the session has to tell. False when the connection cannot be used any longer.
bool FleetClient::take_news(std::uint32_t index) {
  Connection& connection = connections_[index];
  for (;;) {
    Session::Told told;
    const Session::News news = connection.session->read(connection.stream.input, told);
    if (news == Session::News::broken) return false;
    if (news == Session::News::nothing) break;
    take(index, news, told);
  }
  leave_if_told(index);
  if (connection.session->wants_to_write()) connection.stream.request_write();
  close_if_over(index);
  return true;
}

void FleetClient::take(std::uint32_t index, Session::News news, const Session::Told& told) {
  switch (news) {
    case Session::News::answered:
    case Session::News::late: return take_answer(index, news, told);
    case Session::News::not_processed: return take_not_processed(index, told.call);
    case Session::News::lost: return take_lost(index, told.call);
    case Session::News::event: return hand_over(told.event);
    case Session::News::nothing:
    case Session::News::broken: assert(false && "tells nothing of a call");
  }
}

void FleetClient::take_answer(std::uint32_t index, Session::News news, const Session::Told& told) {
  Connection& connection = connections_[index];
  connection.answered_at = now_;
  connection.has_answered = true;
  leave_if_told(index);
  if (connection.state == Connection::State::open) {
    instances_[connection.instance].latest_connection = index;
  }
  if (!connection.waiting.empty()) connection.stream.request_write();
  rest_if_idle(index);  // First, so that a call made from on_reply() finds it.
  if (news == Session::News::answered) {
    on_answer(told.call, told.reply);
  } else {
    ++stats_.late_replies;
  }
}

// The instance has said that it does not process this call.
void FleetClient::take_not_processed(std::uint32_t index, std::uint32_t call) {
  leave_if_told(index);
  rest_if_idle(index);
  const bool is_free = is_resent_free(connections_[index]);
  if (is_free) ++stats_.resent;
  try_elsewhere(call, is_free);
}

// No answer to this call will come, and the connection lives.
void FleetClient::take_lost(std::uint32_t index, std::uint32_t call) {
  leave_if_told(index);
  rest_if_idle(index);
  report_failure(instances_[calls_[call].instance], calls_[call].ticket);
  leave_instance(call);
  on_failure(call, Reach::lost, {.error = Error::unavailable});
}

// A connection that the instance ends in good order is no failure, so its calls are tried again at
// once, which costs no retry. Not when it had not answered any call: an instance that ends every
// connection at its beginning would get the same calls again and again.
bool FleetClient::is_resent_free(const Connection& connection) {
  return connection.state == Connection::State::leaving && connection.has_answered;
}

// The call was certainly not processed.
void FleetClient::try_elsewhere(std::uint32_t index, bool is_free) {
  Call& call = calls_[index];
  instances_[call.instance].breaker.on_abandoned(call.ticket);
  leave_instance(index);
  if (is_free) {
    calls_.schedule(index, now_);
  } else {
    on_failure(index, Reach::not_sent, {.error = Error::unavailable});
  }
}

// When the instance has said that it takes no further calls on the connection: those that wait for
// it go elsewhere, the open ones end in their time.
void FleetClient::leave_if_told(std::uint32_t index) {
  Connection& connection = connections_[index];
  if (connection.state != Connection::State::open || !connection.session->is_leaving()) return;
  connection.state = Connection::State::leaving;
  Instance& instance = instances_[connection.instance];
  instance.leaving.push_back(index);
  withdraw(index);
  ++instance.ended_connections;
  ++stats_.connections_ended;
  // The sink may submit, but nothing that it does can come here again: the list stays.
  not_sent_.swap(connection.waiting);
  connection.waiting.clear();
  for (const std::uint32_t call : not_sent_) try_elsewhere(call, is_resent_free(connection));
}

void FleetClient::close_if_over(std::uint32_t index) {
  const Connection& connection = connections_[index];
  if (connection.state != Connection::State::leaving || !connection.session->is_over()) return;
  const std::uint32_t instance = connection.instance;
  close_connection(index);
  forget_if_gone(instance);
}

// The outcome of dialling is known, or calls wait to be sent, or there is room for the rest of
// them.
void FleetClient::on_output(std::uint32_t key) {
  Connection& connection = connections_[key];
  now_ = Clock::now();
  if (connection.state == Connection::State::closed) return;
  if (connection.state == Connection::State::dialling) return advance_dialling(key);
  send_waiting(connection);
  Session& session = *connection.session;
  const bool is_well = session.write(connection.stream.output, now_) && connection.stream.write();
  if (is_well && !session.has_news()) return close_if_over(key);
  if (is_well) {
    if (!take_news(key)) fail_connection(key);
    return;
  }
  // The peer does not read any longer, but what it wrote before can still be read.
  while (connection.is_open() && connection.stream.read() == net::InputBuffer::Arrival::bytes &&
         take_news(key)) {
  }
  if (connection.is_open()) fail_connection(key);
}

// Begins as many of the waiting calls as the session has room for.
void FleetClient::send_waiting(Connection& connection) {
  std::size_t count = 0;
  for (; count < connection.waiting.size() && connection.session->has_room(); ++count) {
    const std::uint32_t index = connection.waiting[count];
    Call& call = calls_[index];
    call.place = Call::Place::sent;
    call.sent_at = now_;
    call.handle = connection.session->begin(index, call.command, connection.stream.output);
  }
  connection.waiting.erase(connection.waiting.begin(),
                           connection.waiting.begin() + static_cast<std::ptrdiff_t>(count));
}

// Gives an open connection without calls to the pool. One whose instance has left the list is
// closed by the next sweep.
void FleetClient::rest_if_idle(std::uint32_t index) {
  const Connection& connection = connections_[index];
  const bool is_open = connection.state == Connection::State::open;
  if (!is_open || !connection.is_idle() || connection.keeps_seat) return;
  if (instances_[connection.instance].is_listed) pool_.put(index, connection.instance, now_);
}

// Closes the connection and sorts out its calls. Its instance is dialled again at once when calls
// were open on it; a peer that closes a connection without any may do so.
void FleetClient::fail_connection(std::uint32_t index) {
  Connection& connection = connections_[index];
  const std::uint32_t at = connection.instance;
  const Connection::State state = connection.state;
  const std::string error = connection.error;
  sent_.clear();
  not_sent_.assign(connection.waiting.begin(), connection.waiting.end());
  if (connection.session) connection.session->abandon(sent_, not_sent_);
  close_connection(index);
  switch (state) {
    case Connection::State::closed: break;
    case Connection::State::dialling: count_failed_dialling(at, error); break;
    case Connection::State::open: count_broken(at); break;
    case Connection::State::leaving:
      if (!sent_.empty()) ++stats_.connections_lost;
      break;
  }
  fail_calls(instances_[at]);
  if (instances_.places()[at]) forget_if_gone(at);
}

void FleetClient::count_failed_dialling(std::uint32_t index, const std::string& error) {
  Instance& instance = instances_[index];
  ++stats_.connect_failures;
  if (instance.reach != Instance::Reach::down) {
    options_.notice(instance.url + " cannot be reached: " + error);
  }
  instance.reach = Instance::Reach::down;
  instance.dial_at = now_ + backoff(options_.backoff, ++instance.dial_failures, next_random());
}

void FleetClient::count_broken(std::uint32_t index) {
  Instance& instance = instances_[index];
  ++instance.ended_connections;
  if (sent_.empty() && not_sent_.empty()) return;
  ++stats_.connections_lost;
  if (instance.reach == Instance::Reach::up) {
    options_.notice(instance.url + " broke a connection with calls open");
  }
  instance.reach = Instance::Reach::down;
  if (instance.is_listed) dial(index);
}

// Ends the attempts in sent_ and not_sent_. To the breaker one broken connection is one failure,
// however many calls it carried.
void FleetClient::fail_calls(Instance& instance) {
  bool is_reported = false;
  for (const auto* calls : {&sent_, &not_sent_}) {
    for (const std::uint32_t call : *calls) {
      if (!std::exchange(is_reported, true)) {
        report_failure(instance, calls_[call].ticket);
      } else {
        instance.breaker.on_abandoned(calls_[call].ticket);
      }
      leave_instance(call);
    }
  }
  const Reply gone{.error = Error::unavailable};
  // The sink may submit, but nothing that it does can come here again: these lists stay.
  for (const std::uint32_t call : sent_) on_failure(call, Reach::lost, gone);
  for (const std::uint32_t call : not_sent_) on_failure(call, Reach::not_sent, gone);
}

// New calls of its instance no longer use the connection.
void FleetClient::withdraw(std::uint32_t index) {
  Instance& instance = instances_[connections_[index].instance];
  std::erase(instance.connections, index);
  if (instance.duel_connection == index) instance.duel_connection = no_index;
  if (instance.latest_connection == index) instance.latest_connection = no_index;
  // One that is down is dialled again after its back-off, not only when idle ones are looked at.
  const bool is_idle = instance.connections.empty() && instance.reach != Instance::Reach::down;
  if (is_idle) instance.dial_at = now_ + options_.pool.probe_period;
  pool_.remove(index);
}

void FleetClient::close_connection(std::uint32_t index) {
  Connection& connection = connections_[index];
  withdraw(index);
  std::erase(instances_[connection.instance].leaving, index);
  connection.dialling.give_up();
  connection.stream.close();
  connection.session.reset();
  connection.state = Connection::State::closed;
  connection.keeps_seat = false;
  connection.has_answered = false;
  connection.waiting.clear();
  free_connections_.push_back(index);
}

// ---- Calls ---------------------------------------------------------------------------------

// The call is on no connection any longer.
void FleetClient::leave_instance(std::uint32_t index) {
  Call& call = calls_[index];
  calls_.end_attempt(index);
  instances_.end_call(call.instance);
  call.connection = no_index;
}

void FleetClient::on_answer(std::uint32_t index, const Reply& reply) {
  Call& call = calls_[index];
  Instance& instance = instances_[call.instance];
  if (reply.error == Error::unavailable) {
    on_unavailable(instance, call.ticket);
  } else if (is_sign_of_sickness(reply)) {
    report_failure(instance, call.ticket);
  } else {
    instance.breaker.on_success(call.ticket, now_);
  }
  leave_instance(index);
  if (is_refusal(reply)) {
    on_failure(index, Reach::refused, reply);
  } else {
    answer(index, reply, true);
  }
}

// An instance that drains answers every further call with `unavailable`. It is connected again in
// the background, until a new server answers at its address. The breaker counts one failure for it.
void FleetClient::on_unavailable(Instance& instance, CircuitBreaker::Ticket ticket) {
  if (instance.reach == Instance::Reach::down) {
    instance.breaker.on_abandoned(ticket);
    return;
  }
  options_.notice(instance.url + " says that it is not available");
  instance.reach = Instance::Reach::down;
  instance.dial_at = now_ + backoff(options_.backoff, 1, next_random());
  report_failure(instance, ticket);
}

void FleetClient::on_failure(std::uint32_t index, Reach reach, const Reply& reply) {
  if (schedule_retry(index, reach, reply)) return;
  if (reach == Reach::lost) ++stats_.uncertain;
  Reply last = reply;
  last.operation = calls_[index].command.operation;
  answer(index, last, reach == Reach::refused);
}

// False when the call must not be tried again, or could not be in time, or the fleet has no retry
// to spare.
bool FleetClient::schedule_retry(std::uint32_t index, Reach reach, const Reply& reply) {
  Call& call = calls_[index];
  if (!may_repeat(call.command, reach) || call.retries == options_.retries_max) return false;
  // A call that was not sent, or has waited for its answer, is tried at another instance at once;
  // all others wait for the back-off.
  const bool may_be_at_once = reach == Reach::not_sent || reach == Reach::slow;
  const bool at_once = may_be_at_once && call.retries == 0;
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
  // A call to an overloaded instance is tried there again, because its session may be there.
  call.avoided = reply.error == Error::overloaded ? no_index : call.instance;
  calls_.schedule(index, now_ + wait);
  return true;
}

// `is_from_instance`: the reply, or what led to it, was said by an instance.
void FleetClient::answer(std::uint32_t index, const Reply& reply, bool is_from_instance) {
  const Call& call = calls_[index];
  const std::uint64_t id = call.id;
  const Stamps stamps{
      .sent_at = call.sent_at, .received_at = now_, .is_answered = is_from_instance};
  ++stats_.answered;
  if (is_refusal(reply) || reply.error == Error::deadline_exceeded) ++stats_.failed;
  calls_.close(index);  // First: the sink may submit, and that must find room.
  hand_over(id, reply, stamps);
}

void FleetClient::report_failure(Instance& instance, CircuitBreaker::Ticket ticket) {
  if (!instance.breaker.on_failure(ticket, now_)) return;
  ++stats_.breaker_opened;
  options_.notice(instance.url + " failed too often and gets no calls for a while");
}

// ---- Time ----------------------------------------------------------------------------------

// Does what is due, sends, waits once and takes in what has arrived.
void FleetClient::step(Clock::time_point until) {
  now_ = Clock::now();
  if (now_ >= sweep_at_) sweep();
  // The same time for both, so that a call that expires is not pending any more.
  const Clock::time_point now = now_;
  give_up_slow_attempts(now);
  run_pending(now);
  expire_calls(now);
  flush_and_wait(std::min({until, sweep_at_, calls_.next_time()}));
  now_ = Clock::now();
}

// Tries the calls whose time has come. A call that is scheduled meanwhile is due later than now.
void FleetClient::run_pending(Clock::time_point now) {
  while (const auto call = calls_.take_due(now)) {
    if (calls_[*call].deadline <= now) continue;  // Expires in this turn.
    if (!place(*call)) on_failure(*call, Reach::nowhere, {.error = Error::unavailable});
  }
}

void FleetClient::expire_calls(Clock::time_point now) {
  for (;;) {
    const std::uint32_t index = calls_.first_to_expire();
    if (index == no_index || calls_[index].deadline > now) return;
    const Call call = calls_[index];
    const bool is_at_an_instance =
        call.place == Call::Place::waiting || call.place == Call::Place::sent;
    if (is_at_an_instance) take_off(index, call);
    ++stats_.deadline_exceeded;
    answer(index, {.operation = call.command.operation, .error = Error::deadline_exceeded}, false);
  }
}

// Ends the attempt that the call was at when it was copied to `attempt`.
void FleetClient::take_off(std::uint32_t index, const Call& attempt) {
  Instance& instance = instances_[attempt.instance];
  Connection& connection = connections_[attempt.connection];
  if (attempt.place == Call::Place::waiting) {
    instance.breaker.on_abandoned(attempt.ticket);
    std::erase(connection.waiting, index);
  } else {
    report_failure(instance, attempt.ticket);
    connection.session->cancel(attempt.handle);
    if (connection.session->wants_to_write()) connection.stream.request_write();
  }
  rest_if_idle(attempt.connection);
  leave_instance(index);
}

// An attempt goes on when the call must not be tried again, or cannot be: its answer may still come
// before the deadline.
void FleetClient::give_up_slow_attempts(Clock::time_point now) {
  while (const auto index = calls_.slow_attempt(now)) {
    calls_.end_attempt(*index);
    const Call attempt = calls_[*index];
    const Reach reach = attempt.place == Call::Place::waiting ? Reach::not_sent : Reach::slow;
    if (!schedule_retry(*index, reach, {.error = Error::deadline_exceeded})) continue;
    ++stats_.slow_attempts;
    take_off(*index, attempt);
  }
}

void FleetClient::sweep() {
  sweep_at_ = now_ + limits::sweep_period;
  if (registry_->due() <= now_) poll_registry();
  sweep_pool();
  sweep_connections();
  sweep_instances();
}

void FleetClient::sweep_pool() {
  while (const auto task = pool_.next_task(now_)) {
    if (task->kind == Pool::Task::Kind::probe) {
      on_input(task->connection);
      continue;
    }
    ++stats_.pool_idle_closed;
    close_connection(task->connection);
  }
}

void FleetClient::sweep_connections() {
  for (std::uint32_t i = 0; i < connections_.size(); ++i) {
    Connection& connection = connections_[i];
    switch (connection.state) {
      case Connection::State::closed: break;
      case Connection::State::dialling:
        if (connection.dialling.due() <= now_) advance_dialling(i);
        break;
      case Connection::State::open:
      case Connection::State::leaving:
        if (is_silent(connection)) {
          fail_connection(i);
        } else if (connection.is_idle() && !instances_[connection.instance].is_listed) {
          const std::uint32_t instance = connection.instance;
          close_connection(i);
          forget_if_gone(instance);
        }
        break;
    }
  }
}

// The peer has owed an answer for too long.
bool FleetClient::is_silent(const Connection& connection) const {
  const auto since = connection.owing_since();
  return since && now_ - *since >= options_.silence_max;
}

// Dials those that are down or have no connection, when it is time for it.
void FleetClient::sweep_instances() {
  const auto is_dialled = [&](std::uint32_t connection) {
    return connections_[connection].state == Connection::State::dialling;
  };
  for (std::uint32_t i = 0; i < instances_.places().size(); ++i) {
    const Instance* const instance = instances_.places()[i].get();
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
