"""The frames' other two codecs, spelled by hand from docs/wire_jsonrpc.md: MessagePack and the
fixed layout. What they say is what JSON says."""

import json
import struct
import unittest

from abuse import unharmed
from jsonrpc_wire import HEADER, MAGIC, NOTIFICATION, REQUEST, RESPONSE
from framings import Frames, Peer
from rps_process import Server

JSON, MESSAGE_PACK, FIXED_LAYOUT = 0, 1, 2
PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS = -32700, -32600, -32601, -32602


def frame(payload: bytes, codec: int) -> bytes:
    return HEADER.pack(MAGIC, codec << 4 | REQUEST, len(payload)) + payload


class CodecPeer(Peer):
    """A connection that speaks one codec in frames."""

    def __init__(self, server: Server, codec: int):
        super().__init__(Frames(), server.address)
        self.codec = codec

    def send(self, payload: bytes):
        self.send_bytes(frame(payload, self.codec))

    def receive_frame(self) -> tuple[int, bytes]:
        """Kind and payload of the next frame; its codec must be ours."""
        magic, kind, length = HEADER.unpack(self.stream.read(HEADER.size))
        assert magic == MAGIC and kind >> 4 == self.codec, (magic, kind)
        return kind & 15, self.stream.read(length)

    def answer_to(self, payload: bytes) -> bytes:
        self.send(payload)
        kind, answer = self.receive_frame()
        assert kind == RESPONSE, kind
        return answer


# -- MessagePack -----------------------------------------------------------------------------------

def packed(value) -> bytes:
    """In the longest forms, which a reader must take as well as the short ones."""
    if value is None:
        return b"\xc0"
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, float):
        return b"\xcb" + struct.pack(">d", value)
    if isinstance(value, int):
        return b"\xd3" + struct.pack(">q", value)
    if isinstance(value, str):
        return b"\xdb" + struct.pack(">I", len(value.encode())) + value.encode()
    if isinstance(value, list):
        return b"\xdd" + struct.pack(">I", len(value)) + b"".join(map(packed, value))
    return b"\xdf" + struct.pack(">I", len(value)) + b"".join(
        packed(name) + packed(member) for name, member in value.items())


class Unpacker:
    """Reads values in whatever form."""

    NUMBERS = {0xCA: ">f", 0xCB: ">d", 0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q",
               0xD0: ">b", 0xD1: ">h", 0xD2: ">i", 0xD3: ">q"}
    LENGTHS = {0xD9: (">B", "text"), 0xDA: (">H", "text"), 0xDB: (">I", "text"),
               0xDC: (">H", "array"), 0xDD: (">I", "array"), 0xDE: (">H", "map"),
               0xDF: (">I", "map")}
    CONSTANTS = {0xC0: None, 0xC2: False, 0xC3: True}

    def __init__(self, data: bytes):
        self._data = data
        self._at = 0

    def value(self):
        first = self._take(1)[0]
        if first < 0x80:
            return first
        if first >= 0xE0:
            return first - 0x100
        if first < 0x90:
            return self._container("map", first & 15)
        if first < 0xA0:
            return self._container("array", first & 15)
        if first < 0xC0:
            return self._container("text", first & 31)
        if first in self.CONSTANTS:
            return self.CONSTANTS[first]
        if first in self.NUMBERS:
            return self._number(self.NUMBERS[first])
        form, kind = self.LENGTHS[first]
        return self._container(kind, self._number(form))

    def is_at_end(self) -> bool:
        return self._at == len(self._data)

    def _container(self, kind: str, length: int):
        if kind == "text":
            return self._take(length).decode()
        if kind == "array":
            return [self.value() for _ in range(length)]
        return {self.value(): self.value() for _ in range(length)}

    def _number(self, form: str):
        return struct.unpack(form, self._take(struct.calcsize(form)))[0]

    def _take(self, size: int) -> bytes:
        taken = self._data[self._at:self._at + size]
        assert len(taken) == size, "cut short"
        self._at += size
        return taken


def unpacked(data: bytes):
    unpacker = Unpacker(data)
    value = unpacker.value()
    assert unpacker.is_at_end(), data
    return value


def request(number, method: str, params) -> dict:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


class OneServer(unittest.TestCase):
    """All tests of a class on one server."""

    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(Server("rps-jsonrpc"))
        cls.enterClassContext(unharmed(cls.server))


class MessagePack(OneServer):
    def setUp(self):
        self.peer = self.enterContext(CodecPeer(self.server, MESSAGE_PACK))

    def ask(self, message):
        return unpacked(self.peer.answer_to(packed(message)))

    def test_a_round(self):
        for params in (["ROCK", "s"], {"player_move": "ROCK", "session_id": "s"}):
            answer = self.ask(request(7, "play", params))
            self.assertEqual((answer["jsonrpc"], answer["id"]), ("2.0", 7))
            result = answer["result"]
            self.assertEqual(result["result"], {"ROCK": "DRAW", "PAPER": "LOSE",
                                                "SCISSORS": "WIN"}[result["opponent_move"]])
        self.assertEqual(self.ask(request(8, "score", ["s"]))["result"]["rounds"], 2)

    def test_ids_of_every_type(self):
        for number in (0, -1, 2**62, 1.5, "a", "", None):
            self.assertEqual(self.ask(request(number, "play", ["ROCK"]))["id"], number)

    def test_errors(self):
        for message, code, number in [
                (request(1, "play", ["STONE"]), INVALID_PARAMS, 1),
                (request(1, "foobar", []), METHOD_NOT_FOUND, 1),
                (request(1, "rpc.discover", []), METHOD_NOT_FOUND, 1),
                (request([], "play", ["ROCK"]), INVALID_REQUEST, None),
                ([], INVALID_REQUEST, None), (7, INVALID_REQUEST, None)]:
            with self.subTest(message):
                answer = self.ask(message)
                self.assertEqual((answer["error"]["code"], answer["id"]), (code, number))

    def test_a_number_is_an_integer_by_its_value(self):
        """As JSON Schema counts, which describes the parameters; in JSON and here alike."""
        with Peer(Frames(), self.server.address) as json_peer:
            for best_of in (3, 3.0, 99.0, 3.5, 2.0, 101.0, 1e10, -3.0):
                params = {"game_id": f"by-value-{best_of}", "player_id": "p", "best_of": best_of}
                json_peer.send(json.dumps(request(1, "join", params)).encode())
                for answer in (json_peer.receive_json(), self.ask(request(1, "join", params))):
                    if best_of in (3, 99):
                        self.assertEqual(answer["result"]["best_of"], best_of)
                        self.assertIs(type(answer["result"]["best_of"]), int)
                    else:
                        self.assertEqual(answer["error"]["code"], INVALID_PARAMS, best_of)

    def test_what_is_no_message_pack(self):
        for payload in (b"", b"\xc1", b"\xdf\xff\xff\xff\xff", b"\xdb\xff\xff\xff\xffx",
                        b"\xc0\xc0", b"\xc7\x01\x01x", packed(request(1, "play", ["ROCK"]))[:-1]):
            with self.subTest(payload):
                self.assertEqual(unpacked(self.peer.answer_to(payload))["error"]["code"],
                                 PARSE_ERROR)

    def test_a_batch(self):
        notification = {"jsonrpc": "2.0", "method": "play", "params": ["ROCK"]}
        answers = self.ask([request(1, "play", ["ROCK"]), notification, request(2, "no", [])])
        self.assertEqual([answer["id"] for answer in answers], [1, 2])

    def test_a_duel_is_told_in_message_pack(self):
        with CodecPeer(self.server, MESSAGE_PACK) as other:
            for peer, player in ((self.peer, "a"), (other, "b")):
                answer = unpacked(peer.answer_to(packed(request(1, "join", ["packed", player, 1]))))
                self.assertIn("result", answer)
            kind, payload = self.peer.receive_frame()
            self.assertEqual((kind, unpacked(payload)["method"]),
                             (NOTIFICATION, "opponent_joined"))


# -- The fixed layout ------------------------------------------------------------------------------

PLAY, SCORE, JOIN, THROW, LEAVE = 1, 2, 3, 4, 5
ROCK, PAPER, SCISSORS = 1, 2, 3
WIN, DRAW, LOSE = 1, 2, 3
DONE, INVALID_MOVE, MALFORMED_REQUEST, UNKNOWN_OPERATION, UNKNOWN_SESSION = 0, 1, 2, 3, 4
REPLY = struct.Struct(">QBBBBBBIQQQQ")  # id operation status move result reason seat number …


def record(operation: int, number: int = 7, *, flags: int = 1, move: int = 0, first: bytes = b"",
           second: bytes = b"", best_of: int = 0) -> bytes:
    return struct.pack(">BBBBBIQ", operation, flags, move, len(first), len(second), best_of,
                       number) + first + second


class FixedLayout(OneServer):
    def setUp(self):
        self.peer = self.enterContext(CodecPeer(self.server, FIXED_LAYOUT))

    def ask(self, payload: bytes) -> list[tuple]:
        return list(REPLY.iter_unpack(self.peer.answer_to(payload)))

    def test_rounds_and_a_score(self):
        for move in (ROCK, PAPER, SCISSORS):
            [(number, operation, status, opponent, result, reason, *_)] = self.ask(
                record(PLAY, 2**64 - 1, move=move, first=b"s"))
            self.assertEqual((number, operation, status), (2**64 - 1, PLAY, DONE))
            self.assertEqual(result, (DRAW, LOSE, WIN)[(opponent - move) % 3])
            self.assertIn(reason, range(1, 7))
        [(*_, wins, draws, losses)] = self.ask(record(SCORE, first=b"s"))
        self.assertEqual(wins + draws + losses, 3)

    def test_errors(self):
        for payload, operation, status in [
                (record(PLAY, move=0), PLAY, INVALID_MOVE),
                (record(PLAY, move=4), PLAY, INVALID_MOVE),
                (record(PLAY, move=ROCK, first=b"x" * 65), PLAY, MALFORMED_REQUEST),
                (record(SCORE, first=b"never"), SCORE, UNKNOWN_SESSION)]:
            with self.subTest(payload):
                [(number, *said)] = self.ask(payload)
                self.assertEqual((number, *said[:2]), (7, operation, status))

    def test_what_is_no_record(self):
        for payload in (b"", record(PLAY, move=ROCK)[:-1], record(PLAY, flags=0x80),
                        record(PLAY, move=ROCK) + b"\0"):
            with self.subTest(payload):
                [(number, operation, status, *_)] = self.ask(payload)
                self.assertEqual((number, operation, status), (0, 0, MALFORMED_REQUEST))

    def test_a_batch_and_what_wants_no_reply(self):
        replies = self.ask(record(PLAY, 1, move=ROCK) + record(PLAY, 2, flags=0, move=ROCK)
                           + record(9, 3) + record(PLAY, 4, move=PAPER))
        self.assertEqual([(reply[0], reply[2]) for reply in replies],
                         [(1, DONE), (3, UNKNOWN_OPERATION), (4, DONE)])
        self.peer.send(record(PLAY, move=ROCK, flags=0))
        self.assertEqual(self.ask(record(PLAY, 5, move=ROCK))[0][0], 5)

    def test_a_duel_is_told_in_records(self):
        with CodecPeer(self.server, FIXED_LAYOUT) as other:
            for seat, (peer, player) in enumerate([(self.peer, b"a"), (other, b"b")], 1):
                [reply] = REPLY.iter_unpack(peer.answer_to(
                    record(JOIN, first=b"fixed", second=player, best_of=1)))
                self.assertEqual((reply[2], reply[6], reply[7]), (DONE, seat, 1))
            kind, event = self.peer.receive_frame()
            self.assertEqual(kind, NOTIFICATION)
            self.assertEqual(event[0], 1)  # opponent_joined
            self.assertEqual(event[-2:], b"da")


class Codecs(unittest.TestCase):
    def test_one_that_has_no_name_is_refused_and_the_stream_goes_on(self):
        with Server("rps-jsonrpc") as server, unharmed(server), \
                Peer(Frames(), server.address) as peer:
            for codec in range(3, 16):
                peer.send_bytes(frame(b"{}", codec))
                self.assertEqual(peer.receive_json()["error"]["code"], INVALID_REQUEST)
            peer.check_play()

    def test_they_may_be_mixed_on_one_connection(self):
        with Server("rps-jsonrpc") as server, CodecPeer(server, MESSAGE_PACK) as peer:
            for _ in range(3):
                peer.codec = MESSAGE_PACK
                answer = unpacked(peer.answer_to(packed(request(1, "play", ["ROCK"]))))
                self.assertIn("result", answer)
                peer.codec = FIXED_LAYOUT
                self.assertEqual(len(peer.answer_to(record(PLAY, move=ROCK))), REPLY.size)
                peer.codec = JSON
                peer.check_play()


if __name__ == "__main__":
    unittest.main()
