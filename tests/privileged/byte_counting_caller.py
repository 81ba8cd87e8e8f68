"""A gRPC caller of one connection that knows every byte and frame that crossed it.

Tests compare these numbers with those of the kernel, so they must not come from a library that
hides its writes. It makes unary calls only, one after the other.
"""

import collections
import socket
import struct

from grpc_wire import (
    DATA, END_STREAM, HEADERS, PREFACE, SETTINGS_FRAME, WINDOW_UPDATE, call_body, call_headers,
    connect, fields, h2_frame, play_request, read_frame, settings)

PING, ACK = 6, 1
WIN_BY_MOVES = {(1, 3), (2, 1), (3, 2)}  # Rock, paper, scissors: 1, 2, 3.
WIN, DRAW, LOSE = 1, 2, 3


class ByteCountingCaller:
    def __init__(self, address):
        self.socket = connect(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.next_stream = 1
        self.sends = 0
        self.bytes_sent = 0
        self.bytes_received = 0
        self.frames_received = collections.Counter()  # By kind.
        never_wait_for_us = h2_frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 1 << 30))
        self._send(PREFACE + settings() + never_wait_for_us)

    def play(self, rounds):
        for i in range(rounds):
            move = i % 3 + 1
            reply = fields(self.call("Play", play_request(move)))
            opponent_move, result = reply[1], reply[2]
            wanted = (WIN if (move, opponent_move) in WIN_BY_MOVES
                      else DRAW if move == opponent_move else LOSE)
            assert result == wanted, reply
        return self

    def call(self, method, request):
        """Makes one unary call and returns the response message."""
        stream, self.next_stream = self.next_stream, self.next_stream + 2
        self._send(call_headers(stream, method) + call_body(stream, request))
        body, flags = b"", 0
        while not flags & END_STREAM:
            kind, frame_flags, frame_stream, payload = self._next_frame()
            if frame_stream == stream and kind in (DATA, HEADERS):
                flags = frame_flags
                body += payload if kind == DATA else b""
        assert len(body) >= 5, "the call failed"
        return body[5:]

    def finish(self):
        """Says goodbye and reads until the server has closed, so that no byte stays uncounted."""
        self.socket.shutdown(socket.SHUT_WR)
        while chunk := self.socket.recv(65536):
            self.bytes_received += len(chunk)
        self.socket.close()

    def _send(self, data):
        self.socket.sendall(data)
        self.sends += 1
        self.bytes_sent += len(data)

    def _next_frame(self):
        frame = read_frame(self.socket)
        assert frame, "the server closed the connection"
        kind, flags, stream, payload = frame
        self.bytes_received += 9 + len(payload)
        self.frames_received[kind] += 1
        if kind in (SETTINGS_FRAME, PING) and not flags & ACK:
            self._send(h2_frame(kind, ACK, 0, payload if kind == PING else b""))
        return kind, flags, stream, payload
