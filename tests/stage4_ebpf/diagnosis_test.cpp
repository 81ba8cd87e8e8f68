#include "stage4_ebpf/diagnosis.hpp"

#include <string>
#include <vector>

#include "tests/catch.hpp"

namespace rps::observe {
namespace {

using Names = std::vector<std::string>;

std::string status_with(const std::string& effective) {
  return "Name:\trps-ebpf\nCapPrm:\t000001ffffffffff\nCapEff:\t" + effective +
         "\nCapBnd:\t000001ffffffffff\n";
}

}  // namespace

TEST_CASE("the effective capabilities count, and no others") {
  CHECK(capabilities_missing(status_with("000001ffffffffff")).empty());
  CHECK(capabilities_missing(status_with("0000000000000000")) == Names{"CAP_BPF", "CAP_PERFMON"});
  CHECK(capabilities_missing(status_with("0000008000000000")) == Names{"CAP_PERFMON"});
  CHECK(capabilities_missing(status_with("0000004000000000")) == Names{"CAP_BPF"});
  CHECK(capabilities_missing(status_with("000000c000000000")).empty());
}

TEST_CASE("CAP_SYS_ADMIN stands for both") {
  CHECK(capabilities_missing(status_with("0000000000200000")).empty());
}

TEST_CASE("a status that says nothing grants nothing") {
  CHECK(capabilities_missing("") == Names{"CAP_BPF", "CAP_PERFMON"});
  CHECK(capabilities_missing("Name:\tCapEff:\tff\n") == Names{"CAP_BPF", "CAP_PERFMON"});
}

TEST_CASE("all causes that are known are named at once") {
  CHECK(explain({.attempt = "cannot load: no",
                 .capabilities_missing = {"CAP_BPF", "CAP_PERFMON"},
                 .in_user_namespace = true,
                 .has_btf = false,
                 .hooks_missing = {"a", "b", "c"}}) ==
        "the kernel has no /sys/kernel/btf/vmlinux; the process lacks CAP_BPF and CAP_PERFMON; "
        "the process is in a user namespace, whose capabilities do not reach BPF; "
        "the kernel lacks the tracepoint a, b and c");
}

TEST_CASE("a single cause is named alone") {
  CHECK(explain({.attempt = "cannot load: no", .hooks_missing = {"tcp_sendmsg_locked"}}) ==
        "the kernel lacks the tracepoint tcp_sendmsg_locked");
}

TEST_CASE("without a known cause the attempt itself is told") {
  CHECK(explain({.attempt = "cannot load the BPF programs: Out of memory"}) ==
        "cannot load the BPF programs: Out of memory");
}

}  // namespace rps::observe
