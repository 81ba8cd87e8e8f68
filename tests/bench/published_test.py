#!/usr/bin/env python3
"""The figures in the docs are those of the stored run, to the letter."""

import os
import pathlib
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BENCH = pathlib.Path(os.environ["RPS_BIN"]) / "rps-bench"
STORED = ROOT / "docs" / "benchmarks" / "publish.json"


class Published(unittest.TestCase):
    def check(self, page: pathlib.Path, *flags: str):
        with tempfile.TemporaryDirectory() as folder:
            copy = pathlib.Path(folder) / "page.md"
            copy.write_text(page.read_text())
            subprocess.run([BENCH, "report", STORED, *flags, "--into", copy], check=True)
            self.assertEqual(copy.read_text(), page.read_text(),
                             f"{page} is not what the stored run says; ./rps publish writes it")

    def test_the_front_page(self):
        self.check(ROOT / "README.md", "--tables", "main", "--tables-only")

    def test_all_tables(self):
        self.check(ROOT / "docs" / "benchmarks" / "README.md")


if __name__ == "__main__":
    unittest.main()
