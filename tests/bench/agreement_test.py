#!/usr/bin/env python3
"""rps-bench beside itself, and beside wrk and h2load, which others wrote.

Run it with --measure for the figures themselves: more and longer rounds, and the ratio with the
range that 95 % of such medians fall into.
"""

import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import unittest

from bench_process import Bench, run_on_terminal, undisturbed
from framings import play
from grpc_wire import MOVES, message, play_request
from rps_process import IS_SANITIZED, PATIENCE, Server

MEASURE = "--measure" in sys.argv
ROUNDS, SECONDS = (15, 2) if MEASURE else (5, 0.5)

# Two CPUs as rps-bench takes them: the servers get the first, the load the last.
CPUS = sorted(os.sched_getaffinity(0))


def pinned(cpu: int) -> tuple[str, ...]:
    return (*undisturbed(), "taskset", "-c", str(cpu))


def say(text: str):
    print(text, file=sys.stderr, flush=True)


class Itself(unittest.TestCase):
    PAIRS = 20
    # The chance that a comparison of a thing with itself says "different" is at most 0.0175; so
    # more than four of twenty do once in 40,000 runs. tests/bench/statistics_test.cpp shows the
    # chance itself.
    ALARMS_MAX = 4

    def test_a_server_hardly_ever_differs_from_itself(self):
        """Twenty pairs of cells, each pair with its own number of connections, interleaved."""
        connections = ",".join(str(1 + i) for i in range(self.PAIRS))
        bench = Bench(self, "load", "jsonrpc", "jsonrpc", "--connections", connections,
                      "--rounds", "7", "--seconds", "0.05", "--warmup", "0.01").finish(0, 1)
        # In a window this short nothing may be answered at all, if neighbours have the CPU.
        self.assertGreater(sum(trial["valid"] for trial in bench.run["trials"]), 270)
        alarms = {}
        for each in bench.run["comparisons"]:
            alarms.setdefault(each["metric"], []).append(each["ratio_is"] != "indistinguishable")
        self.assertEqual(len(alarms["qps"]), self.PAIRS)
        counts = {metric: sum(found) for metric, found in alarms.items()}
        say(f"of {self.PAIRS} comparisons with itself differ: {counts}")
        self.assertLessEqual(counts["qps"], self.ALARMS_MAX)


def spread_of_median(values: list[float]) -> tuple[float, float]:
    """The order statistics around the median that hold it with about 95 %."""
    ordered = sorted(values)
    reach = 0.98 * len(ordered) ** 0.5
    low = max(0, int((len(ordered) - 1) / 2 - reach))
    return ordered[low], ordered[-1 - low]


@unittest.skipIf(IS_SANITIZED, "a sanitizer slows the harness down, and not the others")
class Others(unittest.TestCase):
    """The same server under the same concurrency, round by round in turn. The three clients do
    not do the same work for a call, and here they have one CPU; so the throughputs agree as far as
    the server is what limits them."""

    CONNECTIONS = 64
    # Wide, so that a busy machine does not fail it, and still far from what a wrong count, a wrong
    # window or a wrong concurrency would give.
    DEVIATION_MAX = 0.25

    def ours(self, url, scheme, depth=1):
        bench = Bench(self, "load", url.replace(url.split(":")[0], scheme, 1),
                      "--connections", str(self.CONNECTIONS), "--depth", str(depth),
                      "--seconds", str(SECONDS), "--warmup", "0.2",
                      "--load-cpu", str(CPUS[-1]), "--server-cpu", str(CPUS[0]),
                      prefix=undisturbed()).finish()
        return bench.trial["figures"]["qps"]

    def theirs(self, command, pattern):
        done = subprocess.run([*pinned(CPUS[-1]), *command], capture_output=True, text=True,
                              timeout=PATIENCE)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return float(re.search(pattern, done.stdout).group(1)), done.stdout

    def check(self, name, ratios):
        median = statistics.median(ratios)
        low, high = spread_of_median(ratios)
        say(f"rps-bench / {name}: {median:.3f} ({low:.3f}–{high:.3f}), {len(ratios)} rounds")
        self.assertAlmostEqual(median, 1, delta=self.DEVIATION_MAX)

    def test_wrk(self):
        """HTTP: the same POST body over as many connections."""
        if not shutil.which("wrk"):
            self.skipTest("wrk is not installed")
        script = Bench(self, "load", "inproc", "--seconds", "0.01").finish().out / "play.lua"
        script.write_text('wrk.method = "POST"\n'
                          'wrk.headers["Content-Type"] = "application/json"\n'
                          f"wrk.body = [[{play(1, session_id='wrk').decode()}]]\n")
        ratios = []
        with Server("rps-jsonrpc", "--threads=1", prefix=pinned(CPUS[0])) as server:
            address = ":".join(map(str, server.address))
            for _ in range(ROUNDS):
                ours = self.ours(server.url, "http")
                theirs, text = self.theirs(
                    ["wrk", "-t1", f"-c{self.CONNECTIONS}", f"-d{max(1, round(SECONDS))}s",
                     "-s", str(script), f"http://{address}/rpc"], r"Requests/sec: +([\d.]+)")
                self.assertNotIn("Non-2xx", text)
                ratios.append(ours / theirs)
        self.check("wrk", ratios)

    def test_h2load(self):
        """gRPC through our own client on libnghttp2, which is h2load's library."""
        if not shutil.which("h2load"):
            self.skipTest("h2load is not installed")
        body = Bench(self, "load", "inproc", "--seconds", "0.01").finish().out / "play.bin"
        body.write_bytes(message(play_request(MOVES["ROCK"], b"h2load")))
        ratios = []
        with Server("rps-grpc", prefix=pinned(CPUS[0])) as server:
            address = ":".join(map(str, server.address))
            for _ in range(ROUNDS):
                ours = self.ours(server.url, "grpc+lean")
                theirs, text = self.theirs(
                    ["h2load", "-t1", f"-c{self.CONNECTIONS}", "-m1", f"-D{max(1, round(SECONDS))}",
                     "--warm-up-time=200ms", "-d", str(body),
                     "-H", "content-type: application/grpc", "-H", "te: trailers",
                     f"http://{address}/rps.v1.RockPaperScissorsService/Play"],
                    r"finished in [\d.]+s, ([\d.]+) req/s")
                self.assertIn(" 0 failed, 0 errored, 0 timeout", text)
                ratios.append(ours / theirs)
        self.check("h2load", ratios)


@unittest.skipUnless(MEASURE, "takes --measure: on a machine that others use it says nothing")
class Progress(unittest.TestCase):
    PAIRS = 40
    LOAD = ("load", "jsonrpc", "--connections", "64", "--seconds", "1", "--warmup", "0.2",
            "--interval", "100")

    def quiet(self) -> dict:
        return Bench(self, *self.LOAD).finish().trial["figures"]

    def live(self) -> dict:
        with tempfile.TemporaryDirectory() as folder:
            code, _, _ = run_on_terminal(*self.LOAD, "--out", folder)
            self.assertEqual(code, 0)
            run = json.loads((pathlib.Path(folder) / "load.json").read_text())
            return run["trials"][0]["figures"]

    def test_what_showing_it_costs(self):
        """A block that is drawn ten times a second, against silence, in turn: calls a second, and
        the harness's own processor time for a call, which neighbours hardly change."""
        pairs = []
        for pair in range(self.PAIRS):
            arms = {"quiet": self.quiet, "live": self.live}
            order = sorted(arms, reverse=pair % 2 == 1)
            pairs.append({arm: arms[arm]() for arm in order})
        for name, figure in (("QPS", lambda each: each["qps"]),
                             ("load CPU per call", lambda each: each["load_user_us"]
                              + each["load_system_us"])):
            ratios = [figure(each["live"]) / figure(each["quiet"]) for each in pairs]
            low, high = spread_of_median(ratios)
            say(f"live / quiet, {name}: {statistics.median(ratios):.4f} ({low:.4f}–{high:.4f}), "
                f"{self.PAIRS} pairs")
            self.assertAlmostEqual(statistics.median(ratios), 1, delta=0.05)


if __name__ == "__main__":
    unittest.main(argv=[argument for argument in sys.argv if argument != "--measure"])
