#!/usr/bin/env python3
"""Writes what the fuzz targets begin with: seeds.py FOLDER makes FOLDER/<target>/, a file a seed.

They are small and by hand, one for each shape that the code under test tells apart; the fuzzer
finds the rest.
"""

import json
import pathlib
import struct
import sys

PLAY = {"jsonrpc": "2.0", "id": 1, "method": "play",
        "params": {"player_move": "ROCK", "session_id": "s"}}
CALLS = [
    PLAY,
    {"jsonrpc": "2.0", "id": "a", "method": "play", "params": ["PAPER"]},
    {"jsonrpc": "2.0", "id": 1.5, "method": "score", "params": {"session_id": "s"}},
    {"jsonrpc": "2.0", "id": None, "method": "join",
     "params": {"game_id": "g", "player_id": "p", "best_of": 3}},
    {"jsonrpc": "2.0", "id": -5, "method": "throw", "params": ["g", "p", "SCISSORS"]},
    {"jsonrpc": "2.0", "method": "leave", "params": {"game_id": "g", "player_id": "p"}},
    {"jsonrpc": "2.0", "id": 7, "method": "rpc.discover"},
    {"jsonrpc": "2.0", "id": 8, "method": "foobar"},
    {"jsonrpc": "2.0", "id": 9, "method": "play", "params": ["ROCK"],
     "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
    [PLAY, {"jsonrpc": "2.0", "method": "play", "params": ["ROCK"]}, 1],
    [],
]
JSON_TEXTS = [json.dumps(call).encode() for call in CALLS] + [
    b'{"jsonrpc":"2.0","id":"\\u0041\\ud83d\\ude00","method":"\\u0070lay","params":["ROCK"]}',
    b'{"jsonrpc":"2.0","id":123456789012345678901234567890,"method":"play"}',
    b'{"jsonrpc":"2.0","id":1,"id":2,"method":"play"}',
    b'{"jsonrpc":"2.0","id":{},"method":1,"params":"bar"}',
    b"[" * 70 + b"]" * 70,
    b"[1,2,3]", b'{"a', b"\xef\xbb\xbf{}", b"1e999", b"\"\\ud800\"",
]


def message_pack(value) -> bytes:
    """In the shortest forms."""
    if value is None:
        return b"\xc0"
    if isinstance(value, float):
        return b"\xcb" + struct.pack(">d", value)
    if isinstance(value, int):
        return struct.pack("b", value) if -32 <= value < 128 else b"\xd3" + struct.pack(">q", value)
    if isinstance(value, str):
        text = value.encode()
        head = bytes([0xA0 | len(text)]) if len(text) < 32 else bytes([0xD9, len(text)])
        return head + text
    if isinstance(value, list):
        return bytes([0x90 | len(value)]) + b"".join(map(message_pack, value))
    return bytes([0x80 | len(value)]) + b"".join(
        message_pack(name) + message_pack(member) for name, member in value.items())


MESSAGE_PACKS = [message_pack(call) for call in CALLS] + [
    b"\x91" * 70 + b"\xc0",
    b"\xdd\xff\xff\xff\xff",  # An array of 2^32 - 1.
    b"\xdb\xff\xff\xff\xffx",  # A text as long.
    b"\xc7\x01\x05x",  # An extension.
    b"\xdf\x00\x00\x00\x00",  # An empty map, the long way.
]


def record(operation: int, *, flags: int = 1, move: int = 0, best_of: int = 0,
           first: bytes = b"", second: bytes = b"", context: bytes = b"") -> bytes:
    """A request of the fixed layout."""
    return struct.pack(">BBBBBIQ", operation, flags, move, len(first), len(second), best_of,
                       7) + context + first + second


RECORDS = [
    record(1, move=1, first=b"s"),
    record(1, move=2, flags=0),
    record(1, move=3, flags=3, context=bytes(range(25))),
    record(2, first=b"s"),
    record(3, first=b"g", second=b"p", best_of=3),
    record(4, first=b"g", second=b"p", move=3),
    record(5, first=b"g", second=b"p"),
    record(1, move=1) + record(2, first=b"s") + record(9),
    record(1, flags=0xFF),
    record(1, move=1)[:-1],
    b"",
]


def frame(payload: bytes, kind: int = 1, codec: int = 0) -> bytes:
    return b"\xca\xfe" + struct.pack(">BH", codec << 4 | kind, len(payload)) + payload


FRAMES = ([frame(text) for text in JSON_TEXTS] + [frame(pack, codec=1) for pack in MESSAGE_PACKS]
          + [frame(text, codec=2) for text in RECORDS]
          + [frame(JSON_TEXTS[0]) * 3, frame(b"{}", kind=2), frame(b"{}", codec=9), b"\xca\xfe\x01",
             b"\xca\xff", b"\xca\xfe\x01\xff\xff", frame(b"{}", kind=0)])


def http(method: bytes = b"POST", path: bytes = b"/rpc", body: bytes = b"", **fields: str) -> bytes:
    named = {"Host": "h"} | {name.replace("_", "-"): value for name, value in fields.items()}
    if body and "Transfer-Encoding" not in named:
        named = {"Content-Type": "application/json", "Content-Length": str(len(body))} | named
    lines = "".join(f"{name}: {value}\r\n" for name, value in named.items()).encode()
    return method + b" " + path + b" HTTP/1.1\r\n" + lines + b"\r\n" + body


REQUESTS = [
    http(body=JSON_TEXTS[0]),
    http(body=JSON_TEXTS[0]) * 2,
    http(body=JSON_TEXTS[5]),
    http(body=b"{}", Expect="100-continue"),
    http(body=b"{}", Content_Type="text/plain"),
    http(body=b"{}", Connection="close"),
    http(body=b"{}", Content_Length="999"),
    http(body=b"{}", Content_Length="18446744073709551616"),
    http(body=b"2\r\n{}\r\n0\r\n\r\n", Transfer_Encoding="chunked",
         Content_Type="application/json"),
    http(body=b"0\r\nX: y\r\n\r\n", Transfer_Encoding="chunked"),
    http(body=b"ffffffffffffffff\r\n{}", Transfer_Encoding="chunked"),
    http(body=b"0\r\nTrailer: x\r\n\r\n", Transfer_Encoding="chunked", Content_Length="4"),
    http(b"GET", b"/healthz"), http(b"GET", b"/readyz"), http(b"HEAD", b"/metrics"),
    http(b"DELETE", b"/rpc"), http(b"GET", b"/nothing"), http(b"OPTIONS", b"*"),
    http(b"GET", b"/" + b"x" * 300), http(X_Long="x" * 300),
    http(body=b"{}", traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    b"GET /healthz HTTP/1.0\r\n\r\n", b"GET /healthz HTTP/1.1\r\n\r\n", b"GET /healthz\r\n\r\n",
    b"GET /healthz HTTP/1.1\nHost: h\n\n", b"GET /healthz HTTP/1.1\r\nHost: h\r\n folded\r\n\r\n",
    b"GET /healthz HTTP/2.0\r\nHost: h\r\n\r\n",
    b"\r\n\r\n" + http(body=JSON_TEXTS[0]) + b"\r\n" + http(b"GET", b"/healthz"),
    http(path=b"http://h/r%70c?x=%20", body=JSON_TEXTS[0]), http(b"OPTIONS", b"http://h"),
    http(b"GET", b"https://h/"), http(b"CONNECT", b"h:80"), http(b"GET", b"/%2", Host="[::1]:80"),
    http(b"GET", b"/metrics", Host="evil.example"), http(b"GET", b"/metrics", Host="x:99999"),
    http(b"PUT", body=b"{}", Expect="100-continue") + http(b"GET", b"/healthz"),
    http(body=b"2;a=b\r\n{}\r\n0\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n",
         Transfer_Encoding="chunked", Content_Type="application/json") * 2,
    b"\r\n\r\n" + JSON_TEXTS[0].replace(b"\n", b" ") + b"\n",
]
LINES = [text.replace(b"\n", b" ") + b"\n" for text in JSON_TEXTS if text[:1] in (b"{", b"[")] + [
    b"\r\n\n  " + JSON_TEXTS[0] + b"\r\n" + JSON_TEXTS[1] + b"\n", b"{" * 400]
PIECES = [b"\x00", b"\x01", b"\x42"]  # The first byte of a protocol's input: how small they are.

SCORE = {"wins": 1, "draws": 2, "losses": 3}
SAYINGS = [  # A server's: a reply for each operation, an error, an event.
    {"jsonrpc": "2.0", "id": 1, "result": {
        "opponent_move": "ROCK", "result": "DRAW", "reason": "both threw rock", "round": 6,
        "score": SCORE}},
    {"jsonrpc": "2.0", "id": 1, "result": SCORE | {"rounds": 6}},
    {"jsonrpc": "2.0", "id": 1, "result": {"seat": 1, "best_of": 3}},
    {"jsonrpc": "2.0", "id": 1, "result": {"accepted": True}},
    {"jsonrpc": "2.0", "id": 1, "result": {"done": True}},
    {"jsonrpc": "2.0", "id": None, "error": {
        "code": -32000, "message": "m", "data": {"error": "overloaded", "retry_after_ms": 5}}},
    {"jsonrpc": "2.0", "method": "round_over", "params": {
        "game_id": "g", "player_id": "p", "player_move": "ROCK", "opponent_move": "PAPER",
        "result": "LOSE", "round": 1, "score": SCORE}},
    {"jsonrpc": "2.0", "method": "game_over", "params": {
        "game_id": "g", "player_id": "p", "winner": "p", "score": SCORE}},
]
FIXED_REPLY = struct.pack(">QBBBBBBIQQQQ", 1, 1, 0, 1, 2, 1, 0, 0, 6, 1, 2, 3)
FIXED_EVENT = struct.pack(">BBBBBBBQQQQ", 3, 1, 2, 3, 1, 1, 1, 1, 1, 2, 3) + b"gpp"


def http_answer(body: bytes, status: bytes = b"200 OK") -> bytes:
    return (b"HTTP/1.1 " + status + b"\r\nContent-Type: application/json\r\ncontent-LENGTH: %d\r\n"
            b"\r\n" % len(body)) + body


def client_inputs() -> list[bytes]:
    """The first byte chooses codec or framing, and the operation that waits for its reply."""
    inputs = []
    for number, saying in enumerate(SAYINGS):
        text, pack = json.dumps(saying).encode(), message_pack(saying)
        kind = 3 if "method" in saying else 2
        operation = 5 * (number % 5)
        inputs += [bytes([operation + choice]) + stream for choice, stream in enumerate([
            frame(text, kind), frame(pack, kind, 1),
            frame(FIXED_EVENT, 3, 2) if kind == 3 else frame(FIXED_REPLY, 2, 2),
            text + b"\n", http_answer(text)])]
    return inputs + [b"\x04" + http_answer(b"", b"204 No Content"),
                     b"\x04" + http_answer(b"too many\n", b"429 Too Many Requests")]


TRACEPARENTS = [version + b"-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" + rest
                for version in (b"00", b"01", b"ff") for rest in (b"", b"-more")]
CONFIGS = [text.encode() for text in (
    "", "# nothing\n\n", "drain = 5s\n", "drain=\"1500ms\" # soon\r\nhouse = cycle\n",
    "listen = '127.0.0.1:7000'\nadmin = \"[::1]:0\"\nseed = 18446744073709551615\n",
    "host = [\"a.example\", 'b.example', c.example]\n", "host = a.example\nlog-level = debug\n",
    "max-connections = 10\nrate-limit = 1.5k\nrate-burst = 7\nidle-timeout = 24h\n",
    "max-frame-bytes = 64KiB\naccept = single\nmax-batch = 100\nlog-format = json\n",
    "threads = 4\n", "session-idle = 720h\nduel-idle = 1\nmax-sessions = 1\nmax-duels = 010\n",
    "drain = 11m\n", "drain\n", "drain =\n", "drain = [1s, 2s]\n", "host = []\n", "host = [a\n",
    "drain = \"5s\n", "drain = '5s' x\n", "[game]\n", "config = x\n", "help = true\n",
    "version = true\n", "no-such-flag = 1\n", "drain = 1s\ndrain = 1s\n", "a.b = 1\n", "\0 = \0\n")]

TOKEN_HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
CALLERS = [text.encode() for text in (
    "", "# nobody\n\n \t\n", f"{TOKEN_HASH} play,score ann\n",
    f"  {TOKEN_HASH.upper()}\t*\tann b \r\n",
    "- * spiffe://example.org/referee\n- watch ann\n", f"{TOKEN_HASH} * a\n- join,throw,leave a",
    f"{TOKEN_HASH} * a\n{TOKEN_HASH} * b\n", "- * a\n- * a\n", f"{TOKEN_HASH}\n",
    f"{TOKEN_HASH} * \n", f"{TOKEN_HASH} play,,score a\n", f"{TOKEN_HASH} play, score a\n",
    "- dance a\n", "- *,play a\n", f"{TOKEN_HASH[1:]} * a\n", f"{TOKEN_HASH}0 * a\n",
    f"+{TOKEN_HASH[1:]} * a\n", "# a\n- * a\n-- * b\n", "- * \0\n- * \xff\n")]


def protobuf(*members: tuple[int, int | bytes]) -> bytes:
    """A message of small numbers and short texts."""
    return b"".join(
        bytes([number << 3, value]) if isinstance(value, int)
        else bytes([number << 3 | 2, len(value)]) + value for number, value in members)


def grpc_inputs() -> list[bytes]:
    """Requests: a byte that chooses the message, the length, the message."""
    def request(kind: int, message: bytes) -> bytes:
        return bytes([kind, len(message)]) + message

    plays = [request(0, protobuf((1, move), (2, b"s"))) for move in range(5)]
    score = request(1, protobuf((1, b"s")))
    join = [request(2, protobuf((1, protobuf((1, b"g"), (2, player), (3, 3)))))
            for player in (b"p", b"q")]
    throw = [request(2, protobuf((2, protobuf((1, b"g"), (2, player), (3, 1)))))
             for player in (b"p", b"q")]
    leave = request(2, protobuf((3, protobuf((1, b"g"), (2, b"p")))))
    watch = request(3, protobuf((1, b"g")))
    return [*plays, b"".join(plays) + score, score, *join, b"".join(join + throw) + leave,
            watch, join[0] + watch + join[1] + watch + b"".join(throw * 3), request(3, b""),
            b"".join(join) + watch + leave + join[0] + b"".join(throw) + leave,
            request(0, protobuf((1, 1))), request(0, b"\x08\xff\xff\xff\xff\x0f"),
            request(0, protobuf((2, b"\xff"))), request(2, b""), request(0, protobuf((9, b"x")))]


def rest_json_inputs() -> list[bytes]:
    """The first byte chooses the message, 128 more its binary form."""
    texts = {
        0: ['{"player_move":"ROCK","session_id":"s"}', '{"playerMove":2,"more":[1,{"a":null}]}',
            '{"player_move":"LIZARD","session_id":"\\u0041\\ud83d\\ude00\\n"}',
            '{"player_move":"+1","session_id":"<é\u2028>"}', '{"player_move":30e-1}',
            '{"session_id":"a","sessionId":"b"}', '{"a":[[[1.5,-0,true,false,null,""]]]}',
            '{"a":"\\ud800"}', "{'a':1,}", '{"":1}', '{"a":1e-400}', '{"a":1e400}',
            '{"a":' + "[" * 101 + "]" * 101 + "}", '{"a":' * 101 + "1" + "}" * 101, "null", "[]"],
        1: ['{"join":{"game_id":"g","player_id":"p","best_of":3}}', '{"join":{},"throw":{}}',
            '{"join":null,"throw":{"move":"PAPER"}}', '{"leave":{"game_id":1}}'],
        2: ['{"game_id":"g","bestOf":"7"}', '{"best_of":4294967296}', '{"best_of":-1}'],
        3: ['{"game_id":"g","player_id":"p","move":"SCISSORS"}'],
        4: ['{"state":{"game_id":"g","best_of":3,"rounds":"1","players":[{"seat":1,"present":true,'
            '"score":{"wins":"1"}},{"seat":2}],"over":true,"winner":"p"},"game_over":{}}',
            '{"state":{"players":[null]}}', '{"state":{"players":{}}}',
            '{"state":{"players":[[{"":{}}]]}}', '{"state":{"over":"yes"}}', '{"snapshot":{}}',
            '{"round_over":{"first_move":"ROCK","first_result":"WIN"}}'],
        5: ['{"round":18446744073709551615,"score":{"wins":1.0}}', '{"round":"-1"}'],
        6: ['{"joined":{"seat":1,"best_of":3}}', '{"event":{"game_id":"g","opponent_ready":{}}}'],
        7: ['{"code":8,"message":"m","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo"'
            ',"reason":"R","domain":"d","metadata":{"k":"v"}},{"@type":'
            '"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"1.5s"}]}'],
    }
    binary = [protobuf((1, 1), (2, "<é\u00ad\U000e0001>".encode())), protobuf((1, 4), (2, b"\0")),
              b"\x08\xff\xff\xff\xff\x0f"]
    return ([bytes([kind]) + text.encode() for kind, group in texts.items() for text in group]
            + [b"\x80" + message for message in binary])


def rest_requests() -> list[bytes]:
    """Requests of the gateway; those of a duel one after another, as it needs its players."""
    play = b'{"player_move":"ROCK","session_id":"s"}'
    json_lines = {"Content_Type": "application/x-ndjson"}
    problem = {"Accept": "application/problem+json, */*"}

    def duel(verb: bytes, player: bytes, more: bytes = b"") -> bytes:
        body = b'{"player_id":"' + player + b'"' + more + b"}"
        return http(path=b"/v1/games/g/" + verb, body=body)

    joins = duel(b"join", b"p", b',"best_of":1') + duel(b"join", b"q")
    throws = b"".join(duel(b"throw", player, b',"move":"' + move + b'"')
                      for player, move in ((b"p", b"ROCK"), (b"q", b"PAPER")))
    events = http(b"GET", b"/v1/games/g/events")
    shown = http(b"GET", b"/v1/games/g/events", Accept="text/event-stream")
    score = http(b"GET", b"/v1/sessions/s/score")
    return [
        http(path=b"/v1/play", body=play) + score, score,
        http(path=b"/v1/play", body=b"{}", **problem),
        http(path=b"/v1/play:many", body=play + b"\r\n\n" + play, **json_lines),
        http(path=b"/v1/play:rally", body=play + b"\n{}\n" + play, **json_lines),
        joins + events + shown + throws + shown, joins + throws + throws,
        joins + duel(b"join", b"r") + duel(b"leave", b"p") + duel(b"leave", b"q") + events,
        duel(b"throw", b"p") + http(path=b"/v1/games/%ff/leave", body=b"{}"), joins + events * 3,
        joins + events.replace(b"HTTP/1.1", b"HTTP/1.0"),
        joins + shown.replace(b"GET", b"HEAD"), joins + shown[:-2] + b"Last-Event-ID: 1\r\n\r\n",
        http(path=b"/v1/play", body=play, Content_Type="text/plain"),
        http(path=b"/v1/play", body=play, Content_Encoding="gzip"),
        http(path=b"/v1/play", body=play, Accept="text/html"),
        http(path=b"/v1/play", body=play, Origin="http://evil.example", **problem),
        http(path=b"/v1/play", body=play, Host="evil.example"),
        http(path=b"/v1/play", body=play, Expect="100-continue"),
        http(path=b"/v1/none", body=play, Expect="100-continue"),
        http(path=b"/v1/play", body=play, Expect="more"), http(path=b"/v1/play", body=b" " * 500),
        http(path=b"/v1/play", body=b"2\r\n{}\r\n0\r\n\r\n", Transfer_Encoding="chunked",
             Content_Type="application/json"),
        http(path=b"/v1/play", body=play, traceparent="00-" + "1" * 32 + "-" + "2" * 16 + "-01"),
        http(b"GET", b"/v1/sessions/s/score", body=b" " * 500),
        http(b"GET", b"/v1/sessions/%zz/score"), http(b"GET", b"/v1/sessions/s/score?session_id=t"),
        http(b"GET", b"/v1/sessions/" + b"x" * 400 + b"/score"),
        http(b"GET", b"/"), http(b"HEAD", b"/page.js"), http(b"GET", b"/openapi.json"),
        http(b"GET", b"/icon.svg", If_None_Match="*"), http(b"DELETE", b"/page.css"),
        http(b"OPTIONS", b"/v1/play"), http(b"OPTIONS", b"*"), http(b"PUT", b"/v1/play"),
        http(b"BREW", b"/v1/play"), http(b"GET", b"http://h/v1/games/none/events"),
        http(b"GET", b"/", Transfer_Encoding="gzip"), b"GET / HTTP/1.0\r\n\r\n", b"\0\r\n\r\n",
    ]


SEEDS = {
    "callers": CALLERS,
    "client": client_inputs(),
    "config": CONFIGS,
    "grpc_request": grpc_inputs(),
    "envelope": JSON_TEXTS,
    "message_pack": MESSAGE_PACKS,
    "fixed_layout": RECORDS,
    "frame": FRAMES,
    "traceparent": TRACEPARENTS,
    "rest_json": rest_json_inputs(),
    "rest_request": rest_requests(),
    "protocol": [pieces + stream for pieces in PIECES for stream in FRAMES + LINES + REQUESTS],
}


def main(folder: pathlib.Path):
    for target, seeds in SEEDS.items():
        (folder / target).mkdir(parents=True, exist_ok=True)
        for number, seed in enumerate(seeds):
            (folder / target / f"seed-{number:03}").write_bytes(seed)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
