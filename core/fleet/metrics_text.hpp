// What a fleet client counts, as metrics for Prometheus (text format 0.0.4). A program that uses a
// fleet serves this text, or adds it to its own.
//
//   rps_fleet_NAME_total                            one for each counter of Stats
//   rps_fleet_list_current                          1: the list of instances is followed; 0: its
//                                                   source fails, and the last list stays
//   rps_fleet_instance_up{instance}                 1: it can be reached; 0: it cannot, or nobody
//                                                   knows yet
//   rps_fleet_instance_breaker{instance,state}      1 for the state that holds, 0 for the others;
//                                                   state: closed, open, half_open
//   rps_fleet_instance_open_calls{instance}
//   rps_fleet_instance_connections{instance}
//
// `instance` is the instance's URL. docs/fleet.md says what each counter means.
#pragma once

#include <string>
#include <vector>

#include "core/fleet/fleet_client.hpp"

namespace rps::fleet {

std::string metrics_text(const Stats& stats, const std::vector<InstanceStatus>& instances,
                         bool is_list_current);

}  // namespace rps::fleet
