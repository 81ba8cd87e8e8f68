#!/usr/bin/env python3
"""What the table "balancing-slow" says of real servers: the instance that is slow, and who avoids
it."""

import csv
import unittest

from bench_process import Bench, measure_undisturbed, quantile, read_buckets
from rps_process import binary

SUBJECTS = [subject + slow for subject in ("six-channel", "six-round-robin", "six-least-request",
                                           "six-hash") for slow in ("", "-slow")]
DELAY_NS = 50e6
SLOW = 1 / 6  # Of the instances.


def share_held_back(trial: dict) -> float:
    """Of the right answers, those that took as long as the relay holds an answer back."""
    buckets = read_buckets(trial["response"])
    slow = sum(count for value, count in buckets if value >= DELAY_NS)
    return slow / sum(count for _, count in buckets)


class Balancing(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        binary("rps-grpc")

    def test_a_short_run_fills_every_row_in_every_format(self):
        bench = measure_undisturbed(self, "compare", "--profile", "ci", "--tables",
                                    "balancing-slow")
        rows = [line for line in bench.text.splitlines()
                if line.startswith(("gRPC's round_robin", "fleet, ", "… one slow"))]
        self.assertEqual(len(rows), 8, bench.text)
        self.assertFalse([row for row in rows if "not measured" in row or "INVALID" in row], rows)
        self.assertTrue(all(len(line) <= 100 for line in bench.text.splitlines()[:-1]), bench.text)
        self.assertIn('id="table-balancing-slow"', bench.path(".html").read_text())
        cells = {cell["key"]: cell for cell in bench.run["cells"]}
        self.assertEqual(set(cells), {f"{subject}/{load}" for subject in SUBJECTS
                                      for load in ("64x1", "16x64 constant 0.25s@5000")})
        lines = csv.DictReader(bench.path(".csv").read_text().splitlines())
        self.assertEqual({line["cell"] for line in lines}, set(cells))
        for key, cell in cells.items():
            self.assertIn("(6 of them)", cell["command"])
            self.assertEqual("holds the answers of the first back for 50ms" in cell["command"],
                             "-slow/" in key, cell)
        self.check_who_is_slow({trial["cell"]: trial for trial in bench.run["trials"]})

    def check_who_is_slow(self, trials: dict):
        """No answer of the slow instance can come sooner; of the others most do, whatever else
        this machine does."""
        for key, trial in trials.items():
            with self.subTest(key):
                self.assertEqual("the relay before the slow instance" in trial["why_no"]["traffic"],
                                 "-slow/" in key)
                if "-slow/16x64" not in key:
                    continue
                if "least" in key:  # Fewer than their turn.
                    self.assertGreater(share_held_back(trial), 0)
                    continue
                self.assertGreater(share_held_back(trial), 0.4 * SLOW)

    def test_a_row_may_be_measured_alone(self):
        bench = measure_undisturbed(self, "compare", "--profile", "ci", "--tables",
                                    "balancing-slow", "--subjects", "six-channel-slow")
        self.assertEqual({cell["subject"] for cell in bench.run["cells"]}, {"six-channel-slow"})
        trial = next(each for each in bench.run["trials"] if each["cell"].endswith("64x1"))
        self.assertGreaterEqual(quantile(read_buckets(trial["response"]), 1), DELAY_NS)
        self.assertIn("--subjects does not name it", " ".join(bench.text.split()))

    def test_it_is_measured_only_when_it_is_named(self):
        bench = Bench(self, "compare", "--profile", "ci", "--subjects", "inproc").finish()
        self.assertIn("balancing", bench.run["tables"])
        self.assertNotIn("balancing-slow", bench.run["tables"])


if __name__ == "__main__":
    unittest.main()
