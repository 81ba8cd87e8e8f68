#!/usr/bin/env python3
"""What rps-bench load does when a server is killed, hangs, or the person has had enough.

Every time all five files are there and can be read, the exit code tells, and no process is left.
How soon a run ends is not asserted: one that goes on as planned outlasts the patience of finish().
"""

import csv
import os
import signal
import time
import unittest
import xml.etree.ElementTree as ElementTree

from bench_process import (ENDINGS, LONG_RUN_S, Bench, children_of, is_gone, read_buckets,
                           wait_for_child)
from rps_process import IS_SANITIZED, binary

OPEN = ("--rate", "2000")
PLANNED_S = 12 * LONG_RUN_S


class Fault(unittest.TestCase):
    def load(self, subject, *flags, seconds=PLANNED_S):
        """A run under way, and the pid of its server."""
        program = {"cli": "rps-cli"}.get(subject, f"rps-{subject}")
        binary(program)
        bench = Bench(self, "load", subject, "--connections", "4", "--seconds", str(seconds),
                      "--warmup", "0.1", *flags)
        server = wait_for_child(bench.process.pid, program)
        time.sleep(1.5)  # Into the window, also on a busy machine.
        return bench, server

    def check_files(self, bench):
        for ending in ENDINGS:
            self.assertTrue(bench.path(ending).read_text(), ending)
        ElementTree.parse(bench.path(".xml"))
        with bench.path(".csv").open(newline="") as file:
            header, line = csv.reader(file)
        self.assertEqual(len(header), len(line))


class Killed(Fault):
    def kill(self, subject, *flags):
        bench, server = self.load(subject, *flags)
        os.kill(server, signal.SIGKILL)
        bench.finish(1)
        self.assertLess(bench.trial["seconds"], PLANNED_S)
        self.check_files(bench)
        self.assertFalse(bench.trial["valid"])
        self.assertEqual(bench.trial["ending"], "broken")
        self.assertIn("went away", bench.trial["complaint"])
        self.assertIn("invalid", bench.flags())
        self.assertGreater(bench.trial["answered"], 0)
        self.assertTrue(is_gone(server))

    def test_jsonrpc(self):
        self.kill("jsonrpc")

    def test_jsonrpc_in_an_open_loop(self):
        self.kill("jsonrpc", *OPEN)

    def test_grpc(self):
        self.kill("grpc")

    def test_grpc_in_an_open_loop(self):
        self.kill("grpc", *OPEN)


class Interrupted(Fault):
    def interrupt(self, subject, number, *flags):
        bench, _ = self.load(subject, *flags)
        children = children_of(bench.process.pid)
        time.sleep(2 if IS_SANITIZED else 0)  # Until calls are answered.
        bench.process.send_signal(number)
        bench.finish(130)
        self.check_files(bench)
        self.assertTrue(bench.run["interrupted"])
        self.assertEqual(bench.trial["ending"], "interrupted")
        self.assertGreater(bench.trial["answered"], 0)
        self.assertLess(bench.trial["seconds"], PLANNED_S)
        self.assertIn("Ended early", bench.text)
        self.assertTrue(all(map(is_gone, children)))

    def test_ctrl_c(self):
        self.interrupt("jsonrpc", signal.SIGINT)

    def test_ctrl_c_in_an_open_loop(self):
        self.interrupt("jsonrpc", signal.SIGINT, *OPEN)

    def test_ctrl_c_with_a_process_for_each_connection(self):
        self.interrupt("cli", signal.SIGINT)

    def test_ctrl_c_with_grpc(self):
        self.interrupt("grpc", signal.SIGINT)

    def test_sigterm_is_the_same(self):
        self.interrupt("jsonrpc", signal.SIGTERM)


class Hung(Fault):
    """A server that is stopped and stays so: the run ends all the same, after the window, the
    drain (3 s) and the patience with a server that does not end (7 s)."""

    SECONDS = 5
    TIMEOUT_MS = 500

    def hang(self, *flags):
        bench, server = self.load("jsonrpc", "--timeout", str(self.TIMEOUT_MS), *flags,
                                  seconds=self.SECONDS)
        os.kill(server, signal.SIGSTOP)
        return bench, server

    def finish(self, bench, server, *codes):
        bench.finish(*codes)
        self.check_files(bench)
        self.assertTrue(is_gone(server))
        self.assertGreaterEqual(bench.trial["timed_out"], 1)
        self.assertGreater(bench.trial["answered"], 0)
        return bench.trial

    def test_its_calls_are_counted_as_timed_out(self):
        hung = {"closed": self.hang(), "open": self.hang(*OPEN)}  # They wait at the same time.
        closed = self.finish(*hung["closed"], 1)
        self.assertFalse(closed["valid"])
        self.assertEqual(closed["timed_out"] + closed["lost"], 4)
        opened = self.finish(*hung["open"])
        self.assertEqual(opened["timed_out"] + opened["lost"], 4)
        # The calls that found no slot are not forgotten, and those that waited stand at what they
        # had waited: the time-out.
        self.assertEqual(opened["due"],
                         opened["response"]["count"] + opened["dropped"])
        self.assertGreater(opened["dropped"], 0)
        waited = sum(count for value, count in read_buckets(opened["response"])
                     if value >= self.TIMEOUT_MS * 1e6)
        self.assertEqual(waited, opened["timed_out"])
        self.assertIn("overloaded", hung["open"][0].flags())


if __name__ == "__main__":
    unittest.main()
