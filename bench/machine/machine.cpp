#include "bench/machine/machine.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <set>
#include <system_error>
#include <vector>

#include <sys/prctl.h>
#include <sys/resource.h>
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

#include "bench/machine/text_file.hpp"
#include "core/clock.hpp"
#include "core/net/file.hpp"
#include "core/server/cpus.hpp"

namespace rps::machine {

namespace {

namespace fs = std::filesystem;

std::string in_cpu_directory(const std::string& name) {
  return "/sys/devices/system/cpu/" + name;
}

std::string with_decimals(double value, int decimals) {
  std::array<char, 64> text;
  const int size = std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
  return {text.data(), static_cast<std::size_t>(size)};
}

// Of the words "always [madvise] never" the one in brackets.
std::string chosen_word(const std::string& words) {
  const std::size_t open = words.find('[');
  const std::size_t close = words.find(']', open);
  if (open == std::string::npos || close == std::string::npos) return {};
  return words.substr(open + 1, close - open - 1);
}

std::string joined(const std::vector<std::string>& words, std::string_view separator) {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text += separator;
    text += word;
  }
  return text;
}

std::vector<std::string> sorted_entries(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code failure;
  for (const auto& entry : fs::directory_iterator(directory, failure)) {
    names.push_back(entry.path().filename().string());
  }
  std::ranges::sort(names);
  return names;
}

}  // namespace

std::string hypervisor() {
#if defined(__x86_64__) || defined(__i386__)
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  constexpr unsigned is_virtual = 1U << 31;  // Of ecx; a real processor has 0 there.
  if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) == 0 || (ecx & is_virtual) == 0) return "none";
  __cpuid(0x40000000, eax, ebx, ecx, edx);
  const std::array words{ebx, ecx, edx};
  std::array<char, sizeof words + 1> name{};
  std::memcpy(name.data(), words.data(), sizeof words);
  return name.data();
#else
  return read_first_line("/sys/hypervisor/type");
#endif
}

std::string product() {
  const std::string directory = "/sys/class/dmi/id/";
  std::vector<std::string> words;
  for (const char* name : {"sys_vendor", "product_name"}) {
    if (std::string word = read_first_line(directory + name); !word.empty()) {
      words.push_back(std::move(word));
    }
  }
  return joined(words, " ");
}

std::string cpu_limit() {
  const auto quota = server::usable_cpus().quota;
  return quota ? with_decimals(*quota, 2) + " CPUs" : "none";
}

std::string usable_cpu_list() {
  const std::string status = net::read_file("/proc/self/status").value_or("");
  return std::string(find_field(status, "Cpus_allowed_list:").value_or(""));
}

std::string smt_siblings() {
  std::set<std::string> groups;
  bool told = false;
  for (const std::string& name : sorted_entries(in_cpu_directory(""))) {
    const std::string list =
        read_first_line(in_cpu_directory(name) + "/topology/thread_siblings_list");
    told = told || !list.empty();
    if (list.find_first_of(",-") != std::string::npos) groups.insert(list);
  }
  if (groups.empty()) return told ? "none" : "";
  return joined({groups.begin(), groups.end()}, " ");
}

// The fastest of many batches: the others were disturbed.
std::string clock_read_cost() {
  constexpr int batches = 50;
  constexpr int reads = 500;
  Clock::duration fastest = Clock::duration::max();
  for (int batch = 0; batch < batches; ++batch) {
    const Clock::time_point start = Clock::now();
    Clock::time_point last = start;
    for (int i = 0; i < reads; ++i) last = Clock::now();
    fastest = std::min(fastest, last - start);
  }
  return with_decimals(static_cast<double>(fastest.count()) / reads, 1) + " ns";
}

std::string timer_slack() {
  const int nanoseconds = ::prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0);
  return nanoseconds < 0 ? "" : std::to_string(nanoseconds) + " ns";
}

std::string memory_total() {
  constexpr double kibibytes_in_gibibyte = 1024 * 1024;
  const std::uint64_t kibibytes =
      number_of(net::read_file("/proc/meminfo").value_or(""), "MemTotal:");
  if (kibibytes == 0) return {};
  return with_decimals(static_cast<double>(kibibytes) / kibibytes_in_gibibyte, 1) + " GiB";
}

std::string open_files_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return {};
  const auto text = [](rlim_t value) {
    return value == RLIM_INFINITY ? "unlimited" : std::to_string(value);
  };
  return text(limit.rlim_cur) + ", up to " + text(limit.rlim_max);
}

std::string load_average() {
  const std::string line = read_first_line("/proc/loadavg");  // "0.31 0.52 0.44 1/90 347"
  std::size_t end = 0;
  for (int word = 0; word < 3 && end != std::string::npos; ++word) end = line.find(' ', end + 1);
  return line.substr(0, end);
}

std::string transparent_huge_pages() {
  return chosen_word(read_first_line("/sys/kernel/mm/transparent_hugepage/enabled"));
}

std::string mitigations(const std::string& directory) {
  std::vector<std::string> vulnerable;
  std::vector<std::string> mitigated;
  const std::vector<std::string> names = sorted_entries(directory);
  for (const std::string& name : names) {
    const std::string state = read_first_line(std::filesystem::path(directory) / name);
    if (state.empty() || state.starts_with("Not affected")) continue;
    (state.starts_with("Mitigation") ? mitigated : vulnerable).push_back(name);
  }
  if (vulnerable.empty() && mitigated.empty()) return names.empty() ? "" : "none";
  std::vector<std::string> parts;
  if (!vulnerable.empty()) parts.push_back("vulnerable: " + joined(vulnerable, ", "));
  if (!mitigated.empty()) parts.push_back("mitigated: " + joined(mitigated, ", "));
  return joined(parts, "; ");
}

std::string mitigations() {
  return mitigations(in_cpu_directory("vulnerabilities"));
}

}  // namespace rps::machine
