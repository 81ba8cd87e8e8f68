"""Clients of stages 3 and 4 that make work and wait for no answer: HTTP/2 frames without end,
messages that inflate. Their connections are closed, the reason is counted, memory stays
within --max-memory-bytes and 64 MiB, and whoever plays meanwhile is answered. Clients that only
look like a flood are not closed."""

import contextlib
import gzip
import threading
import time
import unittest
import zlib

import grpc_wire
from grpc_wire import (CONTINUATION, DATA, END_HEADERS, HEADERS, MOVES, OK, PING, PREFACE,
                       PRIORITY, UNIMPLEMENTED, WINDOW_UPDATE, Connection,
                       call_body, call_headers, connect, h2_frame, message, play_request, reset,
                       settings)
from rps_process import IS_SANITIZED, Server, built_servers, eventually

MIB = 1 << 20
MEMORY_MAX = 16 * MIB
OVERHEAD_MAX = 64 * MIB
ATTACKERS = 4
CUTS = 12
ROUNDS_MEANWHILE = 20
ROCK = MOVES["ROCK"]
HEADER_FIELD = b"\x00\x01a\x01b"


def servers() -> list[str]:
    found = [name for name in built_servers() if name in ("rps-grpc", "rps-ebpf")]
    if not found:
        raise unittest.SkipTest("neither rps-grpc nor rps-ebpf is built")
    return found


def endless(block: bytes, opening: bytes = b""):
    """Sends the opening and then the block again and again."""
    blocks = block * 200

    def flood():
        yield opening
        while True:
            yield blocks
    return flood


def rapid_reset():
    for first in range(1, 1 << 30, 200):
        yield b"".join(call_headers(stream) + reset(stream)
                       for stream in range(first, first + 200, 2))


def calls_without_end():
    for first in range(1, 1 << 30, 200):
        yield b"".join(call_headers(stream, "Rally") for stream in range(first, first + 200, 2))


# By the reason for which the connection is cut.
FLOODS = {
    "cancelled_calls": rapid_reset,
    "unanswered_calls": calls_without_end,
    "header_bytes": endless(h2_frame(CONTINUATION, 0, 1, HEADER_FIELD * 3000),
                            h2_frame(HEADERS, 0, 1, HEADER_FIELD)),
    "ping": endless(h2_frame(PING, 0, 0, b"01234567")),
    "settings": endless(settings(initial_window_size=65535)),
    "window_update": endless(h2_frame(WINDOW_UPDATE, 0, 0, (1).to_bytes(4, "big"))),
    "priority": endless(h2_frame(PRIORITY, 0, 1, b"\0\0\0\0\x10")),
    "empty_data": endless(h2_frame(DATA, 0, 1, b""), call_headers(1, "Rally")),
    "other_frame": endless(h2_frame(0x77, 0, 0, b"")),
}


class Attacker(threading.Thread):
    """Floods, and again on a new connection whenever its connection is closed."""

    def __init__(self, server: Server, flood):
        super().__init__(daemon=True)
        self._address = server.address
        self._flood = flood
        self._stopped = threading.Event()

    def run(self):
        while not self._stopped.is_set():
            with contextlib.suppress(OSError), connect(self._address) as connection:
                connection.sendall(PREFACE + settings())
                for block in self._flood():
                    if self._stopped.is_set():
                        return
                    connection.sendall(block)

    def stop(self):
        self._stopped.set()
        self.join()


@contextlib.contextmanager
def attacked(server: Server, flood):
    attackers = [Attacker(server, flood) for _ in range(ATTACKERS)]
    for attacker in attackers:
        attacker.start()
    try:
        yield
    finally:
        for attacker in attackers:
            attacker.stop()


class Floods(unittest.TestCase):
    def check_memory(self, server: Server):
        if not IS_SANITIZED:
            self.assertLess(server.peak_rss_bytes(), MEMORY_MAX + OVERHEAD_MAX)

    def test_are_cut_and_nobody_else_minds(self):
        for name in servers():
            with Server(name, f"--max-memory-bytes={MEMORY_MAX}", admin=True) as server, \
                    Connection(server.address) as player:
                player.check_play()
                before = server.rss_bytes()
                for reason, flood in FLOODS.items():
                    with self.subTest(name, reason=reason), attacked(server, flood):
                        eventually(lambda: server.cuts().get(reason, 0) >= CUTS, "they are cut")
                        for _ in range(ROUNDS_MEANWHILE):
                            player.check_play()
                self.assertEqual(set(server.cuts()), set(FLOODS))
                self.check_memory(server)
                player.check_play()
                if not IS_SANITIZED:
                    eventually(lambda: server.rss_bytes() < before + 16 * MIB, "memory is back")
                eventually(lambda: server.metrics()["rps_connections"] == 1,
                           "only the player stays")
                eventually(lambda: "; the last one was from 127.0.0.1:" in server.stderr(),
                           "the log says so")

    def test_are_told_of_once_a_second_at_most(self):
        with Server(servers()[0], admin=True) as server:
            began = time.monotonic()
            with attacked(server, FLOODS["priority"]):
                eventually(lambda: server.cuts().get("priority", 0) >= 10 * CUTS, "they are cut")
            seconds = time.monotonic() - began
            self.assertLessEqual(server.stderr().count("closed connections"), seconds + 2)

    def test_are_not_cut_when_the_guard_is_off(self):
        with Server(servers()[0], "--flood-guard=off", admin=True) as server:
            self.assertEqual(server.metrics()["rps_flood_guard_active"], 0)
            with Connection(server.address) as connection:
                connection.send(FLOOD_OF_NO_CONSEQUENCE)
                connection.check_play()
            self.assertEqual(server.cuts(), {})
            self.assertIn("flood guard off", server.stderr())

    def test_the_guard_is_in_place(self):
        for name in servers():
            with self.subTest(name), Server(name, admin=True) as server:
                self.assertEqual(server.metrics()["rps_flood_guard_active"], 1)
                with Connection(server.address) as connection:
                    connection.send(FLOOD_OF_NO_CONSEQUENCE)
                    self.assertIsNone(read_to_end(connection))
                self.assertEqual(server.cuts(), {"priority": 1})


FLOOD_OF_NO_CONSEQUENCE = h2_frame(PRIORITY, 0, 1, b"\0\0\0\0\x10") * 5000


def read_to_end(connection: Connection):
    with contextlib.suppress(OSError):
        while connection.read() is not None:
            pass


class HonestLoads(unittest.TestCase):
    """Nothing of this is cut."""

    def for_each_server(self, check):
        for name in servers():
            with self.subTest(name), Server(name, admin=True) as server:
                with Connection(server.address) as connection:
                    check(connection)
                    connection.check_play()
                self.assertEqual(server.cuts(), {})

    def test_bursts_of_calls_that_are_cancelled(self):
        def check(connection: Connection):
            for _ in range(10):
                streams = [connection.open("Rally", play_request(ROCK), ends=False)
                           for _ in range(90)]
                connection.send(b"".join(reset(stream) for stream in streams))
                connection.check_play()
                time.sleep(0.1)
        self.for_each_server(check)

    def test_bursts_of_calls_whose_deadlines_pass(self):
        def check(connection: Connection):
            for _ in range(10):
                open_streams = {connection.open("Play", play_request(ROCK), ends=True,
                                                extra={"grpc-timeout": "1n"}) for _ in range(90)}
                while open_streams:
                    kind, _, stream, _ = connection.read()
                    if kind in (HEADERS, grpc_wire.RST_STREAM):
                        open_streams.discard(stream)
        self.for_each_server(check)

    def test_headers_in_many_frames(self):
        def check(connection: Connection):
            for _ in range(100):
                stream = connection.next_stream()
                block = call_headers(stream, extra={"x-long": "y" * 6000})[9:]
                parts = [block[at:at + 1000] for at in range(0, len(block), 1000)]
                for number, part in enumerate(parts):
                    connection.send(h2_frame(CONTINUATION if number else HEADERS,
                                             END_HEADERS if part is parts[-1] else 0, stream, part))
                connection.send(call_body(stream, play_request(ROCK)))
                connection.read_until(DATA, stream=stream)
        self.for_each_server(check)

    def test_a_ping_for_each_answer(self):
        def check(connection: Connection):
            for _ in range(2000):
                connection.check_play()
                connection.ping()
        self.for_each_server(check)

    def test_window_updates_after_many_answers_that_came_at_once(self):
        def check(connection: Connection):
            rounds = 1500  # Their answers fit into the first window.
            stream = connection.open("Rally", ends=False)
            connection.send(h2_frame(DATA, 0, stream, message(play_request(ROCK)) * rounds))
            updates = b""
            for _ in range(rounds):
                size = len(connection.read_until(DATA, stream=stream)).to_bytes(4, "big")
                updates += (h2_frame(grpc_wire.WINDOW_UPDATE, 0, 0, size)
                            + h2_frame(grpc_wire.WINDOW_UPDATE, 0, stream, size))
            connection.send(updates)
        self.for_each_server(check)

    def test_a_long_upload(self):
        def check(connection: Connection):
            rounds = 9000  # As much as the stream's first window has room for.
            stream = connection.open("PlayMany", ends=False)
            connection.send(h2_frame(DATA, 0, stream, message(play_request(ROCK))) * rounds)
            connection.send(h2_frame(DATA, grpc_wire.END_STREAM, stream, b""))
            summary = grpc_wire.fields(connection.read_until(DATA, stream=stream)[5:])
            self.assertIn(rounds, summary.values())
        self.for_each_server(check)


class CompressedMessages(unittest.TestCase):
    """They are refused before they are inflated."""

    # 60 MB of a session id, in 60 kB.
    BOMB = play_request(ROCK) + b"\x12" + grpc_wire.varint(60_000_000) + b"x" * 60_000_000

    def test_are_refused(self):
        for name in servers():
            with Server(name) as server:
                for coding, compress in [("gzip", gzip.compress), ("deflate", zlib.compress)]:
                    with self.subTest(name, coding=coding):
                        status, text, _ = grpc_wire.post(
                            server.url, "Play", message(compress(play_request(ROCK)), 1),
                            "-H", f"grpc-encoding: {coding}")
                        self.assertEqual(status, UNIMPLEMENTED, text)
                        status, text, _ = grpc_wire.post(
                            server.url, "Play", message(play_request(ROCK)),
                            "-H", "grpc-accept-encoding: identity, deflate, gzip")
                        self.assertEqual(status, OK, text)

    def test_cost_no_memory(self):
        body = message(gzip.compress(self.BOMB), 1)
        for name in servers():
            with self.subTest(name), Server(name) as server, \
                    Connection(server.address) as player:
                player.check_play()
                before = server.peak_rss_bytes()
                for _ in range(10):
                    with Connection(server.address) as connection:
                        connection.send(call_headers(1, extra={"grpc-encoding": "gzip"}))
                        with contextlib.suppress(OSError):
                            for at in range(0, len(body), 16384):
                                connection.send(h2_frame(DATA, 0, 1, body[at:at + 16384]))
                        connection.read_until(HEADERS, grpc_wire.RST_STREAM, stream=1)
                    player.check_play()
                if not IS_SANITIZED:
                    self.assertLess(server.peak_rss_bytes() - before, 32 * MIB)


if __name__ == "__main__":
    unittest.main()
