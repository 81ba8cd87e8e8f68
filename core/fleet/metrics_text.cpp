#include "core/fleet/metrics_text.hpp"

#include <array>
#include <cstdint>
#include <string_view>

namespace rps::fleet {

namespace {

struct Counter {
  std::string_view name;
  std::string_view help;
  std::uint64_t Stats::* value;
};

constexpr std::array counters{
    Counter{"calls", "Calls submitted.", &Stats::calls},
    Counter{"answered", "Calls answered, with whatever.", &Stats::answered},
    Counter{"failed", "Calls answered with deadline_exceeded, unavailable or overloaded.",
            &Stats::failed},
    Counter{"retries", "Second and later attempts.", &Stats::retries},
    Counter{"budget_denied", "Retries that the budget did not allow.", &Stats::budget_denied},
    Counter{"deadline_exceeded", "Calls past their deadline.", &Stats::deadline_exceeded},
    Counter{"slow_attempts", "Attempts given up because they took too long.",
            &Stats::slow_attempts},
    Counter{"late_replies", "Replies that nobody waited for any longer.", &Stats::late_replies},
    Counter{"breaker_opened", "Times that the breaker of an instance opened.",
            &Stats::breaker_opened},
    Counter{"connects", "Connections made.", &Stats::connects},
    Counter{"connect_failures", "Attempts to connect that failed.", &Stats::connect_failures},
    Counter{"connections_lost", "Connections that broke with calls open.",
            &Stats::connections_lost},
    Counter{"connections_ended", "Connections that an instance ended in good order.",
            &Stats::connections_ended},
    Counter{"reconnects", "Connections made in place of others.", &Stats::reconnects},
    Counter{"resent", "Calls sent again because an instance ended their connection before them.",
            &Stats::resent},
    Counter{"uncertain", "Calls that failed and may have been carried out.", &Stats::uncertain},
    Counter{"pool_idle_closed", "Connections closed because they were idle.",
            &Stats::pool_idle_closed},
    Counter{"registry_changes", "Changes of the list of instances.", &Stats::registry_changes},
};

struct State {
  std::string_view name;
  CircuitBreaker::State state;
};

constexpr std::array states{State{"closed", CircuitBreaker::State::closed},
                            State{"open", CircuitBreaker::State::open},
                            State{"half_open", CircuitBreaker::State::half_open}};

void add_head(std::string& out, std::string_view name, std::string_view help,
              std::string_view type) {
  out.append("# HELP ").append(name).append(" ").append(help).append("\n# TYPE ").append(name);
  out.append(" ").append(type).append("\n");
}

// A label's value may not hold a quotation mark, a backslash or a line's end as it is.
std::string label(std::string_view url) {
  std::string text = "{instance=\"";
  for (const char c : url) {
    if (c == '"' || c == '\\') text.push_back('\\');
    text.append(c == '\n' ? "\\n" : std::string(1, c));
  }
  return text += '"';
}

void add_gauge(std::string& out, std::string_view name, std::string_view help,
               const std::vector<InstanceStatus>& instances,
               std::uint64_t (*value)(const InstanceStatus& status)) {
  add_head(out, name, help, "gauge");
  for (const InstanceStatus& status : instances) {
    out.append(name).append(label(status.url)).append("} ");
    out.append(std::to_string(value(status))).append("\n");
  }
}

void add_breakers(std::string& out, const std::vector<InstanceStatus>& instances) {
  constexpr std::string_view name = "rps_fleet_instance_breaker";
  add_head(out, name, "The state of the instance's circuit breaker.", "gauge");
  for (const InstanceStatus& status : instances) {
    for (const State& state : states) {
      out.append(name).append(label(status.url)).append(",state=\"").append(state.name);
      out.append(status.breaker == state.state ? "\"} 1\n" : "\"} 0\n");
    }
  }
}

}  // namespace

std::string metrics_text(const Stats& stats, const std::vector<InstanceStatus>& instances,
                         bool is_list_current) {
  std::string out;
  for (const Counter& counter : counters) {
    const std::string name = "rps_fleet_" + std::string(counter.name) + "_total";
    add_head(out, name, counter.help, "counter");
    out.append(name).append(" ").append(std::to_string(stats.*counter.value)).append("\n");
  }
  constexpr std::string_view list_name = "rps_fleet_list_current";
  add_head(out, list_name, "Whether the list of instances is followed.", "gauge");
  out.append(list_name).append(is_list_current ? " 1\n" : " 0\n");
  add_gauge(out, "rps_fleet_instance_up", "Whether the instance can be reached.", instances,
            [](const InstanceStatus& status) { return std::uint64_t{status.is_up}; });
  add_breakers(out, instances);
  add_gauge(out, "rps_fleet_instance_open_calls", "Calls open at the instance.", instances,
            [](const InstanceStatus& status) { return std::uint64_t{status.open_calls}; });
  add_gauge(out, "rps_fleet_instance_connections", "Connections to the instance.", instances,
            [](const InstanceStatus& status) { return std::uint64_t{status.connections}; });
  return out;
}

}  // namespace rps::fleet
