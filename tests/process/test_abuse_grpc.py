"""Stages 3 and 4 under bad input: curl with bytes made by hand, and HTTP/2 frames made by hand."""

import random
import re
import shutil
import subprocess
import tempfile
import time
import unittest

import grpc_wire
from abuse import (CONNECTIONS_AT_ONCE, check_survives, connect, cut, send, unharmed,
                   wait_for_close)
from grpc_wire import (DATA, HEADERS, INVALID_ARGUMENT, MOVES, NOT_FOUND, OK, PREFACE,
                       RESOURCE_EXHAUSTED, UNIMPLEMENTED, call_body, call_headers, h2_frame,
                       message, play_request, post, settings)
from rps_process import PATIENCE, Server, eventually, grpc_servers

MESSAGE_BYTES_MAX = 64 * 1024
ROCK = MOVES["ROCK"]


class RefusedCalls(unittest.TestCase):
    """A bad call ends with its status, whose message begins with the error's name."""

    CALLS = [  # What it is, method, body, status, name of the error.
        ("no move", "Play", message(b""), INVALID_ARGUMENT, "invalid_move"),
        ("the zero move", "Play", message(play_request(0)), INVALID_ARGUMENT, "invalid_move"),
        ("an unknown move", "Play", message(play_request(99)), INVALID_ARGUMENT, "invalid_move"),
        ("a move past 32 bits", "Play", message(b"\x08\x81\x80\x80\x80\x10"), None, None),
        ("an id of 65 characters", "Play", message(play_request(ROCK, b"x" * 65)),
         INVALID_ARGUMENT, "malformed_request"),
        ("an id with a space", "Play", message(play_request(ROCK, b"a b")),
         INVALID_ARGUMENT, "malformed_request"),
        ("an id with a NUL", "Play", message(play_request(ROCK, b"a\x00b")),
         INVALID_ARGUMENT, "malformed_request"),
        ("an id that is no UTF-8", "Play", message(play_request(ROCK, b"\xff\xfe")),
         INVALID_ARGUMENT, "malformed_request"),
        ("a message that is no protobuf", "Play", message(b"\xff" * 40), INVALID_ARGUMENT,
         "malformed_request"),
        ("a field that ends too early", "Play", message(b"\x08\x01\x12\x40abc"), INVALID_ARGUMENT,
         "malformed_request"),
        ("a session nobody played", "Score", message(b"\x0a\x05never"), NOT_FOUND,
         "unknown_session"),
        ("no session", "Score", message(b""), INVALID_ARGUMENT, "malformed_request"),
        ("an unknown method", "Cheat", message(b""), UNIMPLEMENTED, "unknown_operation"),
        ("a message past the limit", "Play", message(play_request(ROCK, b"x" * MESSAGE_BYTES_MAX)),
         RESOURCE_EXHAUSTED, None),
    ]

    def test_each_call_gets_its_status(self):
        for name in grpc_servers():
            with Server(name) as server:
                for what, method, body, status, error in self.CALLS:
                    with self.subTest(name, what=what), unharmed(server):
                        got, text, _ = post(server.url, method, body)
                        if status is not None:
                            self.assertEqual(got, status, text)
                        if error:
                            self.assertTrue(text.startswith(error + ":"), text)

    def test_what_is_no_message_is_not_accepted(self):
        """How gRPC itself refuses these is its own affair; that it does is not."""
        for name in grpc_servers():
            with Server(name) as server:
                for what, body in [
                        ("no body", b""),
                        ("half a prefix", b"\x00\x00"),
                        ("half a message", message(play_request(ROCK))[:-1]),
                        ("less than the prefix says", b"\x00\x00\x00\x01\x00" + b"x" * 10)]:
                    with self.subTest(name, what=what), unharmed(server):
                        self.assertNotEqual(post(server.url, "Play", body)[0], OK)

    def test_a_message_past_the_limit_is_refused_before_it_has_come(self):
        """Else gRPC would collect what is announced here: four gigabytes."""
        for name in grpc_servers():
            for method in ("Play", "PlayMany", "Rally", "Duel"):
                for pieces in ([b"\0\xff\xff\xff\xff"], [b"\0", b"\xff", b"\xff\xff", b"\xff"]):
                    with self.subTest(name, method=method, pieces=pieces), \
                            Server(name) as server, unharmed(server), \
                            grpc_wire.Connection(server.address) as connection:
                        connection.check_play()  # So the server's windows are known to be open.
                        stream = connection.open(method, ends=False)
                        for piece in pieces:
                            connection.send(h2_frame(grpc_wire.DATA, 0, stream, piece))
                        for size in (16_384, 16_384, 16_384, 16_384, 1):
                            connection.send(h2_frame(grpc_wire.DATA, 0, stream, b"x" * size))
                        while ((frame := connection.read())
                               and frame[::2][:2] != (grpc_wire.HEADERS, stream)):
                            pass
                        self.assertTrue(frame[1] & grpc_wire.END_STREAM, "the call goes on")

    def test_headers_past_the_limit(self):
        """The limit holds from when the client has acknowledged the server's settings."""
        for name in grpc_servers():
            with self.subTest(name), Server(name) as server, unharmed(server), \
                    connect(server) as connection:
                send(connection, PREFACE + settings())
                while grpc_wire.read_frame(connection)[0] != grpc_wire.SETTINGS_FRAME:
                    pass
                send(connection, h2_frame(grpc_wire.SETTINGS_FRAME, grpc_wire.ACK, 0, b"")
                     + call_headers(1, extra={"x-long": "y" * 15_000})
                     + call_body(1, play_request(ROCK)))
                while (frame := grpc_wire.read_frame(connection)) and frame[2] != 1:
                    pass
                kind, flags, _, _ = frame
                self.assertEqual(kind, grpc_wire.HEADERS)
                self.assertTrue(flags & grpc_wire.END_STREAM, "the call was answered")

    def test_a_deadline_that_has_passed(self):
        for name in grpc_servers():
            with self.subTest(name), Server(name) as server, unharmed(server):
                for timeout in ("1n", "0n"):
                    post(server.url, "Play", message(play_request(ROCK)),
                         "-H", f"grpc-timeout: {timeout}")


def binary_garbage(server: Server):
    with connect(server) as connection:
        send(connection, random.Random(7).randbytes(65536))
        wait_for_close(connection)


def http_1(server: Server):
    with connect(server) as connection:
        send(connection, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        wait_for_close(connection)


def ten_megabytes_in_one_line(server: Server):
    with connect(server) as connection:
        send(connection, b"x" * 10_000_000)
        wait_for_close(connection)


def half_a_preface(server: Server):
    with connect(server) as connection:
        connection.sendall(PREFACE[:11])


def preface_and_garbage(server: Server):
    with connect(server) as connection:
        send(connection, PREFACE + settings() + random.Random(8).randbytes(65536))
        wait_for_close(connection)


def a_frame_past_the_limit(server: Server):
    with connect(server) as connection:
        send(connection, PREFACE + settings() + h2_frame(grpc_wire.DATA, 0, 1, b"x" * 1_000_000))
        wait_for_close(connection)


def headers_that_are_no_hpack(server: Server):
    with connect(server) as connection:
        send(connection, PREFACE + settings() + h2_frame(
            grpc_wire.HEADERS, grpc_wire.END_HEADERS, 1, b"\xff" * 100))
        wait_for_close(connection)


def half_a_call(server: Server):
    with connect(server) as connection:
        connection.sendall(PREFACE + settings() + call_headers(1)
                           + call_body(1, play_request(ROCK))[:-1])


def half_a_call_and_a_reset(server: Server):
    connection = connect(server)
    connection.sendall(PREFACE + settings() + call_headers(1)
                       + call_body(1, play_request(ROCK))[:-1])
    cut(connection)


def cut_in_the_middle_of_replies(server: Server):
    connection = connect(server)
    connection.sendall(PREFACE + settings() + b"".join(
        call_headers(stream) + call_body(stream, play_request(ROCK))
        for stream in range(1, 199, 2)))
    connection.recv(1)
    cut(connection)


def reset_streams_as_fast_as_it_goes(server: Server):
    """Opens calls and takes them back at once."""
    cancel = (8).to_bytes(4, "big")
    with connect(server) as connection:
        send(connection, PREFACE + settings())
        for stream in range(1, 4001, 2):
            send(connection, call_headers(stream)
                 + h2_frame(grpc_wire.RST_STREAM, 0, stream, cancel))


def an_open_rally_cut(server: Server):
    connection = connect(server)
    connection.sendall(PREFACE + settings() + call_headers(1, "Rally")
                       + h2_frame(grpc_wire.DATA, 0, 1, message(play_request(ROCK)) * 100))
    connection.recv(1)
    cut(connection)


def a_garbage_duel(server: Server):
    with connect(server) as connection:
        send(connection, PREFACE + settings() + call_headers(1, "Duel")
             + h2_frame(grpc_wire.DATA, grpc_wire.END_STREAM, 1, message(b"\xff" * 40)))
        connection.recv(1)


def connect_and_go(server: Server):
    for _ in range(100):
        connect(server).close()
        cut(connect(server))


def many_at_once(server: Server):
    connections = [connect(server) for _ in range(CONNECTIONS_AT_ONCE)]
    for connection in connections:
        connection.sendall(PREFACE + settings() + call_headers(1)
                           + call_body(1, play_request(ROCK)))
    for connection in connections:
        while True:
            kind, flags, stream, payload = grpc_wire.read_frame(connection)
            if kind == grpc_wire.DATA and stream == 1:
                assert 1 in grpc_wire.fields(payload[5:]), payload  # The opponent's move.
                break
        connection.close()


class Connections(unittest.TestCase):
    def test_what_a_client_may_do_to_its_connection(self):
        abuses = (
            binary_garbage, http_1, ten_megabytes_in_one_line, half_a_preface,
            preface_and_garbage, a_frame_past_the_limit, headers_that_are_no_hpack, half_a_call,
            half_a_call_and_a_reset, cut_in_the_middle_of_replies,
            reset_streams_as_fast_as_it_goes, an_open_rally_cut, a_garbage_duel, connect_and_go,
            many_at_once)
        for name in grpc_servers():
            with Server(name) as server:
                check_survives(self, server, {abuse.__name__: abuse for abuse in abuses})

    def test_who_says_nothing_is_sent_away(self):
        for name in grpc_servers():
            with self.subTest(name), Server(name, "--handshake-timeout=2s") as server, \
                    unharmed(server):
                silent = [connect(server) for _ in range(20)]
                for connection in silent:
                    wait_for_close(connection)
                    connection.close()


class Log(unittest.TestCase):
    def test_lines_that_were_not_written_are_told_of_when_their_second_is_over(self):
        calls = 50
        for name in grpc_servers():
            with self.subTest(name), Server(name) as server:
                for _ in range(calls):
                    with grpc_wire.Connection(server.address) as connection:
                        connection.send(call_headers(1, extra={"te": "gzip"}))
                        connection.read_until(HEADERS, stream=1)
                written = r"grpc: Error parsing metadata"
                left_out = re.compile(r"grpc: (\d+) more lines were not written")

                def all_lines():
                    log = server.stderr()
                    return (len(re.findall(written, log))
                            + sum(map(int, left_out.findall(log)))) >= calls
                eventually(all_lines, "every line is written or told of")


class StandardServices(unittest.TestCase):
    PATHS = ["/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch",
             "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
             "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"]

    def test_refuse_what_is_no_request(self):
        for name in grpc_servers():
            with Server(name) as server, unharmed(server), \
                    grpc_wire.Connection(server.address) as connection:
                for path in self.PATHS:
                    with self.subTest(name, path=path):
                        stream = connection.open("", b"\xff" * 40, ends=True,
                                                 extra={":path": path})
                        # gRPC sends a status's message as it is.
                        self.assertIn(b"malformed_request: ",
                                      connection.read_until(HEADERS, stream=stream))

    def test_watches_of_health_that_are_cancelled_end(self):
        """Cancelled before the first message is written, meanwhile, and behind it."""
        for name in grpc_servers():
            with self.subTest(name), Server(name, admin=True) as server:
                for _ in range(20):
                    with grpc_wire.Connection(server.address) as connection:
                        for attempt in range(30):
                            stream = connection.open("", b"", ends=True,
                                                     extra={":path": self.PATHS[1]})
                            if attempt % 2:
                                connection.read_until(DATA, stream=stream)
                            connection.send(grpc_wire.reset(stream))
                        connection.check_play()
                eventually(lambda: server.metrics()["rps_connections"] == 0,
                           "every connection is closed, and so no call is left")

    def test_cancelled_calls_that_are_not_of_the_game_do_not_take_the_place_of_others(self):
        """Not more of them than a second forgives (stage3_grpc/boundary/README.md)."""
        for name in grpc_servers():
            with self.subTest(name), Server(name, admin=True) as server, \
                    grpc_wire.Connection(server.address) as canceller:
                for path in [self.PATHS[0], "/no.such/Method"] * 25:
                    for _ in range(80):
                        stream = canceller.next_stream()
                        canceller.send(call_headers(stream, extra={":path": path})
                                       + grpc_wire.reset(stream))
                    canceller.check_play()  # The server has read them: they do not pile up.
                    time.sleep(0.1)
                with grpc_wire.Connection(server.address) as other:
                    for _ in range(20):
                        other.open("Rally", ends=False)
                    other.ping()
                self.assertEqual(server.cuts(), {})


class Pings(unittest.TestCase):
    """A client may ask for signs of life, but not more often than --min-ping-interval says."""

    def test_within_the_interval(self):
        for name in grpc_servers():
            with self.subTest(name), Server(name, "--min-ping-interval=100") as server, \
                    grpc_wire.Connection(server.address) as connection:
                connection.open("Rally", ends=False)
                for _ in range(10):
                    connection.ping()
                    time.sleep(0.15)
                connection.check_play()

    def test_too_often(self):
        for name in grpc_servers():
            with self.subTest(name), Server(name, "--min-ping-interval=60000") as server, \
                    grpc_wire.Connection(server.address) as connection:
                connection.open("Rally", ends=False)
                connection.send(h2_frame(grpc_wire.PING, 0, 0, b"are you?") * 10)
                kinds = set()
                while (frame := connection.read()) is not None:
                    kinds.add(frame[0])
                self.assertIn(grpc_wire.GOAWAY, kinds)


class ForeignLoad(unittest.TestCase):
    def test_h2load_gets_every_answer(self):
        if not shutil.which("h2load"):
            raise unittest.SkipTest("h2load is not installed")
        for name in grpc_servers():
            with self.subTest(name), Server(name) as server, unharmed(server), \
                    tempfile.NamedTemporaryFile() as body:
                body.write(message(play_request(ROCK)))
                body.flush()
                done = subprocess.run(
                    ["h2load", "-n2000", "-c20", "-m10", "-d", body.name,
                     "-H", "content-type: application/grpc", "-H", "te: trailers",
                     server.url.replace("grpc://", "http://") + grpc_wire.SERVICE + "Play"],
                    capture_output=True, text=True, timeout=PATIENCE, check=True)
                self.assertIn("2000 succeeded, 0 failed", done.stdout)


if __name__ == "__main__":
    unittest.main()
