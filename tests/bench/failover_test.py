#!/usr/bin/env python3
"""What the table "failover" says of real servers: that the instance was killed or frozen, and what
became of the calls."""

import csv
import pathlib
import signal
import tempfile
import unittest

from bench_process import Bench, is_gone, measure_undisturbed, wait_for_child
from rps_process import binary, eventually

KILLED = ("killed-channel", "killed-fleet-grpc", "killed-fleet-jsonrpc")
FROZEN = ("frozen-channel", "frozen-fleet-grpc", "frozen-fleet-attempts", "frozen-fleet-jsonrpc")
CALLS = 20_000  # 5,000 a second, for 16 times the 0.25 s of the profile.
AT = "/16x128 constant 4s@5000"


def state_of(pid: int) -> str:
    """As ps says it: T is stopped by a signal."""
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


class Failover(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        for program in ("rps-jsonrpc", "rps-grpc"):
            binary(program)

    def test_a_short_run_fills_every_row_in_every_format(self):
        bench = measure_undisturbed(self, "compare", "--profile", "ci", "--tables", "failover")
        rows = [line for line in bench.text.splitlines()
                if line.startswith(("killed: g", "killed: f", "frozen: g", "frozen: f", "… with"))]
        self.assertEqual(len(rows), 7, bench.text)
        self.assertFalse([row for row in rows if "not measured" in row or "INVALID" in row], rows)
        self.assertTrue(all(len(line) <= 100 for line in bench.text.splitlines()[:-1]), bench.text)
        self.assertIn('id="table-failover"', bench.path(".html").read_text())
        self.assertEqual({cell["key"] for cell in bench.run["cells"]},
                         {subject + AT for subject in KILLED + FROZEN})
        lines = {line["cell"]: line
                 for line in csv.DictReader(bench.path(".csv").read_text().splitlines())}
        for trial in bench.run["trials"]:
            with self.subTest(trial["cell"]):
                self.check(trial, lines[trial["cell"]])

    def check(self, trial: dict, line: dict):
        figures, fault = trial["figures"], trial["fault"]
        self.assertEqual(figures["calls"], CALLS)
        self.assertEqual(float(line["failed_calls"]), figures["failed_calls"])
        self.assertGreater(trial["answered"], 0)
        # At a quarter and at half of the window, or later when this thread did not get its CPU.
        self.assertGreaterEqual(fault["began_seconds"], 1)
        self.assertGreaterEqual(fault["ended_seconds"], 2)
        self.assertAlmostEqual(figures["longest_gap_ns"], fault["gap_seconds"] * 1e9)
        self.assertGreater(fault["gap_seconds"], 0)
        absent = "rejoin_ns" not in figures
        self.assertEqual(absent, bool(trial["why_no"]["rejoin"]), trial["why_no"])
        self.assertEqual("recovery_ns" not in figures, bool(trial["why_no"]["recovery"]))
        if trial["cell"].startswith("frozen"):
            self.assertEqual(trial["why_no"]["rejoin"], "the server was not started again")
        else:
            # Nobody can tell what a process used that has ended.
            self.assertRegex(trial["why_no"]["server"], "process [0-9]+ has ended")
            self.assertEqual(trial["why_no"]["machine"], trial["why_no"]["server"])
            if not absent:
                self.assertGreater(figures["rejoin_ns"], 0)

    def test_a_server_may_fail_under_any_open_loop(self):
        bench = Bench(self, "load", "killed-fleet-jsonrpc", "--connections", "2", "--depth", "64",
                      "--rate", "500", "--seconds", "2", "--warmup", "0.1").finish()
        self.assertEqual(bench.trial["figures"]["calls"], bench.trial["due"])
        self.assertGreaterEqual(bench.trial["fault"]["ended_seconds"], 1)

        closed = Bench(self, "load", "killed-fleet-jsonrpc", "--connections", "2", "--seconds",
                       "0.1").finish(1)
        self.assertIn("in an open loop", closed.trial["complaint"])

    def test_an_interrupted_run_leaves_no_server_frozen(self):
        bench = Bench(self, "compare", "--profile", "publish", "--tables", "failover",
                      "--subjects", "frozen-channel")
        victim = wait_for_child(bench.process.pid, "rps-grpc")
        eventually(lambda: state_of(victim) == "T", "it is frozen")
        bench.process.send_signal(signal.SIGINT)
        bench.finish(130)
        self.assertTrue(is_gone(victim))

    def test_a_server_that_cannot_be_started_again_makes_the_trial_invalid(self):
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        once = folder / "rps-grpc"
        once.write_text("#!/bin/sh\n"
                        'case "$*" in *--admin=*)\n'
                        '  echo "2030-01-02T03:04:05.678Z critical rps-grpc: not again" >&2\n'
                        "  exit 1;;\n"
                        "esac\n"
                        f'exec "{binary("rps-grpc")}" "$@"\n')
        once.chmod(0o755)
        bench = Bench(self, "compare", "--profile", "ci", "--tables", "failover", "--subjects",
                      "killed-channel", "--bin", str(folder)).finish(1)
        self.assertIn("INVALID: rps-grpc did not start: not again", " ".join(bench.text.split()))

    def test_it_is_measured_only_when_it_is_named(self):
        bench = Bench(self, "compare", "--profile", "ci", "--subjects", "inproc").finish()
        self.assertNotIn("failover", bench.run["tables"])


if __name__ == "__main__":
    unittest.main()
