"""Our clients against servers that conform, but do what few servers do.

A relay stands in front of a server of ours and gives its answers another form: other HTTP/1
messages, or other HTTP/2 frames. So the answers are the game's. What the relay does is said by the
case, with the section of the RFC that allows it.
"""

import contextlib
import http.client
import socket
import socketserver
import struct
import threading
import unittest

import test_peers
from grpc_wire import (ACK, CONTINUATION, DATA, END_HEADERS, GOAWAY, HEADERS, PING, PREFACE,
                       SETTINGS_FRAME, WINDOW_UPDATE, h2_frame, read_frame)
from rps_process import PATIENCE, read_exactly

DEPTHS = (1, 8)


class Threads(socketserver.ThreadingTCPServer):
    request_queue_size = 128
    daemon_threads = True


@contextlib.contextmanager
def serving(serve):
    """Calls serve(socket) in a thread for each connection; the port."""
    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            # What is sent leaves at once: else a reset drops it.
            self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with contextlib.suppress(ConnectionError):
                serve(self.request)

    with Threads(("127.0.0.1", 0), Handler) as peer:
        threading.Thread(target=peer.serve_forever, daemon=True).start()
        yield peer.server_address[1]
        peer.shutdown()


# -- HTTP/1 ------------------------------------------------------------------------------------


def read_request(reader) -> bytes | None:
    """The body of the next request; None when the client has closed."""
    size = None
    while (line := reader.readline()) not in (b"\r\n", b""):
        name, _, value = line.partition(b":")
        size = int(value) if name.lower() == b"content-length" else size
    return reader.read(size) if size is not None else None


def as_hex(number: int) -> bytes:
    return f"{number:X}".encode()


def plain(body: bytes, head: bytes = b"HTTP/1.1 200 OK", fields: bytes = b"") -> bytes:
    return head + b"\r\n" + fields + b"Content-Length: %d\r\n\r\n" % len(body) + body


def chunked(body: bytes) -> bytes:
    """Chunk extensions, also quoted ones, and zeros before a size; a trailer whose fields have no
    effect (RFC 9112, 7.1)."""
    middle = len(body) // 2
    return (b"HTTP/1.1 200 OK\r\ntRANSFER-eNCODING: Chunked\r\n\r\n"
            + as_hex(middle) + b";name=value\r\n" + body[:middle] + b"\r\n"
            + b"000" + as_hex(len(body) - middle) + b' ; a="b;c" ; d\r\n' + body[middle:] + b"\r\n"
            + b"0;last\r\nConnection: close\r\nX-Sum: 1\r\n\r\n")


FORMS = {
    # RFC 9112, 9.3: a server of 1.0 may keep the connection, too.
    "1.0 and keep-alive": lambda body: plain(
        body, b"HTTP/1.0 200 OK", b"Connection: Keep-Alive\r\nKeep-Alive: timeout=5\r\n"),
    # RFC 9110, 15.2, and RFC 8297: any number of them before the response.
    "interim responses": lambda body: (
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n"
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" + plain(body)),
    "chunk extensions and a trailer": chunked,
    # RFC 9112, 5.2: a client reads a folded value as one with spaces.
    "folded values": lambda body: plain(
        body, fields=b"X-Folded: a\r\n b\r\n\tc\r\nconnection:\r\n keep-alive\r\n"),
    # RFC 9110, 5.1 and 5.5: names in any case, and white space around values.
    "names in odd case": lambda body: (
        b"HTTP/1.1 200 OK\r\ncOnTeNt-LeNgTh:\t %d \t\r\nSERVER:\r\n\r\n" % len(body) + body),
    # RFC 9112, 4: the reason may be empty, and a status may be any of its class.
    "no reason": lambda body: plain(body, b"HTTP/1.1 200 "),
}


def close_with_reset(connection: socket.socket):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


class Http1(test_peers.Measured):
    def setUp(self):
        self.backend = self.server().address

    def relay(self, form, answers_max: int = 0, announces: bool = True, end=socket.socket.close):
        """Answers in this form; `end`s each connection behind so many answers, unless that is 0,
        and `announces` that. What the client has sent behind that request is not processed."""
        def serve(connection: socket.socket):
            with contextlib.closing(http.client.HTTPConnection(*self.backend, timeout=PATIENCE)) \
                    as onward, connection.makefile("rb") as reader:
                number = 0
                while (body := read_request(reader)) is not None:
                    number += 1
                    onward.request("POST", "/rpc", body, {"Content-Type": "application/json"})
                    answer = onward.getresponse().read()
                    if number < answers_max or not answers_max:
                        connection.sendall(form(answer))
                        continue
                    fields = b"Connection: close\r\n" if announces else b""
                    connection.sendall(plain(answer, fields=fields))
                    break
            if number == answers_max:
                end(connection)
        return serving(serve)

    def test_every_form_of_a_response(self):
        for name, form in FORMS.items():
            with self.subTest(name), self.relay(form) as port:
                self.check_conformance(f"http://127.0.0.1:{port}")
                for depth in DEPTHS:
                    counts = self.check_load(f"http://127.0.0.1:{port}", f"--depth={depth}")
                    self.assertEqual(counts["reconnects"], 0)

    def test_a_reset_behind_an_announced_end(self):
        """The last response says that it is the last, and the socket is reset behind it, as by a
        server that closes before it has read all that was sent (RFC 9112, 9.6)."""
        with self.relay(plain, 1, end=close_with_reset) as port:
            for depth in DEPTHS:
                self.check_load(f"http://127.0.0.1:{port}", f"--depth={depth}", reconnects=True)

    def test_the_end_in_the_middle_of_a_pipeline(self):
        """What stands behind the request that was answered last is not processed, and is sent
        again, though it may not be carried out twice (RFC 9112, 9.3.2 and 9.6)."""
        with self.relay(plain, 5) as port:
            trial = self.measure(f"http://127.0.0.1:{port}", "--connections=1", "--depth=8",
                                 seconds=5)
        self.assertEqual((trial["complaint"], trial["connections"]["uncertain"]), ("", 0))
        self.assertGreater(trial["connections"]["resent"], 0)
        self.assertEqual(trial["answers"]["wrong_round"], 0)  # No round was played twice.

    def test_an_end_without_a_word_leaves_rounds_uncertain(self):
        """A round in a session is not sent again when it may have been played."""
        with self.relay(plain, 50, announces=False) as port:
            trial = self.measure(f"http://127.0.0.1:{port}", "--connections=1", "--depth=8",
                                 seconds=5)
        self.assertGreater(trial["connections"]["uncertain"], 0)
        self.assertEqual(trial["answers"]["wrong_round"], 0)


# -- HTTP/2 ------------------------------------------------------------------------------------

HEADER_TABLE_SIZE, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE = 1, 3, 4, 5
PADDED, END_STREAM = 8, 1
UNKNOWN_FRAME, UNKNOWN_SETTING = 0xBE, 0xBEEF
OWN_PING = b"are you?"


class Relay:
    """One connection: what the client sends goes on as it is, what the server sends in another
    form. Derived classes say which."""

    settings: dict[int, int] = {}

    def __init__(self, client: socket.socket, server: socket.socket):
        self.client, self.server = client, server
        self.lock = threading.Lock()  # Of what is sent to the client.
        self.own_settings = 0  # Sent to the client and not acknowledged; later than the server's.
        self.began = False

    def run(self):
        if read_exactly(self.client, len(PREFACE)) != PREFACE:
            return
        self.server.sendall(PREFACE)
        back = threading.Thread(target=self.relay_answers, daemon=True)
        back.start()
        with contextlib.suppress(OSError):
            while (frame := read_frame(self.client)) is not None:
                if not self.is_for_relay(*frame):
                    self.on_request(*frame)
        self.server.close()

    def relay_answers(self):
        with contextlib.suppress(OSError):
            while (frame := read_frame(self.server)) is not None:
                if not self.began:
                    self.began = True
                    self.send(self.first_settings(frame[3]))
                    self.on_begin()
                else:
                    self.send(b"".join(h2_frame(*each) for each in self.answer(*frame)))
        with contextlib.suppress(OSError):
            self.client.shutdown(socket.SHUT_RDWR)

    def first_settings(self, payload: bytes) -> bytes:
        """The server's, and behind them ours, which so prevail (RFC 9113, 6.5.3)."""
        own = b"".join(struct.pack(">HI", *setting) for setting in self.settings.items())
        return h2_frame(SETTINGS_FRAME, 0, 0, payload + own)

    def send(self, data: bytes):
        with self.lock:
            self.client.sendall(data)

    def is_for_relay(self, kind: int, flags: int, _stream: int, payload: bytes) -> bool:
        """Answers of the client to what the server has not sent."""
        if kind == PING and flags & ACK and payload == OWN_PING:
            self.on_pong()
            return True
        return False

    def on_request(self, kind: int, flags: int, stream: int, payload: bytes):
        self.server.sendall(h2_frame(kind, flags, stream, payload))

    def on_begin(self):
        """The client has its SETTINGS."""

    def on_pong(self):
        """The client has acknowledged a PING of the relay."""

    def answer(self, *frame):
        """The frames in place of this one."""
        return [frame]


class OneAtATime(Relay):
    """A client may have one stream, and no dynamic table (RFC 9113, 6.5.2)."""

    settings = {MAX_CONCURRENT_STREAMS: 1, HEADER_TABLE_SIZE: 0, MAX_FRAME_SIZE: (1 << 24) - 1}


class NoWindowAtFirst(Relay):
    """Streams begin without a window, which a WINDOW_UPDATE opens (RFC 9113, 6.9.2)."""

    settings = {INITIAL_WINDOW_SIZE: 0}

    def on_request(self, kind: int, flags: int, stream: int, payload: bytes):
        super().on_request(kind, flags, stream, payload)
        if kind == HEADERS:
            # In two steps, the first of which is less than a message.
            for size in (3, 1000):
                self.send(h2_frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", size)))


class Unknown(Relay):
    """Frames and settings of which nobody has heard (RFC 9113, 5.5 and 6.5.2), and a PING before
    every answer (6.7)."""

    settings = {UNKNOWN_SETTING: 7}
    pongs = 0

    def on_pong(self):
        Unknown.pongs += 1

    def answer(self, kind: int, flags: int, stream: int, payload: bytes):
        if kind != DATA:
            return [(kind, flags, stream, payload)]
        return [(UNKNOWN_FRAME, 0xFF, 0, b"what?"), (UNKNOWN_FRAME, 0, stream, b""),
                (PING, 0, 0, OWN_PING), (kind, flags, stream, payload)]


class Padded(Relay):
    """Padding on DATA and HEADERS, HEADERS cut into CONTINUATIONs, and DATA cut into frames, one of
    them empty and one with an unknown flag (RFC 9113, 4.1, 6.1, 6.2 and 6.10)."""

    def answer(self, kind: int, flags: int, stream: int, payload: bytes):
        if kind == DATA and not flags & PADDED:
            cut = len(payload) // 3
            return [(DATA, PADDED, stream, b"\x05" + payload[:cut] + bytes(5)),
                    (DATA, 0x40, stream, b""),
                    (DATA, PADDED | flags, stream, b"\x00" + payload[cut:])]
        if kind == HEADERS and not flags & ~(END_STREAM | END_HEADERS):
            cut = len(payload) // 2
            return [(HEADERS, PADDED | (flags & END_STREAM), stream,
                     b"\x03" + payload[:cut] + bytes(3)),
                    (CONTINUATION, 0, stream, b""),
                    (CONTINUATION, END_HEADERS, stream, payload[cut:])]
        return [(kind, flags, stream, payload)]


class Leaving(Relay):
    """GOAWAY behind so many streams, while later ones are open: those are not processed (RFC 9113,
    6.8). The connection ends when the others are answered."""

    STREAMS = 20
    last = 2 * STREAMS - 1

    def __init__(self, *sockets):
        super().__init__(*sockets)
        self.open = set()
        self.has_left = False

    def on_request(self, kind: int, flags: int, stream: int, payload: bytes):
        if stream <= self.last:
            if kind == HEADERS:
                self.open.add(stream)
            return super().on_request(kind, flags, stream, payload)
        if not self.has_left:
            self.send(h2_frame(GOAWAY, 0, 0, struct.pack(">II", self.last, 0)))
            self.has_left = True  # Only now: the other thread may end the connection then.
            self.end_if_done()

    def relay_answers(self):
        with contextlib.suppress(OSError):
            while (frame := read_frame(self.server)) is not None:
                self.send(h2_frame(*frame))
                kind, flags, stream, _ = frame
                if flags & END_STREAM and kind in (HEADERS, DATA):
                    self.open.discard(stream)  # Only now: the other thread may end the connection.
                self.end_if_done()

    def end_if_done(self):
        """What the client still sends is read until it closes: else the kernel would reset the
        connection, and the client might lose answers."""
        if self.has_left and not self.open:
            self.client.shutdown(socket.SHUT_WR)


class Http2(test_peers.Measured):
    def setUp(self):
        self.backend = self.server("rps-grpc").address

    def relay(self, form: type[Relay]):
        def serve(client: socket.socket):
            with socket.create_connection(self.backend, PATIENCE) as server:
                server.settimeout(None)
                server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                form(client, server).run()
        return serving(serve)

    def test_every_form_of_a_connection(self):
        for scheme, form in (("grpc+lean", OneAtATime), ("grpc+lean", NoWindowAtFirst),
                             ("grpc+lean", Unknown), ("grpc+lean", Padded),
                             # gRPC's library takes DATA with padding for an error.
                             ("grpc", OneAtATime), ("grpc", NoWindowAtFirst), ("grpc", Unknown)):
            with self.subTest(form=form.__doc__, scheme=scheme), self.relay(form) as port:
                url = f"{scheme}://127.0.0.1:{port}"
                for depth in DEPTHS:
                    counts = self.check_load(url, f"--depth={depth}")
                    self.assertEqual(counts["reconnects"], 0)
                # The lean client knows no duels, and a duel would take the only stream.
                if scheme == "grpc" and form is not OneAtATime:
                    self.check_conformance(url)
        self.assertGreater(Unknown.pongs, 0)

    def test_streams_behind_a_goaway_are_sent_again(self):
        with self.relay(Leaving) as port:
            for depth in DEPTHS:
                counts = self.check_load(f"grpc+lean://127.0.0.1:{port}", f"--depth={depth}",
                                         reconnects=True)
                self.assertGreater(counts["resent"], 0)
            # gRPC's library sends a call again once: with one call open none is left out twice.
            self.check_load(f"grpc://127.0.0.1:{port}?resend=1", "--depth=1")


if __name__ == "__main__":
    unittest.main()
