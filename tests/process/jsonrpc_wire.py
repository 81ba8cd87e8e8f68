"""A client of stage 2's frames that shares no line with the C++ one.

    0        2      3            5
    +--------+------+------------+---------+
    | CA FE  | type | length u16 | payload |      type: 1 request, 2 response, 3 notification
    +--------+------+------------+---------+
"""

import json
import struct

from rps_process import connect, read_exactly

HEADER = struct.Struct(">HBH")
MAGIC = 0xCAFE
REQUEST, RESPONSE, NOTIFICATION = 1, 2, 3


def frame(payload: bytes, kind: int = REQUEST) -> bytes:
    return HEADER.pack(MAGIC, kind, len(payload)) + payload


def request(number: int, method: str, **params) -> bytes:
    call = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
    return frame(json.dumps(call).encode())


class Connection:
    def __init__(self, address: tuple[str, int], receive_bytes: int | None = None):
        self.socket = connect(address, receive_bytes)
        self._next_id = 0
        self._events = []  # Come in between and not taken yet.

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data: bytes):
        """Sends as much as the server takes; that it may close meanwhile is part of many tests."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def read_frame(self) -> tuple[int, object] | None:
        """The next frame's type and JSON; None when the server closes."""
        header = read_exactly(self.socket, HEADER.size)
        if header is None:
            return None
        magic, kind, length = HEADER.unpack(header)
        assert magic == MAGIC, f"a frame begins with {magic:04x}"
        payload = read_exactly(self.socket, length)
        assert payload is not None, "the server closed inside a frame"
        return kind, json.loads(payload)

    def read_reply(self) -> dict | None:
        while (message := self.read_frame()) is not None:
            kind, body = message
            if kind == RESPONSE:
                return body
            assert kind == NOTIFICATION, f"a server sends no frame of type {kind}"
            self._events.append(body)
        return None

    def next_event(self) -> dict:
        """The next notification; none may be on its way to an open call."""
        if not self._events:
            message = self.read_frame()
            assert message is not None, "the server closed instead of telling"
            assert message[0] == NOTIFICATION, message
            self._events.append(message[1])
        return self._events.pop(0)

    def call(self, method: str, **params) -> dict:
        """The reply to one call, its id checked."""
        self._next_id += 1
        self.send(request(self._next_id, method, **params))
        reply = self.read_reply()
        assert reply is not None, "the server closed instead of answering"
        assert reply["jsonrpc"] == "2.0" and reply["id"] == self._next_id, reply
        return reply

    def is_closed_by_peer(self) -> bool:
        """Waits until the server closes; false when it says anything else first."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True


def error_of(reply: dict) -> tuple[int, str]:
    return reply["error"]["code"], reply["error"]["data"]["error"]


def check_play(address: tuple[str, int]):
    """One ordinary round on a connection of its own."""
    with Connection(address) as connection:
        result = connection.call("play", player_move="ROCK")["result"]
        assert result["result"] == {"ROCK": "DRAW", "PAPER": "LOSE",
                                    "SCISSORS": "WIN"}[result["opponent_move"]], result
