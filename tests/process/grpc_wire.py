"""gRPC calls made of bytes and curl: HTTP/2 from somebody else, protobuf by hand."""

import contextlib
import functools
import os
import pathlib
import shutil
import socket
import ssl
import struct
import subprocess
import tempfile
import unittest

from rps_process import PATIENCE, read_exactly

SERVICE = "/rps.v1.RockPaperScissorsService/"
OK, INVALID_ARGUMENT, NOT_FOUND, RESOURCE_EXHAUSTED, UNIMPLEMENTED = 0, 3, 5, 8, 12
MOVES = {"ROCK": 1, "PAPER": 2, "SCISSORS": 3}
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


# A folder of certificates (stage3_grpc/tls/make_certificates.sh): every connection is its client's,
# with TLS. with_all_links.py sets it, and tells the servers to use the same folder.
CERTIFICATES = os.environ.get("RPS_GRPC_CERTIFICATES")


@functools.cache
def own_tls() -> ssl.SSLContext | None:
    if not CERTIFICATES:
        return None
    context = ssl.create_default_context(cafile=f"{CERTIFICATES}/ca.crt")
    context.load_cert_chain(f"{CERTIFICATES}/client.crt", f"{CERTIFICATES}/client.key")
    context.set_alpn_protocols(["h2"])
    return context


def own_curl_flags() -> list[str]:
    return ["--cacert", f"{CERTIFICATES}/ca.crt", "--cert", f"{CERTIFICATES}/client.crt",
            "--key", f"{CERTIFICATES}/client.key"] if CERTIFICATES else []


def play_request(move: int, session_id: bytes = b"") -> bytes:
    """PlayRequest{Move player_move = 1; string session_id = 2;}"""
    session = b"\x12" + varint(len(session_id)) + session_id if session_id else b""
    return b"\x08" + varint(move) + session


def varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def message(payload: bytes, compressed: int = 0) -> bytes:
    return struct.pack(">BI", compressed, len(payload)) + payload


def fields(payload: bytes) -> dict[int, int | bytes]:
    """A protobuf message's fields by number; the last of equal ones counts."""
    found, at = {}, 0

    def read_varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = payload[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(payload):
        key = read_varint()
        value = read_varint()
        if key & 7 == 2:  # Length-delimited.
            value, at = payload[at:at + value], at + value
        found[key >> 3] = value
    return found


# curl's exit code when the server ends the stream before the whole request is sent. It is then a
# matter of luck whether curl still tells the answer.
STREAM_ENDED = 92


def post(url: str, method: str, body: bytes, *curl_flags: str) -> tuple[int | None, str, bytes]:
    """gRPC status, its message, and the body that came; the status is None when none came."""
    if not shutil.which("curl"):
        raise unittest.SkipTest("curl is not installed")
    for _ in range(20):
        with tempfile.TemporaryDirectory() as folder:
            headers, reply = pathlib.Path(folder, "headers"), pathlib.Path(folder, "body")
            done = subprocess.run(
                ["curl", "--silent", "--http2-prior-knowledge", "--max-time", str(PATIENCE),
                 "-H", "content-type: application/grpc", "-H", "te: trailers",
                 "--data-binary", "@-", "--dump-header", headers, "--output", reply, *curl_flags,
                 *own_curl_flags(), url.replace("grpc", "http", 1) + SERVICE + method],
                input=body, check=False)
            said = dict(line.split(": ", 1) for line in headers.read_text().splitlines()
                        if ": " in line) if headers.exists() else {}
            if done.returncode == STREAM_ENDED and "grpc-status" not in said:
                continue
            status = said.get("grpc-status")
            return (int(status) if status else None, said.get("grpc-message", ""),
                    reply.read_bytes() if reply.exists() else b"")
    return None, "", b""


def check_play(url: str):
    """One ordinary round."""
    status, text, body = post(url, "Play", message(play_request(MOVES["ROCK"])))
    assert status == OK, (status, text)
    reply = fields(body[5:])
    # PlayResponse{Move opponent_move = 1; Result result = 2;}, WIN = 1, DRAW = 2, LOSE = 3
    assert reply[2] == {1: 2, 2: 3, 3: 1}[reply[1]], reply


def connect(address: tuple[str, int], tls: ssl.SSLContext | None = None) -> socket.socket:
    """With TLS once the handshake is complete on this side."""
    connection = socket.create_connection(address, timeout=PATIENCE)
    tls = tls or own_tls()
    return tls.wrap_socket(connection, server_hostname=address[0]) if tls else connection


def is_closed_by_peer(connection: socket.socket) -> bool:
    """Waits until the server closes, whatever it still says."""
    try:
        while connection.recv(65536):
            pass
    except ConnectionResetError:
        pass
    return True


# What a write to a server that has closed may raise.
GONE = (ConnectionError, ssl.SSLError)

# -- HTTP/2 frames by hand, for what curl would never send -----------------------------------------

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS_FRAME, PING, GOAWAY = 0, 1, 2, 3, 4, 6, 7
WINDOW_UPDATE, CONTINUATION = 8, 9
END_STREAM, END_HEADERS, ACK = 1, 4, 1
INITIAL_WINDOW_SIZE = 4


def h2_frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def settings(**values: int) -> bytes:
    return h2_frame(SETTINGS_FRAME, 0, 0, b"".join(
        struct.pack(">HI", {"initial_window_size": INITIAL_WINDOW_SIZE}[name], value)
        for name, value in values.items()))


def call_headers(stream: int, method: str = "Play", extra: dict[str, str] | None = None) -> bytes:
    """HEADERS of a call, every field a literal without an index (RFC 7541, 6.2.2)."""
    wanted = {":method": "POST", ":scheme": "http", ":path": SERVICE + method,
              ":authority": "localhost", "content-type": "application/grpc", "te": "trailers"}
    block = b"".join(b"\x00" + hpack_string(name) + hpack_string(value)
                     for name, value in (wanted | (extra or {})).items())
    return h2_frame(HEADERS, END_HEADERS, stream, block)


def hpack_string(text: str) -> bytes:
    """RFC 7541, 5.2, without Huffman: the length as an integer with a prefix of 7 bits."""
    size = len(text)
    prefix = bytes([size]) if size < 127 else b"\x7f" + varint(size - 127)
    return prefix + text.encode()


def call_body(stream: int, payload: bytes) -> bytes:
    return h2_frame(DATA, END_STREAM, stream, message(payload))


def read_frame(connection: socket.socket) -> tuple[int, int, int, bytes] | None:
    """Type, flags, stream and payload of the next frame; None when the server closes."""
    head = read_exactly(connection, 9)
    if head is None:
        return None
    kind, flags, stream = struct.unpack(">BBI", head[3:])
    payload = read_exactly(connection, int.from_bytes(head[:3], "big"))
    assert payload is not None, "the server closed inside a frame"
    return kind, flags, stream, payload


def reset(stream: int) -> bytes:
    """RST_STREAM: the client no longer wants the answer (CANCEL)."""
    return h2_frame(RST_STREAM, 0, stream, (8).to_bytes(4, "big"))


class Connection:
    """A connection that does as a client should: it acknowledges SETTINGS and PING."""

    def __init__(self, address: tuple[str, int], tls: ssl.SSLContext | None = None):
        self.socket = connect(address, tls)
        self._stream = -1
        self.send(PREFACE + settings())

    def send(self, data: bytes):
        self.socket.sendall(data)

    def next_stream(self) -> int:
        self._stream += 2
        return self._stream

    def open(self, method: str, *messages: bytes, ends: bool, extra=None) -> int:
        """Begins a call and sends its requests, the last of them if `ends`. Its stream's number."""
        stream = self.next_stream()
        self.send(call_headers(stream, method, extra) + b"".join(
            h2_frame(DATA, END_STREAM if ends and one is messages[-1] else 0, stream, message(one))
            for one in messages))
        return stream

    def read(self) -> tuple[int, int, int, bytes] | None:
        """The next frame that is not acknowledged; None when the server has closed."""
        while (frame := read_frame(self.socket)) is not None:
            kind, flags, _, payload = frame
            if kind not in (SETTINGS_FRAME, PING) or flags & ACK:
                return frame
            with contextlib.suppress(*GONE):  # It may have said more before.
                self.send(h2_frame(kind, ACK, 0, payload if kind == PING else b""))
        return None

    def read_until(self, *wanted: int, stream: int) -> bytes:
        """The payload of the next frame of these kinds on this stream."""
        while (frame := self.read()) is not None:
            if frame[0] in wanted and frame[2] == stream:
                return frame[3]
        raise AssertionError("the server closed the connection")

    def check_play(self):
        stream = self.open("Play", play_request(MOVES["ROCK"]), ends=True)
        body = self.read_until(DATA, stream=stream)
        assert 1 in fields(body[5:]), body  # The opponent's move.
        self.read_until(HEADERS, stream=stream)

    def ping(self):
        """Sends a PING and waits for its acknowledgement."""
        self.send(h2_frame(PING, 0, 0, b"are you?"))
        self.read_until(PING, stream=0)

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
