"""Stage 3's replies to requests that came together leave together: told by the TCP segments that
carry them. No reply is lost or changed, whether the client reads or not."""

import socket
import ssl
import struct
import subprocess
import time
import unittest

from grpc_wire import (DATA, END_STREAM, HEADERS, MOVES, WINDOW_UPDATE, Connection, call_body,
                       call_headers, fields, h2_frame, message, play_request, settings)
from rps_process import BINARIES, Server, eventually, grpc_servers

ROCK = play_request(MOVES["ROCK"])
AT_ONCE = 64
BURSTS = 20
WINDOW = 1 << 30


def segments_received(connection: Connection) -> int:
    """Segments with data: tcpi_data_segs_in of struct tcp_info, linux/tcp.h."""
    info = connection.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    return struct.unpack_from("=I", info, 152)[0]


def play_together(connection: Connection, count: int):
    """Sends calls with one system call and waits for the ends of all of them."""
    streams = {connection.next_stream() for _ in range(count)}
    connection.send(b"".join(call_headers(stream) + call_body(stream, ROCK)
                             for stream in sorted(streams)))
    replies = dict.fromkeys(streams, b"")
    while streams:
        frame = connection.read()
        assert frame is not None, "the server closed the connection"
        kind, flags, stream, payload = frame
        if kind == DATA:
            replies[stream] += payload
        if kind == HEADERS and flags & END_STREAM:
            streams.remove(stream)
    for reply in replies.values():
        assert 1 in fields(reply[5:]), reply  # The opponent's move.


def segments_per_call(server: Server, tls: ssl.SSLContext | None = None) -> float:
    with Connection(server.address, tls) as connection:
        connection.check_play()
        before = segments_received(connection)
        for _ in range(BURSTS):
            play_together(connection, AT_ONCE)
        return (segments_received(connection) - before) / (BURSTS * AT_ONCE)


class Linking(unittest.TestCase):
    def test_no_program_has_grpc_twice(self):
        """gRPC is linked statically; a second, shared one would have variables of its own."""
        for program in BINARIES.glob("rps-*"):
            needed = subprocess.run(["ldd", program], capture_output=True, text=True, check=True)
            self.assertNotIn("libgrpc", needed.stdout, program)


class Segments(unittest.TestCase):
    def test_replies_to_calls_that_came_together_leave_together(self):
        for name in grpc_servers():
            for guard in ("on", "off"):
                with self.subTest(name, guard=guard), \
                        Server(name, f"--flood-guard={guard}", admin=True) as server:
                    # On a busy machine the server can be interrupted between two replies.
                    eventually(lambda: segments_per_call(server) <= 0.2,
                               "five replies and more share a segment")
                    self.assertEqual(server.metrics()["rps_write_coalescing_active"], 1)

    def test_it_can_be_switched_off(self):
        for name in grpc_servers():
            for guard in ("on", "off"):
                with self.subTest(name, guard=guard), \
                        Server(name, "--coalesce-writes=off", f"--flood-guard={guard}",
                               admin=True) as server:
                    segments_per_call(server)  # As many as the kernel likes.
                    self.assertEqual(server.metrics()["rps_write_coalescing_active"], 0)


class NoReplyIsLost(unittest.TestCase):
    """Also when the kernel takes the bytes in pieces, or none for a while."""

    ROUNDS = 9000  # Within the first window of 65,535 bytes; the replies exceed the buffer.

    def rally(self, server: Server, is_read_late: bool) -> bytes:
        """All replies of a stream to a client with a small buffer."""
        received = b""
        with Connection(server.address) as connection:
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32768)
            connection.send(settings(initial_window_size=WINDOW)
                            + h2_frame(WINDOW_UPDATE, 0, 0, WINDOW.to_bytes(4, "big")))
            stream = connection.next_stream()
            rounds = h2_frame(DATA, 0, stream, message(ROCK)) * (self.ROUNDS - 1)
            connection.send(call_headers(stream, "Rally") + rounds)
            if is_read_late:
                time.sleep(1)  # The buffers fill meanwhile; if they do not, nothing is tested.
            connection.send(call_body(stream, ROCK))
            while (frame := connection.read()) is not None:
                kind, flags, _, payload = frame
                if kind == DATA:
                    received += payload
                if kind == HEADERS and flags & END_STREAM:
                    break
        return received

    def check(self, received: bytes):
        count = at = 0
        while at < len(received):
            end = at + 5 + int.from_bytes(received[at + 1:at + 5], "big")
            self.assertIn(1, fields(received[at + 5:end]))
            at = end
            count += 1
        self.assertEqual((count, at), (self.ROUNDS, len(received)))

    def test_a_client_that_reads_slowly_gets_every_reply(self):
        for name in grpc_servers():
            for is_read_late in (False, True):
                with self.subTest(name, is_read_late=is_read_late), \
                        Server(name) as server:
                    self.check(self.rally(server, is_read_late))


if __name__ == "__main__":
    unittest.main()
