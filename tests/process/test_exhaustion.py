"""More than a server has room for: descriptors, bytes, calls of a batch, depth. It refuses what is
too much before it stores it, and goes on as before."""

import contextlib
import json
import resource
import socket
import unittest

from abuse import connect, send, settled_fd_count, unharmed, wait_for_close
from framings import (FRAMINGS, Framing, Frames, Http, Lines, Peer, call, check_round, error_of,
                      play, read_answer)
from rps_process import IS_SANITIZED, Server, built_servers, eventually
from wire import check_play

PARSE_ERROR, INVALID_REQUEST, TOO_LARGE = -32700, -32600, -32003
KIB = 1024
MIB = 1024 * KIB
DESCRIPTORS = 256
FLOOD = 5000


def may_open(descriptors: int):
    """Lets this process have as many, if anybody may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < descriptors:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(descriptors, hard), hard))


def flood(stack: contextlib.ExitStack, server: Server):
    """Connects, and waits for nothing."""
    for _ in range(FLOOD):
        one = stack.enter_context(socket.socket())
        one.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            one.connect(server.address)


def is_served(server: Server, framing: Framing) -> bool:
    with Peer(framing, server.address) as peer:
        peer.send(play(1))
        answer = peer.receive()
        if answer is not None:
            check_round(json.loads(answer), 1)
        return answer is not None


class Descriptors(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        may_open(FLOOD + 200)

    def check_flood(self, server: Server):
        """Who was there before is served during it, and everybody after it."""
        with unharmed(server), Peer(Frames(), server.address) as early:
            early.check_play()
            with contextlib.ExitStack() as stack:
                flood(stack, server)
                for number in range(100):
                    early.check_play(number)
            for framing in FRAMINGS:  # As soon as the flood's last descriptors are closed.
                eventually(lambda: is_served(server, framing), f"{framing.name} are served again")

    def test_a_flood_within_what_the_process_may_have(self):
        """The limit of connections follows the limit of descriptors, and is what is reached."""
        with Server("rps-jsonrpc", admin=True,
                    prefix=("prlimit", f"--nofile={DESCRIPTORS}")) as server:
            self.check_flood(server)
            self.assertEqual(server.stderr().count("connections may be open"), 1)
            self.assertNotIn("cannot accept", server.stderr())
            self.assertEqual(server.cuts().keys(), {"gave_way"})

    @unittest.skipIf(IS_SANITIZED, "a sanitizer does not work without descriptors")
    def test_a_flood_when_there_are_no_descriptors(self):
        """As when something else of the process took them; said once each time it begins, not once
        a connection. A flood that pauses begins again."""
        with Server("rps-jsonrpc", "--threads=1") as server:
            resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))
            self.check_flood(server)
            complaints = server.stderr().count("cannot accept")
            self.assertGreater(complaints, 0)
            self.assertLess(complaints, FLOOD / 100)


@unittest.skipIf(IS_SANITIZED, "a sanitizer does not work without descriptors")
class NewcomersWithoutDescriptors(unittest.TestCase):
    """A peer for whom there is no descriptor is closed: left to wait, it could not tell that from a
    slow server."""

    NEWCOMERS = 20

    def test_are_closed_and_later_served(self):
        for name in built_servers():
            with self.subTest(name), Server(name, admin=True) as server:
                check_play(server)
                # Without a look at the metrics, whose connection would leave a descriptor soon.
                descriptors = settled_fd_count(server)
                before = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
                resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (descriptors, before[1]))
                for _ in range(self.NEWCOMERS):
                    with connect(server) as newcomer:
                        self.assertEqual(wait_for_close(newcomer), b"")
                self.assertIn("cannot accept", server.stderr())
                resource.prlimit(server.pid, resource.RLIMIT_NOFILE, before)
                check_play(server)
                refused = 'rps_connections_refused_total{{reason="{}"}}'.format
                self.assertEqual(server.metrics()[refused("resources")], self.NEWCOMERS)
                self.assertEqual(server.metrics()[refused("limit")], 0)


class SilentConnections(unittest.TestCase):
    """As many connections as the server has room for, and nothing on them: they keep nobody out."""

    ROOM = 600  # Many times what is accepted at once: before it is read, all of that is in use.
    PATIENT = ["--first-frame-timeout=1h", "--idle-timeout=1h", "--give-way-after=1ms",
               "--linger=100"]
    BEGINNINGS = [b"", b"\r\n", b"\xca\xfe\x01\x00", b'{"jsonrpc":', b"POST /rpc HTTP/1.1\r\nHos"]

    @classmethod
    def setUpClass(cls):
        may_open(4 * cls.ROOM)

    def fill(self, stack: contextlib.ExitStack, server: Server, count: int) -> list[socket.socket]:
        silent = []
        for number in range(count):
            silent.append(stack.enter_context(connect(server)))
            silent[-1].sendall(self.BEGINNINGS[number % len(self.BEGINNINGS)])
        return silent

    def check_newcomers(self, server: Server):
        for framing in FRAMINGS:
            eventually(lambda: is_served(server, framing), f"{framing.name} are served")

    def check_full(self, *flags: str):
        with Server("rps-jsonrpc", *flags, admin=True) as server, unharmed(server), \
                contextlib.ExitStack() as stack:
            duelist, player = (stack.enter_context(Peer(Frames(), server.address))
                               for _ in range(2))
            duelist.check_call(call(1, "join", game_id="g", player_id="a"))
            player.check_play()
            silent = self.fill(stack, server, 3 * self.ROOM)
            player.check_play()
            self.check_newcomers(server)
            for connection in silent:  # A byte now and then is as good as none.
                send(connection, b" ")
            self.check_newcomers(server)
            player.check_play()
            duelist.check_call(call(2, "leave", game_id="g", player_id="a"))
            self.assertLessEqual(server.metrics()["rps_connections"], self.ROOM)
            self.assertEqual(server.cuts().keys(), {"gave_way"})
            self.assertGreater(server.cuts()["gave_way"], self.ROOM)
            eventually(lambda: "to make room for new ones" in server.stderr(), "the log says it")

    def test_give_way_when_there_are_too_many(self):
        for flags in (["--threads=1"], ["--threads=2"], ["--threads=2", "--accept=single"]):
            with self.subTest(flags):
                self.check_full(f"--max-connections={self.ROOM}", *self.PATIENT, *flags)

    def test_give_way_at_another_thread(self):
        """The kernel chooses the thread of a newcomer, which need not have an idle connection."""
        with Server("rps-jsonrpc", "--threads=8", "--max-connections=1", "--first-frame-timeout=1h",
                    admin=True) as server, contextlib.ExitStack() as stack:
            for _ in range(30):
                stack.enter_context(connect(server))
            self.check_newcomers(server)

    @unittest.skipIf(IS_SANITIZED, "a sanitizer does not work without descriptors")
    def test_give_way_when_there_are_no_descriptors(self):
        for flags in (["--threads=1"], ["--threads=2"], ["--threads=2", "--accept=single"]):
            with self.subTest(flags), \
                    Server("rps-jsonrpc", *self.PATIENT, *flags) as server, \
                    contextlib.ExitStack() as stack:
                player = stack.enter_context(Peer(Frames(), server.address))
                player.check_play()
                descriptors = settled_fd_count(server) + self.ROOM
                resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (descriptors, descriptors))
                self.fill(stack, server, 3 * self.ROOM)
                self.check_newcomers(server)
                player.check_play()


class IdleConnections(unittest.TestCase):
    """A connection that has been used gives way once it is idle, and not before."""

    def start(self, give_way_after: str) -> Server:
        return Server("rps-jsonrpc", "--threads=1", "--max-connections=3", "--linger=100",
                      f"--give-way-after={give_way_after}", admin=True)

    def test_the_longest_idle_one_gives_way(self):
        with self.start("1ms") as server, contextlib.ExitStack() as stack:
            peers = [stack.enter_context(Peer(framing, server.address)) for framing in FRAMINGS]
            for peer in peers:
                peer.check_play()
            peers[0].check_play()  # So the second is idle for longer than the others.
            eventually(lambda: self.is_admitted(stack, server), "a newcomer is served")
            self.assertEqual(peers[1].read_to_end(), [])
            self.assertEqual(server.cuts(), {"gave_way": 1})

    def is_admitted(self, stack: contextlib.ExitStack, server: Server) -> bool:
        """In a duel, so that it stays."""
        peer = stack.enter_context(Peer(Frames(), server.address))
        peer.send(call(1, "join", game_id="g", player_id="a"))
        return peer.receive() is not None

    def test_who_is_in_use_stays(self):
        """A call within the last hour, a duel, half a message that has just begun."""
        with self.start("1h") as server, contextlib.ExitStack() as stack:
            player, duelist, sender = (stack.enter_context(Peer(Lines(), server.address))
                                       for _ in range(3))
            player.check_play()
            duelist.check_call(call(1, "join", game_id="g", player_id="a"))
            whole = Lines().encode(play(1))
            sender.check_play()
            sender.send_bytes(whole[:10])
            for _ in range(10):
                self.assertFalse(is_served(server, Frames()))
            sender.send_bytes(whole[10:])
            check_round(sender.receive_json(), 1)
            player.check_play()
            duelist.check_call(call(2, "leave", game_id="g", player_id="a"))
            self.assertEqual(server.cuts(), {})

    def test_who_plays_a_duel_stays(self):
        with self.start("1ms") as server, contextlib.ExitStack() as stack:
            duelists = [stack.enter_context(Peer(Frames(), server.address)) for _ in range(3)]
            for number, duelist in enumerate(duelists):
                duelist.check_call(call(1, "join", game_id=f"g{number}", player_id="a"))
            for _ in range(10):
                self.assertFalse(is_served(server, Lines()))
            for number, duelist in enumerate(duelists):
                duelist.check_call(call(2, "leave", game_id=f"g{number}", player_id="a"))


@unittest.skipIf(IS_SANITIZED, "a sanitizer ends a process that has no memory")
class Memory(unittest.TestCase):
    """While the process gets no more memory, connections fail. Afterwards none of them counts as
    open, none has kept its place, and the server drains at once."""

    LEFT = 24 * MIB  # What the process may still get.
    CONNECTIONS = 400

    def exhaust(self, server: Server) -> bool:
        """Whether memory was short. Connections store half a line each, of any size, so that no gap
        is left."""
        with contextlib.ExitStack() as stack:
            for number in range(self.CONNECTIONS):
                one = stack.enter_context(connect(server))
                one.setblocking(False)
                with contextlib.suppress(BlockingIOError, BrokenPipeError, ConnectionResetError):
                    one.send(b"{" + b" " * (10 ** (number % 6 + 1)))
        return "std::bad_alloc" in server.stderr()

    def open_connections(self, server: Server) -> float:
        return sum(value for sample, value in server.metrics().items()
                   if sample == "rps_connections" or
                   sample.startswith("rps_worker_connections{"))

    def test_nothing_is_lost_for_good(self):
        for accepting in ("shared-port", "single"):
            with self.subTest(accepting), \
                    Server("rps-jsonrpc", "--threads=2", f"--accept={accepting}", "--linger=100",
                           f"--max-connections={self.CONNECTIONS}", admin=True) as server:
                check_play(server)
                server.get("/metrics")
                limit = server.virtual_bytes() + self.LEFT
                resource.prlimit(server.pid, resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
                eventually(lambda: self.exhaust(server), "the server has no memory")
                resource.prlimit(server.pid, resource.RLIMIT_AS,
                                 (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
                eventually(lambda: self.open_connections(server) == 0, "all are closed")
                with contextlib.ExitStack() as stack:
                    peers = [stack.enter_context(Peer(Frames(), server.address))
                             for _ in range(self.CONNECTIONS - 1)]
                    for peer in peers:
                        peer.check_play()
                    refused = 'rps_connections_refused_total{reason="limit"}'
                    before = server.metrics()[refused]
                    check_play(server)
                    self.assertEqual(server.metrics()[refused], before)
                server.end()
                self.assertIn("drained; ", server.stderr())


class TooLarge(unittest.TestCase):
    """What is above a limit is refused as soon as that is known, and stored by nobody."""

    ATTEMPTS = 1000

    # What is sent, and what says that it is too large.
    OVERSIZED = [
        ("frames", b"\xca\xfe\x01\xff\xff" + b"x" * 60_000, lambda stream: Frames().read(stream)),
        ("lines", b"{" * 10_001, lambda stream: Lines().read(stream)),
        ("bodies", b"POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                   b"Content-Length: 10001\r\n\r\n" + b"x" * 10_001, read_answer),
        ("chunks", b"POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                   b"Transfer-Encoding: chunked\r\n\r\n2711\r\n" + b"x" * 10_001, read_answer),
        ("headers", b"GET /healthz HTTP/1.1\r\nX: " + b"x" * 10_001, read_answer),
    ]

    def refuse(self, server: Server, data: bytes, read):
        with connect(server) as connection:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.sendall(data)
            with connection.makefile("rb") as stream:
                said = read(stream)
                if isinstance(said, bytes):
                    self.assertEqual(error_of(json.loads(said)), (TOO_LARGE, None))
                else:
                    self.assertIn(said.status, (413, 431))
            self.assertEqual(wait_for_close(connection), b"")

    def test_a_thousand_of_each_cost_no_memory(self):
        with Server("rps-jsonrpc", "--max-frame-bytes=10000", "--max-line-bytes=10000",
                    "--max-body-bytes=10000", "--linger=100") as server, unharmed(server):
            for name, data, read in self.OVERSIZED:
                with self.subTest(name):
                    for _ in range(self.ATTEMPTS // 10):
                        self.refuse(server, data, read)
                    before = server.rss_bytes()
                    for _ in range(self.ATTEMPTS):
                        self.refuse(server, data, read)
                    if not IS_SANITIZED:
                        self.assertLess(server.rss_bytes() - before, MIB)


class Batches(unittest.TestCase):
    """A batch is bounded by its calls, however many bytes it may have."""

    def check(self, server: Server, framing: Framing, payload: bytes, code: int):
        with Peer(framing, server.address) as peer:
            peer.send(payload)
            self.assertEqual(error_of(peer.receive_json()), (code, None))
            if code != TOO_LARGE:
                peer.check_play()

    def test_280_000_calls(self):
        small = b"[" + b",".join([b"{}"] * 280_000) + b"]"
        self.assertLess(len(small), MIB)
        notification = b'{"jsonrpc":"2.0","method":"play","params":["ROCK"]}'
        large = b"[" + b",".join([notification] * 280_000) + b"]"
        with Server("rps-jsonrpc", "--linger=100", admin=True) as server, unharmed(server):
            for framing in (Lines(), Http()):
                with self.subTest(framing.name):
                    self.check(server, framing, small, INVALID_REQUEST)
            with self.subTest("above the limit of bytes"):
                self.check(server, Lines(), large, TOO_LARGE)
            plays = server.metrics().get('rps_requests_total{operation="play",error_class="ok"}', 0)
        self.assertLess(plays, 10, "a part of a batch was carried out")

    def test_a_million_objects(self):
        """Time grows with the bytes and not with their square, by which this would take minutes."""
        with Server("rps-jsonrpc", "--max-line-bytes=4000000") as server, unharmed(server):
            for item in (b"{}", b"[]", b'""', b'{"a":1}'):
                with self.subTest(item):
                    payload = b"[" + b",".join([item] * (3_900_000 // (len(item) + 1))) + b"]"
                    self.check(server, Lines(), payload, INVALID_REQUEST)
            members = b",".join(b'"%d":{}' % number for number in range(250_000))
            self.check(server, Lines(), b"{" + members + b"}", INVALID_REQUEST)

    def test_ten_million_brackets(self):
        with Server("rps-jsonrpc", "--max-line-bytes=20000000", "--max-body-bytes=20000000",
                    "--linger=100") as server, unharmed(server):
            for framing in (Lines(), Http()):
                for payload in (b"[" * 10_000_000, b'{"a":' * 2_000_000,
                                b"[" * 5_000_000 + b"]" * 5_000_000):
                    with self.subTest(framing.name, payload=payload[:5]):
                        with Peer(framing, server.address) as peer:
                            peer.send(payload)
                            code, _ = error_of(peer.receive_json())
                            self.assertIn(code, (INVALID_REQUEST, PARSE_ERROR))
                            peer.check_play()
            with Peer(Frames(), server.address) as peer:
                peer.send(b"[" * 65_535)
                self.assertEqual(error_of(peer.receive_json()), (INVALID_REQUEST, None))
                peer.check_play()


if __name__ == "__main__":
    unittest.main()
