#include "core/fleet/connect.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/fleet/file_registry.hpp"
#include "core/fleet/limits.hpp"
#include "core/fleet/service_name.hpp"
#include "core/number.hpp"

namespace rps::fleet {

namespace {

using std::chrono::milliseconds;
using Query = decltype(Url::query);

// What a URL asks for.
struct Settings {
  FleetOptions fleet;
  std::string service = "rps";
  Source::Open open;
  Query of_wires;  // The parameters of the instances' wires.
};

struct NumberKey {
  std::string_view name;
  std::uint64_t min;
  std::uint64_t max;
  void (*set)(Settings& settings, std::uint64_t value);
};

constexpr std::uint64_t count_of(milliseconds time) {
  return static_cast<std::uint64_t>(time.count());
}

constexpr std::array<NumberKey, 15> number_keys{{
    {"deadline_ms", 1, count_of(limits::deadline_max),
     [](Settings& s, std::uint64_t value) { s.fleet.deadline = milliseconds(value); }},
    {"attempt_ms", 1, count_of(limits::deadline_max),
     [](Settings& s, std::uint64_t value) { s.fleet.attempt_max = milliseconds(value); }},
    {"retries", 0, limits::retries_max,
     [](Settings& s, std::uint64_t value) {
       s.fleet.retries_max = static_cast<std::uint32_t>(value);
     }},
    {"retry_percent", 0, limits::retry_percent_max,
     [](Settings& s, std::uint64_t value) {
       s.fleet.retry_budget.percent = static_cast<std::uint32_t>(value);
     }},
    {"backoff_ms", 1, count_of(limits::backoff_max_default),
     [](Settings& s, std::uint64_t value) { s.fleet.backoff.first = milliseconds(value); }},
    {"breaker_failures", 1, limits::breaker_failures_max,
     [](Settings& s, std::uint64_t value) { s.fleet.breaker.failures_max = value; }},
    {"breaker_window_ms", 1, count_of(limits::breaker_time_max),
     [](Settings& s, std::uint64_t value) { s.fleet.breaker.window = milliseconds(value); }},
    {"breaker_open_ms", 1, count_of(limits::breaker_time_max),
     [](Settings& s, std::uint64_t value) { s.fleet.breaker.open = milliseconds(value); }},
    {"idle_max", 0, limits::idle_connections_max,
     [](Settings& s, std::uint64_t value) { s.fleet.pool.idle_max = value; }},
    {"surplus_ms", 0, count_of(limits::pool_time_max),
     [](Settings& s, std::uint64_t value) { s.fleet.pool.surplus_time_max = milliseconds(value); }},
    {"idle_ms_max", 1, count_of(limits::pool_time_max),
     [](Settings& s, std::uint64_t value) { s.fleet.pool.idle_time_max = milliseconds(value); }},
    {"probe_ms", 1, count_of(limits::pool_time_max),
     [](Settings& s, std::uint64_t value) { s.fleet.pool.probe_period = milliseconds(value); }},
    {"connect_ms", 1, count_of(limits::connect_max),
     [](Settings& s, std::uint64_t value) { s.fleet.connect_max = milliseconds(value); }},
    {"silence_ms", 1, count_of(limits::silence_max),
     [](Settings& s, std::uint64_t value) { s.fleet.silence_max = milliseconds(value); }},
    {"seed", 0, UINT64_MAX, [](Settings& s, std::uint64_t value) { s.fleet.seed = value; }},
}};

std::uint64_t read_number(std::string_view name, std::string_view text, CountRange range) {
  const auto value = parse_count(text, range);
  if (!value) throw std::invalid_argument(std::string(name) + " " + value.error());
  return *value;
}

Balance read_balance(std::string_view text) {
  if (const auto balance = parse_balance(text)) return *balance;
  std::string names;
  for (const Balance balance : all_balances) {
    names.append(names.empty() ? "" : ", ").append(to_string(balance));
  }
  throw std::invalid_argument("balance is one of " + names + ", not '" + std::string(text) + "'");
}

bool contains(std::span<const std::string_view> names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

bool is_of_a_wire(std::span<const Wire> wires, std::string_view name) {
  return std::ranges::any_of(wires,
                             [&](const Wire& wire) { return contains(wire.parameters, name); });
}

// All parameters but those of the source.
void apply(const Url& url, std::span<const Wire> wires, const std::string& name,
           const std::string& value, Settings& settings) {
  const auto number = std::ranges::find(number_keys, name, &NumberKey::name);
  if (number != number_keys.end()) {
    number->set(settings, read_number(name, value, {.min = number->min, .max = number->max}));
  } else if (name == "service") {
    settings.service = read_service(value);
  } else if (name == "balance") {
    settings.fleet.balance = read_balance(value);
  } else if (is_of_a_wire(wires, name)) {
    settings.of_wires.emplace_back(name, value);
  } else {
    throw std::invalid_argument("a " + url.scheme + " URL does not know '" + name +
                                "'; docs/fleet.md lists what it knows");
  }
}

// The protocol of an instance, by the wire of its scheme.
std::unique_ptr<Protocol> make_protocol(std::span<const Wire> wires, const Query& query,
                                        const Url& instance) {
  const auto wire = std::ranges::find(wires, instance.scheme, &Wire::scheme);
  Url whole{.scheme = instance.scheme, .host = instance.host, .port = instance.port};
  for (const auto& parameter : query) {
    if (contains(wire->parameters, parameter.first)) whole.query.push_back(parameter);
  }
  return wire->make_protocol(whole);
}

Settings read_settings(const Url& url, const Source& source, std::span<const Wire> wires) {
  Settings settings{.fleet = {}, .open = source.read(url), .of_wires = {}};
  for (const Wire& wire : wires) settings.fleet.schemes.emplace_back(wire.scheme);
  settings.fleet.seed = std::random_device{}();  // So that clients do not retry in step.
  for (auto pair = url.query.begin(); pair != url.query.end(); ++pair) {
    const auto has_name = [&](const auto& other) { return other.first == pair->first; };
    if (std::any_of(url.query.begin(), pair, has_name)) {
      throw std::invalid_argument("'" + pair->first + "' stands twice in the URL");
    }
    if (contains(source.parameters, pair->first)) continue;
    apply(url, wires, pair->first, pair->second, settings);
  }
  // Of any address: what the URL says of a wire is refused here, and not at the first instance.
  for (const Wire& wire : wires) {
    const Url any{.scheme = std::string(wire.scheme), .host = "any", .port = 80};
    (void)make_protocol(wires, settings.of_wires, any);
  }
  return settings;
}

constexpr std::string_view reread = "reread_ms";  // Of file_source().

// Where the list is, for a person.
std::string place_of(const Url& url) {
  const std::string host = url.host.empty() ? "" : to_string(HostPort{url.host, url.port});
  return host + url.path;
}

}  // namespace

Source file_source() {
  return {.parameters = {reread}, .read = [](const Url& url) -> Source::Open {
            if (!url.host.empty() || url.path.empty()) {
              throw std::invalid_argument("a fleet's URL names a file, as in " + url.scheme +
                                          ":///etc/rps/services.json");
            }
            FileRegistry::Options options{.path = url.path, .service = {}};
            if (const auto text = url.find(reread)) {
              options.reread_period = milliseconds(
                  read_number(reread, *text, {.min = 1, .max = count_of(limits::reread_max)}));
            }
            return [options](const std::string& service, Source::Warn warn) {
              FileRegistry::Options of_service = options;
              of_service.service = service;
              of_service.warn = std::move(warn);
              return std::make_unique<FileRegistry>(std::move(of_service), Clock::now());
            };
          }};
}

void check(const Url& url, const Source& source, std::span<const Wire> wires) {
  (void)read_settings(url, source, wires);
}

std::unique_ptr<FleetClient> connect(const Url& url, const Source& source,
                                     std::span<const Wire> wires, const ConnectOptions& options,
                                     std::function<void(const std::string& sentence)> notice) {
  Settings settings = read_settings(url, source, wires);
  settings.fleet.connections = options.connections;
  settings.fleet.depth = options.depth;
  settings.fleet.notice = notice;
  const auto protocol_for = [own = std::vector<Wire>(wires.begin(), wires.end()),
                             query = settings.of_wires](const Url& instance) {
    return make_protocol(own, query, instance);
  };

  const Clock::time_point now = Clock::now();
  auto client = std::make_unique<FleetClient>(std::move(settings.fleet), protocol_for,
                                              settings.open(settings.service, std::move(notice)));
  if (client->await_instances(now + options.timeout_max) == 0) {
    throw std::runtime_error("no instance of " + settings.service + " in " + place_of(url) +
                             " can be reached");
  }
  return client;
}

}  // namespace rps::fleet
