#include "stage4_ebpf/diagnosis.hpp"

#include <utility>

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

void add_refusals(const Findings& findings, std::vector<std::string>& causes) {
  if (const auto& missing = findings.capabilities_missing; !missing.empty()) {
    causes.push_back("the process lacks " + list(missing));
  }
  if (findings.in_user_namespace) {
    causes.emplace_back("the process is in a user namespace, whose capabilities do not reach BPF");
  }
}

}  // namespace

Reason explain(const Findings& findings) {
  std::vector<std::string> causes;
  if (findings.is_filtered) causes.emplace_back("a seccomp filter refuses bpf()");
  if (!findings.has_bpf) causes.emplace_back("the kernel was built without bpf()");
  if (!findings.has_btf) causes.push_back(std::string("there is no ") + kernel_btf_path);
  if (findings.is_refusal) add_refusals(findings, causes);
  if (const auto& missing = findings.hooks_missing; !missing.empty()) {
    causes.push_back("the kernel lacks the tracepoint " + list(missing));
  }
  if (causes.empty()) return {.text = findings.attempt};
  std::string text = causes.front();
  for (std::size_t i = 1; i < causes.size(); ++i) text += "; " + causes[i];
  return {.text = std::move(text), .is_found = true};
}

std::vector<std::string> capabilities_missing(std::uint64_t effective) {
  const auto has = [effective](unsigned capability) { return (effective >> capability & 1) != 0; };
  std::vector<std::string> missing;
  if (has(CAP_SYS_ADMIN)) return missing;
  if (!has(CAP_BPF)) missing.emplace_back("CAP_BPF");
  if (!has(CAP_PERFMON)) missing.emplace_back("CAP_PERFMON");
  return missing;
}

std::string without_guess(const std::string& warning) {
  return warning.substr(0, warning.find(" Make sure "));
}

}  // namespace rps::observe
