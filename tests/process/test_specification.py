"""The exchanges that the specification of JSON-RPC 2.0 gives as examples (section 7), in its order
and its words, over each framing.

Only the methods are this server's: the specification's subtract(42, 23) = 19 and its like become
play(ROCK), of whose result the examples then have the shape. Everything else stands as there, bytes
that are no JSON included.
"""

import json
import unittest

from framings import FRAMINGS, Framing, Peer
from rps_process import Server

RESULT = object()  # Stands for what a round brings.
PARSE_ERROR = {"code": -32700, "message": "Parse error"}
INVALID_REQUEST = {"code": -32600, "message": "Invalid Request"}
METHOD_NOT_FOUND = {"code": -32601, "message": "Method not found"}


def result(number: int | str) -> dict:
    return {"jsonrpc": "2.0", "result": RESULT, "id": number}


def error(what: dict, number: int | str | None = None) -> dict:
    return {"jsonrpc": "2.0", "error": what, "id": number}


# What is sent, and what comes back; None is nothing at all.
EXCHANGES = [
    ("positional parameters",
     '{"jsonrpc": "2.0", "method": "play", "params": ["ROCK", "s"], "id": 1}',
     result(1)),
    ("positional parameters, others",
     '{"jsonrpc": "2.0", "method": "play", "params": ["PAPER", "t"], "id": 2}',
     result(2)),
    ("named parameters",
     '{"jsonrpc": "2.0", "method": "play", '
     '"params": {"session_id": "s", "player_move": "ROCK"}, "id": 3}',
     result(3)),
    ("named parameters, in another order",
     '{"jsonrpc": "2.0", "method": "play", '
     '"params": {"player_move": "ROCK", "session_id": "s"}, "id": 4}',
     result(4)),
    ("a notification",
     '{"jsonrpc": "2.0", "method": "play", "params": ["ROCK", "u"]}',
     None),
    ("a notification of an unknown method",
     '{"jsonrpc": "2.0", "method": "foobar"}',
     None),
    ("an unknown method",
     '{"jsonrpc": "2.0", "method": "foobar", "id": "1"}',
     error(METHOD_NOT_FOUND, "1")),
    ("invalid JSON",
     '{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]',
     error(PARSE_ERROR)),
    ("an invalid request",
     '{"jsonrpc": "2.0", "method": 1, "params": "bar"}',
     error(INVALID_REQUEST)),
    ("a batch that is invalid JSON",
     '[\n'
     '  {"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},\n'
     '  {"jsonrpc": "2.0", "method"\n'
     ']',
     error(PARSE_ERROR)),
    ("an empty batch", '[]', error(INVALID_REQUEST)),
    ("an invalid batch, but not empty", '[1]', [error(INVALID_REQUEST)]),
    ("an invalid batch", '[1,2,3]', [error(INVALID_REQUEST)] * 3),
    ("a batch",
     '[\n'
     '  {"jsonrpc": "2.0", "method": "play", "params": ["ROCK", "v"], "id": "1"},\n'
     '  {"jsonrpc": "2.0", "method": "play", "params": ["PAPER"]},\n'
     '  {"jsonrpc": "2.0", "method": "play", "params": ["ROCK", "w"], "id": "2"},\n'
     '  {"foo": "boo"},\n'
     '  {"jsonrpc": "2.0", "method": "foo.get", "params": {"name": "myself"}, "id": "5"},\n'
     '  {"jsonrpc": "2.0", "method": "score", "params": ["v"], "id": "9"}\n'
     ']',
     [result("1"), result("2"), error(INVALID_REQUEST), error(METHOD_NOT_FOUND, "5"),
      result("9")]),
    ("a batch of notifications",
     '[\n'
     '  {"jsonrpc": "2.0", "method": "play", "params": ["ROCK", "x"]},\n'
     '  {"jsonrpc": "2.0", "method": "play", "params": ["ROCK", "x"]}\n'
     ']',
     None),
]


def without_freedom(message):
    """A response without what the specification leaves open: the result's value, error.data."""
    if isinstance(message, list):
        return [without_freedom(item) for item in message]
    plain = dict(message)
    if "result" in plain:
        plain["result"] = RESULT
    if "error" in plain:
        plain["error"] = {name: value for name, value in plain["error"].items() if name != "data"}
    return plain


class Specification(unittest.TestCase):
    def check(self, framing: Framing):
        with Server("rps-jsonrpc") as server, Peer(framing, server.address) as peer:
            for name, sent, expected in EXCHANGES:
                with self.subTest(name, framing=framing.name):
                    answer = peer.ask(sent.encode())
                    self.assertEqual(answer and without_freedom(json.loads(answer)), expected)

    def test_over_each_framing(self):
        self.assertEqual(len(EXCHANGES), 15)
        for framing in FRAMINGS:
            self.check(framing)


if __name__ == "__main__":
    unittest.main()
