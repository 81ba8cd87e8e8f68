"""The REST gateway (--rest) from outside: its limits, its connections and its end."""

import contextlib
import json
import signal
import socket
import unittest
from urllib.parse import urlsplit

from framings import read_answer
from rps_process import PATIENCE, Server, eventually, grpc_servers

HOST = b"Host: localhost\r\n"
ROCK = b'{"player_move":"ROCK"}'


def post(path: str, body: bytes, fields: bytes = b"") -> bytes:
    return (f"POST {path} HTTP/1.1\r\n".encode() + HOST + fields +
            b"Content-Type: application/json\r\n" +
            f"Content-Length: {len(body)}\r\n\r\n".encode() + body)


def get(path: str, fields: bytes = b"") -> bytes:
    return f"GET {path} HTTP/1.1\r\n".encode() + HOST + fields + b"\r\n"


class RestServer(Server):
    def __init__(self, *flags: str):
        super().__init__(grpc_servers()[0], "--rest=127.0.0.1:0", *flags, admin=True)
        self.rest = urlsplit(self.read_url("rest "))

    def connect(self) -> socket.socket:
        return socket.create_connection((self.rest.hostname, self.rest.port), timeout=PATIENCE)


class Peer(contextlib.ExitStack):
    """A connection and what comes on it."""

    def __init__(self, server: RestServer):
        super().__init__()
        self.socket = self.enter_context(server.connect())
        self.stream = self.enter_context(self.socket.makefile("rb"))

    def send(self, data: bytes):
        self.socket.sendall(data)

    def answer(self):
        return read_answer(self.stream)

    def ask(self, data: bytes):
        self.send(data)
        return self.answer()


class Requests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(RestServer())

    def test_requests_that_come_together_are_answered_in_order(self):
        with Peer(self.server) as peer:
            body = json.dumps({"player_move": "PAPER", "session_id": "together"}).encode()
            peer.send(post("/v1/play", body) * 50)
            for number in range(1, 51):
                self.assertEqual(json.loads(peer.answer().body)["round"], str(number))

    def test_a_request_in_pieces(self):
        request = post("/v1/play", ROCK)
        for size in (1, 7):
            with Peer(self.server) as peer:
                for at in range(0, len(request), size):
                    peer.send(request[at:at + size])
                self.assertEqual(peer.answer().status, 200)

    def test_a_body_that_is_asked_for(self):
        with Peer(self.server) as peer:
            head, body = post("/v1/play", ROCK, b"Expect: 100-continue\r\n").split(b"\r\n\r\n")
            peer.send(head + b"\r\n\r\n")
            self.assertEqual(peer.answer().status, 100)
            self.assertEqual(peer.ask(body).status, 200)

    def test_a_body_that_is_not_wanted(self):
        with Peer(self.server) as peer:
            head = post("/v1/none", ROCK, b"Expect: 100-continue\r\n").split(b"\r\n\r\n")[0]
            self.assertEqual(peer.ask(head + b"\r\n\r\n").status, 404)
            self.assertIsNone(peer.answer())

    def test_what_is_no_http(self):
        with Peer(self.server) as peer:
            answer = peer.ask(b"\x00\x01\x02\r\n\r\n")
            self.assertEqual(answer.status, 400)
            self.assertEqual(json.loads(answer.body)["code"], 3)
            self.assertIsNone(peer.answer())

    def test_a_body_and_a_header_one_byte_past_their_limits(self):
        room = 64 * 1024
        for size, status in ((room, 400), (room + 1, 413)):
            with Peer(self.server) as peer:
                self.assertEqual(peer.ask(post("/v1/play", b" " * size)).status, status)
        for size, status in ((8192, 404), (8193, 431)):
            with Peer(self.server) as peer:
                filler = size - len(get("/none", b"X: \r\n"))
                self.assertEqual(peer.ask(get("/none", b"X: " + b"x" * filler + b"\r\n")).status,
                                 status)

    def test_a_refusal_of_the_reader_has_the_form_that_the_header_asks_for(self):
        problem = b"Accept: application/problem+json\r\n"
        for fields, media in ((b"", "application/json"), (problem, "application/problem+json")):
            with Peer(self.server) as peer:
                answer = peer.ask(post("/v1/play", b" " * (64 * 1024 + 1), fields))
                self.assertEqual(answer.status, 413)
                self.assertEqual(answer.headers["content-type"], media)
                json.loads(answer.body)

    def test_a_spectator_of_http_1_0_reads_to_the_end(self):
        for player in ("ann", "bob"):
            with Peer(self.server) as peer:
                body = json.dumps({"player_id": player, "best_of": 1}).encode()
                self.assertEqual(peer.ask(post("/v1/games/old/join", body)).status, 200)
        with Peer(self.server) as spectator:
            spectator.send(b"GET /v1/games/old/events HTTP/1.0\r\n" + HOST + b"\r\n")
            with Peer(self.server) as peer:
                for player, move in (("ann", "ROCK"), ("bob", "PAPER")):
                    body = json.dumps({"player_id": player, "move": move}).encode()
                    self.assertEqual(peer.ask(post("/v1/games/old/throw", body)).status, 200)
            text = spectator.stream.read().decode()
        lines = text.split("\r\n\r\n", 1)[1].splitlines()
        self.assertIn("snapshot", json.loads(lines[0]))
        self.assertEqual(json.loads(lines[-1])["state"]["winner"], "bob")


class Limits(unittest.TestCase):
    def test_a_request_and_a_client_that_take_too_long(self):
        with (RestServer("--rest-request-timeout=200ms", "--rest-idle-timeout=300ms") as server,
              Peer(server) as slow, Peer(server) as idle):
            self.assertEqual(slow.ask(post("/v1/play", ROCK)[:-1]).status, 408)
            self.assertIsNone(slow.answer())
            self.assertIsNone(idle.answer())
            for nothing in (b"\r", b"\r\n\r"):  # The front of an empty line begins no request.
                with Peer(server) as peer:
                    peer.send(nothing)
                    self.assertIsNone(peer.answer())

    def test_one_connection_too_many_takes_the_place_of_the_one_that_was_idle_longest(self):
        with (RestServer("--rest-max-connections=2") as server, Peer(server) as first,
              Peer(server) as second):
            for peer in (first, second, first):
                self.assertEqual(peer.ask(post("/v1/play", ROCK)).status, 200)
            with Peer(server) as third:
                self.assertEqual(third.ask(post("/v1/play", ROCK)).status, 200)
                self.assertIsNone(second.answer())
                self.assertEqual(first.ask(post("/v1/play", ROCK)).status, 200)
            sample = 'rps_rest_connections_cut_total{reason="gave_way"}'
            self.assertEqual(server.metrics()[sample], 1)

    def test_a_client_that_does_not_read_is_closed_and_holds_up_nobody(self):
        with (RestServer("--rest-request-timeout=300ms") as server, Peer(server) as deaf,
              Peer(server) as other):
            deaf.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            with contextlib.suppress(OSError):
                deaf.socket.settimeout(1)
                for _ in range(2000):
                    deaf.send(get("/openapi.json") * 20)
            self.assertEqual(other.ask(post("/v1/play", ROCK)).status, 200)
            eventually(lambda: server.metrics()["rps_rest_connections"] == 1,
                       "the deaf client is closed")

    def test_a_bad_flag_and_a_certificate_that_nobody_would_show(self):
        with self.assertRaisesRegex(AssertionError, "--rest"):
            RestServer("--rest-max-connections=0")


class End(unittest.TestCase):
    def test_a_drain_ends_streams_and_idle_connections(self):
        with RestServer("--drain=600000") as server, Peer(server) as idle, Peer(server) as peer:
            self.assertEqual(idle.ask(post("/v1/play", ROCK)).status, 200)
            idle.send(b"\r")
            peer.ask(post("/v1/games/g/join", b'{"player_id":"ann"}'))
            with Peer(server) as spectator:
                spectator.send(get("/v1/games/g/events", b"Accept: text/event-stream\r\n"))
                self.assertRegex(spectator.stream.readline().decode(), "200 OK")
                while spectator.stream.readline() != b"event: snapshot\n":
                    pass
                server.send_signal(signal.SIGTERM)
                rest = spectator.stream.read().decode()
            self.assertRegex(rest, r'event: refused\ndata: {"code":14[^\n]*\n\n\r\n0\r\n\r\n$')
            self.assertIsNone(idle.answer())
            self.assertIsNone(peer.answer())
            server.wait(0)


if __name__ == "__main__":
    unittest.main()
