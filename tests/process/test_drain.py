"""What a server has received when SIGTERM comes is answered before it ends, and its log says what
became of the calls. Stage 2, over all its protocols and codecs.

The process is stopped (SIGSTOP) while calls are sent to it, so that they lie in the kernel, and the
connections behind the first ones in the queue of the listening socket, when SIGTERM comes.
"""

import array
import contextlib
import fcntl
import json
import re
import signal
import socket
import struct
import termios
import threading
import unittest
from collections.abc import Callable
from dataclasses import dataclass

from framings import FRAMINGS, Frames, Framing, Http, Peer, play, read_answer
from rps_process import PATIENCE, Server, eventually
from test_codecs import FIXED_LAYOUT, MESSAGE_PACK, packed, request, unpacked

UNAVAILABLE_CODE = -32005
UNAVAILABLE_STATUS = 11  # In the fixed layout.
FIXED_REQUEST = struct.Struct(">BBBBBIQ")
CALLS = 5000
MORE_CALLS = 150_000  # More than the sockets hold of them and of their replies.
CONNECTIONS = 4
WAITING = 600  # Connections: fewer than the kernel lets wait.
DRAINED = "rps-jsonrpc: drained;"

# To a server that was stopped in the middle of its work that work seems to take very long.
PATIENT = "--overload-after=600000"


def outcome(answer: dict) -> tuple[int, bool]:
    """The id of a reply, and whether its call was carried out; it may only be refused as
    unavailable."""
    if "result" in answer:
        return answer["id"], True
    assert answer["error"]["code"] == UNAVAILABLE_CODE, answer
    return answer["id"], False


def fixed_outcome(answer: bytes) -> tuple[int, bool]:
    number, _, status = struct.unpack_from(">QBB", answer)
    assert status in (0, UNAVAILABLE_STATUS), status
    return number, status == 0


@dataclass(frozen=True)
class Wire:
    name: str
    framing: Framing
    call: Callable[[int], bytes]  # One call as it is sent.
    outcome: Callable[[bytes], tuple[int, bool]]  # Of a payload of an answer.


def json_wire(framing: Framing) -> Wire:
    return Wire(framing.name, framing, lambda number: framing.encode(play(number)),
                lambda payload: outcome(json.loads(payload)))


WIRES = [
    *map(json_wire, FRAMINGS),
    Wire("MessagePack", Frames(MESSAGE_PACK),
         lambda number: Frames(MESSAGE_PACK).encode(packed(request(number, "play", ["ROCK"]))),
         lambda payload: outcome(unpacked(payload))),
    Wire("fixed layout", Frames(FIXED_LAYOUT),
         lambda number: Frames(FIXED_LAYOUT).encode(
             FIXED_REQUEST.pack(1, 1, 1, 0, 0, 0, number)),
         fixed_outcome),
]


def unacknowledged_bytes(connection: socket.socket) -> int:
    """Sent bytes that the other side's kernel has not confirmed to have."""
    count = array.array("i", [0])
    fcntl.ioctl(connection, termios.TIOCOUTQ, count)
    return count[0]


class Caller(Peer):
    """Sends calls in advance, and counts what becomes of them."""

    def __init__(self, wire: Wire, server: Server):
        super().__init__(wire.framing, server.address)
        self._wire = wire
        self._ends = []  # Of the calls in the stream of bytes.
        self._data = b""
        self._sent = 0  # Bytes.

    def call(self):
        """One call before all others."""
        self.send_bytes(self._wire.call(0))
        assert self._wire.outcome(self.framing.read(self.stream)) == (0, True)

    def send_calls(self, count: int):
        """As many as the sockets take; of the last one perhaps a part."""
        data = bytearray()
        for number in range(1, count + 1):
            data += self._wire.call(number)
            self._ends.append(len(data))
        self._data = bytes(data)
        self.socket.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while self._sent < len(data):
                self._sent += self.socket.send(memoryview(data)[self._sent:])
        self.socket.settimeout(PATIENCE)

    def has_sent_all(self) -> bool:
        return self._sent == len(self._data)

    def complete_last_call(self) -> threading.Thread:
        """Sends the rest of the last call when there is room for it."""
        end = min(end for end in self._ends if end >= self._sent)
        sender = threading.Thread(target=self.send_bytes, args=(self._data[self._sent:end],),
                                  daemon=True)
        sender.start()
        return sender

    def calls_received(self) -> int:
        """Whole calls that the server's kernel has."""
        confirmed = self._sent - unacknowledged_bytes(self.socket)
        return sum(end <= confirmed for end in self._ends)

    def take_answers(self) -> tuple[int, int]:
        """Reads to the end, which must come in good order. How many calls were carried out, and
        how many were refused."""
        executed = refused = 0
        while (payload := self.framing.read(self.stream)) is not None:
            number, is_executed = self._wire.outcome(payload)
            assert number == executed + refused + 1, (number, executed, refused)
            executed += is_executed
            refused += not is_executed
        return executed, refused


def wait_until_settled(callers: list[Caller]):
    """All that was sent has arrived, or waits for room."""
    counts = []

    def is_settled() -> bool:
        counts.append([unacknowledged_bytes(caller.socket) for caller in callers])
        return not any(counts[-1]) or (len(counts) > 30 and counts[-30:] == [counts[-1]] * 30)

    eventually(is_settled, "what was sent has arrived or waits for room")


@contextlib.contextmanager
def paused(server: Server):
    """Meanwhile only the kernel takes what is sent to the server. It goes on with a SIGTERM."""
    server.send_signal(signal.SIGSTOP)
    try:
        yield
        server.send_signal(signal.SIGTERM)
    finally:
        server.send_signal(signal.SIGCONT)


def said_at_the_end(server: Server) -> tuple[int, int]:
    """How many calls were answered and refused since the signal, as the log has it."""
    found = re.search(r"since the signal: (\d+) calls answered, (\d+) refused", server.stderr())
    assert found, server.stderr()
    return int(found[1]), int(found[2])


class Arrived(unittest.TestCase):
    def check(self, wire: Wire, *flags: str, half_close: bool = False):
        with contextlib.ExitStack() as stack:
            server = stack.enter_context(Server("rps-jsonrpc", "--linger=200", PATIENT, *flags))
            callers = [stack.enter_context(Caller(wire, server)) for _ in range(CONNECTIONS)]
            for caller in callers:
                caller.call()
            with paused(server):
                callers += [stack.enter_context(Caller(wire, server)) for _ in range(CONNECTIONS)]
                for caller in callers:
                    caller.send_calls(CALLS)
                    if half_close and caller.has_sent_all():
                        caller.socket.shutdown(socket.SHUT_WR)
                wait_until_settled(callers)
                received = [caller.calls_received() for caller in callers]
                self.assertGreater(min(received), 0)
            answers = [caller.take_answers() for caller in callers]
            for caller, count, (executed, refused) in zip(callers, received, answers):
                self.assertGreaterEqual(executed + refused, count)
                caller.close()
            server.wait(0)
            # The log counts from the signal on, a moment after the server went on.
            executed, refused = (sum(counts) for counts in zip(*answers))
            said_executed, said_refused = said_at_the_end(server)
            self.assertEqual(said_refused, refused)
            self.assertLessEqual(said_executed, executed)
            if all(caller.has_sent_all() for caller in callers):
                self.assertIn(DRAINED, server.stderr())
                self.assertNotIn("warn", server.stderr())

    def test_is_answered(self):
        for wire in WIRES:
            with self.subTest(wire.name):
                self.check(wire)

    def test_is_answered_however_connections_are_accepted(self):
        for accept in ("shared-port", "single"):
            with self.subTest(accept):
                self.check(WIRES[0], f"--accept={accept}", "--threads=3")

    def test_is_answered_on_each_connection_that_waits_to_be_accepted(self):
        """More than a thread accepts before it looks for other work."""
        with (contextlib.ExitStack() as stack,
              Server("rps-jsonrpc", "--threads=1", "--accept=single", PATIENT) as server):
            with paused(server):
                callers = [stack.enter_context(Caller(WIRES[0], server)) for _ in range(WAITING)]
                for caller in callers:
                    caller.send_calls(1)
                wait_until_settled(callers)
            for caller in callers:
                self.assertEqual(sum(caller.take_answers()), 1)
                caller.close()
            server.wait(0)
            self.assertIn(DRAINED, server.stderr())

    def test_is_answered_in_small_turns(self):
        self.check(WIRES[0], "--calls-per-turn=1", "--max-unsent-bytes=2000")

    def test_is_answered_when_the_client_has_said_its_last(self):
        for wire in WIRES:
            with self.subTest(wire.name):
                self.check(wire, half_close=True)

    def test_connections_without_a_call_end_at_once(self):
        with Server("rps-jsonrpc", "--drain=600000") as server, contextlib.ExitStack() as stack:
            idle = [stack.enter_context(Caller(wire, server)) for wire in WIRES]
            for caller in idle[1:]:
                caller.call()
            server.send_signal()
            for caller in idle:
                self.assertEqual(caller.take_answers(), (0, 0))
                caller.close()
            server.wait(0)
            self.assertEqual(said_at_the_end(server), (0, 0))


class Http11(unittest.TestCase):
    def test_no_answer_but_the_last_says_that_the_connection_closes(self):
        wire = json_wire(Http())
        # One call in a turn: the drain begins before the last of them.
        with (Server("rps-jsonrpc", "--calls-per-turn=1", PATIENT) as server,
              Caller(wire, server) as caller):
            with paused(server):
                caller.send_calls(4000)
                wait_until_settled([caller])
                self.assertTrue(caller.has_sent_all())
            answers = []
            while (answer := read_answer(caller.stream)) is not None:
                answers.append(answer)
            caller.close()
            server.wait(0)
            self.assertEqual(len(answers), 4000)
            # Nor the last one if it was answered before the drain began.
            for answer in answers[:-1]:
                self.assertNotIn("close", answer.headers.get("connection", ""))


class Arriving(unittest.TestCase):
    """Calls of which only a part has arrived, and calls that come later."""

    def test_a_message_that_has_begun_is_waited_for(self):
        for wire in WIRES:
            with (self.subTest(wire.name),
                  Server("rps-jsonrpc", "--linger=60000", PATIENT, admin=True) as server,
                  Caller(wire, server) as caller):
                call = wire.call(1)
                with paused(server):
                    caller.send_bytes(call[:-1])
                eventually(lambda: server.get("/readyz")[0] == 503, "/readyz says 503")
                caller.send_bytes(call[-1:])
                # Executed if it arrives between /readyz and the moment when calls are refused.
                self.assertIn(caller.take_answers(), ((0, 1), (1, 0)))
                caller.close()
                server.wait(0)
                self.assertNotIn("warn", server.stderr())

    def test_a_message_that_never_ends_is_given_up(self):
        with (Server("rps-jsonrpc", "--drain=600000", "--linger=100", PATIENT) as server,
              Caller(WIRES[0], server) as caller):
            with paused(server):
                caller.send_bytes(WIRES[0].call(1) + WIRES[0].call(2)[:-1])
            self.assertEqual(sum(caller.take_answers()), 1)
            caller.close()
            server.wait(0)
            self.assertIn("a call unanswered or a reply not sent completely: 1", server.stderr())
            self.assertIn("drain incomplete", server.stderr())

    def test_who_keeps_calling_is_served_as_long_as_the_drain_may_take(self):
        for wire in WIRES[:3]:
            with self.subTest(wire.name), Server("rps-jsonrpc", "--drain=1000") as server:
                with Caller(wire, server) as caller:
                    caller.send_bytes(wire.call(1))
                    self.assertIsNotNone(caller.framing.read(caller.stream))
                    flood = threading.Thread(target=self.keep_calling, args=(caller,), daemon=True)
                    flood.start()
                    server.send_signal()
                    with contextlib.suppress(ConnectionResetError):
                        while caller.stream.read1():
                            pass
                    server.wait(0)
                    with contextlib.suppress(OSError):
                        caller.socket.shutdown(socket.SHUT_RDWR)
                    flood.join(PATIENCE)
                # It was cut off, or its last calls came after the last reply: the log says which.
                self.assertRegex(server.stderr(), "cut off|arrived after their last reply")

    def keep_calling(self, caller: Caller):
        data = caller._wire.call(2) * 500
        with contextlib.suppress(OSError):
            while True:
                caller.socket.sendall(data)


class Backlog(unittest.TestCase):
    def test_who_reads_late_gets_every_answer(self):
        """The server had stopped reading the calls, as their answers were not taken."""
        for wire in WIRES[:3]:
            with (self.subTest(wire.name),
                  Server("rps-jsonrpc", "--drain=600000", "--max-unsent-bytes=2000",
                         PATIENT) as server,
                  Caller(wire, server) as caller):
                caller.send_calls(MORE_CALLS)
                wait_until_settled([caller])
                self.assertFalse(caller.has_sent_all())
                received = caller.calls_received()
                sender = caller.complete_last_call()
                server.send_signal()
                eventually(lambda: "draining" in server.stderr(), "the drain has begun")
                self.assertGreaterEqual(sum(caller.take_answers()), received)
                sender.join()
                caller.close()
                server.wait(0)
                self.assertIn(DRAINED, server.stderr())

    def test_who_never_reads_is_cut_off_and_the_log_says_so(self):
        with (Server("rps-jsonrpc", "--drain=100", "--max-unsent-bytes=2000") as server,
              Caller(WIRES[0], server) as caller):
            caller.send_calls(MORE_CALLS)
            wait_until_settled([caller])
            self.assertFalse(caller.has_sent_all())
            server.send_signal()
            server.wait(0)
            self.assertIn("a call unanswered or a reply not sent completely: 1", server.stderr())
            self.assertIn("drain incomplete", server.stderr())


if __name__ == "__main__":
    unittest.main()
