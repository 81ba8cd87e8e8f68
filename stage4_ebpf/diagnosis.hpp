// Why the kernel refused to load the observer, as a sentence that names what is missing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace rps::observe {

// What was found after loading had failed. What could not be found out stays as it is here.
struct Findings {
  std::string attempt;                            // What failed and what libbpf said about it.
  bool is_refusal = false;                        // It failed with EPERM or EACCES.
  std::vector<std::string> capabilities_missing;  // "CAP_BPF"
  bool in_user_namespace = false;                 // Whose capabilities do not reach BPF.
  bool is_filtered = false;                       // A seccomp filter keeps bpf() from the kernel.
  bool has_bpf = true;                            // The kernel was built with bpf().
  bool has_btf = true;                            // The kernel describes its own types.
  std::vector<std::string> hooks_missing;         // Tracepoints that this kernel does not have.
};

inline constexpr const char* kernel_btf_path = "/sys/kernel/btf/vmlinux";

// Why there is no observer.
struct Reason {
  std::string text;
  // What this machine or this process lacks was found. Else `text` only says what failed, and the
  // cause may as well be a fault of ours.
  bool is_found = false;
};

// Pure. The causes that were found, all of them; the bare attempt when none was. What the process
// is not permitted is a cause of a refusal only.
Reason explain(const Findings& findings);

// Pure. Those of CAP_BPF and CAP_PERFMON that are not in this set, in which bit N is capability N;
// CAP_SYS_ADMIN stands for both.
std::vector<std::string> capabilities_missing(std::uint64_t effective);

// Pure. A warning of libbpf without its guess at the cause ("… RLIMIT_MEMLOCK is set to big enough
// value"), which libbpf prints whatever the cause is.
std::string without_guess(const std::string& warning);

}  // namespace rps::observe
