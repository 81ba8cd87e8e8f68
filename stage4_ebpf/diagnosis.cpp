#include "stage4_ebpf/diagnosis.hpp"

#include <charconv>
#include <cstdint>

#include <linux/capability.h>

namespace rps::observe {
namespace {

// "a", "a and b", "a, b and c".
std::string list(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 < words.size() ? ", " : " and ";
    text += words[i];
  }
  return text;
}

std::uint64_t effective_capabilities(std::string_view proc_status) {
  constexpr std::string_view name = "\nCapEff:\t";
  const std::size_t at = proc_status.find(name);
  if (at == std::string_view::npos) return 0;
  const std::string_view digits = proc_status.substr(at + name.size());
  std::uint64_t bits = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), bits, 16);
  return bits;
}

}  // namespace

std::string explain(const Findings& findings) {
  std::vector<std::string> causes;
  if (!findings.has_btf) causes.push_back(std::string("the kernel has no ") + kernel_btf_path);
  if (const auto& missing = findings.capabilities_missing; !missing.empty()) {
    causes.push_back("the process lacks " + list(missing));
  }
  if (findings.in_user_namespace) {
    causes.emplace_back("the process is in a user namespace, whose capabilities do not reach BPF");
  }
  if (const auto& missing = findings.hooks_missing; !missing.empty()) {
    causes.push_back("the kernel lacks the tracepoint " + list(missing));
  }
  if (causes.empty()) return findings.attempt;
  std::string text = causes.front();
  for (std::size_t i = 1; i < causes.size(); ++i) text += "; " + causes[i];
  return text;
}

std::vector<std::string> capabilities_missing(std::string_view proc_status) {
  const std::uint64_t bits = effective_capabilities(proc_status);
  const auto has = [bits](unsigned capability) { return (bits >> capability & 1) != 0; };
  std::vector<std::string> missing;
  if (has(CAP_SYS_ADMIN)) return missing;
  if (!has(CAP_BPF)) missing.emplace_back("CAP_BPF");
  if (!has(CAP_PERFMON)) missing.emplace_back("CAP_PERFMON");
  return missing;
}

}  // namespace rps::observe
