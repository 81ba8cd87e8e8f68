#!/usr/bin/env python3
"""What rps-bench compare does when the world breaks: a server killed under load, and Ctrl-C.

Both times a report must be there, the exit code must tell, and no process may be left behind.
"""

import os
import signal
import time
import unittest

from bench_process import ENDINGS, Bench, children_of, is_gone, run_command, wait_for_child
from rps_process import binary


class Faults(unittest.TestCase):
    def compare(self, *flags):
        return Bench(self, "compare", *flags)

    def kill_server(self, subject, program):
        binary(program)
        bench = self.compare("--profile", "ci", "--tables", "main", "--subjects", subject)
        server = wait_for_child(bench.process.pid, program)
        time.sleep(0.1)  # Into the window, perhaps; the kill is right whenever it comes.
        os.kill(server, signal.SIGKILL)
        bench.finish(1)
        text = bench.path(".md").read_text()
        self.assertIn("INVALID", text)
        self.assertIn(text.strip(), bench.text)
        self.assertFalse(bench.run["trials"][0]["valid"])
        self.assertTrue(is_gone(server))

    def test_killed_console_child(self):
        self.kill_server("cli", "rps-cli")

    def test_killed_jsonrpc_server(self):
        self.kill_server("jsonrpc", "rps-jsonrpc")

    def test_killed_grpc_server(self):
        self.kill_server("grpc", "rps-grpc")

    def interrupt(self, subject, program, number):
        binary(program)
        bench = self.compare("--tables", "main", "--subjects", subject)
        self.assertTrue(is_gone(wait_for_child(bench.process.pid, program)))
        wait_for_child(bench.process.pid, program)  # That of the second round.
        servers = children_of(bench.process.pid)
        bench.process.send_signal(number)
        bench.finish(130)
        self.assertIn("Ended early", bench.path(".md").read_text())
        self.assertTrue(bench.run["interrupted"])
        # The trial that was cut short is left out, for there is one before it.
        self.assertEqual([trial["complaint"] for trial in bench.run["trials"]], [""])
        for ending in ENDINGS:
            self.assertTrue(bench.path(ending).exists(), ending)
        for server in servers:
            self.assertTrue(is_gone(server))

    def test_ctrl_c_ends_the_children(self):
        self.interrupt("cli", "rps-cli", signal.SIGINT)

    def test_sigterm_is_the_same(self):
        self.interrupt("cli", "rps-cli", signal.SIGTERM)

    def test_a_hangup_is_the_same(self):
        self.interrupt("cli", "rps-cli", signal.SIGHUP)

    def test_a_second_hangup_does_not_cost_the_report(self):
        binary("rps-jsonrpc")
        bench = self.compare("--tables", "main", "--subjects", "jsonrpc")
        wait_for_child(bench.process.pid, "rps-jsonrpc")
        for _ in range(20):
            bench.process.send_signal(signal.SIGHUP)
            time.sleep(0.01)
        bench.finish(130)
        self.assertIn("Ended early", bench.path(".md").read_text())

    def test_nohup(self):
        binary("rps-cli")
        bench = Bench(self, "compare", "--profile", "ci", "--tables", "main", "--subjects", "cli",
                      prefix=("sh", "-c", "trap '' HUP; exec \"$@\"", "sh"))
        wait_for_child(bench.process.pid, "rps-cli")
        bench.process.send_signal(signal.SIGHUP)
        bench.finish(0)
        self.assertFalse(bench.run["interrupted"])

    def test_ctrl_c_ends_the_server(self):
        self.interrupt("jsonrpc", "rps-jsonrpc", signal.SIGINT)

    def test_server_dies_with_a_killed_harness(self):
        binary("rps-jsonrpc")
        bench = self.compare("--profile", "publish", "--tables", "main", "--subjects", "jsonrpc")
        server = wait_for_child(bench.process.pid, "rps-jsonrpc")
        bench.process.kill()
        bench.finish(-signal.SIGKILL)
        self.assertTrue(is_gone(server))

    def test_flags_out_of_range_are_refused(self):
        for flags in (["--tables", "soap"], ["--subjects", "soap"], ["--server-cpu", "4095"],
                      ["--profile", "endless"], ["--threshold", "p99<5"], ["--seed", "one"]):
            with self.subTest(flags):
                done = run_command("compare", "--quiet", *flags)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertTrue(done.stderr.strip())


if __name__ == "__main__":
    unittest.main()
