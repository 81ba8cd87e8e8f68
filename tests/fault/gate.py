"""A gate between a client and a server that breaks what passes it, in ten ways.

    with Gate(server.address) as gate:
        gate.break_to_server(Slice())     # What the client says arrives byte by byte …
        connect(gate.address)
        gate.restore()                    # … and from now on as it was sent.

Two threads carry each connection, one for each direction; a fault is what a direction does with
the bytes. A fault that is set counts at once, also for connections that are open.

    the gate     accepts nobody (accept_nobody)
    a direction  NoRead, NoAnswer, Close, CloseOnData, Corrupt, Delay, Throttle, CloseAfter, Slice
"""

import contextlib
import random
import select
import socket
import threading
import time
from collections.abc import Callable

TICK = 0.01  # seconds; how soon a direction notices that its fault was changed
CHUNK_BYTES = 65536


class Cut(Exception):
    """Ends a connection, both ways."""


class Fault:
    """What one direction does. One object serves all connections, so it keeps nothing of them."""

    reads = True
    cut_after = float("inf")  # seconds since the connection was made

    def carry(self, data: bytes, way: "Way"):
        way.write(data)


class Nothing(Fault):
    """No fault."""


class NoRead(Fault):
    """Takes nothing, so that the sender's buffers fill."""

    reads = False


class NoAnswer(Fault):
    """Takes everything, and passes nothing on after the first bytes of a connection."""

    def __init__(self, after_bytes: int = 0):
        self._after_bytes = after_bytes

    def carry(self, data: bytes, way: "Way"):
        way.write(data[:max(0, self._after_bytes - way.written_bytes)])


class Close(Fault):
    """Closes connections as soon as they are made."""

    cut_after = 0.0


class CloseOnData(Fault):
    """Closes when there is something to carry, which is lost."""

    def carry(self, data: bytes, way: "Way"):
        raise Cut


class Corrupt(Fault):
    """Flips bits of one byte in each piece. A seed makes it foreseeable."""

    def __init__(self, seed: int):
        self._random = random.Random(seed)

    def carry(self, data: bytes, way: "Way"):
        at = self._random.randrange(len(data))
        flipped = data[at] ^ self._random.randrange(1, 256)
        way.write(data[:at] + bytes([flipped]) + data[at + 1:])


class Delay(Fault):
    def __init__(self, seconds: float):
        self._seconds = seconds

    def carry(self, data: bytes, way: "Way"):
        way.wait(self._seconds)
        way.write(data)


class Throttle(Fault):
    def __init__(self, bytes_per_second: float):
        self._bytes_per_second = bytes_per_second

    def carry(self, data: bytes, way: "Way"):
        for begin in range(0, len(data), 10):
            piece = data[begin:begin + 10]
            way.wait(len(piece) / self._bytes_per_second)
            way.write(piece)


class CloseAfter(Fault):
    """Closes connections that have lived so long, whatever they are doing."""

    def __init__(self, seconds: float):
        self.cut_after = seconds


class Slice(Fault):
    """One byte at a time, each in a segment of its own."""

    def carry(self, data: bytes, way: "Way"):
        for byte in data:
            way.write(bytes([byte]))
            way.wait(0.0005)


class Way:
    """One direction of a connection, carried by the thread that runs run()."""

    def __init__(self, source: socket.socket, target: socket.socket, fault_now: Callable[[], Fault],
                 over: threading.Event):
        self._source = source
        self._target = target
        self._fault_now = fault_now
        self._over = over
        self.written_bytes = 0
        self._made_at = time.monotonic()

    def run(self):
        with contextlib.suppress(OSError):  # Either side may close under it.
            try:
                while not self._over.is_set() and self._step():
                    pass
            except Cut:
                self.cut()

    def _step(self) -> bool:
        fault = self._fault_now()
        if time.monotonic() - self._made_at >= fault.cut_after:
            raise Cut
        if not fault.reads:
            self.wait(TICK)
            return True
        if not select.select([self._source], [], [], TICK)[0]:
            return True
        data = self._source.recv(CHUNK_BYTES)
        if not data:
            self._target.shutdown(socket.SHUT_WR)
            return False
        self._fault_now().carry(data, self)
        return True

    def write(self, data: bytes):
        self._target.sendall(data)
        self.written_bytes += len(data)

    def wait(self, seconds: float):
        self._over.wait(seconds)

    def cut(self):
        for end in (self._source, self._target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


class Gate:
    """Listens on a port of its own and carries each connection to `target`. `with` closes it."""

    def __init__(self, target: tuple[str, int]):
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.address = self._listener.getsockname()
        self._accepts = threading.Event()
        self._accepts.set()
        self._to_server: Fault = Nothing()
        self._to_client: Fault = Nothing()
        self._over = threading.Event()
        self._ways: list[Way] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def accept_nobody(self):
        """Connections are made by the kernel and wait; restore() lets them in."""
        self._accepts.clear()

    def break_to_server(self, fault: Fault):
        self._to_server = fault

    def break_to_client(self, fault: Fault):
        self._to_client = fault

    def restore(self):
        self._to_server = self._to_client = Nothing()
        self._accepts.set()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._over.set()
        self._threads[0].join()  # Now there will be no more of either.
        for way in self._ways:
            way.cut()
        for thread in self._threads[1:]:
            thread.join()
        self._listener.close()

    def _accept(self):
        while not self._over.is_set():
            if not self._accepts.is_set():
                self._over.wait(TICK)
            elif select.select([self._listener], [], [], TICK)[0] and self._accepts.is_set():
                self._carry(self._listener.accept()[0])

    def _carry(self, client: socket.socket):
        try:
            server = connect(self._target)
        except OSError:
            client.close()
            return
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        ways = [Way(client, server, lambda: self._to_server, self._over),
                Way(server, client, lambda: self._to_client, self._over)]
        thread = threading.Thread(target=serve, args=(client, server, ways))
        self._ways += ways
        self._threads.append(thread)
        thread.start()


def serve(client: socket.socket, server: socket.socket, ways: list[Way]):
    """One connection, until both directions have ended."""
    with client, server:
        back = threading.Thread(target=ways[1].run)
        back.start()
        ways[0].run()
        back.join()


def connect(address: tuple[str, int]) -> socket.socket:
    """With little room to receive, so that a reader who stops is felt soon."""
    connection = socket.socket()
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.connect(address)
    except OSError:
        connection.close()
        raise
    return connection
