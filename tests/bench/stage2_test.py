#!/usr/bin/env python3
"""What the table "stage2" and the loads beside it say of real servers."""

import signal
import tempfile
import unittest

from bench_process import Bench, measure_undisturbed, run_command
from rps_process import PATIENCE, binary

# One of each kind; 22 cells a round.
SHORT = ("--profile", "ci", "--tables", "stage2")


class Stage2(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        binary("rps-jsonrpc")

    def test_a_short_run_fills_every_row(self):
        bench = measure_undisturbed(self, "compare", *SHORT)
        rows = [line for line in bench.text.splitlines()
                if line.startswith(("JSON", "MessagePack", "fixed layout", "its floor", "…"))]
        self.assertEqual(len(rows), 22, bench.text)
        self.assertFalse([row for row in rows if "not measured" in row or "INVALID" in row], rows)
        # Each of the eight loads that have a floor is told as a share of it.
        floored = [cells for cells in (row.split() for row in rows)
                   if cells[0] in ("JSON,", "MessagePack,", "fixed")]
        self.assertGreaterEqual(len(floored), 8)
        for said in ("1000 idle", "1000 slow", "frames with JSON", "share of"):
            self.assertIn(said, bench.text)
        self.assertTrue(all(len(line) <= 100 for line in bench.text.splitlines()[:-1]), bench.text)
        self.assertIn(bench.path(".md").read_text(), bench.text)
        cells = {trial["cell"]: trial for trial in bench.run["trials"]}
        idle = cells["jsonrpc-lean/1x1 +1000 idle"]["server"]["open_files"]
        alone = cells["jsonrpc-lean/1x1"]["server"]["open_files"]
        self.assertEqual(idle - alone, 1000)
        slow = next(trial for key, trial in cells.items() if "+1000 slow" in key)
        self.assertGreater(slow["server"]["open_files"], 1000)
        # The whole request and reply are counted, so the client did send and read them.
        self.assertGreater(cells["jsonrpc-lean/64x1"]["figures"]["bytes_received_per_call"], 150)

    def test_it_is_measured_only_when_it_is_named(self):
        help_text = run_command("compare", "--help").stdout
        self.assertIn("stage2", help_text)
        bench = Bench(self, "compare", "--profile", "ci", "--subjects", "inproc").finish()
        self.assertNotIn("stage2", bench.run["tables"])

    def test_an_interrupted_run_shows_what_there_is(self):
        bench = Bench(self, "compare", "--tables", "stage2", "--subjects", "jsonrpc-lean,floor-tcp",
                      quiet=False)
        while "jsonrpc-lean" not in bench.process.stderr.readline():  # That trial is done then.
            pass
        bench.process.send_signal(signal.SIGINT)
        bench.finish(130)
        self.assertIn("JSON, ", bench.text)
        self.assertIn("not measured", bench.text)
        self.assertIn("Ended early", bench.text)

    def test_overload_tells_what_was_offered_answered_refused_and_dropped(self):
        bench = Bench(self, "overload", "jsonrpc-lean", "--trial-seconds", "0.3", "--warmup", "0.1",
                      "--seconds", "0.8").finish(0, 1)
        for said in ("A closed loop got", "Offered twice as much: answered well",
                     "refused or failed", "dropped by the harness", "Back at half"):
            self.assertIn(said, bench.text)

    def test_a_server_that_is_not_there_is_an_error(self):
        with tempfile.TemporaryDirectory() as nothing:
            done = run_command("load", "jsonrpc-lean", "--quiet", "--bin", nothing,
                               "--out", nothing)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn("not built here", done.stderr)

    def test_slow_connections_of_a_transport_that_has_none_are_an_error(self):
        bench = Bench(self, "load", "inproc", "--slow", "1", "--seconds", "0.1").finish(1)
        self.assertIn("slow connections speak jsonrpc", bench.trial["complaint"])


if __name__ == "__main__":
    unittest.main()
