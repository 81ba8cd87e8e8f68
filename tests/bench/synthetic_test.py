#!/usr/bin/env python3
"""rps-synthetic against what it promises: right answers but for the share that was asked for, none
earlier than its delay, and each on its own time."""

import http.client
import selectors
import time
import unittest

from bench_process import Synthetic
from framings import play
from grpc_wire import MOVES, fields, message, play_request, post
from jsonrpc_wire import Connection, error_of, request
from rps_process import Process, Server

BEATS = {"ROCK": "SCISSORS", "PAPER": "ROCK", "SCISSORS": "PAPER"}
MOVE_NAMES = list(BEATS)
RESULT_NUMBERS = {"WIN": 1, "DRAW": 2, "LOSE": 3}
GRPC_INTERNAL = 13


def play_grpc(url: str, move: str, session_id: bytes = b"") -> tuple[int | None, str, bytes]:
    return post(url, "Play", message(play_request(MOVES[move], session_id)))


def true_result(mine: str, theirs: str) -> str:
    if mine == theirs:
        return "DRAW"
    return "WIN" if BEATS[mine] == theirs else "LOSE"


class Http:
    """One connection that plays over HTTP."""

    def __init__(self, address: tuple[str, int]):
        self.connection = http.client.HTTPConnection(*address)

    def post(self, payload: bytes) -> int:
        self.connection.request("POST", "/rpc", payload, {"Content-Type": "application/json"})
        answer = self.connection.getresponse()
        answer.read()
        return answer.status

    def close(self):
        self.connection.close()


class RightAnswers(unittest.TestCase):
    def test_sessions_are_played_as_by_the_real_server(self):
        def transcript(server):
            with server, Connection(server.address) as connection:
                replies = [connection.call("play", player_move=MOVE_NAMES[i * i % 3],
                                           session_id=f"s{i % 2}") for i in range(60)]
                return replies + [connection.call("score", session_id="s1")]
        self.assertEqual(transcript(Synthetic("--seed=7", "--delay=fixed:10us")),
                         transcript(Server("rps-jsonrpc", "--seed=7")))

    def test_grpc_plays_as_the_real_server(self):
        def transcript(server):
            with server:
                return [play_grpc(server.url, MOVE_NAMES[i % 3], b"s") for i in range(6)]
        self.assertEqual(transcript(Synthetic("--seed=7", "--protocol=grpc")),
                         transcript(Server("rps-grpc", "--seed=7")))

    def test_what_cannot_be_read_is_refused_as_ever(self):
        with Synthetic() as server, Connection(server.address) as connection:
            self.assertEqual(error_of(connection.call("dance"))[0], -32601)
            self.assertEqual(error_of(connection.call("play", player_move="WELL"))[0], -32602)


class Times(unittest.TestCase):
    def test_no_answer_comes_early(self):
        with Synthetic("--delay=fixed:20ms") as server, Connection(server.address) as connection:
            for _ in range(10):
                begin = time.monotonic()
                connection.call("play", player_move="ROCK")
                self.assertGreaterEqual(time.monotonic() - begin, 0.02)

    def test_grpc_answers_not_early_either(self):
        with Synthetic("--delay=fixed:50ms", "--protocol=grpc") as server:
            begin = time.monotonic()
            self.assertEqual(play_grpc(server.url, "ROCK")[0], 0)
            self.assertGreaterEqual(time.monotonic() - begin, 0.05)

    def test_no_answer_waits_for_that_of_another_connection(self):
        callers = 40
        with Synthetic("--delay=bimodal:0ms,2s,0.5") as server, \
                selectors.DefaultSelector() as selector:
            connections = [Connection(server.address) for _ in range(callers)]
            for number, connection in enumerate(connections):
                selector.register(connection.socket, selectors.EVENT_READ, number)
                connection.send(request(number, "play", player_move="ROCK"))
            order = []
            while len(order) < callers:
                for key, _ in selector.select():
                    self.assertEqual(connections[key.data].read_reply()["id"], key.data)
                    selector.unregister(key.fileobj)
                    order.append(key.data)
            for connection in connections:
                connection.socket.close()
        quick = next(at for at in range(1, callers) if order[at] < order[at - 1])
        self.assertEqual(order, sorted(order[:quick]) + sorted(order[quick:]))
        self.assertIn(quick, range(5, callers - 5))

    def test_replies_of_one_connection_keep_their_order(self):
        with Synthetic("--delay=exp:5ms") as server, Connection(server.address) as connection:
            connection.send(b"".join(request(number, "play", player_move="ROCK")
                                     for number in range(50)))
            self.assertEqual([connection.read_reply()["id"] for _ in range(50)], list(range(50)))


class Mistakes(unittest.TestCase):
    CALLS = 600
    FLAGS = ("--delay=fixed:10us", "--wrong=0.3", "--error=0.2", "--seed=11")

    def test_every_mistake_is_one_that_was_promised(self):
        seen = dict.fromkeys(("right", "wrong", "error"), 0)
        rounds = 0
        with Synthetic(*self.FLAGS) as server:
            with Connection(server.address) as connection:
                for i in range(self.CALLS):
                    mine = MOVE_NAMES[i % 3]
                    reply = connection.call("play", player_move=mine, session_id="s")
                    if "error" in reply:
                        self.assertEqual(error_of(reply), (-32603, "internal"))
                        seen["error"] += 1
                        continue
                    rounds += 1  # A call that failed is no round.
                    self.assertEqual(reply["result"]["round"], rounds)
                    truth = true_result(mine, reply["result"]["opponent_move"])
                    seen["right" if reply["result"]["result"] == truth else "wrong"] += 1
            said = server.finish()
        self.assertEqual(said | seen, said)
        self.assertEqual(said["answered"], self.CALLS)
        self.assertGreater(min(seen.values()), self.CALLS * 0.15)

    def test_over_http_an_error_is_a_status(self):
        with Synthetic(*self.FLAGS, "--protocol=http") as server:
            self.assertTrue(server.url.startswith("http://"), server.url)
            http_client = Http(server.address)
            statuses = [http_client.post(play(i)) for i in range(self.CALLS)]
            http_client.close()
            said = server.finish()
        self.assertEqual(set(statuses), {200, 500})
        self.assertEqual(statuses.count(500), said["error"])

    def test_over_grpc_an_error_is_a_status(self):
        with Synthetic("--delay=fixed:10us", "--wrong=0.4", "--error=0.3", "--protocol=grpc",
                       "--seed=5") as server:
            seen = dict.fromkeys(("right", "wrong", "error"), 0)
            for _ in range(30):
                status, _, body = play_grpc(server.url, "ROCK")
                if status != 0:
                    self.assertEqual(status, GRPC_INTERNAL)
                    seen["error"] += 1
                    continue
                reply = fields(body[5:])
                truth = true_result("ROCK", MOVE_NAMES[reply[1] - 1])
                seen["right" if reply[2] == RESULT_NUMBERS[truth] else "wrong"] += 1
            said = server.finish()
        self.assertEqual(said | seen, said)
        self.assertGreater(min(seen.values()), 0)


class Life(unittest.TestCase):
    def test_it_ends_while_calls_wait(self):
        for protocol in "jsonrpc", "http":
            with self.subTest(protocol), \
                    Synthetic("--delay=fixed:1000s", f"--protocol={protocol}") as server, \
                    Connection(server.address) as connection:
                connection.send(request(1, "play", player_move="ROCK"))
                said = server.finish()
                self.assertEqual(said["answered"], 0)

    def test_a_caller_that_goes_away_is_no_harm(self):
        with Synthetic("--delay=fixed:50ms") as server:
            for _ in range(20):
                with Connection(server.address) as connection:
                    connection.send(request(1, "play", player_move="ROCK"))
            with Connection(server.address) as connection:
                connection.call("play", player_move="ROCK")

    def test_wrong_flags_are_refused(self):
        for flag in ("--delay=soon", "--listen=nowhere", "--wrong=2", "--error=-1",
                     "--protocol=smoke"):
            with self.subTest(flag):
                process = Process("rps-synthetic", flag)
                with process:
                    self.assertNotEqual(process.wait(2, 105), 0)


if __name__ == "__main__":
    unittest.main()
