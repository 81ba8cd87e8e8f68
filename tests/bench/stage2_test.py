"""What rps-bench stage2 says of real servers, and what it does when it is interrupted."""

import argparse
import pathlib
import signal
import subprocess
import sys
import tempfile
import unittest

PATIENCE = 120
BIN = pathlib.Path()


class Stage2(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.out = pathlib.Path(folder.name)

    def start(self, *flags: str) -> subprocess.Popen:
        return subprocess.Popen([BIN / "rps-bench", "stage2", "--out", self.out, *flags],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def test_a_short_run_fills_every_row(self):
        run = self.start("--rounds=1", "--seconds=0.05", "--warmup=0", "--quiet")
        out, err = run.communicate(timeout=PATIENCE)
        self.assertEqual(run.returncode, 0, err)
        rows = [line for line in out.splitlines()
                if line.startswith(("JSON ", "MessagePack ", "fixed layout "))]
        self.assertEqual(len(rows), 12, out)
        for said in ("An idle connection costs", "slow peers", "Offered 200 %", "by windows"):
            self.assertIn(said, out)
        self.assertTrue(all(len(line) <= 100 for line in out.splitlines()[:-1]), out)
        self.assertIn((self.out / "stage2.md").read_text(), out)

    def test_an_interrupted_run_shows_what_there_is(self):
        run = self.start("--rounds=1000", "--seconds=0.05", "--warmup=0")
        while "JSON" not in run.stderr.readline():  # Its first row is done then.
            pass
        run.send_signal(signal.SIGINT)
        out, _ = run.communicate(timeout=PATIENCE)
        self.assertEqual(run.returncode, 130)
        self.assertIn("JSON ", out)
        self.assertNotIn("Offered", out)

    def test_a_server_that_is_not_there_is_an_error(self):
        with tempfile.TemporaryDirectory() as nothing:
            run = self.start("--rounds=1", "--quiet", "--bin", nothing)
            _, err = run.communicate(timeout=PATIENCE)
            self.assertEqual(run.returncode, 1)
            self.assertIn("did not start", err)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", type=pathlib.Path, required=True)
    arguments, rest = parser.parse_known_args()
    BIN = arguments.bin
    unittest.main(argv=[sys.argv[0], *rest])
