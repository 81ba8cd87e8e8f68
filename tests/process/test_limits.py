"""Each limit of stage 2 from outside: what is at it passes, what is one past it does not, and the
right metric says so."""

import contextlib
import functools
import time
import unittest

from abuse import unharmed
from framings import FRAMINGS, Frames, Framing, Http, Lines, Peer, call, error_of, play, read_answer
from rps_process import PATIENCE, Server, check_at_once, eventually

INVALID_REQUEST, METHOD_NOT_FOUND = -32600, -32601
OVERLOADED, TOO_LARGE = -32000, -32003


def start(*flags: str) -> Server:
    return Server("rps-jsonrpc", "--linger=100", *flags, admin=True)


def padded_play(size: int) -> bytes:
    """A play of exactly so many bytes, made of white space."""
    return play(1)[:-1].ljust(size - 1) + b"}"


def wait_for_cut(server: Server, reason: str):
    eventually(lambda: server.cuts(), "a connection is cut")
    assert server.cuts() == {reason: 1}, server.cuts()


def errors(server: Server, error_class: str) -> float:
    return sum(value for sample, value in server.metrics().items()
               if sample.startswith("rps_requests_total{")
               and f'error_class="{error_class}"' in sample)


class Sizes(unittest.TestCase):
    def check_size(self, server: Server, framing: Framing, size_max: int):
        """A message of that size is answered; one byte more is refused, and the stream ends."""
        with unharmed(server), Peer(framing, server.address) as peer:
            before = errors(server, "too_large")
            for _ in range(2):
                self.assertIn(b"result", peer.ask(padded_play(size_max)))
            peer.send(padded_play(size_max + 1))
            if framing.name == "http":
                self.assertEqual(read_answer(peer.stream).status, 413)
            else:
                self.assertEqual(error_of(peer.receive_json()), (TOO_LARGE, None))
            self.assertEqual(peer.read_to_end(), [])
            eventually(lambda: errors(server, "too_large") == before + 1, "it is counted")

    def test_of_messages(self):
        with start("--max-frame-bytes=1000", "--max-line-bytes=2000",
                   "--max-body-bytes=3000") as server:
            for framing, size_max in [(Frames(), 1000), (Lines(), 2000), (Http(), 3000)]:
                with self.subTest(framing.name):
                    self.check_size(server, framing, size_max)

    def test_of_messages_by_default(self):
        with start() as server:
            for framing, size_max in [(Lines(), 1 << 20), (Http(), 1 << 20)]:
                with self.subTest(framing.name):
                    self.check_size(server, framing, size_max)
            with Peer(Frames(), server.address) as peer:  # Its length cannot say more.
                self.assertIn(b"result", peer.ask(padded_play(65_535)))

    def test_of_a_request(self):
        """In bytes without the white space between its tokens, whatever the tokens are."""
        size_max = 2048
        for begin, filler, end in [(b'"x":"', b" ", b'"}'), (b'"x":"', b"\xc3\xa9", b'"}'),
                                   (b'"x":"', b"\\\\", b'"}'), (b'"x":0.', b"1", b"}"),
                                   (b'"', b"x", b'":1}')]:
            head = play("id")[:-1].replace(b" ", b"") + b"," + begin
            count = (size_max - len(head) - len(end)) // len(filler)
            longest = head + filler * count + end
            longest = longest.replace(b"id", b"id" + b"d" * (size_max - len(longest)), 1)
            with start() as server, unharmed(server):
                for framing in FRAMINGS:
                    with self.subTest(framing.name, begin=begin, filler=filler), \
                            Peer(framing, server.address) as peer:
                        self.assertIn(b"result", peer.ask(longest))
                        self.assertIn(b"result", peer.ask(longest[:-1] + b" " * 10_000 + b"}"))
                        for too_long in (longest.replace(b"id", b"idd", 1),
                                         head + filler * (60_000 // len(filler)) + end):
                            peer.send(too_long)
                            self.assertEqual(error_of(peer.receive_json()),
                                             (INVALID_REQUEST, None))
                        peer.check_play()

    def test_of_a_header(self):
        with start() as server:
            for flag, size_max in [("by default", 8192), ("--max-header-bytes=500", 500)]:
                with self.subTest(flag), contextlib.ExitStack() as stack:
                    other = server if flag == "by default" else stack.enter_context(start(flag))
                    peer = stack.enter_context(Peer(Http(), other.address))
                    for size, status in [(size_max, 200), (size_max + 1, 431)]:
                        head = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: "
                        peer.send_bytes(head + b"x" * (size - len(head) - 4) + b"\r\n\r\n")
                        self.assertEqual(read_answer(peer.stream).status, status)
                    self.assertEqual(peer.read_to_end(), [])

    def test_of_a_batch(self):
        def batch(calls: int) -> bytes:
            return b"[" + b",".join(play(number) for number in range(calls)) + b"]"

        for flags, calls_max in [([], 100), (["--max-batch=3"], 3)]:
            with start(*flags) as server, unharmed(server):
                for framing in FRAMINGS:
                    with self.subTest(framing.name, flags=flags), \
                            Peer(framing, server.address) as peer:
                        peer.send(batch(calls_max))
                        self.assertEqual(len(peer.receive_json()), calls_max)
                        peer.send(batch(calls_max + 1))
                        self.assertEqual(error_of(peer.receive_json()), (INVALID_REQUEST, None))
                        peer.check_play()


class Counts(unittest.TestCase):
    def test_of_connections(self):
        with start("--max-connections=3", "--give-way-after=1h") as server, \
                contextlib.ExitStack() as stack:
            kept = [stack.enter_context(Peer(framing, server.address)) for framing in FRAMINGS]
            for peer in kept:
                peer.check_play()
            with Peer(Lines(), server.address) as refused:
                self.assertEqual(refused.read_to_end(), [])
            self.assertEqual(server.metrics()['rps_connections_refused_total{reason="limit"}'], 1)
            for peer in kept:
                peer.check_play()
            kept[0].close()
            eventually(lambda: server.metrics()["rps_connections"] == 2, "a place is free")
            with Peer(Lines(), server.address) as admitted:
                admitted.check_play()

    def test_of_calls_a_turn(self):
        """It shares the time out and loses nothing."""
        with start("--calls-per-turn=1") as server, unharmed(server):
            for framing in FRAMINGS:
                with self.subTest(framing.name), Peer(framing, server.address) as peer:
                    peer.send_bytes(b"".join(framing.encode(play(n)) for n in range(500)))
                    for number in range(500):
                        self.assertEqual(peer.receive_json()["id"], number)

    def test_of_unsent_bytes(self):
        """The more may wait unsent, the more calls are carried out for one who does not read."""
        def carried_out(unsent_max: int) -> float:
            with start(f"--max-unsent-bytes={unsent_max}", "--threads=1") as server, \
                    Peer(Frames(), server.address, receive_bytes=4096) as peer:
                requests = b"".join(Frames().encode(play(number)) for number in range(1000))
                peer.send_until_stuck(requests, stuck_after=2)
                return server.metrics()['rps_requests_total{operation="play",error_class="ok"}']

        reply_bytes = 170
        more = 4 << 20
        self.assertGreater(carried_out(more) - carried_out(1), more / reply_bytes / 2)

    def test_of_waiting_events(self):
        """A player who reads nothing is told as many events as may wait, and then cut."""
        with start("--max-unsent-bytes=1", "--max-waiting-events=20",
                   "--threads=1") as server, unharmed(server), \
                Peer(Frames(), server.address, receive_bytes=4096) as deaf, \
                Peer(Lines(), server.address) as other:
            self.assertIn(b"result", deaf.ask(call(1, "join", game_id="g", player_id="deaf")))
            deaf.send_bytes(b"".join(Frames().encode(play(number)) for number in range(50_000)))
            eventually(lambda: server.metrics()["rps_reads_paused_total"] > 0, "replies wait")
            self.assertEqual(server.cuts(), {})
            for number in range(20):  # Coming and going is an event each.
                method = "leave" if number % 2 else "join"
                other.check_call(call(number, method, game_id="g", player_id="other"))
            self.assertEqual(server.cuts(), {})
            other.check_call(call(20, "join", game_id="g", player_id="other"))
            wait_for_cut(server, "events")

    def test_of_calls_a_second(self):
        with start("--rate-limit=1", "--rate-burst=3") as server, contextlib.ExitStack() as stack:
            peers = [stack.enter_context(Peer(framing, server.address)) for framing in FRAMINGS]
            for peer in peers:  # One address, whatever it speaks.
                peer.check_play()
            for peer in peers:
                peer.send(play("refused"))
                answer = peer.receive_json()
                self.assertEqual(error_of(answer), (OVERLOADED, "refused"))
                self.assertGreater(answer["error"]["data"]["retry_after_ms"], 0)
                self.assertLessEqual(answer["error"]["data"]["retry_after_ms"], 1000)
            self.assertEqual(server.metrics()['rps_calls_refused_total{reason="rate"}'], 3)
            time.sleep(answer["error"]["data"]["retry_after_ms"] / 1000)
            peers[0].check_play()

    def test_of_calls_a_second_holds_for_batches(self):
        with start("--rate-limit=1", "--rate-burst=3") as server, \
                Peer(Lines(), server.address) as peer:
            peer.send(b"[" + b",".join(play(number) for number in range(100)) + b"]")
            answers = peer.receive_json()
            self.assertEqual(sum("result" in answer for answer in answers), 3)
            self.assertEqual(sum("error" in answer for answer in answers), 97)


class Times(unittest.TestCase):
    """Who takes too long is cut, for the reason that fits; who does not, stays. The limits are long
    beside what another load may keep this process from its CPU."""

    def check(self, flag: str, reason: str, stall, live):
        def check_over(framing: Framing):
            with start(flag) as server, Peer(framing, server.address) as stalled, \
                    Peer(framing, server.address) as alive:
                stall(stalled)

                def is_cut() -> bool:
                    live(alive)
                    return bool(server.cuts())
                eventually(is_cut, "the one that stalls is cut")
                self.assertEqual(server.cuts(), {reason: 1})
                alive.check_play()
        check_at_once(self, {framing.name: functools.partial(check_over, framing)
                             for framing in FRAMINGS})

    def test_to_the_first_message(self):
        def live(peer: Peer):
            peer.check_play()
        self.check("--first-frame-timeout=2000", "first_frame", lambda peer: None, live)

    def test_to_the_end_of_a_message(self):
        def stall(peer: Peer):
            peer.check_play()
            peer.send_bytes(peer.framing.encode(play(2))[:-10])

        def live(peer: Peer):  # Each message has the time for itself.
            whole = peer.framing.encode(play(3))
            for begin in range(0, len(whole), 50):
                peer.send_bytes(whole[begin:begin + 50])
                time.sleep(0.005)
            self.assertEqual(peer.receive_json()["id"], 3)
        self.check("--frame-timeout=5000", "slow_frame", stall, live)

    def test_of_silence(self):
        def live(peer: Peer):
            peer.check_play()
            time.sleep(0.01)
        self.check("--idle-timeout=2000", "idle", lambda peer: peer.check_play(), live)

    def test_of_reading_nothing(self):
        def stall(peer: Peer):
            requests = b"".join(peer.framing.encode(play(number)) for number in range(1000))
            peer.send_until_stuck(requests, stuck_after=PATIENCE)  # The server closes before.
        self.check("--write-timeout=300", "write_stall", stall, lambda peer: peer.check_play())


class Duels(unittest.TestCase):
    def test_need_a_connection_that_can_be_pushed_to(self):
        with start() as server:
            for framing in FRAMINGS:
                for method, params in [
                        ("join", {"game_id": "g", "player_id": "p"}),
                        ("throw", {"game_id": "g", "player_id": "p", "move": "ROCK"}),
                        ("leave", {"game_id": "g", "player_id": "p"})]:
                    with self.subTest(framing.name, method=method), \
                            Peer(framing, server.address) as peer:
                        peer.send(call(1, method, **params))
                        answer = peer.receive_json()
                        if framing.can_push:
                            self.assertNotEqual(answer.get("error", {}).get("code"),
                                                METHOD_NOT_FOUND, answer)
                        else:
                            self.assertEqual(error_of(answer), (METHOD_NOT_FOUND, 1))


if __name__ == "__main__":
    unittest.main()
