"""Stage 2 under bad input: the error of the table or a close, and no harm to anybody else."""

import json
import random
import socket
import unittest

from abuse import (CONNECTIONS_AT_ONCE, check_survives, connect, cut, send, unharmed,
                   wait_for_close)
from jsonrpc_wire import Connection, error_of, frame, request
from rps_process import Server

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS = -32700, -32600, -32601, -32602
TOO_LARGE = -32003
FRAME_BYTES_MAX = 2048


def start() -> Server:
    return Server("rps-jsonrpc", f"--max-frame-bytes={FRAME_BYTES_MAX}")


def call(method: str, params, **envelope) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
                      | envelope).encode()


class RefusedPayloads(unittest.TestCase):
    """A whole frame with a bad payload gets its error, and the connection goes on."""

    PAYLOADS = [
        ("an unknown move", call("play", {"player_move": "STONE"}),
         INVALID_PARAMS, "invalid_move"),
        ("no move", call("play", {}), INVALID_PARAMS, "invalid_move"),
        ("the zero move", call("play", {"player_move": "MOVE_UNSPECIFIED"}),
         INVALID_PARAMS, "invalid_move"),
        ("a move that is a number", call("play", {"player_move": 1}), INVALID_PARAMS, None),
        ("an id of 65 characters", call("play", {"player_move": "ROCK", "session_id": "x" * 65}),
         INVALID_PARAMS, "malformed_request"),
        ("an id with a control", call("play", {"player_move": "ROCK", "session_id": "a\u0000b"}),
         INVALID_PARAMS, "malformed_request"),
        ("params that are a string", call("play", "ROCK"), INVALID_REQUEST, "malformed_request"),
        ("an unknown method", call("cheat", {}), METHOD_NOT_FOUND, "unknown_operation"),
        ("no method", b'{"jsonrpc":"2.0","id":1}', INVALID_REQUEST, "malformed_request"),
        ("another version", call("play", {"player_move": "ROCK"}, jsonrpc="1.0"),
         INVALID_REQUEST, "malformed_request"),
        ("a number", b"17", INVALID_REQUEST, "malformed_request"),
        ("an empty batch", b"[]", INVALID_REQUEST, "malformed_request"),
        ("nothing", b"", PARSE_ERROR, "malformed_request"),
        ("half an object", b'{"jsonrpc":"2.0","id":1,', PARSE_ERROR, "malformed_request"),
        ("two objects", call("play", ["ROCK"]) * 2, PARSE_ERROR, "malformed_request"),
        ("invalid UTF-8", b'{"jsonrpc":"2.0","id":1,"method":"play","params":["\xff\xfe"]}',
         PARSE_ERROR, "malformed_request"),
        ("a lone surrogate", b'{"jsonrpc":"2.0","id":1,"method":"\\ud800"}', None, None),
        ("deep nesting", b"[" * 2000, None, "malformed_request"),
        ("deep and closed", b"[" * 900 + b"]" * 900, None, "malformed_request"),
        ("a long number", b'{"jsonrpc":"2.0","id":' + b"9" * 1500 + b',"method":"play"}',
         None, None),
        ("zeros", b"\x00" * 100, PARSE_ERROR, "malformed_request"),
    ]

    def test_each_payload_gets_its_error(self):
        with start() as server, unharmed(server), Connection(server.address) as connection:
            for name, payload, code, error in self.PAYLOADS:
                with self.subTest(name):
                    connection.send(frame(payload))
                    got_code, got_error = error_of(connection.read_reply())
                    self.assertIn(got_code, [code] if code else
                                  [PARSE_ERROR, INVALID_REQUEST, INVALID_PARAMS, METHOD_NOT_FOUND])
                    if error:
                        self.assertEqual(got_error, error)
                    self.assertIn("result", connection.call("play", player_move="ROCK"))


class BrokenFrames(unittest.TestCase):
    """What cannot be a frame is answered at most once, and ends the connection."""

    def check_ends(self, server: Server, data: bytes, code: int | None):
        with Connection(server.address) as connection:
            connection.send(data)
            reply = connection.read_reply()
            if reply is not None:
                self.assertIn("error", reply)
                if code is not None:
                    self.assertEqual(reply["error"]["code"], code)
            elif code is not None:
                self.fail("closed without the error")
            self.assertIsNone(connection.read_reply())

    def test_each_ends_its_connection(self):
        good = request(1, "play", player_move="ROCK")
        long_payload = b'{"jsonrpc":"2.0"}'.ljust(FRAME_BYTES_MAX + 1)
        with start() as server:
            for name, data, code in [
                    ("a length past the limit", frame(long_payload), TOO_LARGE),
                    ("the largest length", b"\xca\xfe\x01\xff\xff", TOO_LARGE),
                    ("a wrong magic", b"\xca\xff" + good[2:], None),
                    ("type 0", frame(b"{}", kind=0), None),
                    ("type 9", frame(b"{}", kind=9), None),
                    ("a response", frame(b"{}", kind=2), None),
                    ("binary garbage", b"\x80" + random.Random(7).randbytes(65536), None),
                    ("garbage like a frame", b"\xca" + random.Random(8).randbytes(65536), None)]:
                with self.subTest(name), unharmed(server):
                    self.check_ends(server, data, code)

    def test_an_unknown_codec_is_refused(self):
        with start() as server, unharmed(server), Connection(server.address) as connection:
            connection.send(frame(b"{}", kind=0xF1))
            self.assertIn("error", connection.read_reply())

    def test_ten_megabytes_in_one_line(self):
        with start() as server, unharmed(server):
            for first in (b"{", b"x"):
                with connect(server) as connection:
                    send(connection, first + b"x" * 10_000_000)
                    wait_for_close(connection)

    def test_good_frames_before_a_bad_one_are_answered(self):
        with start() as server, unharmed(server), Connection(server.address) as connection:
            connection.send(b"".join(request(n, "play", player_move="ROCK") for n in range(1, 6))
                            + b"garbage")
            for number in range(1, 6):
                self.assertEqual(connection.read_reply()["id"], number)


def half_a_frame(server: Server):
    with connect(server) as connection:
        connection.sendall(request(1, "play", player_move="ROCK")[:-7])


def half_a_header(server: Server):
    with connect(server) as connection:
        connection.sendall(b"\xca\xfe\x01")


def half_a_frame_and_a_reset(server: Server):
    connection = connect(server)
    connection.sendall(request(1, "play", player_move="ROCK")[:-7])
    cut(connection)


def cut_in_the_middle_of_replies(server: Server):
    connection = Connection(server.address, receive_bytes=4096)
    connection.send(b"".join(request(n, "play", player_move="ROCK") for n in range(5000)))
    connection.read_reply()
    cut(connection.socket)


def connect_and_go(server: Server):
    for _ in range(100):
        connect(server).close()
        cut(connect(server))


def many_at_once(server: Server):
    connections = [Connection(server.address) for _ in range(CONNECTIONS_AT_ONCE)]
    for connection in connections:
        connection.send(request(1, "play", player_move="ROCK"))
    for connection in connections:
        assert "result" in connection.read_reply()
        connection.socket.close()


def leave_a_duel_by_reset(server: Server):
    staying = Connection(server.address)
    going = Connection(server.address)
    staying.call("join", game_id="cut", player_id="stays")
    going.call("join", game_id="cut", player_id="goes")
    cut(going.socket)
    told = [staying.next_event()["method"], staying.next_event()["method"]]
    assert told == ["opponent_joined", "opponent_left"], told
    staying.call("leave", game_id="cut", player_id="stays")
    staying.socket.close()


class Connections(unittest.TestCase):
    def test_what_a_client_may_do_to_its_connection(self):
        with start() as server:
            check_survives(self, server, {
                function.__name__: function for function in (
                    half_a_frame, half_a_header, half_a_frame_and_a_reset,
                    cut_in_the_middle_of_replies, connect_and_go, many_at_once)})

    def test_who_says_nothing_is_sent_away(self):
        with Server("rps-jsonrpc", "--first-frame-timeout=2000") as server, unharmed(server):
            silent = [connect(server) for _ in range(20)]
            for connection in silent:
                self.assertEqual(wait_for_close(connection), b"")
                connection.close()

    def test_who_sends_byte_by_byte_is_served(self):
        with start() as server, unharmed(server), Connection(server.address) as connection:
            for byte in request(1, "play", player_move="ROCK"):
                connection.send(bytes([byte]))
            self.assertIn("result", connection.read_reply())

    def test_who_stops_sending_gets_every_reply(self):
        calls = 2000
        with start() as server, unharmed(server), Connection(server.address) as connection:
            connection.send(b"".join(request(n, "play", player_move="ROCK")
                                     for n in range(1, calls + 1)))
            connection.socket.shutdown(socket.SHUT_WR)
            for number in range(1, calls + 1):
                self.assertEqual(connection.read_reply()["id"], number)
            self.assertIsNone(connection.read_reply())

    def test_one_connection_above_the_limit_is_closed_while_all_are_in_use(self):
        with Server("rps-jsonrpc", "--max-connections=3", "--give-way-after=1h") as server:
            kept = [Connection(server.address) for _ in range(3)]
            for connection in kept:
                connection.call("play", player_move="ROCK")
            with connect(server) as refused:
                wait_for_close(refused)
            for connection in kept:
                connection.call("play", player_move="ROCK")
                connection.socket.close()


class Duels(unittest.TestCase):
    def test_a_hidden_throw_is_on_no_wire(self):
        with start() as server, Connection(server.address) as one, \
                Connection(server.address) as two:
            one.call("join", game_id="g", player_id="one")
            two.call("join", game_id="g", player_id="two")
            one.call("throw", game_id="g", player_id="one", move="SCISSORS")
            self.assertEqual(two.next_event()["method"], "opponent_joined")
            ready = two.next_event()
            self.assertEqual(ready["method"], "opponent_ready")
            self.assertNotIn("SCISSORS", json.dumps(ready))
            two.call("throw", game_id="g", player_id="two", move="ROCK")
            over = two.next_event()
            self.assertEqual(over["method"], "round_over")
            self.assertEqual(over["params"]["opponent_move"], "SCISSORS")
            self.assertEqual(over["params"]["result"], "WIN")

    def test_a_player_whose_connection_breaks_has_left(self):
        with start() as server, unharmed(server):
            leave_a_duel_by_reset(server)


if __name__ == "__main__":
    unittest.main()
