"""What every server must survive, and how to tell that it has."""

import contextlib
import socket
import struct
import unittest
from collections.abc import Callable

from rps_process import PATIENCE, Server, eventually
from wire import check_play

CONNECTIONS_AT_ONCE = 200


@contextlib.contextmanager
def unharmed(server: Server):
    """Afterwards the server lives, plays on, and holds no descriptor more than before."""
    check_play(server)
    before = settled_fd_count(server)
    yield
    assert server.is_alive(), f"the server is dead; its log:\n{server.stderr()}"
    check_play(server)
    eventually(lambda: server.fd_count() <= before, f"only {before} descriptors are open")
    server.check_log()


def settled_fd_count(server: Server) -> int:
    """How many descriptors are open once those of past connections are closed: the number has not
    changed for a second."""
    counts = [server.fd_count()]

    def is_settled() -> bool:
        counts.append(server.fd_count())
        return len(counts) > 100 and len(set(counts[-100:])) == 1

    eventually(is_settled, "the number of descriptors settles")
    return counts[-1]


def connect(server: Server) -> socket.socket:
    return socket.create_connection(server.address, timeout=PATIENCE)


def cut(connection: socket.socket):
    """Closes with a reset, as if the cable were cut and everything unread lost."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def send(connection: socket.socket, data: bytes):
    """Sends what the server takes: it may close in the middle."""
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        connection.sendall(data)


def wait_for_close(connection: socket.socket) -> bytes:
    """Everything that the server still says before it closes."""
    said = b""
    with contextlib.suppress(ConnectionResetError):
        while chunk := connection.recv(65536):
            said += chunk
    return said


def check_survives(test: unittest.TestCase, server: Server,
                   abuses: dict[str, Callable[[Server], None]]):
    for name, abuse in abuses.items():
        with test.subTest(server=server.name, abuse=name), unharmed(server):
            abuse(server)
