#!/usr/bin/env python3
"""rps-bench beside itself, and beside wrk and h2load, which others wrote.

Run it with --measure for the figures themselves: more and longer rounds, and the ratio with the
range that 95 % of such medians fall into.
"""

import collections
import json
import os
import pathlib
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import unittest

from bench_process import Bench, Synthetic, run_on_terminal, undisturbed
from framings import play
from grpc_wire import MOVES, message, play_request
from rps_process import IS_SANITIZED, PATIENCE, built_servers

MEASURE = "--measure" in sys.argv
ROUNDS, SECONDS = (15, 2) if MEASURE else (5, 1)
PAIRS_LOST_MAX = 2 * ROUNDS

# Two CPUs as rps-bench takes them: the servers get the first, the load the last.
CPUS = sorted(os.sched_getaffinity(0))

# Shares of one CPU: from where on it limits the one that runs on it, and what others may take of
# those two before a measurement is not judged.
CPU_FULL = 0.8
OTHERS_MAX = 0.1


def pinned(cpu: int) -> tuple[str, ...]:
    return (*undisturbed(), "taskset", "-c", str(cpu))


def say(text: str):
    print(text, file=sys.stderr, flush=True)


def scratch(test: unittest.TestCase) -> pathlib.Path:
    return pathlib.Path(test.enterContext(tempfile.TemporaryDirectory(prefix="rps-agreement-")))


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


class CpuAccount:
    """What was used of two CPUs between its begin and finish(): by our processes and by others.

    /proc/stat counts in hundredths of a second, so the time between must be long beside those."""

    def __init__(self, server_pid: int):
        self.server_pid = server_pid
        self.begin = self._read()

    def _read(self) -> tuple[float, ...]:
        ticks = os.sysconf("SC_CLK_TCK")
        stat = pathlib.Path("/proc/stat").read_text().splitlines()
        lines = dict(line.split(None, 1) for line in stat)
        # proc(5): user, nice, system, idle, iowait, irq, softirq, steal; guests are in user.
        of_cpus = [list(map(int, lines[f"cpu{cpu}"].split()))[:8]
                   for cpu in {CPUS[0], CPUS[-1]}]
        busy = sum(sum(times) - times[3] - times[4] for times in of_cpus) / ticks
        server = pathlib.Path(f"/proc/{self.server_pid}/stat").read_text().rpartition(") ")[2]
        clients = resource.getrusage(resource.RUSAGE_CHILDREN)
        return (time.monotonic(), busy, sum(map(int, server.split()[11:13])) / ticks,
                clients.ru_utime + clients.ru_stime)

    def complaint(self) -> str:
        """Why what was measured meanwhile says nothing about either side; empty if it does. The
        client is a child that ended meanwhile."""
        seconds, busy, server, client = (end - begin for begin, end in
                                         zip(self.begin, self._read()))
        for side, used in (("client", client), ("server", server)):
            if used > CPU_FULL * seconds:
                return f"the CPU of the {side} was full"
        if busy - server - client > OTHERS_MAX * seconds:
            return "others took CPU time"
        return ""


@unittest.skipIf(IS_SANITIZED, "a sanitizer slows the harness down, and not the others")
class Others(unittest.TestCase):
    """The same server under the same concurrency, in turn by rps-bench and by another client.

    The clients do not do the same work for a call, so what they reach on a full CPU differs. Here
    no CPU is full: the server lets each call wait, and the wait is what limits the throughput. So
    both clients must see CONNECTIONS / (DELAY_S + the way there and back) calls a second, as long
    as they count, time and keep connections busy alike. A pair of measurements in which a CPU was
    full, or which others disturbed, says nothing about that and is taken again; when too few are
    left in the end, the test is skipped."""

    CONNECTIONS = 64
    DELAY_S = 0.01
    # The way there and back is a few percent of the delay, and differs by what a client costs.
    DEVIATION_MAX = 0.1

    def ours(self, url, scheme):
        bench = Bench(self, "load", url.replace(url.split(":")[0], scheme, 1),
                      "--connections", str(self.CONNECTIONS),
                      "--seconds", str(SECONDS), "--warmup", "0.2",
                      "--load-cpu", str(CPUS[-1]), "--server-cpu", str(CPUS[0]),
                      prefix=undisturbed()).finish()
        return bench.trial["figures"]["qps"]

    def theirs(self, command, pattern):
        done = subprocess.run([*pinned(CPUS[-1]), *command], capture_output=True, text=True,
                              timeout=PATIENCE)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return float(re.search(pattern, done.stdout).group(1)), done.stdout

    def compare(self, name: str, server: Synthetic, ours, theirs):
        """`ours` and `theirs` measure the server once and return calls a second."""
        limit = self.CONNECTIONS / self.DELAY_S
        ratios, complaints = [], collections.Counter()
        while len(ratios) < ROUNDS and complaints.total() < PAIRS_LOST_MAX:
            account = CpuAccount(server.pid)
            our_qps = ours()
            complaint = account.complaint()
            account = CpuAccount(server.pid)
            their_qps = theirs()
            if complaint := complaint or account.complaint():
                complaints[complaint] += 1
                continue
            # The delay is waited for whatever happens, so more is counted wrong.
            self.assertLess(our_qps, 1.01 * limit)
            ratios.append(our_qps / their_qps)
        lost = ", ".join(f"{count} pairs lost: {why}" for why, count in complaints.items())
        if len(ratios) < ROUNDS:
            self.skipTest(f"no {ROUNDS} pairs of rps-bench and {name} say anything: {lost}")
        median = statistics.median(ratios)
        low, high = spread_of_median(ratios)
        say(f"rps-bench / {name}: {median:.3f} ({low:.3f}–{high:.3f}), {len(ratios)} rounds"
            + (f"; {lost}" if lost else ""))
        self.assertAlmostEqual(median, 1, delta=self.DEVIATION_MAX)

    def start(self, protocol: str) -> Synthetic:
        return Synthetic(f"--delay=fixed:{self.DELAY_S * 1000:g}ms", f"--protocol={protocol}",
                         prefix=pinned(CPUS[0]))

    def test_wrk(self):
        """HTTP: the same POST body over as many connections."""
        if not shutil.which("wrk"):
            self.skipTest("wrk is not installed")
        script = scratch(self) / "play.lua"
        script.write_text('wrk.method = "POST"\n'
                          'wrk.headers["Content-Type"] = "application/json"\n'
                          f"wrk.body = [[{play(1, session_id='wrk').decode()}]]\n")
        with self.start("http") as server:
            address = ":".join(map(str, server.address))

            def wrk() -> float:
                qps, text = self.theirs(
                    ["wrk", "-t1", f"-c{self.CONNECTIONS}", f"-d{SECONDS}s", "-s", str(script),
                     f"http://{address}/rpc"], r"Requests/sec: +([\d.]+)")
                self.assertNotIn("Non-2xx", text)
                return qps

            self.compare("wrk", server, lambda: self.ours(server.url, "http"), wrk)

    def test_h2load(self):
        """gRPC through our own client on libnghttp2, which is h2load's library."""
        if not shutil.which("h2load"):
            self.skipTest("h2load is not installed")
        if "rps-grpc" not in built_servers():
            self.skipTest("gRPC is not built")
        body = scratch(self) / "play.bin"
        body.write_bytes(message(play_request(MOVES["ROCK"], b"h2load")))
        with self.start("grpc") as server:
            address = ":".join(map(str, server.address))

            def h2load() -> float:
                qps, text = self.theirs(
                    ["h2load", "-t1", f"-c{self.CONNECTIONS}", "-m1", f"-D{SECONDS}",
                     "--warm-up-time=200ms", "-d", str(body),
                     "-H", "content-type: application/grpc", "-H", "te: trailers",
                     f"http://{address}/rps.v1.RockPaperScissorsService/Play"],
                    r"finished in [\d.]+s, ([\d.]+) req/s")
                self.assertIn(" 0 failed, 0 errored, 0 timeout", text)
                return qps

            self.compare("h2load", server, lambda: self.ours(server.url, "grpc+lean"), h2load)


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
        the harness's own processor time for a call, which neighbours hardly change. Runs with
        --measure only: beside other work it says nothing."""
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


def load_tests(loader, _tests, _pattern):
    cases = (Itself, Others, *((Progress,) if MEASURE else ()))
    return unittest.TestSuite(loader.loadTestsFromTestCase(case) for case in cases)


if __name__ == "__main__":
    unittest.main(argv=[argument for argument in sys.argv if argument != "--measure"])
