#!/usr/bin/env python3
"""What the tables of stage 3 say of real servers, and in which runs they are measured."""

import csv
import unittest
import xml.etree.ElementTree as xml

from bench_process import Bench, measure_undisturbed
from rps_process import binary


def measure(test: unittest.TestCase, *flags: str) -> Bench:
    return measure_undisturbed(test, "compare", "--profile", "ci", *flags)


def rows_of(bench: Bench, *beginnings: str) -> list[str]:
    return [line for line in bench.text.splitlines() if line.startswith(beginnings)]


class Stage3(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        for program in ("rps-grpc", "rps-floor-grpc", "rps-floor-http2", "rps-floor-echo"):
            binary(program)

    def test_a_short_run_fills_every_row_in_every_format(self):
        bench = measure(self, "--tables", "stage3")
        rows = rows_of(bench, "HTTP/2, ", "gRPC's library, ", "our server, ", "write coalescing, ",
                       "TLS, ", "auth by token, ", "trace, ", "rate limit, ", "metrics, ",
                       "access log, ", "all links, ", "… ")
        self.assertEqual(len(rows), 24, bench.text)
        self.assertFalse([row for row in rows if "not measured" in row or "INVALID" in row], rows)
        self.assertTrue(all(len(line) <= 100 for line in bench.text.splitlines()[:-1]), bench.text)
        self.assertIn(bench.path(".md").read_text(), bench.text)
        self.assertIn('id="table-stage3"', bench.path(".html").read_text())
        cells = {cell["key"] for cell in bench.run["cells"]}
        self.assertEqual(list(bench.out.glob("trial.*")), [])  # Keys are among a trial's files.
        self.assertFalse((bench.out / "grpc-lean-log.log").exists())
        # Also what a row is held against.
        self.assertLessEqual({"grpc-lean/16x16", "grpc-lean-uncoalesced/16x16",
                              "floor-http2-lean/1x1", "floor-tcp-grpc/1x1"}, cells)
        lines = csv.DictReader(bench.path(".csv").read_text().splitlines())
        self.assertEqual({line["cell"] for line in lines}, cells)
        cases = xml.parse(bench.path(".xml")).getroot().iter("testcase")
        self.assertEqual({case.get("name") for case in cases}, cells)

    def test_what_a_row_is_held_against_may_be_absent(self):
        bench = measure(self, "--tables", "stage3", "--subjects", "grpc-lean")
        self.assertEqual({cell["subject"] for cell in bench.run["cells"]}, {"grpc-lean"})
        self.assertIn("ratio of CPU of grpc-lean/1x1; grpc-lean/64x1; grpc-lean/16x16: "
                      "grpc-lean-uncoalesced was not measured: --subjects does not name it.",
                      " ".join(bench.text.split()))

    def test_memory_is_told_of_a_thousand_connections(self):
        bench = measure(self, "--tables", "modes1000", "--subjects", "rally")
        row, = rows_of(bench, "bidirectional")
        self.assertGreater(float(row.split()[-1]), 5, bench.text)  # MB.
        trials = {trial["cell"]: trial for trial in bench.run["trials"]}
        more = (trials["rally/1000x1"]["server"]["open_files"]
                - trials["rally/1x1"]["server"]["open_files"])
        self.assertEqual(more, 999)

    def test_every_mode_has_its_row(self):
        bench = measure(self, "--tables", "modes", "--subjects", "grpc,watch,rally,many")
        rows = rows_of(bench, "unary", "server streaming", "client streaming", "bidirectional")
        self.assertEqual(len(rows), 4, bench.text)
        self.assertFalse([row for row in rows if "not measured" in row or "INVALID" in row], rows)

    def test_they_are_measured_only_when_they_are_named(self):
        bench = measure(self, "--subjects", "inproc")
        self.assertIn("main", bench.run["tables"])
        self.assertFalse({"stage3", "modes1000"} & set(bench.run["tables"]))


if __name__ == "__main__":
    unittest.main()
