#include "core/server/metrics.hpp"

#include <algorithm>
#include <bit>
#include <functional>
#include <limits>
#include <mutex>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include "core/server/thread_index.hpp"

namespace rps::server {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

// One for each of the first threads that count, and the last for all that come later.
constexpr std::size_t cell_count = 64;
constexpr std::size_t shared_cell = cell_count - 1;

// Rows of the tables below: the operations in order, and one for what could not be read.
constexpr std::size_t row_count = all_operations.size() + 1;

constexpr std::size_t row_of(std::optional<Operation> operation) {
  return operation ? static_cast<std::size_t>(*operation) - 1 : all_operations.size();
}

constexpr std::string_view row_name(std::size_t row) {
  return row < all_operations.size() ? to_string(all_operations[row]) : "unknown";
}

// Columns of the table of requests: "ok" first, then the errors in order.
constexpr std::size_t class_count = all_errors.size() + 1;

constexpr std::size_t class_of(std::optional<Error> error) {
  return error ? static_cast<std::size_t>(*error) + 1 : 0;
}

constexpr std::string_view class_name(std::size_t column) {
  return column == 0 ? "ok" : to_string(all_errors[column - 1]);
}

static_assert([] {
  for (std::size_t i = 0; i < all_operations.size(); ++i) {
    if (row_of(all_operations[i]) != i) return false;
  }
  for (std::size_t i = 0; i < all_errors.size(); ++i) {
    if (class_of(all_errors[i]) != i + 1) return false;
  }
  return true;
}());

// Bucket i holds what took at most 2^(10+i) ns: 1.024 µs, 2.048 µs … 17.2 s, and then the rest.
constexpr std::size_t first_bound_log2 = 10;
constexpr std::size_t bound_count = 25;
constexpr std::size_t bucket_count = bound_count + 1;

constexpr std::size_t bucket_of(std::uint64_t nanoseconds) {
  // The smallest k with n <= 2^k is the width of n-1: bounds are inclusive, as `le` demands.
  const std::size_t log2 = std::bit_width(std::max<std::uint64_t>(nanoseconds, 1) - 1);
  return std::clamp(log2, first_bound_log2, first_bound_log2 + bound_count) - first_bound_log2;
}

static_assert(bucket_of(0) == 0 && bucket_of(1024) == 0 && bucket_of(1025) == 1);
static_assert(bucket_of(2048) == 1 && bucket_of(2049) == 2);
static_assert(bucket_of(std::uint64_t{1} << 34) == bound_count - 1);
static_assert(bucket_of((std::uint64_t{1} << 34) + 1) == bound_count);

constexpr double seconds(std::uint64_t nanoseconds) {
  return static_cast<double>(nanoseconds) / 1e9;
}

using Counter = std::atomic<std::uint64_t>;

// What the threads of one cell have counted. A gauge may be negative in one cell, as a connection
// may be closed by another thread than the one that opened it; only the sum over all cells has a
// meaning.
struct alignas(64) Cell {
  std::array<std::array<Counter, class_count>, row_count> requests{};
  std::array<std::array<Counter, bucket_count>, row_count> took{};
  std::array<Counter, row_count> took_nanoseconds{};
  std::atomic<std::int64_t> in_flight{0};
  std::atomic<std::int64_t> connections{0};
  Counter connections_opened{0};
  std::array<Counter, all_refusals.size()> connections_refused{};
};

// The cell that this thread adds to: the first threads get one each, all later ones the shared one.
std::size_t cell_index() {
  return std::min(thread_index(), shared_cell);
}

// The cell of the calling thread, and how to add to it. No other thread writes to a thread's own
// cell, so a load and a store are enough there, which cost much less than an atomic addition.
class CellWriter {
 public:
  CellWriter(Cell& cell, bool is_shared) : cell_(cell), is_shared_(is_shared) {}

  Cell& cell() const { return cell_; }

  template <class Number>
  void add(std::atomic<Number>& counter, std::type_identity_t<Number> amount = 1) const {
    if (is_shared_) {
      counter.fetch_add(amount, std::memory_order_relaxed);
    } else {
      counter.store(counter.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
    }
  }

 private:
  Cell& cell_;
  bool is_shared_;
};

using Labels = std::initializer_list<std::pair<const char*, std::string_view>>;

ClientMetric labelled(Labels labels) {
  ClientMetric metric;
  for (const auto& [name, value] : labels) metric.label.push_back({name, std::string(value)});
  return metric;
}

ClientMetric counter(auto value, Labels labels = {}) {
  ClientMetric metric = labelled(labels);
  metric.counter.value = static_cast<double>(value);
  return metric;
}

ClientMetric gauge(auto value, Labels labels = {}) {
  ClientMetric metric = labelled(labels);
  metric.gauge.value = static_cast<double>(value);
  return metric;
}

ClientMetric histogram(std::span<const std::uint64_t, bucket_count> counts,
                       std::uint64_t nanoseconds, Labels labels) {
  ClientMetric metric = labelled(labels);
  std::uint64_t so_far = 0;
  for (std::size_t i = 0; i < bucket_count; ++i) {
    so_far += counts[i];
    const double bound = i < bound_count ? seconds(std::uint64_t{1} << (first_bound_log2 + i))
                                         : std::numeric_limits<double>::infinity();
    metric.histogram.bucket.push_back({.cumulative_count = so_far, .upper_bound = bound});
  }
  metric.histogram.sample_count = so_far;
  metric.histogram.sample_sum = seconds(nanoseconds);
  return metric;
}

MetricFamily family(MetricType type, const char* name, const char* help,
                    std::vector<ClientMetric> metrics) {
  return {.name = name, .help = help, .type = type, .metric = std::move(metrics)};
}

MetricFamily build_info() {
  return family(MetricType::Gauge, "rps_build_info", "What runs here; always 1.",
                {gauge(1, {{"version", RPS_VERSION}, {"compiler", RPS_COMPILER}})});
}

}  // namespace

// The cells and their sums.
struct Metrics::Impl final : prometheus::Collectable {
  explicit Impl(const Game& the_game) : game(the_game) {}

  CellWriter writer() {
    const std::size_t index = cell_index();
    return {cells[index], index == shared_cell};
  }

  // The sum over all cells of what `pick` finds in one.
  auto sum(auto pick) const {
    decltype(pick(cells[0]).load()) total = 0;
    for (const Cell& cell : cells) total += pick(cell).load(std::memory_order_relaxed);
    return total;
  }

  // By the count of those who open and close them, or by `connections_open` if that was given.
  std::optional<std::int64_t> open_connections() const {
    const std::scoped_lock lock(mutex);
    if (connections_open) return connections_open();
    return sum([](const Cell& cell) -> auto& { return cell.connections; });
  }

  std::vector<MetricFamily> Collect() const override;
  MetricFamily requests() const;
  MetricFamily durations() const;
  void collect_connections(std::vector<MetricFamily>& out) const;
  void collect_game(std::vector<MetricFamily>& out) const;

  const Game& game;
  std::array<Cell, cell_count> cells;
  mutable std::mutex mutex;  // Guards what follows.
  std::function<std::optional<std::size_t>()> connections_open;
  std::vector<std::shared_ptr<prometheus::Collectable>> sources;
};

MetricFamily Metrics::Impl::requests() const {
  std::vector<ClientMetric> metrics;
  for (std::size_t row = 0; row < row_count; ++row) {
    for (std::size_t column = 0; column < class_count; ++column) {
      const auto total = sum([&](const Cell& cell) -> auto& { return cell.requests[row][column]; });
      metrics.push_back(
          counter(total, {{"operation", row_name(row)}, {"error_class", class_name(column)}}));
    }
  }
  return family(MetricType::Counter, "rps_requests_total", "Calls answered.", std::move(metrics));
}

MetricFamily Metrics::Impl::durations() const {
  std::vector<ClientMetric> metrics;
  for (std::size_t row = 0; row < row_count; ++row) {
    std::array<std::uint64_t, bucket_count> counts;
    for (std::size_t i = 0; i < bucket_count; ++i) {
      counts[i] = sum([&](const Cell& cell) -> auto& { return cell.took[row][i]; });
    }
    const auto nanoseconds =
        sum([&](const Cell& cell) -> auto& { return cell.took_nanoseconds[row]; });
    metrics.push_back(histogram(counts, nanoseconds, {{"operation", row_name(row)}}));
  }
  return family(MetricType::Histogram, "rps_request_duration_seconds",
                "Time from the beginning of a request's decoding to the hand-over of its encoded "
                "reply.",
                std::move(metrics));
}

void Metrics::Impl::collect_connections(std::vector<MetricFamily>& out) const {
  const auto in_flight = sum([](const Cell& cell) -> auto& { return cell.in_flight; });
  const auto open = open_connections();
  const auto opened = sum([](const Cell& cell) -> auto& { return cell.connections_opened; });
  const auto refused = [this](Refusal why) {
    return counter(sum([why](const Cell& cell) -> auto& {
                     return cell.connections_refused[static_cast<std::size_t>(why)];
                   }),
                   {{"reason", why == Refusal::limit ? "limit" : "resources"}});
  };
  out.push_back(family(MetricType::Gauge, "rps_requests_in_flight", "Calls not yet answered.",
                       {gauge(in_flight)}));
  if (open) {
    out.push_back(
        family(MetricType::Gauge, "rps_connections", "Connections open now.", {gauge(*open)}));
  }
  out.push_back(family(MetricType::Counter, "rps_connections_total", "Connections ever opened.",
                       {counter(opened)}));
  out.push_back(family(MetricType::Counter, "rps_connections_refused_total",
                       "Connections closed unserved.",
                       {refused(Refusal::limit), refused(Refusal::resources)}));
}

void Metrics::Impl::collect_game(std::vector<MetricFamily>& out) const {
  const SessionStore::Counts sessions = game.session_counts();
  const DuelTable::Counts duels = game.duel_counts();
  const auto add_counter = [&](const char* name, const char* help, std::uint64_t value) {
    out.push_back(family(MetricType::Counter, name, help, {counter(value)}));
  };
  out.push_back(
      family(MetricType::Gauge, "rps_sessions", "Sessions held.", {gauge(sessions.sessions)}));
  add_counter("rps_sessions_created_total", "Sessions ever begun.", sessions.created);
  add_counter("rps_sessions_evicted_total", "Sessions forgotten for want of room.",
              sessions.evicted);
  add_counter("rps_sessions_expired_total", "Sessions forgotten because idle.", sessions.expired);
  out.push_back(family(MetricType::Gauge, "rps_duels", "Duels open.", {gauge(duels.duels)}));
  add_counter("rps_duels_created_total", "Duels ever opened.", duels.created);
  add_counter("rps_duels_evicted_total",
              "Duels that all players had lost, given up for want of room.", duels.evicted);
  add_counter("rps_duels_expired_total", "Duels closed because idle.", duels.expired);
  out.push_back(family(MetricType::Gauge, "rps_spectators", "Spectators of duels.",
                       {gauge(duels.spectators)}));
}

std::vector<MetricFamily> Metrics::Impl::Collect() const {
  std::vector<MetricFamily> out{build_info(), requests(), durations()};
  collect_connections(out);
  collect_game(out);
  return out;
}

Metrics::Metrics(const Game& game) : impl_(std::make_unique<Impl>(game)) {}
Metrics::~Metrics() = default;

void Metrics::answered(std::optional<Operation> operation, std::optional<Error> error,
                       Clock::duration took, std::uint64_t count) {
  const std::size_t row = row_of(operation);
  const auto nanoseconds = static_cast<std::uint64_t>(std::max<std::int64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(took).count(), 0));
  const CellWriter writer = impl_->writer();
  writer.add(writer.cell().requests[row][class_of(error)], count);
  writer.add(writer.cell().took[row][bucket_of(nanoseconds)], count);
  writer.add(writer.cell().took_nanoseconds[row], count * nanoseconds);
}

Metrics::Answered Metrics::answered_so_far() const {
  Answered answered;
  for (std::size_t row = 0; row < row_count; ++row) {
    for (std::size_t column = 0; column < class_count; ++column) {
      const auto count =
          impl_->sum([&](const Cell& cell) -> auto& { return cell.requests[row][column]; });
      answered.all += count;
      if (column == class_of(Error::unavailable)) answered.unavailable += count;
    }
  }
  return answered;
}

void Metrics::call_began() {
  const CellWriter writer = impl_->writer();
  writer.add(writer.cell().in_flight);
}

void Metrics::call_ended(std::int64_t count) {
  const CellWriter writer = impl_->writer();
  writer.add(writer.cell().in_flight, -count);
}

void Metrics::connection_opened() {
  const CellWriter writer = impl_->writer();
  writer.add(writer.cell().connections);
  writer.add(writer.cell().connections_opened);
}

void Metrics::connection_closed() {
  const CellWriter writer = impl_->writer();
  writer.add(writer.cell().connections, -1);
}

void Metrics::connection_refused(Refusal why) {
  const CellWriter writer = impl_->writer();
  writer.add(writer.cell().connections_refused[static_cast<std::size_t>(why)]);
}

void Metrics::count_open_connections(std::function<std::optional<std::size_t>()> open) {
  const std::scoped_lock lock(impl_->mutex);
  impl_->connections_open = std::move(open);
}

void Metrics::add(std::shared_ptr<prometheus::Collectable> source) {
  const std::scoped_lock lock(impl_->mutex);
  impl_->sources.push_back(std::move(source));
}

std::string Metrics::text() const {
  std::vector<MetricFamily> families = impl_->Collect();
  const std::scoped_lock lock(impl_->mutex);
  for (const auto& source : impl_->sources) {
    for (MetricFamily& more : source->Collect()) families.push_back(std::move(more));
  }
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace rps::server
