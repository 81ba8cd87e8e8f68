"""What rps-bench compare does when the world breaks: a server killed under load, and Ctrl-C.

Runs the real binaries in --bin. Both times a report must be there, the exit code must tell, and no
process may be left behind.
"""

import argparse
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

BIN = pathlib.Path()
PATIENCE_S = 30


def start(out, *flags):
    return subprocess.Popen(
        [BIN / "rps-bench", "compare", "--out", out, "--quiet", "--warmup", "0.1", *flags],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def children_of(pid):
    """The children of every thread of the process: which of them forked does not matter."""
    children = []
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children += [int(child) for child in task.read_text().split()]
        except OSError:
            pass  # The thread ended while we looked.
    return children


def command_of(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0].decode()
    except OSError:
        return ""


def wait_for_server(bench, name):
    """The pid of a child that runs the binary `name`."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        for child in children_of(bench.pid):
            if command_of(child).endswith(name):
                return child
        time.sleep(0.01)
    raise AssertionError(f"{name} was not started")


def is_gone(pid):
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if not pathlib.Path(f"/proc/{pid}").exists():
            return True
        time.sleep(0.01)
    return False


class Faults(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.out = pathlib.Path(self.folder.name)

    def report(self):
        text = (self.out / "compare.md").read_text()
        return text, json.loads((self.out / "compare.json").read_text())

    def finish(self, bench):
        self.addCleanup(bench.kill)
        stdout, stderr = bench.communicate(timeout=PATIENCE_S)
        return stdout, stderr

    def kill_server(self, stage, binary, connections):
        bench = start(self.out, "--stages", stage, "--connections", connections, "--rounds", "1",
                      "--seconds", "20")
        server = wait_for_server(bench, binary)
        time.sleep(0.5)  # Into the window; the kill is right whenever it comes.
        os.kill(server, signal.SIGKILL)
        stdout, stderr = self.finish(bench)
        self.assertEqual(bench.returncode, 1, stderr)
        text, data = self.report()
        self.assertIn("INVALID", text)
        self.assertIn(text.strip(), stdout)
        self.assertFalse(data["trials"][0]["valid"])
        self.assertTrue(is_gone(server))

    def test_killed_console_child(self):
        self.kill_server("cli", "rps-cli", "1")

    @unittest.skipUnless("jsonrpc" in sys.argv, "stage 2 is not built")
    def test_killed_jsonrpc_server(self):
        self.kill_server("jsonrpc", "rps-jsonrpc", "4")

    @unittest.skipUnless("grpc" in sys.argv, "stage 3 is not built")
    def test_killed_grpc_server(self):
        self.kill_server("grpc", "rps-grpc", "4")

    def interrupt(self, stage, binary, number):
        bench = start(self.out, "--stages", "inproc," + stage, "--connections", "2",
                      "--rounds", "100", "--seconds", "0.2")
        wait_for_server(bench, binary)
        time.sleep(1)  # Some trials end before.
        servers = children_of(bench.pid)
        bench.send_signal(number)
        _, stderr = self.finish(bench)
        self.assertEqual(bench.returncode, 130, stderr)
        text, data = self.report()
        self.assertIn("INTERRUPTED", text)
        self.assertTrue(data["interrupted"])
        self.assertNotIn("interrupted", [trial["complaint"] for trial in data["trials"]])
        for server in servers:
            self.assertTrue(is_gone(server))

    def test_ctrl_c_ends_the_children(self):
        self.interrupt("cli", "rps-cli", signal.SIGINT)

    def test_sigterm_is_the_same(self):
        self.interrupt("cli", "rps-cli", signal.SIGTERM)

    @unittest.skipUnless("jsonrpc" in sys.argv, "stage 2 is not built")
    def test_ctrl_c_ends_the_server(self):
        self.interrupt("jsonrpc", "rps-jsonrpc", signal.SIGINT)

    @unittest.skipUnless("jsonrpc" in sys.argv, "stage 2 is not built")
    def test_server_dies_with_a_killed_harness(self):
        bench = start(self.out, "--stages", "jsonrpc", "--connections", "2", "--rounds", "1",
                      "--seconds", "20")
        server = wait_for_server(bench, "rps-jsonrpc")
        bench.kill()
        self.finish(bench)
        self.assertTrue(is_gone(server))

    def test_flags_out_of_range_are_refused(self):
        for flags in (["--rounds", "0"], ["--connections", "1025"], ["--stages", "soap"],
                      ["--server-cpu", "4095"], ["--profile", "endless"]):
            bench = start(self.out, *flags)
            _, stderr = self.finish(bench)
            self.assertEqual(bench.returncode, 2, (flags, stderr))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", type=pathlib.Path, required=True)
    parser.add_argument("stages", nargs="*", help="the stages that are built: jsonrpc grpc")
    BIN = parser.parse_args().bin
    unittest.main(argv=sys.argv[:1], verbosity=2)
