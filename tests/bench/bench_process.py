"""Starts rps-bench for tests and reads what it wrote."""

import functools
import json
import os
import pathlib
import pty
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from urllib.parse import urlsplit

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "process"))

from rps_process import PATIENCE, SANITIZER, Process, binary

# The files of a run, beside its name.
ENDINGS = (".json", ".md", ".csv", ".html", ".xml")
LONG_RUN_S = 300


@functools.cache
def undisturbed() -> tuple[str, ...]:
    """The prefix of a command that neighbours on the machine shall not keep waiting. Empty where
    that takes a privilege that we do not have. For loads that leave most of a CPU alone, or are
    over in a second or two: others have to work here too."""
    prefix = ("chrt", "-f", "1")
    try:
        allowed = subprocess.run([*prefix, "true"], stderr=subprocess.DEVNULL).returncode == 0
    except FileNotFoundError:
        allowed = False
    return prefix if allowed else ()


def run_command(*arguments: str) -> subprocess.CompletedProcess:
    """An rps-bench that is over soon, from its beginning to its end."""
    return subprocess.run([binary("rps-bench"), *map(str, arguments)], capture_output=True,
                          text=True, timeout=PATIENCE)


def run_on_terminal(*arguments: str, kind: str = "xterm") -> tuple[int, str, str]:
    """An rps-bench whose stderr is a terminal of this kind (TERM): its exit code, its stdout, and
    what was shown."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen([binary("rps-bench"), *map(str, arguments)],
                               stdout=subprocess.PIPE, stderr=theirs,
                               env=os.environ | {"TERM": kind})
    os.close(theirs)
    shown = b""
    with process.stdout:
        try:
            while chunk := os.read(ours, 65536):
                shown += chunk
        except OSError:
            pass  # How Linux says that the other side is closed.
        os.close(ours)
        text = process.stdout.read()
    return process.wait(PATIENCE), text.decode(), shown.decode()


class Bench:
    """A measuring command of rps-bench that runs, and then what it left. Its folder and, if need
    be, the process itself are gone when the test is."""

    def __init__(self, test: unittest.TestCase, command: str, *arguments: str,
                 prefix: tuple[str, ...] = (), quiet: bool = True):
        self.command = command
        self.out = pathlib.Path(tempfile.mkdtemp(prefix="rps-bench-"))
        test.addCleanup(shutil.rmtree, self.out)
        flags = ["--quiet"] if quiet else []
        self.process = subprocess.Popen(
            [*prefix, binary("rps-bench"), command, *arguments, "--out", str(self.out), *flags],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        test.addCleanup(self._kill)

    def _kill(self):
        self.process.kill()
        self.process.communicate()

    def finish(self, *codes: int) -> "Bench":
        """Waits for the end; the exit code must be one of `codes`, or 0."""
        self.text, self.log = self.process.communicate(timeout=LONG_RUN_S)
        self.code = self.process.returncode
        assert not SANITIZER.search(self.log), self.log
        return self.finished_with(*(codes or (0,)))

    def finished_with(self, *codes: int) -> "Bench":
        assert self.code in codes, f"exit code {self.code}:\n{self.text}{self.log}"
        return self

    def path(self, ending: str) -> pathlib.Path:
        return self.out / (self.command + ending)

    @functools.cached_property
    def run(self) -> dict:
        return json.loads(self.path(".json").read_text())

    @property
    def trial(self) -> dict:
        """The only one."""
        trial, = self.run["trials"]
        return trial

    def is_disturbed(self) -> bool:
        """Whether the harness says of any of its figures that others took CPU time meanwhile."""
        return any(each["flag"] == "disturbed"
                   for cell in self.run["summary"] for each in cell["flags"])

    def flags(self, cell: int = 0) -> set[str]:
        return {each["flag"] for each in self.run["summary"][cell]["flags"]}


def measure_undisturbed(test: unittest.TestCase, *arguments: str) -> Bench:
    """A run whose trials are all valid. One of them may be invalid when others kept a process from
    its CPU for a whole short window: then it is measured again, a few times."""
    for _ in range(4):
        bench = Bench(test, *arguments).finish(0, 1)
        if bench.code == 0 or not bench.is_disturbed():
            break
    return bench.finished_with(0)


def judge(test: unittest.TestCase, attempts: int, measure):
    """Calls measure() until what it measured is as it must be, at most `attempts` times. measure()
    returns what is wrong, empty if nothing is, and whether others disturbed it. If it was wrong in
    every attempt the test fails; but if every attempt was disturbed, it is skipped."""
    wrong = []
    for _ in range(attempts):
        complaint, disturbed = measure()
        if not complaint:
            return
        wrong.append((complaint, disturbed))
    text = f"after {attempts} attempts: {complaint}"
    if all(disturbed for _, disturbed in wrong):
        test.skipTest(f"others took CPU time; {text}")
    test.fail(text)


class Synthetic(Process):
    """A server whose answers take a known time."""

    def __init__(self, *flags: str, prefix: tuple[str, ...] = ()):
        super().__init__("rps-synthetic", *flags, prefix=prefix)
        self.url = self.read_line().decode()

    @property
    def address(self) -> tuple[str, int]:
        parts = urlsplit(self.url)
        return parts.hostname, parts.port

    def finish(self) -> dict[str, int]:
        """Ends it; what it says it has done."""
        self.end()
        return {name: int(value) for name, value in
                (word.split("=") for word in self.read_line().decode().split())}


def children_of(pid: int) -> list[int]:
    """The children of every thread of the process: which of them forked does not matter."""
    children = []
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children += [int(child) for child in task.read_text().split()]
        except OSError:
            pass  # The thread ended while we looked.
    return children


def command_of(pid: int) -> str:
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0].decode()
    except OSError:
        return ""


def wait_for_child(pid: int, name: str) -> int:
    """The pid of a child that runs the binary `name`."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        for child in children_of(pid):
            if command_of(child).endswith(name):
                return child
        time.sleep(0.01)
    raise AssertionError(f"{name} was not started")


def is_gone(pid: int) -> bool:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if not pathlib.Path(f"/proc/{pid}").exists():
            return True
        time.sleep(0.01)
    return False


def read_buckets(distribution: dict) -> list[tuple[int, int]]:
    """The buckets of a distribution as (greatest value in ns, count), ascending. Worked out by the
    file's description, not by the harness's code."""
    buckets, index = [], 0
    for number in distribution["counts"]:
        if number > 0:
            buckets.append((_greatest_value(index), number))
        index += max(1, -number)
    return buckets


def _greatest_value(index: int) -> int:
    """Three digits: 2048 values of width 1, then 1024 of each further width."""
    if index < 2048:
        return index
    bucket = index // 1024 - 1
    return ((index % 1024 + 1025) << bucket) - 1


def quantile(buckets: list[tuple[int, int]], q: float) -> int:
    """The least value in ns that a share of at least `q` does not exceed."""
    needed = q * sum(count for _, count in buckets)
    seen = 0
    for value, count in buckets:
        seen += count
        if seen >= needed - 1e-6:
            return value
    raise ValueError("an empty distribution")
