#include "bench/machine/environment.hpp"

#include <algorithm>
#include <cstdlib>
#include <set>
#include <string>
#include <thread>

#include <gnu/libc-version.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench/machine/cpus.hpp"
#include "bench/machine/machine.hpp"
#include "bench/machine/text_file.hpp"
#include "core/net/file.hpp"
#include "core/server/cpus.hpp"
#include "tests/bench/child.hpp"
#include "tests/catch.hpp"
#include "tests/temporary_folder.hpp"

using namespace rps;
using namespace rps::machine;

namespace {

std::string detail(const Environment& environment, const std::string& name) {
  for (const auto& [key, value] : environment.details) {
    if (key == name) return value;
  }
  FAIL("there is no detail " << name);
  return {};
}

}  // namespace

TEST_CASE("an environment is whole") {
  const Environment environment = read_environment();
  CHECK(environment.date.size() == std::string("2026-01-01T00:00:00Z").size());
  CHECK(environment.kernel.starts_with("Linux "));
  CHECK(environment.cores >= 1);
  CHECK_FALSE(environment.compiler.empty());

  std::set<std::string> names;
  for (const auto& [name, value] : environment.details) {
    INFO(name);
    CHECK(names.insert(name).second);
    CHECK(value.find('\n') == std::string::npos);
  }
  CHECK(detail(environment, "C library") == std::string("glibc ") + ::gnu_get_libc_version());
  CHECK(detail(environment, "compiler flags").find("-fno-omit-frame-pointer") != std::string::npos);
  CHECK(detail(environment, "nlohmann JSON").starts_with("3."));
  CHECK(detail(environment, "memory").ends_with(" GiB"));
  CHECK_FALSE(detail(environment, "hypervisor").empty());
  CHECK(std::ranges::count(detail(environment, "load average"), ' ') == 2);
}

TEST_CASE("without git the revision is unknown, and the rest of the environment known") {
  const Child child([](const Turns& parent) {
    ::setenv("PATH", "/nonexistent", 1);
    const Environment environment = read_environment();
    parent.tell(environment.revision.empty() && !environment.kernel.empty() ? 1 : 0);
    parent.await();
  });
  CHECK(child.await() == 1);
}

TEST_CASE("what a process may do is read when it is asked for") {
  rlimit files{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &files) == 0);
  std::string slack;
  std::jthread([&] {  // Only this thread is changed.
    ::prctl(PR_SET_TIMERSLACK, 1234, 0, 0, 0);
    slack = timer_slack();
  })
      .join();
  CHECK(slack == "1234 ns");
  CHECK(open_files_limit().starts_with(std::to_string(files.rlim_cur) + ", up to "));

  const int cpu = rps::server::usable_cpus().affinity.back();
  const Child child([cpu](const Turns& parent) {  // It alone is pinned.
    pin_process(::getpid(), cpu);
    parent.tell(usable_cpu_list() == std::to_string(cpu) ? 1 : 0);
    parent.await();
  });
  CHECK(child.await() == 1);
}

TEST_CASE("reading the clock costs something, and little") {
  const std::string cost = clock_read_cost();
  REQUIRE(cost.ends_with(" ns"));
  CHECK(std::stod(cost) > 0);
}

TEST_CASE("the CPU limit is the quota that servers heed") {
  const auto quota = rps::server::usable_cpus().quota;
  CHECK((cpu_limit() == "none") == !quota);
}

TEST_CASE("mitigations are one line without what the processor does not have") {
  const TemporaryFolder tree;
  CHECK(mitigations(tree.path.string()).empty());
  CHECK(mitigations(tree.path.string() + "/none").empty());
  tree.write("meltdown", "Not affected\n");
  CHECK(mitigations(tree.path.string()) == "none");
  tree.write("spectre_v1", "Mitigation: barriers; and more\n");
  CHECK(mitigations(tree.path.string()) == "mitigated: spectre_v1");
  tree.write("spec_store_bypass", "Vulnerable\n");
  tree.write("another", "Unknown: No mitigations\n");
  CHECK(mitigations(tree.path.string()) ==
        "vulnerable: another, spec_store_bypass; mitigated: spectre_v1");
}

TEST_CASE("a field is found at the beginning of a line only") {
  constexpr std::string_view text =
      "Name:\tx VmRSS: 1 kB\nnonvoluntary:\t7\nvoluntary:\t 5 \nlast:9";
  CHECK(find_field(text, "voluntary:") == "5");
  CHECK(find_field(text, "last:") == "9");
  CHECK(find_field(text, "Name:") == "x VmRSS: 1 kB");
  CHECK_FALSE(find_field(text, "VmRSS:"));
  CHECK_FALSE(find_field("", "Name:"));
  CHECK(number_of(text, "nonvoluntary:") == 7);
  CHECK(number_of(text, "Name:") == 0);
  CHECK_FALSE(net::read_file("/does/not/exist"));
  CHECK(read_first_line("/does/not/exist").empty());
}
