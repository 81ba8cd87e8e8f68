"""Stages 3 and 4 drain: the peers are told to open no more calls, and every call that they opened
before they knew is answered, with its reply or with UNAVAILABLE."""

import contextlib
import threading
import unittest

import grpc_wire
from grpc_wire import (DATA, END_STREAM, GOAWAY, HEADERS, MOVES, WINDOW_UPDATE, Connection,
                       h2_frame)
from rps_process import PATIENCE, Server, eventually, grpc_servers
from wire import hold_call

CONNECTIONS = 4
CALLS_AT_ONCE = 16
DRAINS = 5
ROCK = grpc_wire.play_request(MOVES["ROCK"])
NOT_SERVING = 2  # Of the health service.
REFUSAL = b"unavailable: "  # gRPC sends a status's message as it is.


class Caller(threading.Thread):
    """Calls without pause until it is told to go, and takes the answers to all its calls."""

    def __init__(self, server: Server):
        super().__init__(daemon=True)
        self._connection = Connection(server.address)
        self.open = set()
        self.answered = 0
        self.refused = 0
        self.wrong = []

    def run(self):
        with self._connection as connection:
            for _ in range(CALLS_AT_ONCE):
                self._call()
            is_told_to_go = False
            executed = set()
            while (frame := connection.read()) is not None:
                kind, flags, stream, payload = frame
                if kind == GOAWAY:
                    is_told_to_go = True
                elif kind == DATA:
                    executed.add(stream)
                    # Without it the server could send no more than 64 KiB.
                    self._connection.send(h2_frame(WINDOW_UPDATE, 0, 0,
                                                   len(payload).to_bytes(4, "big")))
                elif kind == HEADERS and flags & END_STREAM:
                    self._end(stream, stream in executed, payload)
                    if not is_told_to_go:
                        self._call()

    def _call(self):
        self.open.add(self._connection.open("Play", ROCK, ends=True))

    def _end(self, stream: int, is_executed: bool, headers: bytes):
        self.open.remove(stream)
        self.answered += is_executed
        self.refused += not is_executed
        if not is_executed and REFUSAL not in headers:
            self.wrong.append(headers)


class Drain(unittest.TestCase):
    def test_answers_every_call_that_was_opened_before_the_peer_was_told(self):
        for name in grpc_servers():
            for number in range(DRAINS):
                # A peer on a busy machine may take longer than by default to acknowledge.
                with (self.subTest(name, number=number),
                      Server(name, "--goodbye-timeout=1m", "--drain=2m") as server):
                    callers = [Caller(server) for _ in range(CONNECTIONS)]
                    for caller in callers:
                        caller.start()
                    eventually(lambda: all(caller.answered > 100 for caller in callers), "calls")
                    server.send_signal()
                    server.wait(0)
                    for caller in callers:
                        caller.join(PATIENCE)
                        self.assertFalse(caller.is_alive())
                        self.assertEqual(caller.open, set())
                        self.assertEqual(caller.wrong, [])
                    self.assertIn("drained; since the signal: ", server.stderr())

    def test_tells_peers_to_go_while_a_call_goes_on(self):
        """GOAWAY with the greatest number of a stream: calls on their way count as well. Who calls
        all the same is refused, as long as the other call keeps the server from its end."""
        for name in grpc_servers():
            with (self.subTest(name), Server(name) as server, Connection(server.address) as peer,
                  contextlib.closing(hold_call(server)) as held):
                peer.check_play()
                server.send_signal()
                self.assertEqual(peer.read_until(GOAWAY, stream=0)[:4], b"\x7f\xff\xff\xff")
                late = peer.open("Play", ROCK, ends=True)
                self.assertIn(REFUSAL, peer.read_until(HEADERS, stream=late))
                for method in ("Watch", "Check"):
                    stream = peer.open(method, b"", ends=True,
                                       extra={":path": f"/grpc.health.v1.Health/{method}"})
                    status = grpc_wire.fields(peer.read_until(DATA, stream=stream)[5:])
                    self.assertEqual(status, {1: NOT_SERVING})
                held.take_answer()
                server.wait(0)

    def test_without_the_flood_guard_nothing_is_left_behind(self):
        """Then the peers are not told before gRPC shuts down, which may cancel calls."""
        for name in grpc_servers():
            with (self.subTest(name), Server(name, "--flood-guard=off") as server,
                  Connection(server.address) as peer):
                peer.check_play()
                server.send_signal()
                server.wait(0)
                self.assertIn("drained; since the signal: ", server.stderr())


if __name__ == "__main__":
    unittest.main()
