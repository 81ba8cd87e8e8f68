"""Starts the game's binaries for tests, looks at them from outside and leaves none behind.

RPS_BIN names the folder of the binaries; without it, build/dev. A test of a binary that is not
built is skipped by its name. Nothing here asserts a time: PATIENCE only bounds how long a broken
server can hold a test up, generously enough for a build with sanitizers.
"""

import concurrent.futures
import contextlib
import os
import pathlib
import re
import resource
import selectors
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.request
from urllib.error import HTTPError
from urllib.parse import urlsplit

ROOT = pathlib.Path(__file__).parents[2]
BINARIES = pathlib.Path(os.environ.get("RPS_BIN", ROOT / "build" / "dev"))
CHECKS_AT_ONCE = 12

# Sanitizers keep what is freed, so how much memory a process has then says nothing; and they need
# descriptors of their own. They slow a process down many times.
IS_SANITIZED = bool(os.environ.get("RPS_SANITIZE"))
PATIENCE = 180.0 if IS_SANITIZED else 60.0  # seconds

# The servers, each with the flags that it needs everywhere. RPS_GRPC_FLAGS adds some.
GRPC_FLAGS = os.environ.get("RPS_GRPC_FLAGS", "").split()
SERVERS = {"rps-jsonrpc": [], "rps-grpc": GRPC_FLAGS, "rps-ebpf": GRPC_FLAGS}

SANITIZER = re.compile(r"(Address|Leak|Thread|UndefinedBehavior)Sanitizer|runtime error:")


def binary(name: str) -> str:
    path = BINARIES / name
    if not path.exists():
        raise unittest.SkipTest(f"{name} is not built")
    return str(path)


def built_servers() -> dict[str, list[str]]:
    return {name: flags for name, flags in SERVERS.items() if (BINARIES / name).exists()}


def grpc_servers() -> list[str]:
    """The built ones of stages 3 and 4. With RPS_GRPC_FLAGS only one of them, which is enough, as
    both are the same server."""
    found = [name for name in built_servers() if name in ("rps-grpc", "rps-ebpf")]
    if not found:
        raise unittest.SkipTest("neither rps-grpc nor rps-ebpf is built")
    return found[:1] if GRPC_FLAGS else found


def eventually(condition, what: str):
    """The first true value of condition(), which must come."""
    deadline = time.monotonic() + PATIENCE
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"never happened: {what}")
        time.sleep(0.01)
    return value


def connect(address: tuple[str, int], receive_bytes: int | None = None) -> socket.socket:
    """A connection that waits patiently. `receive_bytes` bounds what the kernel takes unread."""
    connection = socket.socket()
    try:
        connection.settimeout(PATIENCE)
        if receive_bytes is not None:  # Counts only before the connection is made.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        connection.connect(address)
    except OSError:
        connection.close()
        raise
    return connection


@contextlib.contextmanager
def killed_if_stuck(process: subprocess.Popen):
    """Kills the process unless the body is done in time, so that a read from it ends."""
    killer = threading.Timer(PATIENCE, process.kill)
    killer.daemon = True
    killer.start()
    try:
        yield
    finally:
        killer.cancel()


def read_exactly(connection: socket.socket, size: int) -> bytes | None:
    """None when the peer closes before so many have come."""
    data = b""
    while len(data) < size:
        try:
            chunk = connection.recv(size - len(data))
        except ConnectionResetError:
            return None
        if not chunk:
            return None
        data += chunk
    return data


def check_at_once(test: unittest.TestCase, checks: dict):
    """Calls each check, by its name, several at a time: most of their time they wait."""
    with concurrent.futures.ThreadPoolExecutor(CHECKS_AT_ONCE) as pool:
        running = {name: pool.submit(check) for name, check in checks.items()}
        for name, future in running.items():
            with test.subTest(name):
                future.result()


class Process:
    """A running binary. `with` ends it; if the test is not failing already, it must have ended
    well: with exit code 0, or with what wait() was told to expect. `prefix` is a command that runs
    the binary, such as setpriv."""

    def __init__(self, name: str, *flags: str, prefix: tuple[str, ...] = ()):
        command = [*prefix, binary(name), *flags]
        self.name = name
        self._stderr = tempfile.TemporaryFile()
        self._popen = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       stderr=self._stderr, bufsize=0)
        self._unread = b""
        self._ended_well = False

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def stdin(self):
        return self._popen.stdin

    def is_alive(self) -> bool:
        return self._popen.poll() is None

    def send_signal(self, number: int = signal.SIGTERM):
        self._popen.send_signal(number)

    def stderr(self) -> str:
        # The process writes where the file's offset is, so that must stay.
        number = self._stderr.fileno()
        return os.pread(number, os.fstat(number).st_size, 0).decode(errors="replace")

    def fd_count(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def fd_end(self) -> int:
        """One more than the greatest number of an open descriptor."""
        return max(map(int, os.listdir(f"/proc/{self.pid}/fd"))) + 1

    def virtual_bytes(self) -> int:
        """Addresses that it uses, which RLIMIT_AS bounds."""
        pages = pathlib.Path(f"/proc/{self.pid}/statm").read_text().split()[0]
        return int(pages) * resource.getpagesize()

    def rss_bytes(self) -> int:
        """Memory that it really has."""
        pages = pathlib.Path(f"/proc/{self.pid}/statm").read_text().split()[1]
        return int(pages) * resource.getpagesize()

    def peak_rss_bytes(self) -> int:
        """The most that rss_bytes() was since the process began."""
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1)) * 1024

    def read_line(self) -> bytes | None:
        """The next line of stdout, without its newline; None when stdout ends."""
        deadline = time.monotonic() + PATIENCE
        with selectors.DefaultSelector() as selector:
            selector.register(self._popen.stdout, selectors.EVENT_READ)
            while b"\n" not in self._unread:
                if not selector.select(deadline - time.monotonic()):
                    raise AssertionError(f"{self.name} says nothing; its log:\n{self.stderr()}")
                chunk = self._popen.stdout.read(65536)
                if not chunk:
                    return None
                self._unread += chunk
        line, _, self._unread = self._unread.partition(b"\n")
        return line

    def close_stdout(self):
        self._popen.stdout.close()

    def wait(self, *expected: int) -> int:
        """Waits for the end. The exit code must be one of `expected`; -N is a death by signal N."""
        try:
            code = self._popen.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} does not end; its log:\n{self.stderr()}") from None
        assert code in (expected or (0,)), f"exit code {code}; the log:\n{self.stderr()}"
        self.check_log()
        self._ended_well = True
        return code

    def check_log(self):
        assert not SANITIZER.search(self.stderr()), self.stderr()

    def end(self):
        """Ends it in the ordinary way, and says if that was not possible."""
        self.send_signal()
        self.wait()

    def __enter__(self):
        return self

    def __exit__(self, failure, *_):
        try:
            if failure is None and not self._ended_well:
                self.end()
        finally:
            if self.is_alive():
                self._popen.kill()
                self._popen.wait()
            self._popen.stdin.close()
            self._popen.stdout.close()
            self._stderr.close()


class Server(Process):
    """A server that has told its URL; by default it listens on a port of its own choice."""

    def __init__(self, name: str, *flags: str, listen: str = "127.0.0.1:0", admin: bool = False,
                 prefix: tuple[str, ...] = ()):
        admin_flags = ["--admin=127.0.0.1:0"] if admin else []
        super().__init__(name, f"--listen={listen}", *SERVERS[name], *admin_flags, *flags,
                         prefix=prefix)
        try:
            self.url = self.read_url("")
            self.admin_url = self.read_url("admin ") if admin else None
        except BaseException:
            self.__exit__(AssertionError)
            raise

    def read_url(self, prefix: str) -> str:
        line = self.read_line()
        if line is None:
            raise AssertionError(f"{self.name} did not start; its log:\n{self.stderr()}")
        text = line.decode()
        assert text.startswith(prefix), f"the line must begin with '{prefix}': {text}"
        return text.removeprefix(prefix)

    @property
    def address(self) -> tuple[str, int]:
        parts = urlsplit(self.url)
        return parts.hostname, parts.port

    def get(self, path: str) -> tuple[int, str]:
        """Status and body of a GET on the admin port."""
        try:
            with urllib.request.urlopen(self.admin_url + path, timeout=PATIENCE) as answer:
                return answer.status, answer.read().decode()
        except HTTPError as refusal:
            with refusal:
                return refusal.code, refusal.read().decode()

    def metrics(self) -> dict[str, float]:
        return parse_metrics(self.get("/metrics")[1])

    def cuts(self) -> dict[str, float]:
        """Connections that the server ended on its own, by reason."""
        return {sample.split('"')[1]: value for sample, value in self.metrics().items()
                if sample.startswith("rps_connections_cut_total{") and value}


def parse_metrics(text: str) -> dict[str, float]:
    """The samples of a page in Prometheus' text format 0.0.4, by name and labels as written.
    Raises ValueError for a line that is no sample, and for a sample without a TYPE before it."""
    sample = re.compile(r'([a-zA-Z_:][\w:]*)(\{(?:\w+="(?:[^"\\\n]|\\.)*",?)*\})? (\S+)(?: -?\d+)?')
    declaration = re.compile(r"# TYPE (\S+) (?:counter|gauge|histogram|summary|untyped)")
    types, samples = set(), {}
    for line in text.splitlines():
        if declared := declaration.fullmatch(line):
            types.add(declared.group(1))
        elif line and not line.startswith("#"):
            found = sample.fullmatch(line)
            if not found:
                raise ValueError(f"not a sample: {line}")
            name, labels, value = found.groups()
            if not {name, re.sub("_(bucket|sum|count)$", "", name)} & types:
                raise ValueError(f"a sample without a type: {line}")
            if name + (labels or "") in samples:
                raise ValueError(f"a sample said twice: {line}")
            samples[name + (labels or "")] = float(value)
    return samples
