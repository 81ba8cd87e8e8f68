"""HTTP on stage 2's port: with curl and wrk, which we did not write, and by bytes where those are
too polite."""

import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import time
import unittest

from abuse import unharmed
from framings import Answer, Http, Peer, call, check_round, play, read_answer
from rps_process import PATIENCE, Server, eventually

JSON_TYPE = "Content-Type: application/json"
BODY_MAX = 1 << 20
# Milliseconds; so that a connection that is wrongly kept open is soon seen to be.
IMPATIENT = ["--linger=100", "--idle-timeout=1000"]


def tool(name: str) -> str:
    found = shutil.which(name)
    assert found, f"{name} is not installed: ./rps deps tests"
    return found


def curl(server: Server, path: str, *flags: str) -> list[Answer]:
    """The answers to one command of curl, interim ones included."""
    url = server.url.replace("jsonrpc://", "http://") + path
    done = subprocess.run([tool("curl"), "--silent", "--show-error", "--include", "--max-time",
                           str(PATIENCE), *flags, url],
                          capture_output=True, timeout=2 * PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    return answers_in(done.stdout, head_only="--head" in flags)


def answers_in(data: bytes, head_only: bool = False) -> list[Answer]:
    with tempfile.TemporaryFile() as stream:
        stream.write(data)
        stream.seek(0)
        answers = []
        while (answer := read_answer(stream, head_only)) is not None:
            answers.append(answer)
        return answers


def post(server: Server, body: bytes, *flags: str) -> Answer:
    return curl(server, "/rpc", "-H", JSON_TYPE, "--data-binary", body.decode(), *flags)[-1]


class Curl(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(Server("rps-jsonrpc", admin=True))

    def test_a_call(self):
        answer = post(self.server, play(1))
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.headers["content-type"], "application/json")
        check_round(json.loads(answer.body), 1)

    def test_every_operation_that_fits(self):
        for payload, member in [(play(1, session_id="curl"), "opponent_move"),
                                (call(2, "score", session_id="curl"), "rounds"),
                                (call(3, "rpc.discover"), "openrpc")]:
            answer = post(self.server, payload)
            self.assertEqual(answer.status, 200)
            self.assertIn(member, json.loads(answer.body)["result"])

    def test_an_error_is_an_answer(self):
        for payload, code in [(call(1, "no"), -32601), (play(1, player_move="STONE"), -32602),
                              (b"{", -32700), (b"[]", -32600), (b"x", -32700),
                              (call(1, "join", game_id="g", player_id="p"), -32601)]:
            with self.subTest(payload):
                answer = post(self.server, payload)
                self.assertEqual(answer.status, 200)
                self.assertEqual(json.loads(answer.body)["error"]["code"], code)

    def test_nothing_to_say(self):
        for payload in (b'{"jsonrpc":"2.0","method":"play","params":["ROCK"]}',
                        b'[{"jsonrpc":"2.0","method":"play","params":["ROCK"]}]'):
            answer = post(self.server, payload)
            self.assertEqual((answer.status, answer.body), (204, b""))

    def test_pages(self):
        for path, says in [("/healthz", b"ok"), ("/readyz", b"ready"), ("/metrics", b"# TYPE")]:
            with self.subTest(path):
                answer = curl(self.server, path)[-1]
                self.assertEqual(answer.status, 200)
                self.assertIn(says, answer.body)
                head = curl(self.server, path, "--head")[-1]
                self.assertEqual(head.status, 200)
                if path != "/metrics":  # Whose length changes.
                    self.assertEqual(head.headers["content-length"], str(len(answer.body)))

    def test_statuses(self):
        for name, path, flags, status in [
                ("another path", "/nothing", [], 404),
                ("another method", "/rpc", [], 405),
                ("another method for a page", "/healthz", ["-X", "DELETE"], 405),
                ("another media type", "/rpc", ["-H", "Content-Type: text/plain", "-d", "{}"], 415),
                ("no media type", "/rpc", ["-H", "Content-Type:", "-d", "{}"], 415),
                ("a charset beside it", "/rpc", ["-H", JSON_TYPE + "; charset=utf-8", "-d", "{}"],
                 200),
                ("in capitals", "/rpc", ["-H", JSON_TYPE.upper(), "-d", "{}"], 200),
                ("a long header", "/rpc", ["-H", "X: " + "x" * 9000], 431),
                ("something else expected", "/rpc", ["-H", "Expect: a miracle", "-H", JSON_TYPE,
                                                     "-d", "{}"], 417)]:
            with self.subTest(name):
                answer = curl(self.server, path, *flags)[-1]
                self.assertEqual(answer.status, status)
        self.assertEqual(curl(self.server, "/rpc")[-1].headers["allow"], "OPTIONS, POST")
        self.assertEqual(curl(self.server, "/healthz", "-X", "PUT")[-1].headers["allow"],
                         "GET, HEAD, OPTIONS")

    def test_a_long_body_is_asked_for(self):
        """curl asks before it sends a megabyte: 100 Continue, and 413 instead of it."""
        with tempfile.NamedTemporaryFile() as file:
            for size, statuses in [(BODY_MAX, [100, 200]), (BODY_MAX + 1, [413])]:
                with self.subTest(size):
                    file.seek(0)
                    file.write(play(1).ljust(size))
                    file.flush()
                    answers = curl(self.server, "/rpc", "-H", JSON_TYPE, "-H",
                                   "Expect: 100-continue", "--data-binary", f"@{file.name}")
                    self.assertEqual([answer.status for answer in answers], statuses)

    def test_chunks(self):
        answer = post(self.server, play(1), "-H", "Transfer-Encoding: chunked")
        check_round(json.loads(answer.body), 1)

    def test_a_connection_is_kept(self):
        before = self.connections_opened()
        url = self.server.url.replace("jsonrpc://", "http://") + "/healthz"
        done = subprocess.run([tool("curl"), "--silent", *[url] * 5], capture_output=True,
                              timeout=PATIENCE, check=True)
        self.assertEqual(done.stdout, b"ok\n" * 5)
        self.assertEqual(self.connections_opened(), before + 1)

    def connections_opened(self) -> float:
        return self.server.metrics()["rps_connections_total"]


class Wrk(unittest.TestCase):
    """A load generator: many connections, many calls, each answered with a 200."""

    SCRIPT = """
        wrk.method = "POST"
        wrk.headers["Content-Type"] = "application/json"
        wrk.body = '{"jsonrpc":"2.0","id":1,"method":"play","params":{"player_move":"ROCK"}}'
        wrong = 0
        function setup(thread) threads = threads or {}; table.insert(threads, thread) end
        function response(status, headers, body)
          if status ~= 200 or not body:find('"result":{', 1, true) then wrong = wrong + 1 end
        end
        function done(summary, latency, requests)
          local total = 0
          for _, thread in ipairs(threads) do total = total + thread:get("wrong") end
          io.write(string.format("requests=%d wrong=%d status=%d connect=%d read=%d write=%d "
            .. "timeout=%d\\n", summary.requests, total, summary.errors.status,
            summary.errors.connect, summary.errors.read, summary.errors.write,
            summary.errors.timeout))
        end
    """

    def test_every_answer_is_right(self):
        with Server("rps-jsonrpc", "--overload-after=60000", admin=True) as server, \
                unharmed(server), tempfile.TemporaryDirectory() as folder:
            script = pathlib.Path(folder, "play.lua")
            script.write_text(self.SCRIPT)
            done = subprocess.run(
                [tool("wrk"), "--threads=2", "--connections=64", "--duration=1s",
                 f"--timeout={PATIENCE:.0f}s", f"--script={script}",
                 server.url.replace("jsonrpc://", "http://") + "/rpc"],
                capture_output=True, text=True, timeout=2 * PATIENCE, check=True)
            said = re.search(r"requests=(\d+) (.*)", done.stdout)
            self.assertIsNotNone(said, done.stdout)
            self.assertEqual(said[2], "wrong=0 status=0 connect=0 read=0 write=0 timeout=0")
            self.assertGreater(int(said[1]), 100)
            plays = 'rps_requests_total{operation="play",error_class="ok"}'
            eventually(lambda: server.metrics()[plays] >= int(said[1]), "all are counted")


HIDDEN = b"GET /hidden HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = b"POST /rpc HTTP/1.1\r\nHost: localhost\r\n" + JSON_TYPE.encode() + b"\r\n"


class Smuggling(unittest.TestCase):
    """Where two readers could see two different ends of a request, it is refused, and what stands
    behind it is never taken for a request. The hidden one's answer would be a 404."""

    AMBIGUOUS = [
        ("a length and chunks", POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
                                       b"0\r\n\r\n"),
        ("chunks and a length", POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"
                                       b"0\r\n\r\n"),
        ("two lengths", POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"),
        ("two lengths in a list", POST + b"Content-Length: 2, 3\r\n\r\n{}"),
        ("a length with a sign", POST + b"Content-Length: +2\r\n\r\n{}"),
        ("a negative length", POST + b"Content-Length: -2\r\n\r\n{}"),
        ("a length in hexadecimal", POST + b"Content-Length: 0x2\r\n\r\n{}"),
        ("a length with a space inside", POST + b"Content-Length: 1 2\r\n\r\n{}"),
        ("an empty length", POST + b"Content-Length:\r\n\r\n"),
        ("a length beyond 64 bits", POST + b"Content-Length: 18446744073709551618\r\n\r\n{}"),
        ("a line that ends bare", b"GET /healthz HTTP/1.1\nHost: h\n\n\r\n\r\n"),
        ("one line that ends bare", b"GET /healthz HTTP/1.1\r\nX: a\nHost: localhost\r\n\r\n"),
        ("a bare return", b"GET /healthz HTTP/1.1\r\nX: a\rHost: localhost\r\n\r\n"),
        ("a space before the colon", POST + b"Content-Length : 2\r\n\r\n{}"),
        ("a zero in a name", POST + b"X\0Y: 2\r\n\r\n"),
        ("a zero in a value", POST + b"X: \0\r\nContent-Length: 2\r\n\r\n{}"),
        ("another encoding", POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
        ("chunks not last", POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n"),
        ("chunks spelled oddly", POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
        ("chunks twice", POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"
                                b"0\r\n\r\n"),
        ("a chunk beyond 64 bits", POST + b"Transfer-Encoding: chunked\r\n\r\n"
                                          b"10000000000000002\r\n{}\r\n0\r\n\r\n"),
        ("a chunk with a sign", POST + b"Transfer-Encoding: chunked\r\n\r\n+2\r\n{}\r\n0\r\n\r\n"),
        ("a chunk longer than said", POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}}\r\n0\r\n"
                                            b"\r\n"),
        ("no host", b"GET /healthz HTTP/1.1\r\n\r\n"),
        ("two hosts", b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
        ("no version", b"GET /healthz\r\nHost: localhost\r\n\r\n"),
        ("version 0.9", b"GET /healthz HTTP/0.9\r\nHost: localhost\r\n\r\n"),
        ("version 2", b"GET /healthz HTTP/2.0\r\nHost: localhost\r\n\r\n"),
        ("the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        ("two spaces", b"GET  /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        ("a tab", b"GET\t/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        ("a method that is none", b"G(T /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        ("a target with a control", b"GET /heal\x01thz HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    ]

    def ask(self, server: Server, data: bytes) -> list[Answer]:
        with Peer(Http(), server.address) as peer:
            peer.send_bytes(data)
            answers = []
            while (answer := read_answer(peer.stream)) is not None:
                answers.append(answer)
            return answers

    def test_what_is_ambiguous_is_refused(self):
        with Server("rps-jsonrpc", *IMPATIENT) as server, unharmed(server):
            for name, data in self.AMBIGUOUS:
                with self.subTest(name):
                    statuses = [answer.status for answer in self.ask(server, data + HIDDEN)]
                    self.assertIn(statuses, ([400], [501]))  # 501: for an unknown encoding.

    def test_what_is_absurd_is_refused(self):
        with Server("rps-jsonrpc", *IMPATIENT) as server, unharmed(server):
            for name, data, status in [
                    ("a petabyte", POST + b"Content-Length: 1000000000000000\r\n\r\n", 413),
                    ("a chunk of a terabyte", POST + b"Transfer-Encoding: chunked\r\n\r\n"
                                                     b"ffffffffff\r\n", 413),
                    ("a long target", b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n\r\n", 431),
                    ("a long method", b"G" * 100_000, 431),
                    ("many fields", b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 100_000, 431),
                    ("a long trailer", POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n"
                                              b"X: " + b"x" * 100_000 + b"\r\n\r\n", 431),
                    ("chunks of a byte with long extensions",
                     POST + b"Transfer-Encoding: chunked\r\n\r\n"
                     + (b"1;" + b"x" * 4000 + b"\r\n{\r\n") * 1000, 413)]:
                with self.subTest(name):
                    statuses = [answer.status for answer in self.ask(server, data)]
                    self.assertEqual(statuses, [status])

    def test_chunks_that_come_byte_by_byte(self):
        with Server("rps-jsonrpc") as server, unharmed(server), \
                Peer(Http(), server.address) as peer:
            for body in (b"0\r\n\r\n", b"0\r\nX: y\r\n\r\n", b"2\r\n{}\r\n0\r\n\r\n",
                         b"1;a=b\r\n{\r\n1\r\n}\r\n0\r\nX: y\r\n\r\n"):
                peer.send_bytes(POST + b"Transfer-Encoding: chunked\r\n\r\n")
                for byte in body:
                    peer.send_bytes(bytes([byte]))
                    time.sleep(0.001)  # Or they would arrive together.
                self.assertEqual(read_answer(peer.stream).status, 200)

    def test_what_is_allowed_is_read_once(self):
        """The same shapes, but right: the request behind is one, and is answered as one."""
        with Server("rps-jsonrpc") as server, unharmed(server), \
                Peer(Http(), server.address) as peer:
            for name, data in [
                    ("a length", POST + b"Content-Length: 2\r\n\r\n{}"),
                    ("chunks", POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"),
                    ("chunks in capitals", POST + b"Transfer-Encoding: CHUNKED\r\n\r\n"
                                                  b"1;a=b\r\n{\r\n01\r\n}\r\n0\r\nX: y\r\n\r\n"),
                    # RFC 9112, section 5.2: refused, or read as a space. No length is hidden here.
                    ("a folded line", POST + b"X: a\r\n Content-Length: 99\r\n\r\n")]:
                with self.subTest(name):
                    peer.send_bytes(data + HIDDEN)
                    self.assertEqual(read_answer(peer.stream).status, 200)
                    self.assertEqual(read_answer(peer.stream).status, 404)


if __name__ == "__main__":
    unittest.main()
