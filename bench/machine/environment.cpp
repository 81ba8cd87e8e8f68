#include "bench/machine/environment.hpp"

#include <array>
#include <ctime>
#include <string_view>
#include <system_error>

#include <gnu/libc-version.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "bench/machine/machine.hpp"
#include "bench/machine/process.hpp"
#include "bench/machine/text_file.hpp"
#include "core/net/file.hpp"

namespace rps::machine {

namespace {

std::string now_utc() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  std::array<char, 32> text;
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {text.data(), size};
}

std::string kernel_name() {
  utsname name{};
  ::uname(&name);
  return std::string(name.sysname) + " " + name.release + " " + name.machine;
}

std::string cpu_model() {
  const std::string cpuinfo = net::read_file("/proc/cpuinfo").value_or("");
  return std::string(find_field(cpuinfo, "model name\t:").value_or("unknown"));
}

// Asks git about the tree the harness was built from; the tree may be gone, or no git tree, and git
// need not be installed.
std::string source_revision() {
  try {
    Process git(
        {.argv = {"git", "-C", RPS_SOURCE_DIR, "describe", "--always", "--dirty=+", "--exclude=*"},
         .stderr_file = {},
         .cpus = {}});
    return git.read_line(Clock::now() + std::chrono::seconds(2)).value_or("");
  } catch (const std::system_error&) {
    return {};
  }
}

// The versions of the libraries are those of the build; they stay empty where a library is not
// used.
std::vector<std::pair<std::string, std::string>> read_details() {
  const std::string cpus = "/sys/devices/system/cpu/";
  const std::string clock_source =
      "/sys/devices/system/clocksource/clocksource0/current_clocksource";
  return {{"compiler flags", RPS_COMPILE_FLAGS},
          {"C library", std::string("glibc ") + ::gnu_get_libc_version()},
          {"gRPC", RPS_GRPC_VERSION},
          {"Protocol Buffers", RPS_PROTOBUF_VERSION},
          {"Boost", RPS_BOOST_VERSION},
          {"nlohmann JSON", RPS_NLOHMANN_JSON_VERSION},
          {"machine", product()},
          {"hypervisor", hypervisor()},
          {"usable CPUs", usable_cpu_list()},
          {"CPU limit", cpu_limit()},
          {"SMT siblings", smt_siblings()},
          // Of the first CPU. In a virtual machine there is usually neither.
          {"frequency governor", read_first_line(cpus + "cpu0/cpufreq/scaling_governor")},
          {"frequency driver", read_first_line(cpus + "cpu0/cpufreq/scaling_driver")},
          {"idle driver", read_first_line(cpus + "cpuidle/current_driver")},
          {"mitigations", mitigations()},
          {"clock source", read_first_line(clock_source)},
          {"clock read", clock_read_cost()},
          {"timer slack", timer_slack()},
          {"memory", memory_total()},
          {"transparent huge pages", transparent_huge_pages()},
          {"open files limit", open_files_limit()},
          {"load average", load_average()}};
}

}  // namespace

Environment read_environment() {
  return {.date = now_utc(),
          .kernel = kernel_name(),
          .cpu = cpu_model(),
#ifdef __clang__
          .compiler = "clang " __clang_version__,
#else
          .compiler = "gcc " __VERSION__,
#endif
          .build = RPS_BUILD_TYPE,
          .revision = source_revision(),
          .warning = build_warning(),
          .cores = static_cast<unsigned>(::sysconf(_SC_NPROCESSORS_ONLN)),
          .details = read_details()};
}

std::string build_warning() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return "this is a sanitizer build: its numbers mean nothing";
#elif !defined(NDEBUG)
  return "this build checks assertions: its numbers mean nothing; measure the release preset";
#else
  return "";
#endif
}

}  // namespace rps::machine
