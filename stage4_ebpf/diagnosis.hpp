// Why the kernel refused to load the observer, as a sentence that names what is missing.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rps::observe {

// What was found after loading had failed.
struct Findings {
  std::string attempt;                            // What failed and what libbpf said about it.
  std::vector<std::string> capabilities_missing;  // "CAP_BPF"
  bool in_user_namespace = false;                 // Whose capabilities do not reach BPF.
  bool has_btf = true;                            // The kernel describes its own types.
  std::vector<std::string> hooks_missing;         // Tracepoints that this kernel does not have.
};

inline constexpr const char* kernel_btf_path = "/sys/kernel/btf/vmlinux";

// Pure. The causes that are known, all of them; the bare attempt when none is.
std::string explain(const Findings& findings);

// Pure. Those of CAP_BPF and CAP_PERFMON that the process of this /proc/PID/status does not have in
// effect; CAP_SYS_ADMIN stands for both. All of them when the text has no CapEff line.
std::vector<std::string> capabilities_missing(std::string_view proc_status);

}  // namespace rps::observe
