#include "bench/scenarios/churn.hpp"

#include <chrono>
#include <exception>

#include "bench/load/clients/connect.hpp"
#include "bench/load/limits.hpp"
#include "bench/model/format.hpp"
#include "bench/report/progress.hpp"
#include "bench/scenarios/servers.hpp"

namespace rps::scenarios {

namespace {

constexpr std::size_t failures_in_a_row_max = 1000;
constexpr std::chrono::seconds show_every{1};
constexpr std::string_view unread = "churn does not read it";

class Churn final : public Sink {
 public:
  Churn(const std::string& url, load::Judging judging) : url_(url), judging_(judging) {}

  // One connection from its beginning to its end. False when it could not be opened.
  bool once() {
    const Clock::time_point begun = Clock::now();
    try {
      const ConnectOptions one{
          .connections = 1, .depth = 1, .timeout_max = load::limits::connect_max};
      const load::Connection connection = load::connect(url_, one);
      begun_ = begun;
      answered_ = false;
      connection.client->submit(0, {.move = Move::rock});
      const Clock::time_point deadline = Clock::now() + load::limits::drain_max;
      while (!answered_ && Clock::now() < deadline) connection.client->poll(deadline, *this);
      if (!answered_) ++lost_;
      return true;
    } catch (const std::exception&) {
      ++lost_;
      return false;
    }
  }

  void on_reply(std::uint64_t, const Reply& reply, const Stamps& stamps) override {
    answered_ = true;
    const load::Verdict verdict =
        judging_ == load::Judging::none || judging_ == load::Judging::errors
            ? (reply.error ? load::Verdict::refused : load::Verdict::right)
            : load::check_lone_round(Move::rock, reply);
    verdicts_.count(verdict);
    const Clock::duration response = stamps.received_at - begun_;
    if (verdict != load::Verdict::right) return errors_.record(response);
    response_.record(response);
    recent_.record(response);
    service_.record(stamps.received_at - stamps.sent_at);
    lateness_.record(stamps.sent_at - begun_);
  }

  void on_event(const Event&) override {}

  load::Interval take_interval(double begins, double seconds) {
    const load::Interval interval = load::interval_of(recent_, begins, seconds);
    recent_.clear();
    return interval;
  }

  model::Trial trial(double seconds, std::vector<load::Interval> series) const {
    return {.ending = load::Ending::finished,
            .valid = service_.count() > 0 && verdicts_.not_right() == 0 && lost_ == 0,
            .verdicts = verdicts_,
            .answered = service_.count(),
            .due = verdicts_.total() + lost_,
            .lost = lost_,
            .seconds = seconds,
            .response = load::Distribution(response_),
            .service = load::Distribution(service_),
            .lateness = load::Distribution(lateness_),
            .errors = load::Distribution(errors_),
            .open_mean = 1,
            .series = std::move(series),
            .why_no = {.server = std::string(unread),
                       .machine = std::string(unread),
                       .traffic = std::string(unread),
                       .syscalls = std::string(unread)}};
  }

 private:
  const std::string& url_;
  load::Judging judging_;
  Clock::time_point begun_;
  bool answered_ = false;
  load::Verdicts verdicts_;
  std::uint64_t lost_ = 0;
  load::Histogram response_, service_, lateness_, errors_, recent_;
};

double seconds_between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

model::Trial measure(Measurement& measurement, const NamedTarget& target, double seconds) {
  const Servers servers(target.target, {.cpus = machine::server_cpus(measurement.run.plan.cpus),
                                        .scratch = measurement.options.out,
                                        .log_name = "churn"});
  Churn churn(servers.url(), target.target.judging);
  report::Progress progress(measurement.options.progress, 1, seconds);
  progress.begin(target.key + ", one connection after the other", seconds);
  std::vector<load::Interval> series;
  const Clock::time_point start = Clock::now();
  Clock::time_point interval_began = start;
  std::size_t failures_in_a_row = 0;
  Clock::time_point now = start;
  while (seconds_between(start, now) < seconds && !measurement.interrupt.requested() &&
         failures_in_a_row < failures_in_a_row_max) {
    failures_in_a_row = churn.once() ? 0 : failures_in_a_row + 1;
    now = Clock::now();
    if (now - interval_began < show_every) continue;
    series.push_back(churn.take_interval(seconds_between(start, interval_began),
                                         seconds_between(interval_began, now)));
    progress.interval(series.back());
    progress.tick();
    interval_began = now;
  }
  model::Trial trial = churn.trial(seconds_between(start, now), std::move(series));
  if (failures_in_a_row == failures_in_a_row_max) trial.ending = load::Ending::broken;
  return trial;
}

}  // namespace

void run_churn(Measurement& measurement, const NamedTarget& target, double seconds) {
  model::Run& run = measurement.run;
  PlannedCell planned = target.at({}, 1);
  planned.cell.key = target.key + "/churn";
  run.cells.push_back(planned.cell);
  model::Trial trial;
  try {
    trial = measure(measurement, target, seconds);
  } catch (const std::exception& failure) {
    trial.start_error = failure.what();
  }
  run.interrupted = measurement.interrupt.requested();
  run.trials.push_back({.cell = run.cells.size() - 1, .trial = std::move(trial)});
}

std::string churn_text(const model::Run& run) {
  const model::Trial& trial = run.trials.back().trial;
  if (!trial.valid) return {};
  const auto line = [](const char* what, const load::Distribution& times) {
    return std::string("- ") + what + ": p50 " + model::format_nanoseconds(times.quantile_ns(0.5)) +
           ", p99 " + model::format_nanoseconds(times.quantile_ns(0.99)) + ", longest " +
           model::format_nanoseconds(times.max_ns) + ".\n";
  };
  return "\n## Connections\n\n- " + model::format_rate(trial.good_per_second()) +
         " connections a second, one after the other.\n" + line("To connect", trial.lateness) +
         line("One round on it", trial.service);
}

}  // namespace rps::scenarios
