"""A thousand peers that stall, 200 under a sanitizer: they are cut off by the limits and counted,
they cost little memory, and whoever plays meanwhile is answered rightly."""

import contextlib
import socket
import unittest

from abuse import unharmed
from framings import FRAMINGS, Framing, Frames, Http, Lines, Peer, play
from rps_process import IS_SANITIZED, Server, eventually

PEERS = 200 if IS_SANITIZED else 1000
KIB = 1024
UNSENT_MAX = 64 * KIB

# Milliseconds. Whoever has not yet sent a whole message is cut first, so the two can be told apart.
FIRST_MESSAGE_MAX = 1000
MESSAGE_MAX = 2000

# No call is refused for want of time: what is tried here is who is served, not how fast.
PATIENT = ["--overload-after=60000", "--linger=100"]


class Trickle:
    """A message of one framing that never comes to its end, a byte at a time."""

    def __init__(self, framing: Framing, beginning: bytes, filler: bytes):
        self.framing = framing
        self._beginning = beginning
        self._filler = filler

    def byte(self, number: int) -> bytes:
        return self._beginning[number:number + 1] or self._filler


TRICKLES = [
    Trickle(Frames(), b"\xca\xfe\x01\xff\xff{", b" "),
    Trickle(Lines(), b'{"jsonrpc":', b" "),
    Trickle(Http(), b"POST /rpc HTTP/1.1\r\nHost: localhost\r\nX-Long: ", b"x"),
    Trickle(Http(), b"POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                    b"Content-Length: 1000000\r\n\r\n{", b" "),
]


class SlowPeer:
    def __init__(self, server: Server, trickle: Trickle, *, plays_first: bool):
        self.peer = Peer(trickle.framing, server.address)
        if plays_first:
            self.peer.check_play()
        self._trickle = trickle
        self._sent = 0

    def drip(self):
        self.peer.send_bytes(self._trickle.byte(self._sent))
        self._sent += 1


class StalledPeers(unittest.TestCase):
    def check_memory(self, most_bytes: int, bytes_per_peer_max: int):
        if not IS_SANITIZED:
            self.assertLess(most_bytes / PEERS, bytes_per_peer_max)


class SlowSenders(StalledPeers):
    """Slow-loris: a byte now and then, in every place in which a message can be unfinished."""

    def test_they_are_cut_and_nobody_else_minds(self):
        with contextlib.ExitStack() as stack:
            server = stack.enter_context(Server(
                "rps-jsonrpc", f"--first-frame-timeout={FIRST_MESSAGE_MAX}",
                f"--frame-timeout={MESSAGE_MAX}", *PATIENT, admin=True))
            stack.enter_context(unharmed(server))
            players = [stack.enter_context(Peer(framing, server.address)) for framing in FRAMINGS]
            for player in players:
                player.check_play()
            before = server.rss_bytes()
            slow = [SlowPeer(server, TRICKLES[number % len(TRICKLES)],
                             plays_first=number % 8 >= 4) for number in range(PEERS)]
            for one in slow:
                stack.callback(one.peer.close)

            most_bytes = 0

            def are_cut() -> bool:
                nonlocal most_bytes
                for one in slow:
                    one.drip()
                for player in players:
                    player.check_play()
                most_bytes = max(most_bytes, server.rss_bytes() - before)
                return sum(server.cuts().values()) >= PEERS
            eventually(are_cut, "the slow are cut")

            self.assertEqual(server.cuts(), {"first_frame": PEERS / 2, "slow_frame": PEERS / 2})
            self.check_memory(most_bytes, 8 * KIB)
            eventually(lambda: server.metrics()["rps_connections"] == len(players),
                       "only the players are left")


def batch_of_plays(calls: int) -> bytes:
    return b"[" + b",".join(play(number) for number in range(calls)) + b"]"


class NeverReader:
    """Asks for more than anybody would store, and reads nothing."""

    def __init__(self, server: Server, framing: Framing):
        self.peer = Peer(framing, server.address, receive_bytes=4096)
        self.peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        self.peer.socket.setblocking(False)
        self._calls = framing.encode(batch_of_plays(100))
        self._unsent = b""

    def ask(self):
        """As much as the server takes now, or a good part of it."""
        with contextlib.suppress(BlockingIOError, BrokenPipeError, ConnectionResetError):
            for _ in range(1000):
                self._unsent = self._unsent or self._calls
                self._unsent = self._unsent[self.peer.socket.send(self._unsent):]


class NeverReaders(StalledPeers):
    def test_they_are_cut_and_cost_no_more_than_their_share(self):
        with contextlib.ExitStack() as stack:
            server = stack.enter_context(Server(
                "rps-jsonrpc", "--write-timeout=800", f"--max-unsent-bytes={UNSENT_MAX}", *PATIENT,
                admin=True))
            stack.enter_context(unharmed(server))
            players = [stack.enter_context(Peer(framing, server.address)) for framing in FRAMINGS]
            before = server.rss_bytes()
            most_bytes = 0
            readers = []
            for number in range(PEERS):
                readers.append(NeverReader(server, FRAMINGS[number % len(FRAMINGS)]))
                stack.callback(readers[-1].peer.close)

            def are_cut() -> bool:
                nonlocal most_bytes
                for number, reader in enumerate(readers):
                    reader.ask()
                    if number % 50 == 0:
                        players[number % len(players)].check_play()
                most_bytes = max(most_bytes, server.rss_bytes() - before)
                return server.cuts().get("write_stall", 0) >= PEERS
            eventually(are_cut, "those that read nothing are cut")
            self.assertEqual(server.cuts(), {"write_stall": PEERS})
            # Replies, in memory that grows by doubling, and the requests that wait behind them.
            self.check_memory(most_bytes, 2 * UNSENT_MAX + 64 * KIB)


if __name__ == "__main__":
    unittest.main()
