"""The admin port tells the truth: alive, ready, and every call counted once."""

import contextlib
import resource
import socket
import subprocess
import time
import unittest
from urllib.parse import urlsplit

import grpc_wire
import jsonrpc_wire
from rps_process import (IS_SANITIZED, PATIENCE, Server, built_servers, eventually,
                         parse_metrics)
from wire import check_play

ADMIN_CONNECTIONS_MAX = 64


def requests(metrics: dict[str, float], **labels: str) -> float:
    """All requests counted under these labels."""
    wanted = [f'{name}="{value}"' for name, value in labels.items()]
    return sum(value for sample, value in metrics.items()
               if sample.startswith("rps_requests_total{") and all(w in sample for w in wanted))


def ask(server: Server, *, move: str, session_id: str, score: bool = False):
    """A call whose reply is of no interest here."""
    if server.url.startswith("jsonrpc:"):
        with jsonrpc_wire.Connection(server.address) as connection:
            if score:
                connection.call("score", session_id=session_id)
            else:
                connection.call("play", player_move=move, session_id=session_id)
    elif score:
        id_field = grpc_wire.varint(len(session_id)) + session_id.encode()
        grpc_wire.post(server.url, "Score", grpc_wire.message(b"\x0a" + id_field))
    else:
        request = grpc_wire.play_request(grpc_wire.MOVES.get(move, 0), session_id.encode())
        grpc_wire.post(server.url, "Play", grpc_wire.message(request))


def play_slowly(server: Server) -> float:
    """Sends a call but its last byte, and after a pause the last. How long the reply then took."""
    if server.url.startswith("jsonrpc:"):
        with jsonrpc_wire.Connection(server.address) as connection:
            request = jsonrpc_wire.request(1, "play", player_move="ROCK")
            connection.send(request[:-1])
            time.sleep(0.2)
            began_at = time.monotonic()
            connection.send(request[-1:])
            assert "result" in connection.read_reply()
            return time.monotonic() - began_at
    with grpc_wire.connect(server.address) as connection:
        request = (grpc_wire.PREFACE + grpc_wire.settings() + grpc_wire.call_headers(1) +
                   grpc_wire.call_body(1, grpc_wire.play_request(grpc_wire.MOVES["ROCK"])))
        connection.sendall(request[:-1])
        time.sleep(0.2)
        began_at = time.monotonic()
        connection.sendall(request[-1:])
        ends_stream = (grpc_wire.HEADERS, grpc_wire.END_HEADERS | grpc_wire.END_STREAM, 1)
        while (frame := grpc_wire.read_frame(connection))[:3] != ends_stream:
            assert frame is not None
        return time.monotonic() - began_at


class Admin(unittest.TestCase):
    def test_health_and_what_is_not_there(self):
        for name in built_servers():
            with self.subTest(name), Server(name, admin=True) as server:
                self.assertEqual(server.get("/healthz")[0], 200)
                self.assertEqual(server.get("/readyz")[0], 200)
                self.assertEqual(server.get("/nothing")[0], 404)

    def test_silent_and_slow_connections_keep_no_probe_out(self):
        for name in built_servers():
            with (self.subTest(name), Server(name, admin=True) as server,
                  contextlib.ExitStack() as stack):
                address = urlsplit(server.admin_url)
                for beginning in (b"", b"GET /heal"):
                    for _ in range(ADMIN_CONNECTIONS_MAX):
                        connection = stack.enter_context(
                            socket.create_connection((address.hostname, address.port), PATIENCE))
                        connection.sendall(beginning)
                    self.assertEqual(server.get("/healthz")[0], 200)
                    self.assertEqual(server.get("/metrics")[0], 200)

    @unittest.skipIf(IS_SANITIZED, "a sanitizer does not work without descriptors")
    def test_it_answers_when_the_process_has_no_descriptor_left(self):
        for name in built_servers():
            with self.subTest(name), Server(name, admin=True) as server:
                limits = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
                resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (server.fd_end(), limits[1]))
                for _ in range(5):
                    self.assertEqual(server.get("/healthz")[0], 200)
                resource.prlimit(server.pid, resource.RLIMIT_NOFILE, limits)

    def test_a_foreign_client_reads_it(self):
        for name in built_servers():
            with self.subTest(name), Server(name, admin=True) as server:
                done = subprocess.run(["curl", "-sSf", "-D-", server.admin_url + "/metrics"],
                                      capture_output=True, text=True, timeout=PATIENCE, check=True)
                head, _, body = done.stdout.replace("\r\n", "\n").partition("\n\n")
                self.assertRegex(head.lower(), r"content-type: text/plain; version=0\.0\.4")
                self.assertTrue(parse_metrics(body))

    def test_every_call_is_counted_once(self):
        for name in built_servers():
            with self.subTest(name), Server(name, admin=True) as server:
                before = server.metrics()
                self.assertEqual(requests(before), 0)
                for _ in range(7):
                    ask(server, move="ROCK", session_id="counted")
                for _ in range(3):
                    ask(server, move="STONE", session_id="counted")
                for _ in range(2):
                    ask(server, move="", session_id="counted", score=True)
                ask(server, move="", session_id="never", score=True)

                # A call is counted when its reply is out, which the scrape may be ahead of.
                after = eventually(
                    lambda: (now := server.metrics()) and requests(now) >= 13 and now,
                    "all 13 calls are counted")
                for expected, labels in [
                        (7, {"operation": "play", "error_class": "ok"}),
                        (3, {"operation": "play", "error_class": "invalid_move"}),
                        (2, {"operation": "score", "error_class": "ok"}),
                        (1, {"operation": "score", "error_class": "unknown_session"}),
                        (13, {})]:
                    self.assertEqual(requests(after, **labels), expected, labels)
                self.assertEqual(after['rps_request_duration_seconds_count{operation="play"}'], 10)
                self.assertEqual(after["rps_sessions"], 1)
                self.assertEqual(after["rps_requests_in_flight"], 0)

    def test_a_grpc_call_without_a_whole_request_is_counted_as_what_it_is_answered(self):
        whole = grpc_wire.message(grpc_wire.play_request(grpc_wire.MOVES["ROCK"]))
        for name in set(built_servers()) - {"rps-jsonrpc"}:
            with self.subTest(name), Server(name, admin=True) as server:
                for body in (b"", whole[:3], whole[:-1]):
                    status, text, _ = grpc_wire.post(server.url, "Play", body)
                    self.assertEqual(status, grpc_wire.INVALID_ARGUMENT)
                    self.assertTrue(text.startswith("malformed_request:"), text)
                eventually(lambda: requests(server.metrics()) == 3, "all three are counted")
                self.assertEqual(requests(server.metrics(), operation="play",
                                          error_class="malformed_request"), 3)

    def test_a_duration_is_between_the_last_byte_and_the_reply(self):
        """It begins when a whole request is decoded and ends when its reply is handed over, so it
        lies inside of what the client waited; the time in which the request came does not."""
        for name in built_servers():
            with self.subTest(name), Server(name, admin=True) as server:
                waited = play_slowly(server)
                samples = server.metrics()
                self.assertEqual(samples['rps_request_duration_seconds_count{operation="play"}'], 1)
                took = samples['rps_request_duration_seconds_sum{operation="play"}']
                self.assertGreater(took, 0)
                self.assertLessEqual(took, waited)

    def test_open_connections_are_counted(self):
        for name in built_servers():
            with self.subTest(name), Server(name, admin=True) as server:
                connections = [socket.create_connection(server.address, PATIENCE) for _ in range(3)]
                eventually(lambda: server.metrics()["rps_connections"] == 3, "three are open")
                connections.pop().close()
                eventually(lambda: server.metrics()["rps_connections"] == 2, "one has gone")
                for connection in connections:
                    connection.close()
                eventually(lambda: server.metrics()["rps_connections"] == 0, "all have gone")
                self.assertEqual(server.metrics()["rps_connections_total"], 3)

    def test_histogram_buckets_are_cumulative(self):
        for name in built_servers():
            with self.subTest(name), Server(name, admin=True) as server:
                for _ in range(5):
                    check_play(server)
                samples = server.metrics()
                prefix = 'rps_request_duration_seconds_bucket{operation="play",le="'
                buckets = [(float(sample[len(prefix):-2]), value)
                           for sample, value in samples.items() if sample.startswith(prefix)]
                self.assertEqual(buckets, sorted(buckets))
                values = [value for _, value in buckets]
                self.assertEqual(values, sorted(values))
                self.assertEqual(values[-1],
                                 samples['rps_request_duration_seconds_count{operation="play"}'])


class MetricsParser(unittest.TestCase):
    """The tiny parser is on trial as well: a test with a blind parser proves nothing."""

    def test_it_reads_samples(self):
        text = '# HELP a b\n# TYPE a counter\na{x="1",y="q\\"}"} 2\na 3e5\n'
        self.assertEqual(parse_metrics(text), {'a{x="1",y="q\\"}"}': 2, "a": 300000})

    def test_it_refuses_what_is_none(self):
        for text in ["a 1\n", "# TYPE a counter\na one\n", "# TYPE a counter\na{x=1} 1\n",
                     "# TYPE a counter\na 1\na 1\n"]:
            with self.subTest(text), self.assertRaises(ValueError):
                parse_metrics(text)


if __name__ == "__main__":
    unittest.main()
