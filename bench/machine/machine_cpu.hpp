// How busy the CPUs are, with the programs that the harness did not start. Other programs on the
// same CPUs disturb a measurement.
#pragma once

#include <istream>
#include <vector>

namespace rps::machine {

// The seconds that these CPUs have been busy since the start of the machine, whatever used them:
// processes, interrupts, and other virtual machines ("steal"). Counted by the kernel in hundredths
// of a second. Zero where there is no /proc.
double busy_seconds(const std::vector<int>& cpus);

// Seconds of those that the hypervisor gave to others while one of `cpus` wanted to run.
double stolen_seconds(const std::vector<int>& cpus);

// The same from the text of /proc/stat.
double busy_seconds(const std::vector<int>& cpus, std::istream& proc_stat);
double stolen_seconds(const std::vector<int>& cpus, std::istream& proc_stat);

}  // namespace rps::machine
