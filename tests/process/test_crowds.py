"""Stages 3 and 4 with many peers that hold on to what they have: idle connections, calls without
room for an answer, frames and messages that never end, streams whose answers nobody reads,
spectators. They cost a bounded amount of memory and hardly any processor time, whoever plays
meanwhile is answered, and peers who answer no PING are sent away. What makes work without end is in
test_floods.py."""

import contextlib
import os
import resource
import socket
import time
import unittest

import grpc_wire
from grpc_wire import (DATA, HEADERS, MOVES, PREFACE, RST_STREAM, Connection, call_body,
                       call_headers, fields, h2_frame, message, play_request, settings)
from rps_process import IS_SANITIZED, PATIENCE, Server, eventually, grpc_servers
from test_exhaustion import may_open
from wire import check_play

KIB = 1024
MIB = KIB * KIB
ROCK = MOVES["ROCK"]
IDLE = 10_000
PEERS = 200
ROUNDS_MEANWHILE = 20
OWN_DESCRIPTORS = 200


def cpu_seconds(server: Server) -> float:
    """Processor time that it has used."""
    with open(f"/proc/{server.pid}/stat", encoding="ascii") as stat:
        after_name = stat.read().rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")


class Crowd:
    """Connections that have sent an opening. They read what has arrived only when told to."""

    def __init__(self, server: Server, count: int, opening: bytes):
        self._stack = contextlib.ExitStack()
        self.sockets = []
        for _ in range(count):
            self.sockets.append(self._connect(server, opening))

    def _connect(self, server: Server, opening: bytes) -> socket.socket:
        connection = self._stack.enter_context(grpc_wire.connect(server.address))
        with contextlib.suppress(OSError):
            connection.sendall(opening)
        return connection

    def read_until(self, mark: bytes):
        """Reads on each connection until these bytes have come."""
        for connection in self.sockets:
            said = b""
            while mark not in said:
                chunk = connection.recv(65536)
                assert chunk, f"closed after {said!r}"
                said += chunk

    def wait_for_closes(self):
        for connection in self.sockets:
            grpc_wire.is_closed_by_peer(connection)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stack.close()


class CrowdTest(unittest.TestCase):
    def setUp(self):
        may_open(IDLE + OWN_DESCRIPTORS)

    def check_players(self, server: Server):
        """Others are answered, on one connection and each on its own. These acknowledge PINGs only
        while they wait for an answer, so none stays open while others play."""
        with Connection(server.address) as player:
            for _ in range(ROUNDS_MEANWHILE):
                player.check_play()
        for _ in range(ROUNDS_MEANWHILE):
            with Connection(server.address) as newcomer:
                newcomer.check_play()

    def check_quiet(self, server: Server):
        """Peers that do nothing cost no processor time to speak of."""
        before = cpu_seconds(server)
        time.sleep(1)
        self.assertLess(cpu_seconds(server) - before, 0.5)

    def check_growth(self, server: Server, before: int, bytes_max: int):
        if not IS_SANITIZED:
            self.assertLess(server.rss_bytes() - before, bytes_max)


class IdleConnections(CrowdTest):
    """A call, and then nothing."""

    BYTES_MAX = 40 * KIB  # Of one connection.
    OPENING = PREFACE + settings() + call_headers(1) + call_body(1, play_request(ROCK))

    def test_a_thousand_and_ten_thousand(self):
        for name in grpc_servers():
            with Server(name, admin=True) as server:
                check_play(server)
                before = server.rss_bytes()
                for count in (IDLE // 10, self.most_idle()):
                    with self.subTest(name, count=count), \
                            Crowd(server, count, self.OPENING) as crowd:
                        crowd.read_until(b"grpc-status")
                        self.assertEqual(server.metrics()["rps_connections"], count)
                        self.check_growth(server, before, count * self.BYTES_MAX)
                        self.check_players(server)
                        self.check_quiet(server)
                    self.assertEqual(server.cuts(), {})
                    eventually(lambda: server.metrics()["rps_connections"] == 0, "all are closed")

    @staticmethod
    def most_idle() -> int:
        """As many as this process may open, and so many that the server has room for the players,
        also while it has not yet seen that those before have closed."""
        descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        return min(IDLE - 1 - ROUNDS_MEANWHILE, descriptors - OWN_DESCRIPTORS)


class HeldForEver(CrowdTest):
    """Peers that have begun something and do not go on, nor answer a PING."""

    OPENINGS = {
        "half a frame header": PREFACE + settings() + b"\x00\x00\x05\x00",
        "half a HEADERS frame": PREFACE + settings() + call_headers(1)[:-20],
        "headers without their end": PREFACE + settings() + h2_frame(
            HEADERS, 0, 1, call_headers(1)[9:]),
        "half a DATA frame": PREFACE + settings() + call_headers(1)
        + call_body(1, play_request(ROCK))[:-1],
        "half a message": PREFACE + settings() + call_headers(1, "Rally")
        + h2_frame(DATA, 0, 1, message(play_request(ROCK))[:-1]),
        "calls without room for an answer": PREFACE + settings(initial_window_size=0) + b"".join(
            call_headers(stream) + call_body(stream, play_request(ROCK))
            for stream in range(1, 20, 2)),
    }
    BYTES_MAX = 256 * KIB  # Of one connection.

    def test_cost_little_and_are_sent_away(self):
        for name in grpc_servers():
            for what, opening in self.OPENINGS.items():
                with self.subTest(name, what=what), \
                        Server(name, "--keepalive-after=1s", "--keepalive-timeout=1s",
                               admin=True) as server:
                    check_play(server)
                    before = server.rss_bytes()
                    with Crowd(server, PEERS, opening) as crowd:
                        self.check_growth(server, before, PEERS * self.BYTES_MAX)
                        self.check_players(server)
                        crowd.wait_for_closes()
                    with Connection(server.address) as newcomer:
                        newcomer.check_play()


class NeverReaders(CrowdTest):
    """Peers that send rounds as fast as they are taken, and read no answer."""

    BYTES_MAX = 512 * KIB  # Of one connection: windows, and answers that wait for room.

    def test_of_a_rally(self):
        opening = PREFACE + settings() + call_headers(1, "Rally")
        rounds = h2_frame(DATA, 0, 1, message(play_request(ROCK))) * 200
        for name in grpc_servers():
            with self.subTest(name), \
                    Server(name, "--keepalive-after=2s", "--keepalive-timeout=2s",
                           admin=True) as server:
                check_play(server)
                before = server.rss_bytes()
                with Crowd(server, PEERS, opening) as crowd:
                    self.flood(crowd, rounds)
                    self.check_growth(server, before, PEERS * self.BYTES_MAX)
                    self.check_players(server)
                    crowd.wait_for_closes()
                check_play(server)

    def flood(self, crowd: Crowd, rounds: bytes):
        """As much as the server takes on each connection; HTTP/2's windows are not minded."""
        for connection in crowd.sockets:
            connection.settimeout(0.05)
            with contextlib.suppress(OSError):
                for _ in range(100):
                    connection.sendall(rounds)
            connection.settimeout(PATIENCE)


# Of DuelRequest, DuelResponse and WatchResponse in rps.proto.
JOIN, THROW, LEAVE = 1, 2, 3
REFUSED, EVENT = 4, 5
SNAPSHOT, JOINED, READY, ROUND_OVER = 2, 3, 4, 5
OPPONENT_JOINED = 3

RESET = h2_frame(RST_STREAM, 0, 1, b"1234")[:9]  # Of stream 1, whatever the reason.


def field(number: int, value: bytes) -> bytes:
    return bytes([number << 3 | 2, len(value)]) + value


class Responses:
    """The responses of a stream on a connection that has no other."""

    def __init__(self, connection: Connection, stream: int):
        self._connection = connection
        self._stream = stream
        self._unread = b""

    def next(self) -> dict[int, int | bytes]:
        while len(self._unread) < 5 or len(self._unread) < self._size():
            self._unread += self._connection.read_until(DATA, stream=self._stream)
        payload, self._unread = self._unread[5:self._size()], self._unread[self._size():]
        return fields(payload)

    def _size(self) -> int:
        return 5 + int.from_bytes(self._unread[1:5], "big")


class Duelist:
    """A player of a duel on a connection of its own, who reads everything."""

    def __init__(self, server: Server, game_id: bytes, player_id: bytes):
        self._self = field(1, game_id) + field(2, player_id)
        self._connection = Connection(server.address)
        self._stream = self._connection.open("Duel", self.request(JOIN), ends=False)
        self._responses = Responses(self._connection, self._stream)
        self._events = []  # That came before replies.
        self.await_reply()

    def request(self, what: int, more: bytes = b"") -> bytes:
        return field(what, self._self + more)

    def ask(self, what: int, more: bytes = b""):
        self._connection.send(h2_frame(DATA, 0, self._stream, message(self.request(what, more))))
        self.await_reply()

    def throw(self):
        self.ask(THROW, bytes([3 << 3, ROCK]))

    def await_reply(self):
        while EVENT in (response := self._responses.next()):
            self._events.append(response[EVENT])
        assert REFUSED not in response, response

    def await_event(self, number: int):
        """The next event of this kind; those before it are forgotten."""
        while number not in fields(self._next_event()):
            pass

    def _next_event(self) -> bytes:
        return self._events.pop(0) if self._events else self._responses.next()[EVENT]

    def close(self):
        self._connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Spectators(CrowdTest):
    """Ten thousand who watch, on a thousand connections, while little happens."""

    CONNECTIONS = 1_000
    GAMES = [b"game-%d" % number for number in range(10)]  # Each connection watches all of them.
    BYTES_MAX = 400 * KIB  # Of one connection.
    FLAGS = [f"--max-spectators-per-duel={CONNECTIONS}", "--max-calls=200000",
             "--keepalive-after=1h"]

    def test_cost_little_and_see_what_happens(self):
        opening = PREFACE + settings() + b"".join(
            call_headers(stream, "Watch") + call_body(stream, field(1, game))
            for stream, game in zip(range(1, 2 * len(self.GAMES), 2), self.GAMES))
        for name in grpc_servers():
            with self.subTest(name), contextlib.ExitStack() as stack:
                server = stack.enter_context(Server(name, *self.FLAGS, admin=True))
                for game in self.GAMES:
                    stack.enter_context(Duelist(server, game, b"one"))
                before = server.rss_bytes()
                crowd = stack.enter_context(Crowd(server, self.CONNECTIONS, opening))
                count = self.CONNECTIONS * len(self.GAMES)
                eventually(lambda: server.metrics()["rps_spectators"] == count, "all watch")
                self.check_growth(server, before, self.CONNECTIONS * self.BYTES_MAX)
                self.check_players(server)
                self.check_quiet(server)
                for game in self.GAMES:
                    stack.enter_context(Duelist(server, game, b"two"))
                for connection in crowd.sockets:
                    self.check_seen(connection)
                self.assertEqual(server.metrics()["rps_spectators"], count)
                self.assertEqual(server.cuts(), {})

    def check_seen(self, connection: socket.socket):
        """Each duel was shown as it stood, and then that the other player joined."""
        wanted = len(self.GAMES) * [SNAPSHOT, JOINED]
        while wanted:
            frame = grpc_wire.read_frame(connection)
            self.assertIsNotNone(frame, "closed by the server")
            kind, _, _, payload = frame
            if kind == DATA:
                seen = fields(payload[5:])
                wanted.remove(next(event for event in (SNAPSHOT, JOINED) if event in seen))


class DeafInDuels(CrowdTest):
    """Spectators and players who leave no room for what they are told."""

    WAITING_MAX = 8
    DUELS = 50
    BYTES_MAX = 256 * KIB  # Of one connection.
    DEAF = PREFACE + settings(initial_window_size=0)

    def test_spectators_are_cut_and_the_others_notice_nothing(self):
        watch = field(1, b"watched")
        for name in grpc_servers():
            with self.subTest(name), contextlib.ExitStack() as stack:
                server = stack.enter_context(Server(
                    name, f"--max-waiting-events={self.WAITING_MAX}",
                    f"--max-spectators-per-duel={PEERS + 1}", admin=True))
                one, two = [stack.enter_context(Duelist(server, b"watched", player))
                            for player in (b"one", b"two")]
                reader = stack.enter_context(Connection(server.address))
                seen = Responses(reader, reader.open("Watch", watch, ends=True))
                self.assertIn(SNAPSHOT, seen.next())
                before = server.rss_bytes()
                opening = self.DEAF + call_headers(1, "Watch") + call_body(1, watch)
                stack.enter_context(Crowd(server, PEERS, opening))
                eventually(lambda: server.metrics()["rps_spectators"] == PEERS + 1, "all watch")
                for _ in range(2 * self.WAITING_MAX):
                    for player, event in ((one, READY), (two, ROUND_OVER)):
                        player.throw()
                        self.assertIn(event, seen.next())
                cut = 'rps_streams_cut_total{method="Watch"}'
                eventually(lambda: server.metrics()[cut] == PEERS, "the deaf are cut")
                self.assertEqual(server.metrics()["rps_spectators"], 1)
                self.check_growth(server, before, PEERS * self.BYTES_MAX)
                self.check_players(server)
                self.check_quiet(server)

    def test_players_are_cut_and_their_opponents_play_on(self):
        for name in grpc_servers():
            with self.subTest(name), contextlib.ExitStack() as stack:
                server = stack.enter_context(Server(
                    name, f"--max-waiting-events={self.WAITING_MAX}", admin=True))
                games = [b"game-%d" % number for number in range(self.DUELS)]
                opponents = [stack.enter_context(Duelist(server, game, b"one")) for game in games]
                before = server.rss_bytes()
                deaf = []
                for game in games:
                    join = field(JOIN, field(1, game) + field(2, b"deaf"))
                    deaf.append(stack.enter_context(Crowd(
                        server, 1, self.DEAF + call_headers(1, "Duel")
                        + h2_frame(DATA, 0, 1, message(join)))))
                for opponent in opponents:
                    opponent.await_event(OPPONENT_JOINED)
                    for _ in range(self.WAITING_MAX):
                        opponent.ask(LEAVE)
                        opponent.ask(JOIN)  # The other is told of both.
                for peer in deaf:
                    peer.read_until(RESET)
                self.assertEqual(server.metrics()['rps_streams_cut_total{method="Duel"}'],
                                 self.DUELS)
                for opponent in opponents:
                    opponent.ask(JOIN)
                self.check_growth(server, before, self.DUELS * self.BYTES_MAX)
                self.check_players(server)
                self.check_quiet(server)


if __name__ == "__main__":
    unittest.main()
