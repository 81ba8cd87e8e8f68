#include "stage4_ebpf/diagnosis.hpp"

#include <cstdint>
#include <string>
#include <vector>

#include "tests/catch.hpp"

namespace rps::observe {
namespace {

using Names = std::vector<std::string>;

constexpr std::uint64_t perfmon = std::uint64_t{1} << 38;
constexpr std::uint64_t bpf = std::uint64_t{1} << 39;
constexpr std::uint64_t sys_admin = std::uint64_t{1} << 21;

}  // namespace

TEST_CASE("the two capabilities are missing unless they are in effect") {
  CHECK(capabilities_missing(~std::uint64_t{0}).empty());
  CHECK(capabilities_missing(0) == Names{"CAP_BPF", "CAP_PERFMON"});
  CHECK(capabilities_missing(bpf) == Names{"CAP_PERFMON"});
  CHECK(capabilities_missing(perfmon) == Names{"CAP_BPF"});
  CHECK(capabilities_missing(bpf | perfmon).empty());
}

TEST_CASE("CAP_SYS_ADMIN stands for both") {
  CHECK(capabilities_missing(sys_admin).empty());
}

TEST_CASE("all causes that are known are named at once") {
  CHECK(explain({.attempt = "cannot load: no",
                 .is_refusal = true,
                 .capabilities_missing = {"CAP_BPF", "CAP_PERFMON"},
                 .in_user_namespace = true,
                 .is_filtered = true,
                 .has_btf = false,
                 .hooks_missing = {"a", "b", "c"}})
            .text ==
        "a seccomp filter refuses bpf(); there is no /sys/kernel/btf/vmlinux; the process lacks "
        "CAP_BPF and CAP_PERFMON; "
        "the process is in a user namespace, whose capabilities do not reach BPF; "
        "the kernel lacks the tracepoint a, b and c");
}

TEST_CASE("a single cause is named alone") {
  CHECK(explain({.attempt = "cannot load: no", .hooks_missing = {"tcp_sendmsg_locked"}}).text ==
        "the kernel lacks the tracepoint tcp_sendmsg_locked");
}

TEST_CASE("what is not permitted is no cause of what was not refused") {
  CHECK(explain({.attempt = "cannot load: Out of memory",
                 .capabilities_missing = {"CAP_BPF"},
                 .in_user_namespace = true})
            .text == "cannot load: Out of memory");
}

TEST_CASE("what libbpf guesses is not repeated") {
  CHECK(without_guess("Error in f():Operation not permitted(1). Couldn't load trivial BPF program. "
                      "Make sure your kernel supports BPF (CONFIG_BPF_SYSCALL=y) and/or that "
                      "RLIMIT_MEMLOCK is set to big enough value.") ==
        "Error in f():Operation not permitted(1). Couldn't load trivial BPF program.");
  CHECK(without_guess("failed to load object").ends_with("object"));
  CHECK(without_guess("").empty());
}

TEST_CASE("without a known cause the attempt itself is told") {
  CHECK(explain({.attempt = "cannot load the BPF programs: Out of memory"}).text ==
        "cannot load the BPF programs: Out of memory");
}

TEST_CASE("a lack of the machine is told from a failure") {
  CHECK_FALSE(explain({.attempt = "cannot load", .is_refusal = true}).is_found);
  CHECK(explain({.attempt = "cannot load", .has_bpf = false}).text ==
        "the kernel was built without bpf()");
  CHECK(explain({.attempt = "cannot load", .has_bpf = false}).is_found);
  CHECK(explain({.attempt = "cannot load", .hooks_missing = {"a"}}).is_found);
}

}  // namespace rps::observe
