// Connects, plays one round and closes, again and again: measures the cost of a connection.
#pragma once

#include <string>

#include "bench/model/run.hpp"
#include "bench/scenarios/runner.hpp"
#include "bench/scenarios/targets.hpp"

namespace rps::scenarios {

// One connection after the other, for so many seconds. A trial becomes a cell of the run: a call is
// due when connecting begins and sent when the connection stands, so `lateness` is the time to
// connect, `service` the round, `response` both. A connection that cannot be opened counts as lost;
// a thousand of them in a row end it.
void run_churn(Measurement& measurement, const NamedTarget& target, double seconds);

// The times to connect and to play, of the last trial.
std::string churn_text(const model::Run& run);

}  // namespace rps::scenarios
