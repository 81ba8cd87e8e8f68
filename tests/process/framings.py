"""JSON-RPC over the three framings that share stage 2's port, by bytes and the standard library.

A framing says how a message is told apart in a stream; a Peer is one connection that speaks it.
What is tested over all three is written once, for a Peer of any.
"""

import contextlib
import json
import socket
import time
from dataclasses import dataclass

from jsonrpc_wire import HEADER, MAGIC, NOTIFICATION, REQUEST, RESPONSE
from rps_process import PATIENCE, connect


def call(number: int | str | None, method: str, **params) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": method,
                       "params": params}).encode()


def play(number: int | str, **params) -> bytes:
    return call(number, "play", **({"player_move": "ROCK"} | params))


class Frames:
    name = "frames"
    can_push = True
    always_answers = False  # Says nothing at all where JSON-RPC has no response.

    def __init__(self, codec: int = 0):
        self._codec = codec

    def encode(self, payload: bytes) -> bytes:
        return HEADER.pack(MAGIC, self._codec << 4 | REQUEST, len(payload)) + payload

    def read(self, stream) -> bytes | None:
        """The next message of the server; None when the stream ends before one."""
        header = stream.read(HEADER.size)
        if len(header) < HEADER.size:
            assert not header, f"the stream ends inside a header: {header}"
            return None
        magic, kind, length = HEADER.unpack(header)
        assert magic == MAGIC and kind >> 4 == self._codec, header
        assert kind & 15 in (RESPONSE, NOTIFICATION), header
        payload = stream.read(length)
        assert len(payload) == length, f"the stream ends inside a frame: {payload}"
        return payload


class Lines:
    name = "lines"
    can_push = True
    always_answers = False

    def encode(self, payload: bytes) -> bytes:
        """What holds a line feed is cut there, as JSON texts may: they read it as a space."""
        return payload.replace(b"\n", b" ") + b"\n"

    def read(self, stream) -> bytes | None:
        line = stream.readline()
        if not line:
            return None
        assert line.endswith(b"\n"), f"the stream ends inside a line: {line}"
        return line[:-1]


@dataclass
class Answer:
    """One answer of HTTP/1.1."""
    status: int
    headers: dict[str, str]  # Names in lower case.
    body: bytes


def read_answer(stream, head_only: bool = False) -> Answer | None:
    """The next answer; None when the stream ends before one. `head_only`: it answers a HEAD."""
    line = stream.readline()
    if not line:
        return None
    version, status, _ = line.decode().split(" ", 2)
    assert version in ("HTTP/1.1", "HTTP/1.0"), line
    headers = {}
    while (field := stream.readline()) != b"\r\n":
        assert field.endswith(b"\r\n"), f"a field ends wrong: {field}"
        name, _, value = field.decode().partition(":")
        headers[name.lower()] = value.strip()
    assert "transfer-encoding" not in headers, headers
    has_body = not head_only and int(status) not in (100, 204, 304)
    length = int(headers["content-length"]) if has_body else 0
    body = stream.read(length)
    assert len(body) == length, f"the stream ends inside a body: {body}"
    return Answer(int(status), headers, body)


class Http:
    name = "http"
    can_push = False
    always_answers = True  # 204 where JSON-RPC has no response.

    def encode(self, payload: bytes) -> bytes:
        return (b"POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                b"Content-Length: %d\r\n\r\n" % len(payload)) + payload

    def read(self, stream) -> bytes | None:
        """The body of the next answer, which is empty when there was nothing to say. 408 is no
        answer to a message: it announces that the stream ends, as half a message took too long."""
        answer = read_answer(stream)
        if answer is None or answer.status == 408:
            return None
        assert answer.status in (200, 204), answer
        return answer.body


FRAMINGS = (Frames(), Lines(), Http())
Framing = Frames | Lines | Http


class Peer:
    """One connection. Closing it is its owner's task: use it with `with`."""

    def __init__(self, framing: Framing, address: tuple[str, int],
                 receive_bytes: int | None = None):
        self.framing = framing
        self.socket = connect(address, receive_bytes)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.stream = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.stream.close()
        self.socket.close()

    def send_bytes(self, data: bytes):
        """As many as the server takes: it may close meanwhile."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def send(self, payload: bytes):
        self.send_bytes(self.framing.encode(payload))

    def send_until_stuck(self, data: bytes, stuck_after: float):
        """Sends the same again and again, until the server has taken nothing for so many seconds
        or has closed."""
        deadline = time.monotonic() + PATIENCE
        self.socket.settimeout(stuck_after)
        with contextlib.suppress(TimeoutError, ConnectionError):
            while time.monotonic() < deadline:
                self.socket.sendall(data)
            raise AssertionError("the server takes whatever is sent")

    def receive(self) -> bytes | None:
        """The next message; None when the server closes."""
        try:
            return self.framing.read(self.stream)
        except ConnectionResetError:
            return None

    def receive_json(self):
        message = self.receive()
        assert message is not None, "the server closed instead of answering"
        return json.loads(message)

    def ask(self, payload: bytes) -> bytes | None:
        """The response to a payload, or None: proven by a call behind it that is answered."""
        self.send(payload)
        if self.framing.always_answers:
            return self.receive() or None
        self.send(play("behind"))
        first = self.receive()
        assert first is not None, "the server closed instead of answering"
        if is_answer_to(first, "behind"):
            return None
        second = self.receive()
        assert second is not None and is_answer_to(second, "behind"), (first, second)
        return first

    def check_play(self, number: int | str = 1):
        """One ordinary round."""
        self.send(play(number))
        check_round(self.receive_json(), number)

    def check_call(self, payload: bytes):
        """A call with a result, whatever it is; events may come before it."""
        self.send(payload)
        while "method" in (answer := self.receive_json()):
            pass
        assert "result" in answer, answer

    def read_to_end(self) -> list[bytes]:
        """Everything that the server still says before it closes."""
        said = []
        while (message := self.receive()) is not None:
            said.append(message)
        return said


def is_answer_to(message: bytes, number: int | str) -> bool:
    answer = json.loads(message)
    return isinstance(answer, dict) and answer.get("id") == number and "result" in answer


def check_round(answer: dict, number: int | str):
    assert answer.get("id") == number and "result" in answer, answer
    result = answer["result"]
    assert result["result"] == {"ROCK": "DRAW", "PAPER": "LOSE",
                                "SCISSORS": "WIN"}[result["opponent_move"]], answer


def error_of(answer: dict) -> tuple[int, object]:
    """The code of an error and the id it is about."""
    assert "result" not in answer, answer
    return answer["error"]["code"], answer["id"]
