#!/usr/bin/env python3
"""rps-ebpf without the privilege to observe: it serves, and says once what is off and why.

RPS_BIN names the folder of the binaries. Root runs these tests without its capabilities.
"""

import os
import pathlib
import re
import socket
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "process"))

from grpc_wire import check_play
from rps_process import Process, Server

REASON = "the process lacks CAP_BPF and CAP_PERFMON"


def observer_metrics(server):
    return {name: value for name, value in server.metrics().items() if "observer" in name}


class FallbackTest(unittest.TestCase):
    def test_serves_and_says_once_what_is_off_and_why(self):
        with Server("rps-ebpf", admin=True) as server:
            check_play(server.url)
            self.assertEqual(observer_metrics(server), {"rps_observer_active": 0})
            lines = [line for line in server.stderr().splitlines() if "observer" in line]
            self.assertEqual(len(lines), 1, lines)
            self.assertIn("observer off: " + REASON, lines[0])
            self.assertNotIn("libbpf", server.stderr())

    def test_what_libbpf_says_is_in_the_debug_log(self):
        with Server("rps-ebpf", "--log-level=debug") as server:
            self.assertIn("libbpf: ", server.stderr())

    def test_require_refuses_to_start_and_says_why(self):
        with Process("rps-ebpf", "--observe=require") as process:
            self.assertIsNone(process.read_line())
            process.wait(4)
            self.assertIn(REASON, process.stderr())

    def test_a_start_that_fails_for_another_reason_is_a_failure(self):
        """With require, too, and whatever the kernel permits: a port that is taken."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            with Process("rps-ebpf", "--observe=off",
                         f"--listen=127.0.0.1:{taken.getsockname()[1]}") as process:
                process.wait(1)

    def test_off_does_not_even_try(self):
        with Server("rps-ebpf", "--observe=off", admin=True) as server:
            check_play(server.url)
            self.assertEqual(observer_metrics(server), {"rps_observer_active": 0})
            self.assertNotIn("observer", server.stderr())

    def test_an_unknown_mode_is_refused(self):
        with Process("rps-ebpf", "--observe=maybe") as process:
            process.wait(2)
            self.assertIn("auto|require|off", process.stderr())


def has_capabilities():
    status = pathlib.Path("/proc/self/status").read_text()
    return int(re.search(r"^CapEff:\s*(\w+)$", status, re.MULTILINE).group(1), 16) != 0


if __name__ == "__main__":
    if has_capabilities():
        os.execvp("setpriv", ["setpriv", "--bounding-set=-all", "--inh-caps=-all",
                              sys.executable, "-B", *sys.argv])
    unittest.main()
