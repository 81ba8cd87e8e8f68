"""Clients of stages 3 and 4 that make work and wait for no answer: HTTP/2 frames without end,
calls that are held open, messages that inflate. Their connections are closed, the reason is
counted, memory stays within --max-memory-bytes and 64 MiB, and whoever plays meanwhile is answered.
Clients that only look like a flood are not closed. Idle connections give way to new ones."""

import contextlib
import gzip
import threading
import time
import unittest
import zlib

import grpc_wire
from grpc_wire import (CONTINUATION, DATA, END_HEADERS, GONE, HEADERS, MOVES, OK, PING, PREFACE,
                       PRIORITY, UNIMPLEMENTED, WINDOW_UPDATE, Connection,
                       call_body, call_headers, connect, h2_frame, message, play_request, reset,
                       settings)
from rps_process import IS_SANITIZED, PATIENCE, Server, eventually, grpc_servers

MIB = 1 << 20
MEMORY_MAX = 16 * MIB
OVERHEAD_MAX = 64 * MIB
ATTACKERS = 4
CUTS = 12
ROUNDS_MEANWHILE = 20
ROCK = MOVES["ROCK"]
HEADER_FIELD = b"\x00\x01a\x01b"


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


# By the reason for which the connection is cut, if all connections may have as many calls open as
# they like.
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


def held(call, opening: bytes = settings()):
    """Opens a hundred calls and waits. call(stream): the frames of one call."""
    def hold():
        yield opening
        yield b"".join(call(stream) for stream in range(1, 200, 2))
    return hold


# A field that HPACK's table holds (RFC 7541, 6.2.1), and one byte that refers to it (6.1).
INDEXED_FIELD, REFERENCE = b"\x40\x01x\x01y", b"\xbe"
CALL = call_headers(1, "Rally")[9:]

# What many attackers do at once, who connect again when they are cut.
CROWDS = {
    "calls that are opened without end": calls_without_end,
    "calls that are held open": held(lambda stream: call_headers(stream, "Rally")),
    "calls whose answers have no room": held(
        lambda stream: call_headers(stream, "Play") + call_body(stream, play_request(ROCK)),
        settings(initial_window_size=0)),
    "calls with the same header ten thousand times": held(
        lambda stream: h2_frame(HEADERS, END_HEADERS, stream,
                                CALL + INDEXED_FIELD + REFERENCE * 10_000)),
    "messages that do not end": held(
        lambda stream: call_headers(stream, "Rally") +
        h2_frame(DATA, 0, stream, b"\0\0\0\xff\xff" + bytes(16_000)) +
        h2_frame(DATA, 0, stream, bytes(16_000)) * 3),
    "calls that are cancelled": rapid_reset,
}
CROWD = 40
CUTS_OF_A_CROWD = 120


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
                connection.settimeout(0.1)
                while not self._stopped.is_set():
                    with contextlib.suppress(TimeoutError):
                        if not connection.recv(65536):
                            break

    def stop(self):
        self._stopped.set()
        self.join()


@contextlib.contextmanager
def attacked(server: Server, flood, count: int = ATTACKERS):
    attackers = [Attacker(server, flood) for _ in range(count)]
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
        for name in grpc_servers():
            with Server(name, f"--max-memory-bytes={MEMORY_MAX}", "--max-calls=100000",
                        admin=True) as server, Connection(server.address) as player:
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
                eventually(lambda: "; the last one was from " in server.stderr(),
                           "the log says so")

    def test_by_many_are_cut_and_nobody_else_minds(self):
        for name in grpc_servers():
            with Server(name, f"--max-memory-bytes={MEMORY_MAX}", admin=True) as server, \
                    Connection(server.address) as player:
                player.check_play()
                before = server.rss_bytes()
                for what, flood in CROWDS.items():
                    cuts = sum(server.cuts().values()) + CUTS_OF_A_CROWD
                    with self.subTest(name, what=what), attacked(server, flood, CROWD):
                        eventually(lambda: sum(server.cuts().values()) >= cuts, "they are cut")
                        for _ in range(ROUNDS_MEANWHILE // 2):
                            player.check_play()
                            with Connection(server.address) as newcomer:
                                newcomer.check_play()
                        self.check_memory(server)
                self.assertLessEqual(
                    set(server.cuts()),
                    {"too_many_calls", "unanswered_calls", "cancelled_calls", "longest_wait"})
                player.check_play()
                if not IS_SANITIZED:
                    eventually(lambda: server.rss_bytes() < before + 32 * MIB, "memory is back")

    def test_are_told_of_once_a_second_at_most(self):
        with Server(grpc_servers()[0], admin=True) as server:
            began = time.monotonic()
            with attacked(server, FLOODS["priority"]):
                eventually(lambda: server.cuts().get("priority", 0) >= 10 * CUTS, "they are cut")
            seconds = time.monotonic() - began
            self.assertLessEqual(server.stderr().count("closed connections"), seconds + 2)

    def test_are_not_cut_when_the_guard_is_off(self):
        with Server(grpc_servers()[0], "--flood-guard=off", admin=True) as server:
            self.assertEqual(server.metrics()["rps_flood_guard_active"], 0)
            with Connection(server.address) as connection:
                connection.send(FLOOD_OF_NO_CONSEQUENCE)
                connection.check_play()
            self.assertEqual(server.cuts(), {})
            self.assertIn("flood guard off", server.stderr())

    def test_the_guard_is_in_place(self):
        for name in grpc_servers():
            with self.subTest(name), Server(name, admin=True) as server:
                self.assertEqual(server.metrics()["rps_flood_guard_active"], 1)
                with Connection(server.address) as connection:
                    flood_until_cut(connection, lambda: [FLOOD_OF_NO_CONSEQUENCE])
                    read_to_end(connection)
                self.assertEqual(server.cuts(), {"priority": 1})


FLOOD_OF_NO_CONSEQUENCE = h2_frame(PRIORITY, 0, 1, b"\0\0\0\0\x10") * 5000


def read_to_end(connection: Connection):
    with contextlib.suppress(*GONE):
        while connection.read() is not None:
            pass


def flood_until_cut(connection: Connection, flood):
    deadline = time.monotonic() + PATIENCE
    with contextlib.suppress(*GONE):
        for block in flood():
            assert time.monotonic() < deadline, "the server takes whatever is sent"
            connection.send(block)


class HonestLoads(unittest.TestCase):
    """Nothing of this is cut."""

    def for_each_server(self, check):
        for name in grpc_servers():
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


class GivingWay(unittest.TestCase):
    """Connections that have no call open do not lock out others."""

    CONNECTIONS_MAX = 20

    def test_silent_connections_make_room(self):
        for name in grpc_servers():
            for opening in (b"", PREFACE, PREFACE + settings()):
                with self.subTest(name, opening=opening), contextlib.ExitStack() as stack:
                    server = stack.enter_context(
                        Server(name, f"--max-connections={self.CONNECTIONS_MAX}",
                               "--give-way-after=1h", admin=True))
                    player = stack.enter_context(Connection(server.address))
                    player.check_play()
                    rallying = stack.enter_context(Connection(server.address))
                    stream = rallying.open("Rally", play_request(ROCK), ends=False)
                    rallying.read_until(DATA, stream=stream)
                    for _ in range(5 * self.CONNECTIONS_MAX):
                        silent = stack.enter_context(connect(server.address))
                        with contextlib.suppress(OSError):
                            silent.sendall(opening)
                    # There may be no place while connections that gave way are not closed yet.
                    eventually(lambda: is_served(server), "a newcomer is served")
                    player.check_play()
                    rallying.send(h2_frame(DATA, 0, stream, message(play_request(ROCK))))
                    rallying.read_until(DATA, stream=stream)
                    self.assertEqual(set(server.cuts()), {"gave_way"})

    def test_connections_in_use_make_no_room(self):
        for name in grpc_servers():
            with self.subTest(name), contextlib.ExitStack() as stack:
                server = stack.enter_context(
                    Server(name, f"--max-connections={self.CONNECTIONS_MAX}", admin=True))
                players = []
                while True:
                    try:
                        one = stack.enter_context(Connection(server.address))
                        stream = one.open("Rally", play_request(ROCK), ends=False)
                        one.read_until(DATA, stream=stream)
                    except (AssertionError, OSError):
                        break
                    players.append((one, stream))
                self.assertEqual(len(players), self.CONNECTIONS_MAX)
                for one, stream in players:
                    one.send(h2_frame(DATA, 0, stream, message(play_request(ROCK))))
                    one.read_until(DATA, stream=stream)
                self.assertEqual(server.cuts(), {})


def is_served(server: Server) -> bool:
    try:
        with Connection(server.address) as newcomer:
            newcomer.check_play()
        return True
    except (AssertionError, OSError):
        return False


class CompressedMessages(unittest.TestCase):
    """They are refused before they are inflated."""

    # 60 MB of a session id, in 60 kB.
    BOMB = play_request(ROCK) + b"\x12" + grpc_wire.varint(60_000_000) + b"x" * 60_000_000

    def test_are_refused(self):
        for name in grpc_servers():
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
        for name in grpc_servers():
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
