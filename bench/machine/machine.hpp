// Properties of the machine, each as a short text for a person; empty where it is not known.
#pragma once

#include <string>

namespace rps::machine {

// The vendor of the hypervisor ("KVMKVMKVM") as the instruction CPUID reports it; "none" on a real
// machine.
std::string hypervisor();

// "Example Corp Server 9": what the firmware calls the machine.
std::string product();

// How much CPU time the control groups of this process may use: "1.5 CPUs", or "none".
std::string cpu_limit();

// The CPUs that this process may use: "0-1".
std::string usable_cpu_list();

// CPUs that share a core: "0,4 1,5"; "none" when no two do.
std::string smt_siblings();

// What a reading of Clock costs: "21.3 ns". Measured here, in about a millisecond.
std::string clock_read_cost();

// By how much the kernel may delay a timer of this thread to serve several at once: "50000 ns".
std::string timer_slack();

std::string memory_total();  // "15.6 GiB"

// How many files this process may open, and how many it could ask for: "1024, up to 524288".
std::string open_files_limit();

// Over the last 1, 5 and 15 minutes: "0.31 0.52 0.44".
std::string load_average();

// "always", "madvise" or "never".
std::string transparent_huge_pages();

// "vulnerable: a, b; mitigated: c". Flaws that the processor does not have are left out; "none"
// when it has none of those that the kernel knows.
std::string mitigations();

// The same for a directory of files like /sys/devices/system/cpu/vulnerabilities.
std::string mitigations(const std::string& directory);

}  // namespace rps::machine
