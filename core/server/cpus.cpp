#include "core/server/cpus.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <utility>

#include <sched.h>

namespace rps::server {

namespace {

using Version = CpuCgroup::Version;

// Takes the text before the first `separator`, or all of it, off the front of `text`.
std::string_view take(std::string_view& text, char separator) {
  const std::size_t at = text.find(separator);
  const std::string_view front = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return front;
}

bool contains_word(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    if (take(list, ',') == word) return true;
  }
  return false;
}

std::optional<std::int64_t> parse_number(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<double> ratio(std::string_view quota, std::string_view period) {
  const auto quota_us = parse_number(quota);
  const auto period_us = parse_number(period);
  if (!quota_us || !period_us || *quota_us <= 0 || *period_us <= 0) return std::nullopt;
  return static_cast<double>(*quota_us) / static_cast<double>(*period_us);
}

struct Mount {
  Version version = Version::v2;
  std::string_view root;   // The cgroup that is mounted …
  std::string_view point;  // … and where.
};

// One line of mountinfo: "36 35 0:28 /root /mount/point rw,relatime shared:1 - cgroup cgroup
// rw,cpu".
std::optional<Mount> parse_mount(std::string_view line) {
  constexpr std::string_view separator = " - ";
  const std::size_t middle = line.find(separator);
  if (middle == std::string_view::npos) return std::nullopt;
  std::string_view left = line.substr(0, middle);
  std::string_view right = line.substr(middle + separator.size());
  for (int skipped = 0; skipped < 3; ++skipped) take(left, ' ');
  const std::string_view root = take(left, ' ');
  const std::string_view point = take(left, ' ');
  const std::string_view type = take(right, ' ');
  take(right, ' ');
  if (!point.starts_with('/')) return std::nullopt;
  if (type == "cgroup2") return Mount{.version = Version::v2, .root = root, .point = point};
  if (type == "cgroup" && contains_word(right, "cpu")) {
    return Mount{.version = Version::v1, .root = root, .point = point};
  }
  return std::nullopt;
}

// The process's path in a hierarchy; lines are "4:cpu,cpuacct:/path" in v1 and "0::/path" in v2.
std::optional<std::string_view> cgroup_path(std::string_view proc_cgroup, Version version) {
  while (!proc_cgroup.empty()) {
    std::string_view line = take(proc_cgroup, '\n');
    const std::string_view hierarchy = take(line, ':');
    const std::string_view controllers = take(line, ':');
    const bool is_it = version == Version::v2 ? hierarchy == "0" && controllers.empty()
                                              : contains_word(controllers, "cpu");
    if (is_it) return line;
  }
  return std::nullopt;
}

// The part of `path` below `root`: "" or "/a/b". A path that is not below what is mounted cannot be
// reached through it; then "" stands for the outermost cgroup that can.
std::string_view below(std::string_view path, std::string_view root) {
  if (root == "/") root = "";
  if (!path.starts_with(root) || path.contains("/..")) return "";
  path.remove_prefix(root.size());
  return path.starts_with('/') && path != "/" ? path : std::string_view();
}

std::string read_text(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::optional<double> read_quota(const CpuCgroup& cgroup) {
  const std::string& directory = cgroup.directory;
  switch (cgroup.version) {
    case Version::v1:
      return parse_cfs_quota(read_text(directory + "/cpu.cfs_quota_us"),
                             read_text(directory + "/cpu.cfs_period_us"));
    case Version::v2: return parse_cpu_max(read_text(directory + "/cpu.max"));
  }
  return std::nullopt;
}

// The kernel refuses a set that is smaller than its own, whose size it does not tell.
std::vector<int> affinity_mask() {
  constexpr std::size_t cpus_max = std::size_t{1} << 16;
  std::vector<int> found;
  for (std::size_t cpus = CPU_SETSIZE; cpus <= cpus_max && found.empty(); cpus *= 2) {
    std::vector<cpu_set_t> set(cpus / CPU_SETSIZE);
    const std::size_t bytes = set.size() * sizeof(cpu_set_t);
    if (::sched_getaffinity(0, bytes, set.data()) != 0) continue;
    for (std::size_t cpu = 0; cpu < cpus; ++cpu) {
      if (CPU_ISSET_S(cpu, bytes, set.data())) found.push_back(static_cast<int>(cpu));
    }
  }
  if (found.empty()) found.push_back(0);
  return found;
}

std::string cpus_text(std::string number) {
  const bool is_one = number == "1";
  return std::move(number) + (is_one ? " CPU" : " CPUs");
}

// "1.5", "2": two digits at most behind the point.
std::string quota_text(double quota) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(),
                                 std::round(quota * 100) / 100, std::chars_format::fixed);
  return {text.data(), end.ptr};
}

}  // namespace

unsigned UsableCpus::count() const {
  const auto in_mask = static_cast<double>(affinity.size());
  return static_cast<unsigned>(
      std::max(1.0, std::min(in_mask, std::ceil(quota.value_or(in_mask)))));
}

std::string UsableCpus::reason() const {
  return "affinity mask: " + cpus_text(std::to_string(affinity.size())) +
         "; cgroup quota: " + (quota ? cpus_text(quota_text(*quota)) : "none found");
}

UsableCpus usable_cpus() {
  const auto cgroups =
      cpu_cgroups(read_text("/proc/self/cgroup"), read_text("/proc/self/mountinfo"));
  return {.affinity = affinity_mask(), .quota = smallest_quota(cgroups)};
}

std::vector<CpuCgroup> cpu_cgroups(std::string_view proc_cgroup, std::string_view mountinfo) {
  std::vector<CpuCgroup> found;
  while (!mountinfo.empty()) {
    const auto mount = parse_mount(take(mountinfo, '\n'));
    const auto path = mount ? cgroup_path(proc_cgroup, mount->version) : std::nullopt;
    if (!path) continue;
    std::string_view rest = below(*path, mount->root);
    for (; !rest.empty(); rest = rest.substr(0, rest.rfind('/'))) {
      found.push_back({mount->version, std::string(mount->point).append(rest)});
    }
    found.push_back({mount->version, std::string(mount->point)});
  }
  return found;
}

std::optional<double> smallest_quota(const std::vector<CpuCgroup>& cgroups) {
  std::optional<double> smallest;
  for (const CpuCgroup& cgroup : cgroups) {
    const auto quota = read_quota(cgroup);
    if (quota && (!smallest || *quota < *smallest)) smallest = quota;
  }
  return smallest;
}

std::optional<double> parse_cpu_max(std::string_view text) {
  text = take(text, '\n');
  const std::string_view quota = take(text, ' ');
  return ratio(quota, text);
}

std::optional<double> parse_cfs_quota(std::string_view quota, std::string_view period) {
  return ratio(take(quota, '\n'), take(period, '\n'));
}

}  // namespace rps::server
