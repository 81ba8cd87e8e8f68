"""What a broken network does between a client and stage 2's server, over each framing.

Ten conditions, each in the directions in which it means something. While one holds, the server must
answer rightly, or end the connection and count why; no wrong answer and no wait without end. Once
it is lifted, service is normal: directly, through the gate, and nothing is left open.
"""

import contextlib
import functools
import pathlib
import re
import socket
import subprocess
import sys
import unittest
from collections.abc import Callable

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "process"))

from abuse import wait_for_close  # noqa: E402
from framings import FRAMINGS, Framing, Peer, call, check_round, error_of, play  # noqa: E402
from gate import (Close, CloseAfter, CloseOnData, Corrupt, Delay, Fault, Gate,  # noqa: E402
                  NoAnswer, NoRead, Nothing, Slice, Throttle, Way)
from rps_process import PATIENCE, Server, binary, check_at_once, eventually  # noqa: E402

# Milliseconds. Short, as each test that expects a cut waits for one.
SHORT_LIMITS = ["--first-frame-timeout=1500", "--frame-timeout=1500", "--write-timeout=1500",
                "--idle-timeout=3000", "--linger=200"]
PLAYS_TO_CHECK = 3


class House:
    """A server, a gate before it, and what was open before anything went wrong."""

    def __init__(self, framing: Framing, limits: list[str]):
        self.framing = framing
        self.server = Server("rps-jsonrpc", *limits, admin=True)
        self.gate = Gate(self.server.address)
        self.check_service(self.server.address)
        self.fd_count = eventually(self._fd_count_without_connections, "all is closed")

    def _fd_count_without_connections(self) -> int | None:
        return self.server.fd_count() if self.server.metrics()["rps_connections"] == 0 else None

    def peer(self) -> Peer:
        """A client beyond the gate."""
        return Peer(self.framing, self.gate.address)

    def check_service(self, address: tuple[str, int]):
        with Peer(self.framing, address) as peer:
            for number in range(PLAYS_TO_CHECK):
                peer.check_play(number)

    def check_recovered(self):
        self.check_service(self.server.address)
        self.gate.restore()
        self.check_service(self.gate.address)
        eventually(lambda: self.server.metrics()["rps_connections"] == 0, "no connection is open")
        # The scrape itself has a descriptor, which may still be open.
        eventually(lambda: self.server.fd_count() <= self.fd_count, "no descriptor is left open")

    def plays(self) -> float:
        return self.server.metrics().get(
            'rps_requests_total{operation="play",error_class="ok"}', 0)

    def wait_for_cut(self, *reasons: str):
        counted = eventually(self.server.cuts, f"a connection is cut for one of {reasons}")
        assert set(counted) <= set(reasons), counted

    def __enter__(self):
        return self

    def __exit__(self, failure, *rest):
        self.gate.__exit__(failure, *rest)
        self.server.__exit__(failure, *rest)


# -- The conditions, and what must be seen on either side ------------------------------------------

def nobody_is_accepted(house: House):
    house.gate.accept_nobody()
    with house.peer() as peer:
        peer.send(play(1))
        house.check_service(house.server.address)
        house.gate.restore()
        check_round(peer.receive_json(), 1)


def play_is_cut(house: House, peer: Peer, reason: str):
    """A play that is never answered, by a server that ends the connection for that reason."""
    peer.send(play(1))
    assert peer.receive() is None
    house.wait_for_cut(reason)


def requests_are_not_read(house: House):
    house.gate.break_to_server(NoRead())
    with house.peer() as peer:
        play_is_cut(house, peer, "first_frame")


def replies_are_not_read(house: House):
    house.gate.break_to_client(NoRead())
    with house.peer() as peer:
        flood(peer)
        house.wait_for_cut("write_stall")


def flood(peer: Peer):
    """Calls until the server takes no more."""
    peer.socket.settimeout(0.2)
    calls = b"".join(peer.framing.encode(play(number)) for number in range(1000))
    with contextlib.suppress(TimeoutError, BrokenPipeError, ConnectionResetError):
        while True:
            peer.socket.sendall(calls)


def requests_are_lost(house: House):
    house.gate.break_to_server(NoAnswer())
    with house.peer() as peer:
        play_is_cut(house, peer, "first_frame")


def the_end_of_a_request_is_lost(house: House):
    whole = house.framing.encode(play(1))
    house.gate.break_to_server(NoAnswer(after_bytes=len(whole) + len(whole) // 2))
    with house.peer() as peer:
        peer.check_play(1)
        play_is_cut(house, peer, "slow_frame")


def replies_are_lost(house: House):
    house.gate.break_to_client(NoAnswer())
    with house.peer() as peer:
        play_is_cut(house, peer, "idle")


def it_closes(house: House):
    """Nothing comes back, and the server only sees connections that end."""
    for _ in range(20):
        with house.peer() as peer:
            peer.send(play(1))
            assert peer.receive() is None
    assert not house.server.cuts(), house.server.cuts()


def it_closes_at_once(house: House):
    house.gate.break_to_server(Close())
    it_closes(house)


def it_closes_when_a_request_comes(house: House):
    house.gate.break_to_server(CloseOnData())
    it_closes(house)
    assert house.plays() == PLAYS_TO_CHECK, house.plays()


def it_closes_when_a_reply_comes(house: House):
    house.gate.break_to_client(CloseOnData())
    it_closes(house)
    eventually(lambda: house.plays() == PLAYS_TO_CHECK + 20, "all are carried out all the same")


def it_closes_after_a_time(house: House):
    house.gate.break_to_client(CloseAfter(0.2))
    with house.peer() as peer:
        peer.check_play()
        assert peer.receive() is None
    assert not house.server.cuts(), house.server.cuts()


def requests_are_corrupt(house: House):
    """Of one flipped byte come a request with another meaning or two pieces of one, so there are at
    most two answers; and the server ends by itself what it waits for in vain."""
    for seed in range(60):
        house.gate.break_to_server(Corrupt(seed))
        with house.peer() as peer:
            peer.send(play(1))
            peer.socket.shutdown(socket.SHUT_WR)
            said = wait_for_close(peer.socket)
            assert said.count(b'"jsonrpc"') <= 2, said


def replies_are_corrupt(house: House):
    """The server does not know and must not mind."""
    house.gate.break_to_client(Corrupt(7))
    with house.peer() as peer:
        for number in range(50):
            peer.send(play(number))
        peer.socket.shutdown(socket.SHUT_WR)
        assert wait_for_close(peer.socket)
    assert not house.server.cuts(), house.server.cuts()


def requests_trickle(house: House):
    house.gate.break_to_server(Throttle(bytes_per_second=10))
    with house.peer() as peer:
        peer.send(play(1))
        peer.read_to_end()
        house.wait_for_cut("first_frame", "slow_frame")


def is_only_slow(*, to_server: Fault | None = None, to_client: Fault | None = None):
    """The condition that these faults slow everything, by which no answer may change."""
    def check(house: House):
        house.gate.break_to_server(to_server or Nothing())
        house.gate.break_to_client(to_client or Nothing())
        with house.peer() as peer:
            for number in range(3):
                peer.check_play(number)
            peer.send(call(9, "no"))
            assert error_of(peer.receive_json()) == (-32601, 9)
        assert not house.server.cuts(), house.server.cuts()
    return check


CONDITIONS_WITH_SHORT_LIMITS: dict[str, Callable[[House], None]] = {
    "requests are not read": requests_are_not_read,
    "replies are not read": replies_are_not_read,
    "requests are lost": requests_are_lost,
    "the end of a request is lost": the_end_of_a_request_is_lost,
    "replies are lost": replies_are_lost,
    "requests are corrupt": requests_are_corrupt,
    "requests trickle": requests_trickle,
}

# The server must not cut these, however late the machine lets the gate run.
CONDITIONS_WITH_USUAL_LIMITS: dict[str, Callable[[House], None]] = {
    "nobody is accepted": nobody_is_accepted,
    "it closes at once": it_closes_at_once,
    "it closes when a request comes": it_closes_when_a_request_comes,
    "it closes when a reply comes": it_closes_when_a_reply_comes,
    "it closes after a time": it_closes_after_a_time,
    "replies are corrupt": replies_are_corrupt,
    "requests are late": is_only_slow(to_server=Delay(0.05)),
    "replies are late": is_only_slow(to_client=Delay(0.05)),
    "requests are throttled": is_only_slow(to_server=Throttle(bytes_per_second=2000)),
    "replies are throttled": is_only_slow(to_client=Throttle(bytes_per_second=4000)),
    "requests are sliced": is_only_slow(to_server=Slice()),
    "replies are sliced": is_only_slow(to_client=Slice()),
}


class Conditions(unittest.TestCase):
    def test_each_over_each_framing(self):
        def check(framing: Framing, limits: list[str], condition: Callable[[House], None]):
            with House(framing, limits) as house:
                condition(house)
                house.check_recovered()

        check_at_once(self, {
            (framing.name, name): functools.partial(check, framing, limits, condition)
            for limits, conditions in ((SHORT_LIMITS, CONDITIONS_WITH_SHORT_LIMITS),
                                       ([], CONDITIONS_WITH_USUAL_LIMITS))
            for name, condition in conditions.items() for framing in FRAMINGS})


# -- Our own client behind the gate ----------------------------------------------------------------

class OwnClient(unittest.TestCase):
    """It says what is wrong and ends; whoever waits for it is not left waiting."""

    SPELLINGS = ("", "?codec=msgpack", "?codec=binary", "?framing=line", "?framing=http")

    # How the gate is broken, and what becomes of the case.
    CONDITIONS: dict[str, tuple[Callable[[Gate], None], str]] = {
        "nothing": (lambda gate: gate.restore(), "passed"),
        "nobody is accepted": (lambda gate: gate.accept_nobody(), "failed"),
        "requests are lost": (lambda gate: gate.break_to_server(NoAnswer()), "failed"),
        "replies are lost": (lambda gate: gate.break_to_client(NoAnswer()), "failed"),
        "the end of a reply is lost": (lambda gate: gate.break_to_client(NoAnswer(30)), "failed"),
        "it closes at once": (lambda gate: gate.break_to_server(Close()), "failed"),
        "it closes on a request": (lambda gate: gate.break_to_server(CloseOnData()), "failed"),
        "it closes on a reply": (lambda gate: gate.break_to_client(CloseOnData()), "failed"),
        "replies begin wrong": (lambda gate: gate.break_to_client(CorruptFirst()), "failed"),
        "replies are late": (lambda gate: gate.break_to_client(Delay(0.05)), "passed"),
        "replies are throttled": (lambda gate: gate.break_to_client(Throttle(4000)), "passed"),
        "replies are sliced": (lambda gate: gate.break_to_client(Slice()), "passed"),
    }

    def test_each_condition_has_a_clear_end(self):
        def check(spelling: str, break_gate: Callable[[Gate], None], verdict: str):
            with Server("rps-jsonrpc") as server, Gate(server.address) as gate:
                break_gate(gate)
                url = "jsonrpc://{}:{}".format(*gate.address) + spelling
                patience = "--patience=" + ("1500" if verdict == "failed" else "20000")
                done = subprocess.run(
                    [binary("rps-conformance"), "--only=round/without_session", patience, url],
                    capture_output=True, text=True, timeout=PATIENCE, check=False)
                self.assertRegex(done.stdout, rf"{verdict} +round/without_session", done.stderr)
                self.assertEqual(done.returncode, 0 if verdict == "passed" else 1, done.stdout)
                if verdict == "failed":
                    self.assertRegex(done.stdout, re.escape(url) + r": \w+", "does not say why")

        check_at_once(self, {
            (spelling, name): functools.partial(check, spelling, *condition)
            for name, condition in self.CONDITIONS.items() for spelling in self.SPELLINGS})


class CorruptFirst(Fault):
    """Corrupts what says where a message begins."""

    def carry(self, data: bytes, way: Way):
        way.write(b"?" + data[1:])


if __name__ == "__main__":
    unittest.main()
