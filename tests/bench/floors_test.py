#!/usr/bin/env python3
"""A floor moves as many bytes as its stage, however long the sessions of the run are."""

import re
import shutil
import signal
import subprocess
import unittest

from bench_process import measure_undisturbed
from rps_process import PATIENCE, Process, binary

# What a floor moves beside the sizes in its command: rps-floor-http takes those of the bodies, and
# rps-floor-grpc and rps-floor-http2 that of the message.
HTTP = (98, 134)
GRPC_REPLY = 36.3
HTTP2_REPLY = 35

ENOUGH = 50  # Answers to know the bytes of a call to 2 %, with one call open.


def sizes_of(command: str) -> list[int]:
    """The numbers in a floor's command; those of a request come first."""
    return [int(number) for number in re.findall(r"\b\d+\b", command)]


class Floors(unittest.TestCase):
    def check(self, stage: str, floors: tuple[str, ...], seconds: str, beside=(0, 0)):
        bench = measure_undisturbed(self, "load", *floors, stage, "--connections", "1",
                                    "--seconds", seconds, "--warmup", "0.1")
        # The stage is measured first, though its floors are named before it.
        self.assertEqual(bench.run["trials"][0]["cell"], f"{stage}/1x1")
        if bench.run["trials"][0]["answered"] < ENOUGH:
            self.skipTest("too few answers")
        moved = bench.run["trials"][0]["figures"]
        wanted = [round(moved[f"bytes_{way}_per_call"] - less)
                  for way, less in zip(("sent", "received"), beside)]
        cells = {cell["key"]: cell["command"] for cell in bench.run["cells"]}
        for floor in floors:
            with self.subTest(floor=floor, seconds=seconds):
                sizes = sizes_of(cells[f"{floor}/1x1"])
                self.assertEqual(sizes, wanted[-len(sizes):])

    def test_the_console(self):
        for program in ("rps-cli", "rps-floor-pipe"):
            binary(program)
        for seconds in ("0.5", "3"):
            self.check("cli", ("floor-pipe",), seconds)

    def test_stage_2(self):
        for program in ("rps-jsonrpc", "rps-floor-echo", "rps-floor-http", "rps-floor-asio"):
            binary(program)
        for seconds in ("0.5", "3"):
            self.check("jsonrpc", ("floor-tcp", "floor-asio"), seconds)
        self.check("msgpack", ("floor-tcp-msgpack",), "0.5")
        self.check("binary", ("floor-tcp-binary",), "0.5")
        self.check("http", ("floor-http",), "0.5", HTTP)

    def test_stage_3(self):
        for program in ("rps-grpc", "rps-floor-grpc"):
            binary(program)
        for seconds in ("0.5", "3"):
            self.check("grpc", ("floor-grpc",), seconds, (0, GRPC_REPLY))
        binary("rps-floor-http2")
        self.check("grpc", ("floor-http2",), "0.5", (0, HTTP2_REPLY))

    def test_http2_through_a_window_that_is_smaller_than_the_message(self):
        if not shutil.which("h2load"):
            self.skipTest("h2load is not installed")
        with Process("rps-floor-http2", "39") as floor:
            url = floor.read_line().decode().strip().replace("grpc://", "http://")
            for window in (3, 16):  # 7 and 65,535 bytes.
                done = subprocess.run(["h2load", "-n200", "-c2", "-m10", f"-w{window}", url],
                                      capture_output=True, text=True, timeout=PATIENCE, check=True)
                self.assertIn("200 succeeded, 0 failed", done.stdout)
                # A message and its prefix for each.
                self.assertRegex(done.stdout, r"\(8800\) data")
            floor.send_signal(signal.SIGKILL)
            floor.wait(-signal.SIGKILL)

    def test_alone_a_floor_has_its_own_sizes(self):
        binary("rps-floor-echo")
        bench = measure_undisturbed(self, "load", "floor-tcp", "--connections", "1",
                                    "--seconds", "0.1")
        cell, = bench.run["cells"]
        self.assertEqual(sizes_of(cell["command"]), [126, 186])


if __name__ == "__main__":
    unittest.main()
