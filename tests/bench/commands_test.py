#!/usr/bin/env python3
"""What rps-bench promises whoever types its commands or reads its files: help, refusals, exit
codes, files that others can read, and the same report again from what was stored."""

import csv
import pathlib
import re
import subprocess
import tempfile
import time
import unittest
import xml.etree.ElementTree as ElementTree

from bench_process import (Bench, measure_undisturbed, read_buckets, run_command,
                           run_on_terminal)
from rps_process import IS_SANITIZED, PATIENCE, Process, binary

COMMANDS = ("compare", "load", "search", "overload", "soak", "churn", "report", "diff")
SHORT = ("--connections", "2", "--seconds", "0.1", "--warmup", "0.02")


class CommandLine(unittest.TestCase):
    def test_every_command_explains_itself(self):
        overview = run_command("--help").stdout
        for command in COMMANDS:
            with self.subTest(command):
                done = run_command(command, "--help")
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertIn(command, overview)
                self.assertIn("Usage:", done.stdout)

    def test_what_makes_no_sense_is_refused_with_a_sentence(self):
        wrong = (
            [], ["dance"], ["load"], ["load", "nobody"], ["load", "smoke://127.0.0.1:1"],
            ["load", "inproc", "--connections", "0"], ["load", "inproc", "--connections", "1025"],
            ["load", "inproc", "--depth", "0"], ["load", "inproc", "--rounds", "0"],
            ["load", "inproc", "--idle", "-1"], ["load", "inproc", "--slow", "10001"],
            ["load", "inproc", "--seconds", "0"], ["load", "inproc", "--warmup", "-1"],
            ["load", "inproc", "--rate", "fast"], ["load", "inproc", "--rate", "-5"],
            ["load", "inproc", "--rate", "5s@"], ["load", "inproc", "--arrivals", "sometimes"],
            ["load", "inproc", "--burst", "0"], ["load", "inproc", "--interval", "99"],
            ["load", "inproc", "--seed", "-1"], ["load", "inproc", "--interval", "99ms"],
            ["load", "inproc", "--seconds", "25h"], ["load", "inproc", "--connections", "1,2k"],
            ["load", "inproc", "--timeout", "0"], ["load", "inproc", "--server-cpu", "4095"],
            ["load", "inproc", "--load-cpu", "-7"], ["load", "inproc", "--threshold", "p99<5"],
            ["load", "inproc", "--threshold", "speed>5"], ["load", "inproc", "--no-such-flag"],
            ["search", "inproc", "--objective", "fast"], ["search"],
            ["soak", "inproc", "--share", "2"], ["overload", "inproc", "--seconds", "0"],
            ["churn"], ["report"], ["report", "x.json", "--format", "pdf"], ["diff", "x.json"],
            ["diff", "x.json", "y.json", "--max-regression", "much"])
        for arguments in wrong:
            with self.subTest(arguments):
                done = run_command(*arguments)
                self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
                self.assertRegex(done.stderr, r"\w+ \w+")
                self.assertNotIn("terminate", done.stderr)

    @unittest.skipIf(IS_SANITIZED, "a sanitizer complains that it cannot read /proc")
    def test_where_proc_is_missing_it_says_which_flags_it_needs(self):
        hide = ("unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /proc && exec "$@"', "sh")
        if subprocess.run([*hide, "true"], capture_output=True, check=False).returncode != 0:
            self.skipTest("needs CAP_SYS_ADMIN, to mount")
        done = subprocess.run([*hide, binary("rps-bench"), "load", "inproc", "--quiet"],
                              capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("--bin and --out must be given", done.stderr)

    def test_a_file_that_is_no_run_is_an_error_that_names_it(self):
        for path in ("/nonexistent/run.json", __file__):
            for arguments in (["report", path], ["diff", path, path]):
                with self.subTest(arguments):
                    done = run_command(*arguments)
                    self.assertEqual((done.returncode, done.stdout), (1, ""))
                    self.assertIn(path, done.stderr)


class Files(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        binary("rps-jsonrpc")
        cls.keeper = cls()
        cls.addClassCleanup(cls.keeper.doCleanups)
        cls.bench = Bench(cls.keeper, "load", "jsonrpc", "inproc", *SHORT, "--rounds", "7",
                          "--threshold", "inproc:qps>1", "--threshold", "jsonrpc:p50<1ns").finish(3)

    def stored(self):
        return self.bench.path(".json")

    def test_a_threshold_that_is_not_met_fails_the_run_and_only_that(self):
        self.assertIn("NOT MET", self.bench.log)
        self.assertIn("jsonrpc:p50<1ns", self.bench.log)
        self.assertNotIn("inproc:qps>1", self.bench.log)
        suite = ElementTree.parse(self.bench.path(".xml")).getroot()
        cases = {case.get("name"): case for case in suite.iter("testcase")}
        self.assertEqual(int(suite.get("tests")), len(cases))
        self.assertEqual(suite.get("failures"), "1")
        failed = [name for name, case in cases.items() if case.find("failure") is not None]
        self.assertEqual(len(failed), 1)
        self.assertIn("jsonrpc:p50<1ns", failed[0])
        self.assertIn("which breaks p50<1ns", cases[failed[0]].find("failure").get("message")
                      .replace("jsonrpc:", ""))

    def test_thresholds_that_are_met_are_no_failure(self):
        bench = Bench(self, "load", "inproc", *SHORT, "--threshold", "qps>1",
                      "--threshold", "errors<0.1%").finish()
        self.assertEqual(ElementTree.parse(bench.path(".xml")).getroot().get("failures"), "0")

    def test_the_text_is_what_was_printed_and_what_report_prints(self):
        text = self.bench.path(".md").read_text()
        self.assertTrue(self.bench.text.startswith(text))
        self.assertEqual(run_command("report", self.stored()).stdout, text)
        self.assertTrue(all(len(line) <= 100 for line in text.splitlines()), text)

    def test_report_makes_every_other_file_again(self):
        for name, ending in (("html", ".html"), ("csv", ".csv"), ("json", ".json")):
            with self.subTest(name):
                done = subprocess.run(
                    [binary("rps-bench"), "report", self.stored(), "--format", name],
                    capture_output=True, timeout=PATIENCE)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(done.stdout, self.bench.path(ending).read_bytes())

    def test_report_tells_no_thresholds_that_it_was_not_given(self):
        """They are asked of a run when it ends, and not kept in it."""
        done = run_command("report", self.stored(), "--format", "junit")
        suite = ElementTree.fromstring(done.stdout)
        self.assertEqual((suite.get("tests"), suite.get("failures")), ("2", "0"))

    def test_csv_has_a_line_for_each_trial(self):
        with self.bench.path(".csv").open(newline="") as file:
            lines = list(csv.DictReader(file))
        self.assertEqual(len(lines), 14)
        for line, trial in zip(lines, self.bench.run["trials"]):
            self.assertNotIn(None, line)  # No more fields than the header has …
            self.assertNotIn(None, line.values())  # … and no fewer.
            self.assertEqual((line["cell"], int(line["round"]), line["valid"]),
                             (trial["cell"], trial["round"], "true"))
            for column, value in trial["figures"].items():
                self.assertEqual(float(line[column]), value, column)
            empty = [column for column, value in line.items() if value == ""]
            self.assertFalse(set(empty) & set(trial["figures"]))

    def test_histograms_hold_every_answer_of_the_window(self):
        for trial in self.bench.run["trials"]:
            response = trial["response"]
            buckets = read_buckets(response)
            self.assertEqual(sum(count for _, count in buckets), response["count"])
            self.assertEqual(response["count"], trial["answered"])
            mean = sum(value * count for value, count in buckets) / response["count"]
            self.assertAlmostEqual(mean / response["mean_ns"], 1, delta=0.002)
            self.assertAlmostEqual(buckets[-1][0] / response["max_ns"], 1, delta=0.002)

    def test_a_page_asks_nobody_for_anything(self):
        page = self.bench.path(".html").read_text()
        self.assertEqual(re.findall(r"""(?:src|href)=["'](?!#|data:)[^"']*""", page), [])

    def test_a_run_does_not_differ_from_itself(self):
        done = run_command("diff", self.stored(), self.stored(), "--max-regression", "0%")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertNotRegex(done.stdout, r"\b(better|worse)\b(?! than)")

    def test_a_regression_fails_a_diff(self):
        """The same server with 128 times as many connections: each waits for the others."""
        slow = measure_undisturbed(self, "load", "jsonrpc", "--connections", "256",
                                   "--seconds", "0.3", "--warmup", "0.02", "--rounds", "7")
        text = slow.path(".json").read_text().replace("jsonrpc/256x1", "jsonrpc/2x1")
        slow.path(".json").write_text(text)
        done = run_command("diff", self.stored(), slow.path(".json"), "--max-regression", "10%")
        self.assertEqual(done.returncode, 3, done.stdout)
        self.assertIn("REGRESSION", done.stderr)
        self.assertIn("jsonrpc/2x1: p", done.stderr)


class FleetList(unittest.TestCase):
    """The file in which the harness lists the servers that it started, for the fleet's client."""

    LOAD = ("load", "fleet-hash", "--connections=1", "--seconds=0.1", "--warmup=0", "--quiet")

    def setUp(self):
        binary("rps-jsonrpc")
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def test_its_folder_may_have_any_name(self):
        done = run_command(*self.LOAD, f"--out={self.folder}/50%?more=1")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_when_it_cannot_be_written_that_is_the_reason(self):
        """A limit of the size of files stands for a full disk."""
        done = subprocess.run(
            ["prlimit", "--fsize=100", binary("rps-bench"), *self.LOAD, f"--out={self.folder}"],
            capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertRegex(" ".join(done.stdout.split()),
                         r"INVALID: cannot write \S+\.services\.json: File too large")


class Progress(unittest.TestCase):
    """What is shown on the way, on stderr; `live` on a terminal."""

    LONG = ("load", "inproc", "--connections", "1", "--rate", "2000", "--seconds", "0.6",
            "--warmup", "0", "--interval", "100")
    LONGER = ("load", "inproc", "--connections", "1", "--rate", "2000", "--seconds", "5",
            "--warmup", "0", "--interval", "100")

    def test_quiet_says_nothing_but_warnings(self):
        bench = Bench(self, *self.LONG).finish()
        for line in bench.log.splitlines():
            self.assertIn("WARNING", line)

    def test_lines_for_a_file(self):
        begin = time.monotonic()
        bench = Bench(self, *self.LONGER, quiet=False).finish()
        seconds = time.monotonic() - begin
        lines = [line for line in bench.log.splitlines() if line.startswith("[1/1]")]
        self.assertGreaterEqual(len(lines), 4, bench.log)  # About one a second, and the result.
        self.assertLessEqual(len(lines), seconds + 3, bench.log)
        self.assertNotIn("\x1b", bench.log)
        self.assertNotIn("[1/1]", bench.text)

    def test_a_block_that_is_refreshed_for_a_terminal(self):
        folder = Bench(self, *self.LONG).finish().out
        code, text, block = run_on_terminal(*self.LONG, "--out", folder)
        self.assertEqual(code, 0)
        self.assertGreaterEqual(block.count("[1/1]"), 4)
        self.assertIn("left", block)
        self.assertTrue(block.endswith("\x1b[J"), block[-80:])  # It is gone in the end.
        self.assertNotIn("\x1b", text)


class Memory(unittest.TestCase):
    @unittest.skipIf(IS_SANITIZED, "a sanitizer keeps what is freed")
    def test_a_long_run_takes_no_more_than_a_short_one(self):
        """Times are kept in histograms of a fixed size, not one by one."""
        binary("rps-jsonrpc")
        process = Process("rps-bench", "load", "jsonrpc", "--connections", "16", "--seconds", "9",
                          "--warmup", "0", "--quiet", "--out",
                          str(Bench(self, "load", "inproc", *SHORT).finish().out))
        with process:
            time.sleep(2)
            early = process.rss_bytes()
            time.sleep(6)
            late = process.rss_bytes()
            process.wait()
        self.assertLess(late - early, 1_000_000)


if __name__ == "__main__":
    unittest.main()
