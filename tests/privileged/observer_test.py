#!/usr/bin/env python3
"""What the kernel counts for rps-ebpf, against a caller that knows every byte it sent and got.

RPS_BIN names the folder of the binaries, RPS_BPFTOOL the bpftool to ask. Needs CAP_BPF,
CAP_PERFMON, BTF and the hooks. Where one is missing: exit code 4 and a line that names it; with
RPS_REQUIRE_PRIVILEGED=1 that is a failure instead.
"""

import ctypes
import os
import pathlib
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "process"))

from byte_counting_caller import PING, ByteCountingCaller
from grpc_wire import SETTINGS_FRAME, h2_frame
from rps_process import IS_SANITIZED, Process, Server, eventually

BPFTOOL = os.environ.get("RPS_BPFTOOL", "bpftool")
PROGRAMS = 4
LACKS = 4  # The server's exit code when it found what this machine lacks.
SKIPPED = 4  # The exit code that ctest takes for "skipped".


def start(**options):
    return Server("rps-ebpf", "--observe=require", admin=True, **options)


def counts(server):
    """The observer's metrics without their common prefix."""
    return {name.removeprefix("rps_observer_"): value for name, value in server.metrics().items()
            if name.startswith("rps_observer_")}


def played(server, rounds):
    """Plays on a connection of its own; returns the caller, still connected."""
    return ByteCountingCaller(server.address).play(rounds)


def program_ids(pid):
    """The BPF programs that a process holds open."""
    ids = set()
    for path in pathlib.Path(f"/proc/{pid}/fdinfo").iterdir():
        ids |= {int(n) for n in re.findall(r"^prog_id:\s*(\d+)$", path.read_text(), re.MULTILINE)}
    return ids


def is_loaded(program_id):
    return subprocess.run([BPFTOOL, "prog", "show", "id", str(program_id)],
                          capture_output=True, check=False).returncode == 0


def drop_all_incoming(sock):
    """Lets the kernel drop what arrives, before it is acknowledged: a filter that returns 0."""
    ret_0 = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))
    so_attach_filter = 26
    sock.setsockopt(socket.SOL_SOCKET, so_attach_filter,
                    struct.pack("HL", 1, ctypes.addressof(ret_0)))


class CountsTest(unittest.TestCase):
    def setUp(self):
        self.server = self.enterContext(start())

    def assert_nothing_lost(self, seen):
        self.assertEqual(seen['lost_total{reason="memory"}'], 0)
        self.assertEqual(seen['lost_total{reason="recursion"}'], 0)

    def counts_when_closed(self, connections):
        def all_closed():
            seen = counts(self.server)
            return seen if seen["connections_closed_total"] == connections else None
        return eventually(all_closed, f"{connections} connections are closed")

    def test_sequential_calls_are_one_read_and_one_write_each(self):
        # The caller sends a request only when it has the previous answer, so no read and no write
        # can carry two. Beyond one each there are the connection's own frames and, now and then, a
        # request that does not fit the rest of gRPC's read buffer (8 KiB) and takes two reads.
        calls, rarely = 1000, 50
        caller = played(self.server, calls)
        seen = counts(self.server)
        self.assert_nothing_lost(seen)
        self.assertGreaterEqual(seen["reads_total"], calls)
        self.assertLessEqual(seen["reads_total"], caller.sends + rarely)
        own = caller.frames_received[SETTINGS_FRAME] + caller.frames_received[PING]
        self.assertGreaterEqual(seen["writes_total"], calls)
        self.assertLessEqual(seen["writes_total"], calls + own + rarely)
        caller.finish()

    def test_every_byte_is_counted_once(self):
        callers = [ByteCountingCaller(self.server.address) for _ in range(8)]
        threads = [threading.Thread(target=caller.play, args=[200]) for caller in callers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for caller in callers:
            caller.finish()
        seen = self.counts_when_closed(len(callers))
        self.assert_nothing_lost(seen)
        self.assertGreaterEqual(seen["writes_total"], 8)
        self.assertEqual(seen["read_bytes_total"], sum(c.bytes_sent for c in callers))
        self.assertEqual(seen["write_bytes_total"], sum(c.bytes_received for c in callers))

    def test_connections_are_counted_when_they_open_and_when_they_close(self):
        callers = [played(self.server, 1) for _ in range(5)]
        seen = counts(self.server)
        self.assertEqual(seen["connections_opened_total"], 5)
        self.assertEqual(seen["connections_closed_total"], 0)
        for caller in callers[:2]:
            caller.finish()
        self.counts_when_closed(2)
        for caller in callers[2:]:  # A reset ends a connection as well.
            caller.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            caller.socket.close()
        self.assertEqual(self.counts_when_closed(5)["connections_opened_total"], 5)

    def test_the_admin_port_is_not_observed(self):
        for _ in range(50):
            seen = counts(self.server)
        self.assertEqual(seen.pop("active"), 1)
        self.assertEqual(seen.pop("listeners_total"), 1)
        self.assertEqual(set(seen.values()), {0}, seen)

    def test_another_server_is_not_observed(self):
        with start() as other:
            played(other, 10).finish()
            self.assertGreaterEqual(counts(other)["reads_total"], 10)
        self.assertEqual(counts(self.server)["reads_total"], 0)
        self.assertEqual(counts(self.server)["connections_opened_total"], 0)

    def test_what_is_sent_again_is_counted(self):
        caller = played(self.server, 1)
        before = counts(self.server)["retransmits_total"]
        drop_all_incoming(caller.socket)
        caller.socket.sendall(h2_frame(PING, 0, 0, bytes(8)))  # To be acknowledged.
        eventually(lambda: counts(self.server)["retransmits_total"] > before,
                   "the acknowledgement is sent again")
        caller.socket.close()


class FailureTest(unittest.TestCase):
    def test_a_port_that_is_taken_is_no_lack_of_the_machine(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            with Process("rps-ebpf", f"--listen=127.0.0.1:{taken.getsockname()[1]}",
                         "--observe=require") as server:
                self.assertIsNone(server.read_line())
                server.wait(1)
                self.assertIn("cannot listen", server.stderr())


class LifecycleTest(unittest.TestCase):
    def test_no_program_stays_behind_however_the_server_ends(self):
        for number, code in ((signal.SIGTERM, 0), (signal.SIGKILL, -signal.SIGKILL)):
            with self.subTest(signal=number), start() as server:
                ids = program_ids(server.pid)
                self.assertEqual(len(ids), PROGRAMS)
                self.assertTrue(all(map(is_loaded, ids)))
                server.send_signal(number)
                server.wait(code)
                eventually(lambda: not any(map(is_loaded, ids)), "the kernel frees the programs")

    def test_two_capabilities_are_enough(self):
        only = ("setpriv", "--inh-caps=-all", "--bounding-set=-all,+bpf,+perfmon")
        with start(prefix=only) as server:
            played(server, 10).finish()
            self.assertGreaterEqual(counts(server)["reads_total"], 10)


class ReasonTest(unittest.TestCase):
    """What the server says is what keeps the observer off, and nothing besides."""

    def reason(self, *prefix, code=LACKS):
        with Process("rps-ebpf", "--listen=127.0.0.1:0", "--observe=require",
                     prefix=prefix) as server:
            self.assertIsNone(server.read_line())
            server.wait(code)
            line, = server.stderr().splitlines()
            return line.partition("observer: ")[2]

    def reason_without(self, folder, **how):
        """The reason where nothing is in `folder`."""
        hide = f'mount -t tmpfs none {folder} && exec "$@"'
        prefix = ("unshare", "--mount", "sh", "-c", hide, "sh")
        if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode != 0:
            self.skipTest("needs CAP_SYS_ADMIN, to mount")
        return self.reason(*prefix, **how)

    def test_a_seccomp_filter(self):
        refusing = str(pathlib.Path(__file__).with_name("refuse_bpf.py"))
        self.assertEqual(self.reason(sys.executable, "-B", refusing),
                         "a seccomp filter refuses bpf()")

    def test_a_capability(self):
        for missing in ("bpf", "perfmon"):
            with self.subTest(missing):
                kept = "+perfmon" if missing == "bpf" else "+bpf"
                self.assertEqual(
                    self.reason("setpriv", "--inh-caps=-all", f"--bounding-set=-all,{kept}"),
                    f"the process lacks CAP_{missing.upper()}")

    @unittest.skipIf(IS_SANITIZED, "a sanitizer complains that it cannot read /proc")
    def test_no_proc(self):
        self.assertEqual(self.reason_without("/proc", code=1),
                         "cannot read /proc/self/ns/pid: No such file or directory")

    @unittest.skipIf(IS_SANITIZED, "a sanitizer needs a descriptor to look at memory")
    def test_too_few_descriptors(self):
        """Of which the BPF objects need some, and so does each look at the kernel's BTF."""
        for limit in range(5, 16):
            command = ("prlimit", f"--nofile={limit}:{limit}")
            with self.subTest(limit=limit), \
                    Process("rps-ebpf", "--listen=127.0.0.1:0", prefix=command) as server:
                server.read_line()
                if "observer off" in server.stderr():
                    self.assertIn("observer off: cannot ", server.stderr())
                server.send_signal(signal.SIGKILL)
                server.wait(1, -signal.SIGABRT, -signal.SIGKILL)

    def test_no_btf(self):
        self.assertEqual(self.reason_without("/sys/kernel"), "there is no /sys/kernel/btf/vmlinux")


def missing_privilege():
    """What is missing here, in the server's own words; None when the tests can run."""
    with Process("rps-ebpf", "--listen=127.0.0.1:0", "--observe=require") as server:
        if server.read_line():
            return None
        # Another exit code is no missing privilege but a failure, which the tests must show.
        return server.stderr().strip() if server.wait(LACKS, 1) == LACKS else None


if __name__ == "__main__":
    if missing := missing_privilege():
        required = os.environ.get("RPS_REQUIRE_PRIVILEGED") == "1"
        print("FAIL" if required else "SKIP",
              "needs CAP_BPF, CAP_PERFMON, BTF and the hooks: " + missing, sep=": ")
        sys.exit(1 if required else SKIPPED)
    unittest.main()
