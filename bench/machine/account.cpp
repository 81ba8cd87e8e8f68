#include "bench/machine/account.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <ctime>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

// Not <netinet/tcp.h>: its tcp_info ends before the counters of bytes.
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/machine/text_file.hpp"
#include "core/net/file.hpp"
#include "core/number.hpp"

namespace rps::machine {

namespace {

namespace fs = std::filesystem;

// Calls visit(name) for each entry of a directory of /proc.
template <class Visit>
void for_each_entry(const std::string& directory, Visit visit) {
  std::error_code failure;
  for (fs::directory_iterator entry(directory, failure), end; !failure && entry != end;
       entry.increment(failure)) {
    visit(entry->path().filename().string());
  }
}

std::optional<double> cpu_seconds(pid_t pid) {
  clockid_t clock{};
  timespec used{};
  if (::clock_getcpuclockid(pid, &clock) != 0 || ::clock_gettime(clock, &used) != 0) {
    return std::nullopt;
  }
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) * 1e-9;
}

// How much of its time a process has spent outside the kernel, sampled. Nothing for one that has
// ended, even if nobody has asked yet how.
std::optional<double> user_share(const std::string& directory) {
  const auto text = net::read_file(directory + "/stat");
  if (!text) return std::nullopt;
  // "pid (name) state ppid …": the name may hold spaces and parentheses.
  const std::size_t name_end = text->rfind(") ");
  if (name_end == std::string::npos) return std::nullopt;
  const std::string_view fields = std::string_view(*text).substr(name_end + 2);
  if (fields.empty() || fields.front() == 'Z' || fields.front() == 'X') return std::nullopt;

  // The 14th and 15th field of all, in ticks; the state, which is the third, is no number.
  std::array<std::int64_t, 12> numbers{};
  std::string_view rest = fields.substr(1);
  for (std::int64_t& number : numbers) {
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    number = take_number<std::int64_t>(rest).value_or(0);
  }
  const auto user = static_cast<double>(numbers[10]);
  const auto system = static_cast<double>(numbers[11]);
  return user + system > 0 ? user / (user + system) : 1;
}

void add_switches(std::string_view status, Usage& usage) {
  usage.voluntary_switches += number_of(status, "voluntary_ctxt_switches:");
  usage.involuntary_switches += number_of(status, "nonvoluntary_ctxt_switches:");
}

// The status of the process tells the switches of its first thread only.
void add_switches_of_threads(const std::string& directory, Usage& usage) {
  const std::string tasks = directory + "/task/";
  for_each_entry(tasks, [&](const std::string& thread) {
    if (const auto status = net::read_file(tasks + thread + "/status"))
      add_switches(*status, usage);
  });
}

std::uint64_t count_open_files(const std::string& directory) {
  const std::string files = directory + "/fd";
  struct stat info{};
  if (::stat(files.c_str(), &info) == 0 && info.st_size > 0) {
    return static_cast<std::uint64_t>(info.st_size);  // Linux 6.2 and later tell it there.
  }
  std::uint64_t count = 0;
  for_each_entry(files, [&](const std::string&) { ++count; });
  return count;
}

std::expected<Usage, std::string> usage_of(pid_t pid) {
  const std::string directory = "/proc/" + std::to_string(pid);
  const auto share = user_share(directory);
  const auto status = net::read_file(directory + "/status");
  const auto seconds = cpu_seconds(pid);
  if (!status) return std::unexpected(directory + "/status " + status.error());
  if (!share || !seconds) {
    return std::unexpected("process " + std::to_string(pid) + " has ended");
  }

  Usage usage{.user_seconds = *seconds * *share,
              .system_seconds = *seconds * (1 - *share),
              .threads = static_cast<std::uint32_t>(number_of(*status, "Threads:")),
              .rss_bytes = number_of(*status, "VmRSS:") * 1024,
              .rss_peak_bytes = number_of(*status, "VmHWM:") * 1024,
              .open_files = count_open_files(directory)};
  if (usage.threads > 1) {
    add_switches_of_threads(directory, usage);
  } else {
    add_switches(*status, usage);
  }
  return usage;
}

void add(const Usage& one, Usage& total) {
  total.user_seconds += one.user_seconds;
  total.system_seconds += one.system_seconds;
  total.voluntary_switches += one.voluntary_switches;
  total.involuntary_switches += one.involuntary_switches;
  total.threads += one.threads;
  total.rss_bytes += one.rss_bytes;
  total.rss_peak_bytes += one.rss_peak_bytes;
  total.open_files += one.open_files;
}

// What a counter has grown by; it falls when what it counted for is gone.
std::uint64_t grown(std::uint64_t earlier, std::uint64_t later) {
  return later > earlier ? later - earlier : 0;
}

// Of one descriptor; nothing that is no TCP connection has any.
Traffic traffic_of(int fd) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return {};
  const auto knows = [&](const auto& member) {  // An older kernel tells a shorter struct.
    const auto end = reinterpret_cast<const char*>(&member + 1) - reinterpret_cast<char*>(&info);
    return size >= static_cast<socklen_t>(end);
  };
  Traffic traffic;
  if (knows(info.tcpi_bytes_retrans)) {
    traffic.sent = info.tcpi_bytes_sent - info.tcpi_bytes_retrans;
  } else if (knows(info.tcpi_bytes_acked)) {
    traffic.sent = info.tcpi_bytes_acked;
  }
  if (knows(info.tcpi_bytes_received)) traffic.received = info.tcpi_bytes_received;
  return traffic;
}

}  // namespace

std::expected<Usage, std::string> read_usage(std::span<const pid_t> pids) {
  Usage total;
  for (const pid_t pid : pids) {
    const auto one = usage_of(pid);
    if (!one) return one;
    add(*one, total);
  }
  return total;
}

Usage used_between(const Usage& earlier, const Usage& later) {
  Usage used = later;
  const double seconds =
      later.user_seconds + later.system_seconds - earlier.user_seconds - earlier.system_seconds;
  // Of next to nothing the sampled split may run backwards; the sum never does.
  used.user_seconds =
      std::clamp(later.user_seconds - earlier.user_seconds, 0.0, std::max(seconds, 0.0));
  used.system_seconds = std::max(seconds, 0.0) - used.user_seconds;
  used.voluntary_switches = grown(earlier.voluntary_switches, later.voluntary_switches);
  used.involuntary_switches = grown(earlier.involuntary_switches, later.involuntary_switches);
  return used;
}

Traffic read_tcp_traffic() {
  Traffic total;
  for_each_entry("/proc/self/fd", [&](const std::string& name) {
    const Traffic one = traffic_of(parse_number<int>(name).value_or(-1));
    total.sent += one.sent;
    total.received += one.received;
  });
  return total;
}

std::expected<Traffic, std::string> read_pipe_traffic(std::span<const pid_t> children) {
  assert(!children.empty());
  Traffic total;
  for (const pid_t child : children) {
    const std::string io = "/proc/" + std::to_string(child) + "/io";
    const auto text = net::read_file(io);
    if (!text) return std::unexpected(io + " " + text.error());
    if (text->empty()) return std::unexpected(io + " is empty");
    total.sent += number_of(*text, "rchar:");
    total.received += number_of(*text, "wchar:");
  }
  return total;
}

Traffic moved_between(const Traffic& earlier, const Traffic& later) {
  return {.sent = grown(earlier.sent, later.sent),
          .received = grown(earlier.received, later.received)};
}

}  // namespace rps::machine
