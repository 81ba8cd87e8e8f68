"""A real etcd on free ports of the loopback interface, and looks into it from outside."""

import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

from rps_process import PATIENCE, binary, eventually


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def complaint_of(name: str, code: int, *flags: str) -> str:
    """What the program says on stderr when it ends with this exit code."""
    ended = subprocess.run([binary(name), *flags], capture_output=True, text=True,
                           timeout=PATIENCE, check=False)
    assert ended.returncode == code, ended
    return ended.stderr


class Etcd:
    """Runs from start() to stop(), any number of times; the data stay unless they are dropped."""

    def __init__(self, *flags: str, scheme: str = "http", client_flags: tuple[str, ...] = ()):
        for program in ("etcd", "etcdctl"):
            if shutil.which(program) is None:
                raise unittest.SkipTest(f"{program} is missing")
        self.folder = tempfile.TemporaryDirectory()
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.flags = flags
        self.scheme = scheme
        self.client_flags = client_flags
        self.peer = f"http://127.0.0.1:{free_port()}"
        self.process = None

    def start(self):
        self.launch()
        self.await_health()

    def launch(self):
        client, peer = f"{self.scheme}://{self.address}", self.peer
        self.process = subprocess.Popen(
            ["etcd", "--data-dir", f"{self.folder.name}/data", "--listen-client-urls", client,
             "--advertise-client-urls", client, "--listen-peer-urls", peer,
             "--initial-advertise-peer-urls", peer, "--initial-cluster", f"default={peer}",
             "--logger", "zap", "--log-outputs", f"{self.folder.name}/log", *self.flags])

    def await_health(self):
        eventually(lambda: self.ctl("endpoint", "health", check=False).returncode == 0,
                   "etcd answers")

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def stop(self):
        if self.process is not None:
            self.thaw()
            self.process.kill()
            self.process.wait(PATIENCE)
            self.process = None

    def drop_data(self):
        shutil.rmtree(pathlib.Path(self.folder.name) / "data")

    def ctl(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess:
        environment = os.environ | {"ETCDCTL_API": "3"}
        return subprocess.run(
            ["etcdctl", f"--endpoints={self.scheme}://{self.address}", *self.client_flags,
             *arguments],
            capture_output=True, text=True, timeout=PATIENCE, check=check, env=environment)

    def values(self, prefix: str) -> dict[str, str]:
        """The keys that begin so, with their values."""
        lines = self.ctl("get", "--prefix", prefix).stdout.splitlines()
        return dict(zip(lines[::2], lines[1::2]))

    def __enter__(self):
        with contextlib.ExitStack() as undo:
            undo.callback(self.__exit__)
            self.start()
            undo.pop_all()
        return self

    def __exit__(self, *_):
        self.stop()
        self.folder.cleanup()
