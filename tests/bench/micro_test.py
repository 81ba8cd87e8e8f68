"""rps-micro as others use it: names that stay, counters, and what a stored baseline decides.

No time is judged: where one must be slower than another, the stored one is made a thousand times
shorter.
"""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

PATIENCE = 120
BIN = pathlib.Path(os.environ["RPS_BIN"])

# The harness's tables refer to these.
CODECS = ["json", "json_dom", "message_pack", "fixed_layout"]
NAMES = [
    "loop/iteration", "clock/now", "judge", "id/check", "id/hash", "url/parse",
    *(f"strategy/{name}" for name in ("fair", "weighted", "cycle", "mirror", "markov")),
    "game/play/session", "game/play/no_session",
    *(f"session_store/{size}/{threads}" for size in ("1", "1k", "100k")
      for threads in ("1_thread", "2_threads/real_time")),
    "queue/fifo/ring", "queue/fifo/deque",
    *(f"queue/{step}/{kind}/real_time" for step in ("transfer", "round_trip")
      for kind in ("ring", "locked")),
    "histogram/record", "histogram/merge", "histogram/quantile", "referee/check",
    "harness/call/floor", "harness/call/in_process",
    "cli/parse_command", "cli/append_reply",
]
STAGE2_NAMES = [
    "jsonrpc/frame/encode", "jsonrpc/frame/decode",
    *(f"jsonrpc/{way}/{codec}" for way in ("server_turn", "client_round_trip")
      for codec in ("json", "message_pack", "fixed_layout")),
    *(f"codec/{codec}/{step}/{message}" for codec in CODECS for step in ("encode", "decode")
      for message in ("play", "reply", "10kB")),
]
QUICK = ("--benchmark_filter=^(judge|id/hash)$", "--benchmark_repetitions=6",
         "--benchmark_min_time=0.001")


def micro(*flags: str) -> subprocess.CompletedProcess:
    return subprocess.run([BIN / "rps-micro", *flags], capture_output=True, text=True,
                          timeout=PATIENCE, check=False)


class Names(unittest.TestCase):
    def test_all_are_there_and_none_twice(self):
        names = micro("--benchmark_list_tests").stdout.split()
        self.assertEqual(len(names), len(set(names)))
        has_stage2 = any(name.startswith("jsonrpc/") for name in names)
        self.assertEqual(set(NAMES + STAGE2_NAMES * has_stage2) - set(names), set())


class Benchmarks(unittest.TestCase):
    def test_each_runs(self):
        run = micro("--benchmark_format=json", "--benchmark_min_time=0.001")
        self.assertEqual(run.returncode, 0, run.stderr)
        entries = json.loads(run.stdout)["benchmarks"]
        self.assertEqual([entry["name"] for entry in entries if "error_message" in entry], [])
        codecs = {entry["name"]: entry for entry in entries if entry["name"].startswith("codec/")}
        for name, entry in codecs.items():
            with self.subTest(name):
                self.assertGreater(entry["bytes"], 0)
                self.assertGreaterEqual(entry["allocations"], 0)
        for codec in CODECS if codecs else []:
            with self.subTest(codec):
                self.assertEqual(codecs[f"codec/{codec}/encode/10kB"]["bytes"],
                                 codecs[f"codec/{codec}/decode/10kB"]["bytes"])
        if codecs:
            self.assertAlmostEqual(codecs["codec/json/encode/10kB"]["bytes"], 10_000, delta=1000)
            self.assertEqual(codecs["codec/json/decode/10kB"]["allocations"], 0)
            self.assertGreater(codecs["codec/json_dom/decode/10kB"]["allocations"], 1000)


class Baseline(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = pathlib.Path(folder.name) / "baseline.json"

    def write(self, factor: float):
        """A baseline of what took so many times as long as it does."""
        run = micro("--baseline-write", str(self.file), *QUICK)
        self.assertEqual(run.returncode, 0, run.stderr)
        baseline = json.loads(self.file.read_text())
        self.assertEqual({name: len(times) for name, times in baseline["times"].items()},
                         {"judge": 6, "id/hash": 6})
        self.assertGreater(baseline["environment"]["cores"], 0)
        baseline["times"] = {name: [factor * time for time in times]
                             for name, times in baseline["times"].items()}
        self.file.write_text(json.dumps(baseline))

    def compare(self, *flags: str) -> subprocess.CompletedProcess:
        return micro("--baseline", str(self.file), *QUICK, *flags)

    def test_slower_fails_only_when_asked_to(self):
        self.write(1e-6)  # Smaller than any disturbance of the measurements makes large.
        run = self.compare()
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual(run.stdout.count(" slower"), 2, run.stdout)
        self.assertEqual(self.compare("--fail-on-slower").returncode, 1)

    def test_faster_does_not_fail(self):
        self.write(1e6)
        run = self.compare("--fail-on-slower")
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual(run.stdout.count(" faster"), 2, run.stdout)

    def test_the_wanted_certainty_counts_and_must_be_within_reach(self):
        self.write(0.001)
        run = self.compare("--fail-on-slower", "--alpha=0.0001")
        self.assertEqual(run.returncode, 0, run.stdout)
        self.assertEqual(run.stdout.count(" indistinguishable"), 2, run.stdout)
        self.assertIn("9 repetitions or more", run.stderr)

    def test_what_is_in_one_run_only_is_told(self):
        self.write(1)
        run = micro("--baseline", str(self.file), *QUICK, "--benchmark_filter=^(judge|id/check)$")
        self.assertIn("Not run now: 1\n  id/hash\n", run.stdout)
        self.assertIn("Not in the baseline: 1\n  id/check\n", run.stdout)


class LibraryReport(unittest.TestCase):
    """The file of --benchmark_out, which google-benchmark would write without a look at errors."""

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.file = self.folder / "report"

    def test_each_format_is_written(self):
        for form, read in (("json", json.loads), ("csv", str), ("console", str)):
            with self.subTest(form):
                run = micro(f"--benchmark_out={self.file}", f"--benchmark_out_format={form}",
                            *QUICK)
                self.assertEqual(run.returncode, 0, run.stderr)
                self.assertIn("judge", str(read(self.file.read_text())))
                self.assertIn("judge", run.stdout)

    def test_the_environment_names_it_too(self):
        run = subprocess.run([BIN / "rps-micro", *QUICK], capture_output=True, text=True,
                             env=os.environ | {"BENCHMARK_OUT": str(self.file)}, check=True)
        self.assertIn("judge", run.stdout)
        self.assertIn("judge", self.file.read_text())

    def test_it_is_tried_before_the_measuring(self):
        run = micro(f"--benchmark_out={self.folder / 'no' / 'such'}", *QUICK)
        self.assertEqual((run.returncode, run.stdout), (1, ""))

    def test_a_failure_destroys_nothing_and_hides_nothing(self):
        self.file.write_text("of last week")
        listed = micro(f"--benchmark_out={self.file}", "--benchmark_list_tests")
        self.assertEqual(listed.returncode, 0, listed.stderr)
        self.assertEqual(micro(f"--benchmark_out={self.file}", "--no-such-flag").returncode, 2)
        self.assertEqual(self.file.read_text(), "of last week")
        full = micro("--benchmark_out=/dev/full", *QUICK)
        self.assertEqual(full.returncode, 1)
        self.assertIn("judge", full.stdout)
        self.assertIn("cannot write /dev/full", full.stderr)


class WrongFlags(unittest.TestCase):
    def test_each_is_refused_with_a_sentence(self):
        with tempfile.NamedTemporaryFile("w") as no_baseline:
            no_baseline.write("{}")
            no_baseline.flush()
            for code, said, flags in [
                    (2, "--no-such-flag", ["--no-such-flag"]),
                    (2, "--alpha", ["--alpha=0"]),
                    (2, "--baseline", ["--baseline"]),
                    (1, "cannot be read", ["--baseline=no/such/file"]),
                    (1, "it is no baseline", ["--baseline", no_baseline.name]),
                    (1, "cannot write", ["--benchmark_out=no/such/file", *QUICK]),
                    (1, "cannot write", ["--benchmark_out=/dev/full", *QUICK]),
                    (1, "cannot write", ["--baseline-write=no/such/file", *QUICK])]:
                with self.subTest(flags):
                    run = micro(*flags)
                    self.assertEqual(run.returncode, code, run.stderr)
                    self.assertIn(said, run.stderr)

    def test_the_librarys_flags_are_read_by_our_rules(self):
        """google-benchmark alone would take some of these numbers, and every word for true."""
        numbers = ("", " 2", "+2", "0x2", "-1", "nan", "inf", "2s")
        for flag, values in [("repetitions", (*numbers, "0", "1e3", "1000001")),
                             ("min_time", (*numbers, "0", "3601")),
                             ("min_warmup_time", (*numbers, "3601")),
                             ("time_unit", ("", "nosuch")), ("color", ("", "nosuch")),
                             ("format", ("", "nosuch")), ("out_format", ("", "nosuch")),
                             ("enable_random_interleaving", ("", "nosuch")),
                             ("report_aggregates_only", ("", "nosuch")),
                             ("display_aggregates_only", ("", "nosuch")),
                             ("counters_tabular", ("", "nosuch"))]:
            for value in values:
                with self.subTest(flag, value=value):
                    run = micro(f"--benchmark_{flag}={value}", "--benchmark_filter=^judge$")
                    self.assertEqual((run.returncode, run.stdout), (2, ""), run.stderr)
                    self.assertIn(f"--benchmark_{flag}: must be ", run.stderr.splitlines()[-1])
        for flags in (("--benchmark_repetitions=02", "--benchmark_min_warmup_time=0"),
                      ("--benchmark_time_unit=us", "--benchmark_counters_tabular"),
                      ("--benchmark_color=auto", "--benchmark_min_time=1e-3")):
            with self.subTest(flags):
                run = micro("--benchmark_filter=^judge$", "--benchmark_min_time=0.001", *flags)
                self.assertEqual(run.returncode, 0, run.stderr)


if __name__ == "__main__":
    unittest.main()
