"""HTTP as RFC 9110 and RFC 9112 have it, on every port that speaks it: stage 2's own and the admin
port of every server. By bytes, and with curl, which we did not write. The table: docs/http.md."""

import contextlib
import email.utils
import json
import socket
import subprocess
import time
import unittest
from dataclasses import dataclass

from framings import Answer, Http, Peer, check_round, play, read_answer
from rps_process import PATIENCE, Server, built_servers

JSON_FIELDS = b"Host: localhost\r\nContent-Type: application/json\r\n"
EVIL = "evil.example"


@dataclass
class Port:
    name: str
    address: tuple[str, int]


@contextlib.contextmanager
def ports(*flags: str):
    """Every port that speaks HTTP."""
    with contextlib.ExitStack() as stack:
        found = []
        for name in built_servers():
            server = stack.enter_context(Server(name, *flags, admin=True))
            host, port = server.admin_url.removeprefix("http://").rsplit(":", 1)
            found.append(Port(f"admin port of {name}", (host, int(port))))
            if name == "rps-jsonrpc":
                found.append(Port("port of rps-jsonrpc", server.address))
        yield found


def ask(address: tuple[str, int], data: bytes, pieces: int = 1) -> list[Answer]:
    """All answers to `data`, until the server closes or, when it does not, falls silent."""
    with Peer(Http(), address) as peer:
        step = -(-len(data) // pieces)
        for at in range(0, len(data), step):
            peer.send_bytes(data[at:at + step])
            if pieces > 1:
                time.sleep(0.001)  # Or they would arrive together.
        peer.socket.shutdown(socket.SHUT_WR)
        answers = []
        while (answer := read_answer(peer.stream)) is not None:
            answers.append(answer)
        return answers


def get(target: str, host: str | None = "localhost", method: str = "GET",
        version: str = "1.1") -> bytes:
    field = "" if host is None else f"Host: {host}\r\n"
    return f"{method} {target} HTTP/{version}\r\n{field}\r\n".encode()


def curl(port: Port, *arguments: str) -> int:
    """The status that curl prints for its URL."""
    done = subprocess.run(["curl", "--silent", "--show-error", "--output", "/dev/null",
                           "--write-out", "%{http_code}", "--max-time", str(PATIENCE),
                           *(text.replace("PORT", str(port.address[1])) for text in arguments)],
                          capture_output=True, text=True, timeout=2 * PATIENCE, check=True)
    return int(done.stdout)


class Hosts(unittest.TestCase):
    PATHS = ["/healthz", "/readyz", "/metrics", "/nothing"]

    def statuses(self, port: Port, host: str | None, version: str = "1.1") -> set[int]:
        return {ask(port.address, get(path, host, version=version))[0].status
                for path in self.PATHS}

    def test_a_name_that_resolves_here_is_not_ours(self):
        with ports() as found:
            for port in found:
                with self.subTest(port.name):
                    for host in (EVIL, f"{EVIL}:{port.address[1]}", f"localhost.{EVIL}",
                                 f"127.0.0.1.{EVIL}", "127.1", "rps.example"):
                        self.assertEqual(self.statuses(port, host), {421}, host)
                    self.assertEqual(self.statuses(port, EVIL, version="1.0"), {421})
                    self.assertEqual(ask(port.address, get(f"http://{EVIL}/metrics"))[0].status,
                                     421)
                    self.assertEqual(curl(port, "--resolve", f"{EVIL}:PORT:127.0.0.1",
                                          f"http://{EVIL}:PORT/metrics"), 421)

    def test_a_foreign_page_cannot_play(self):
        with Server("rps-jsonrpc", admin=True) as server:
            body = play(1, session_id="victim")
            data = (f"POST /rpc HTTP/1.1\r\nHost: {EVIL}\r\nOrigin: http://{EVIL}\r\n"
                    "Sec-Fetch-Site: same-origin\r\nContent-Type: application/json\r\n"
                    f"Content-Length: {len(body)}\r\n\r\n").encode() + body
            self.assertEqual([answer.status for answer in ask(server.address, data)], [421])
            self.assertEqual(server.metrics()["rps_sessions"], 0)

    def test_what_is_ours(self):
        with ports("--host=rps.example", "--host", "Other.Example") as found:
            for port in found:
                with self.subTest(port.name):
                    for host in ("localhost", "LOCALHOST:1", "localhost.", "127.0.0.1",
                                 f"127.0.0.1:{port.address[1]}", "[::1]:80", "192.0.2.1:80",
                                 "rps.example", "RPS.example:8080", "other.example."):
                        self.assertEqual(self.statuses(port, host), {200, 404}, host)
                    self.assertEqual(self.statuses(port, None, version="1.0"), {200, 404})
                    self.assertEqual(self.statuses(port, EVIL), {421})
                    self.assertEqual(curl(port, "--resolve", "rps.example:PORT:127.0.0.1",
                                          "http://rps.example:PORT/metrics"), 200)

    def test_a_port_that_is_not_bound_to_loopback(self):
        with Server("rps-jsonrpc", "--admin=0.0.0.0:0", listen="0.0.0.0:0") as server:
            admin = int(server.read_url("admin ").rsplit(":", 1)[1])
            for port in (server.address[1], admin):
                for host, status in [("127.0.0.1", 200), ("localhost", 200), (EVIL, 421)]:
                    answer = ask(("127.0.0.1", port), get("/metrics", host))[0]
                    self.assertEqual(answer.status, status, host)

    def test_what_is_no_host(self):
        with ports() as found:
            for port in found:
                for host in ("", "a b/c?d@e", "[::1", "x:99999", "user@localhost", ":80", "[]",
                             "localhost:80:80", "localhost/", "localhost\r\nHost: localhost"):
                    with self.subTest(port.name, host=host):
                        answers = ask(port.address, get("/healthz", host) + get("/healthz"))
                        self.assertEqual([answer.status for answer in answers], [400])
                self.assertEqual(ask(port.address, get("/healthz", None))[0].status, 400)

    def test_what_is_no_name_for_the_flag(self):
        for name in built_servers():
            for value in ("", "a b", "rps.example:80", "[::1]", "http://rps.example", "a/b"):
                with self.subTest(name, value=value):
                    refusal = "--host: (must be a host name without a port|needs a value)"
                    with self.assertRaisesRegex(AssertionError, refusal):
                        Server(name, f"--host={value}")


class Requests(unittest.TestCase):
    """Each case: bytes, and the statuses of all that is answered. A request behind one that ends
    the connection has no answer."""

    NEXT = get("/healthz")
    CASES = [
        ("an absolute target", get("http://localhost/healthz"), [200, 200]),
        ("in capitals, with a query", get("HTTP://LOCALHOST:9/healthz?x=%20"), [200, 200]),
        ("its host replaces the field", get("http://localhost/healthz", EVIL), [200, 200]),
        ("a target for another scheme", get("https://localhost/healthz"), [421]),
        ("a target without a host", get("http:///healthz"), [400]),
        ("a target with a user", get("http://a@localhost/healthz"), [400]),
        ("OPTIONS *", get("*", method="OPTIONS"), [204, 200]),
        ("OPTIONS of a path", get("/healthz", method="OPTIONS"), [204, 200]),
        ("OPTIONS of a proxy", get("http://localhost", method="OPTIONS"), [204, 200]),
        ("* for another method", get("*"), [400]),
        ("CONNECT", get("localhost:80", method="CONNECT"), [501]),
        ("TRACE", get("/healthz", method="TRACE"), [405, 200]),
        ("a method nobody knows", get("/healthz", method="BREW"), [501, 200]),
        ("a method in small letters", get("/healthz", method="Get"), [501, 200]),
        ("an escaped path", get("/%68e%61lthz"), [200, 200]),
        ("an escaped slash", get("%2Fhealthz"), [400]),
        ("another escaped slash", get("/%2Fhealthz"), [404, 200]),
        ("half an escape", get("/healthz%2"), [400]),
        ("a fragment", get("/healthz#x"), [400]),
        ("empty lines before", b"\r\n\r\n" + get("/healthz"), [200, 200]),
        ("empty lines between", get("/healthz") + b"\r\n\r\n", [200, 200]),
        ("two Connection fields", get("/healthz")[:-2] +
         b"Connection: x\r\nConnection: close\r\n\r\n", [200]),
        ("an upgrade", get("/healthz")[:-2] +
         b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n",
         [200, 200]),
        ("the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [400]),
        ("a folded field", get("/healthz")[:-2] + b"X: a\r\n b\r\n\r\n", [200, 200]),
        ("a space before the first field", b"GET /healthz HTTP/1.1\r\n X: a\r\n\r\n", [400]),
        ("equal lengths", get("/healthz")[:-2] + b"Content-Length: 2, 2\r\n\r\n{}", [200, 200]),
        ("chunks in HTTP/1.0", b"GET /healthz HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"
                               b"0\r\n\r\n", [400]),
        ("HTTP/1.0, kept", b"GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", [200, 200]),
        ("HTTP/1.0", b"GET /healthz HTTP/1.0\r\n\r\n", [200]),
        ("trailers", get("/healthz")[:-2] +
         b"Transfer-Encoding: chunked\r\n\r\n2;a=b\r\n{}\r\n0\r\n"
         b"Connection: close\r\nHost: evil.example\r\nExpect: x\r\n\r\n", [200, 200]),
        ("an expectation", get("/healthz")[:-2] + b"Expect: 100-continue\r\nExpect: x\r\n\r\n",
         [417]),
        ("a bare line feed", b"GET /healthz HTTP/1.1\nHost: localhost\n\n", [400]),
    ]

    def test_statuses_whole_and_in_pieces(self):
        with ports() as found:
            for port in found:
                for name, data, statuses in self.CASES:
                    for pieces in (1, 2, 7):
                        with self.subTest(port.name, case=name, pieces=pieces):
                            answers = ask(port.address, data + self.NEXT, pieces)
                            self.assertEqual([answer.status for answer in answers], statuses)
                            for answer in answers:
                                sent = email.utils.parsedate_to_datetime(answer.headers["date"])
                                self.assertLess(abs(sent.timestamp() - time.time()), PATIENCE)

    def test_head_has_no_body_whatever_comes(self):
        with ports() as found:
            for port in found:
                for data in (get("/healthz", method="HEAD"), get("/nothing", method="HEAD"),
                             get("/healthz", None, method="HEAD"),
                             get("/healthz", EVIL, method="HEAD")):
                    with self.subTest(port.name, data=data), Peer(Http(), port.address) as peer:
                        peer.send_bytes(data)
                        answer = read_answer(peer.stream, head_only=True)
                        self.assertGreater(int(answer.headers["content-length"]), 0)
                        if answer.headers.get("connection") == "close":
                            self.assertEqual(peer.stream.read(), b"")
                        else:
                            peer.send_bytes(get("/healthz"))
                            self.assertEqual(read_answer(peer.stream).status, 200)

    def test_a_refusal_comes_instead_of_100(self):
        """Who asks first is told, and not asked for a body that nobody wants."""
        fields = b"Content-Length: 1000\r\nExpect: 100-continue\r\n\r\n"
        cases = [(b"POST /nothing HTTP/1.1\r\n" + JSON_FIELDS, 404),
                 (b"PUT /healthz HTTP/1.1\r\n" + JSON_FIELDS, 405),
                 (b"POST /healthz HTTP/1.1\r\nHost: evil.example\r\n", 421)]
        rpc = [(b"PUT /rpc HTTP/1.1\r\n" + JSON_FIELDS, 405),
               (b"POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n", 415),
               (b"POST /rpc HTTP/1.1\r\n" + JSON_FIELDS + b"Content-Encoding: gzip\r\n", 415)]
        with ports() as found:
            for port in found:
                for data, status in cases + (rpc if port.name.startswith("port") else []):
                    with self.subTest(port.name, data=data), Peer(Http(), port.address) as peer:
                        peer.send_bytes(data + fields)
                        answer = read_answer(peer.stream)
                        self.assertEqual(answer.status, status)
                        self.assertEqual(answer.headers["connection"], "close")
                        self.assertIsNone(read_answer(peer.stream))

    def test_curl(self):
        with ports() as found:
            for port in found:
                with self.subTest(port.name):
                    base = "http://127.0.0.1:PORT"
                    for status, arguments in [
                            (200, [base + "/%68ealthz"]),
                            (200, ["--proxy", base, base + "/healthz"]),
                            (204, ["-X", "OPTIONS", "--request-target", "*", base]),
                            (200, ["--http2", base + "/healthz"]),
                            (404, ["-H", "Expect: 100-continue", "-d", "x" * 2000,
                                   base + "/nothing"])]:
                        self.assertEqual(curl(port, *arguments), status, arguments)

    def test_trailers_of_a_call(self):
        body = play(1)
        chunks = b"%x\r\n%s\r\n0\r\n" % (len(body), body)
        with Server("rps-jsonrpc") as server:
            hidden = (b"POST /rpc HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                      + chunks + b"Content-Type: application/json\r\n\r\n")
            self.assertEqual(ask(server.address, hidden)[0].status, 415)
            shown = (b"POST /rpc HTTP/1.1\r\n" + JSON_FIELDS + b"Transfer-Encoding: chunked\r\n\r\n"
                     + chunks + b"Content-Type: text/plain\r\nConnection: close\r\n\r\n")
            answers = ask(server.address, shown * 2)
            self.assertEqual([answer.status for answer in answers], [200, 200])
            check_round(json.loads(answers[0].body), 1)


class SlowRequests(unittest.TestCase):
    PARTS = [b"POST /rp", b"POST /rpc HTTP/1.1\r\nHost: local",
             b"POST /rpc HTTP/1.1\r\n" + JSON_FIELDS + b"Content-Length: 100\r\n\r\n{",
             b"POST /rpc HTTP/1.1\r\n" + JSON_FIELDS + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{"]

    def check_is_told(self, peers: list[Peer]):
        for peer in peers:
            answer = read_answer(peer.stream)
            self.assertEqual(answer.status, 408)
            self.assertEqual(answer.headers["connection"], "close")
            self.assertIsNone(read_answer(peer.stream))

    def test_one_that_stops_is_told(self):
        with Server("rps-jsonrpc", "--frame-timeout=1000", "--first-frame-timeout=1000",
                    admin=True) as server, contextlib.ExitStack() as stack:
            peers = [stack.enter_context(Peer(Http(), server.address)) for _ in self.PARTS * 2]
            for peer, part in zip(peers, self.PARTS * 2):
                first = get("/healthz") if peer in peers[len(self.PARTS):] else b""
                peer.send_bytes(first + part)
                if first:
                    self.assertEqual(read_answer(peer.stream).status, 200)
            self.check_is_told(peers)
            self.assertEqual(sum(server.cuts().values()), len(peers))

    def test_one_that_stops_on_the_admin_port_is_told(self):
        with ports() as found, contextlib.ExitStack() as stack:
            peers = []
            for port in found:
                if port.name.startswith("admin"):
                    for part in self.PARTS:
                        peers.append(stack.enter_context(Peer(Http(), port.address)))
                        peers[-1].send_bytes(part)
            self.check_is_told(peers)

    def test_one_that_goes_on_is_waited_for(self):
        """Four kibibytes at once give it four seconds more, whether it is the first or not."""
        body = play(1).ljust(40_000)
        data = (b"POST /rpc HTTP/1.1\r\n" + JSON_FIELDS +
                b"Content-Length: %d\r\n\r\n" % len(body) + body)
        for first in (b"", get("/healthz")):
            with (self.subTest(first=first),
                  Server("rps-jsonrpc", "--frame-timeout=1000", "--first-frame-timeout=1000",
                         admin=True) as server,
                  Peer(Http(), server.address) as peer):
                peer.send_bytes(first + data[:5000])
                if first:
                    self.assertEqual(read_answer(peer.stream).status, 200)
                for at in range(5000, len(data), 4000):
                    time.sleep(0.2)
                    peer.send_bytes(data[at:at + 4000])
                answer = read_answer(peer.stream)
                self.assertEqual(answer.status, 200)
                check_round(json.loads(answer.body), 1)
                self.assertEqual(server.cuts(), {})


if __name__ == "__main__":
    unittest.main()
