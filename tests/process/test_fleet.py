"""Three servers and one fleet client: one is killed, one is stopped, the list changes, and the
calls go on."""

import json
import pathlib
import signal
import socket
import subprocess
import tempfile
import unittest

from fleet_load import CALLS, Load, calls_at
from rps_process import PATIENCE, Server, binary, eventually, parse_metrics

ENOUGH = 20_000  # Calls before something happens, and after it.

ERRORS_MAX = 0.001  # Of all calls: what one dead server of three may cost.


class Fleet:
    """The tests of both wires: `server` is a program, `scheme` that of the fleet's URL."""

    server: str
    scheme: str

    def setUp(self):
        binary("rps-fleet-load")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name) / "services.json"

    def start_servers(self, count: int) -> list[Server]:
        return [self.start_server() for _ in range(count)]

    def start_server(self, **options) -> Server:
        server = Server(self.server, admin=True, **options)
        self.addCleanup(server.__exit__, AssertionError)  # Killed if it is still there.
        return server

    def list_servers(self, servers: list[Server]):
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps({"rps": [server.url for server in servers]}))
        fresh.replace(self.path)

    def start_load(self, query: str) -> Load:
        load = Load(f"{self.scheme}://{self.path}?{query}")
        self.addCleanup(load.__exit__, AssertionError)
        return load

    def test_a_killed_server_costs_next_to_nothing_and_rejoins(self):
        servers = self.start_servers(3)
        self.list_servers(servers)
        load = self.start_load("balance=least_request&deadline_ms=30000")
        load.await_calls(ENOUGH)
        self.assertTrue(all(calls_at(server) > 0 for server in servers))

        host, port = servers[0].address
        servers[0].send_signal(signal.SIGKILL)
        servers[0].wait(-signal.SIGKILL)
        eventually(lambda: not load.is_up(servers[0]), "the loss is noticed")
        load.await_calls(ENOUGH)

        again = self.start_server(listen=f"{host}:{port}")
        eventually(lambda: load.is_up(again), "the server is back")
        eventually(lambda: calls_at(again) > 1000, "it gets its share")
        load.await_calls(ENOUGH)

        report = load.end()
        self.assertEqual(report["wrong"], 0)
        self.assertLessEqual(sum(report["errors"].values()), ERRORS_MAX * report["right"], report)
        self.assertGreater(report["connect_failures"], 0)

    def test_calls_go_on_past_a_stopped_server(self):
        servers = self.start_servers(3)
        self.list_servers(servers)
        load = self.start_load("balance=round_robin&deadline_ms=1000&breaker_open_ms=700"
                               "&breaker_failures=5&silence_ms=2000")
        load.await_calls(ENOUGH)

        servers[0].send_signal(signal.SIGSTOP)
        self.addCleanup(servers[0].send_signal, signal.SIGCONT)
        eventually(lambda: not load.is_trusted(servers[0]), "its breaker opens")
        before = load.report()
        load.await_calls(ENOUGH)
        after = load.report()
        # What hung there when the breaker opened, and one probe each time it is half open.
        errors = sum(after["errors"].values()) - sum(before["errors"].values())
        self.assertLessEqual(errors, CALLS + after["breaker_opened"], after)
        # A probe that is open when the silence has lasted too long ends with the connection.
        self.assertLessEqual(set(after["errors"]), {"deadline_exceeded", "unavailable"})

        servers[0].send_signal(signal.SIGCONT)
        eventually(lambda: load.is_trusted(servers[0]) and load.is_up(servers[0]),
                   "a probe finds it well")
        before = calls_at(servers[0])
        eventually(lambda: calls_at(servers[0]) > before + 1000, "it gets calls again")
        self.assertEqual(load.end()["wrong"], 0)

    def test_calls_leave_a_stopped_server_within_an_attempt(self):
        servers = self.start_servers(3)
        self.list_servers(servers)
        # Longer than this machine may keep a server from its CPU; the deadline is out of reach.
        load = self.start_load("balance=round_robin&deadline_ms=60000&attempt_ms=1000"
                               "&breaker_failures=5&retry_percent=100")
        load.await_calls(ENOUGH)
        servers[0].send_signal(signal.SIGSTOP)
        self.addCleanup(servers[0].send_signal, signal.SIGCONT)
        eventually(lambda: not load.is_trusted(servers[0]), "its breaker opens")
        load.await_calls(ENOUGH)
        report = load.end()
        self.assertEqual((report["errors"], report["wrong"]), ({}, 0), report)
        metrics = parse_metrics(report["metrics"])
        self.assertGreater(metrics["rps_fleet_slow_attempts_total"], 0)
        self.assertEqual(metrics[f'rps_fleet_instance_up{{instance="{servers[1].url}"}}'], 1)

    def test_the_list_is_followed(self):
        servers = self.start_servers(3)
        self.list_servers(servers[:2])
        load = self.start_load("balance=random&deadline_ms=30000")
        load.await_calls(ENOUGH)
        self.assertEqual(calls_at(servers[2]), 0)

        self.list_servers(servers[1:])
        eventually(lambda: calls_at(servers[2]) > 1000, "the new one gets calls")
        eventually(lambda: servers[0].url not in load.report()["instances"], "the old one goes")
        calls = calls_at(servers[0])
        load.await_calls(ENOUGH)
        self.assertEqual(calls_at(servers[0]), calls)

        self.path.write_text("{")  # Says nothing about the fleet.
        load.await_calls(ENOUGH)
        report = load.end()
        self.assertEqual((report["errors"], report["wrong"]), ({}, 0))
        self.assertIn("the last list of \"rps\" stays", load.stderr())

    def test_a_server_that_drains_fails_no_call(self):
        servers = self.start_servers(2)
        self.list_servers(servers)
        load = self.start_load("balance=round_robin&deadline_ms=30000")
        for _ in range(3):
            load.await_calls(ENOUGH)
            host, port = servers[0].address
            servers[0].end()
            load.await_calls(ENOUGH)
            servers[0] = self.start_server(listen=f"{host}:{port}")
            eventually(lambda: load.is_up(servers[0]), "the server is back")
        report = load.end()
        self.assertEqual((report["errors"], report["wrong"]), ({}, 0))


class JsonRpc(Fleet, unittest.TestCase):
    server = "rps-jsonrpc"
    scheme = "jsonrpc+fleet"

    def test_a_fleet_keeps_the_contract_of_one_server(self):
        self.list_servers(self.start_servers(3))
        url = f"jsonrpc+fleet://{self.path}?balance=hash&deadline_ms=30000"
        tried = subprocess.run([binary("rps-conformance"), url], capture_output=True, text=True,
                               timeout=PATIENCE, check=False)
        self.assertEqual(tried.returncode, 0, tried.stdout)

    def test_instances_may_have_names(self):
        try:
            socket.getaddrinfo("localhost", 0)
            socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        except OSError as lack:
            self.skipTest(f"this machine lacks localhost or ::1: {lack}")
        named, six = self.start_server(), self.start_server(listen="[::1]:0")
        urls = [f"jsonrpc://localhost:{named.address[1]}", f"jsonrpc://[::1]:{six.address[1]}"]
        self.path.write_text(json.dumps({"rps": urls}))
        load = self.start_load("balance=round_robin&deadline_ms=30000")
        load.await_calls(ENOUGH)
        report = load.end()
        self.assertEqual((report["errors"], report["wrong"]), ({}, 0))
        self.assertTrue(all(calls_at(server) > 0 for server in (named, six)))


class Grpc(Fleet, unittest.TestCase):
    server = "rps-grpc"
    scheme = "grpc+fleet"

    def test_all_servers_are_restarted_one_after_another(self):
        servers = self.start_servers(3)
        self.list_servers(servers)
        load = self.start_load("balance=least_request&deadline_ms=30000")
        for i in range(3):
            load.await_calls(ENOUGH)
            host, port = servers[i].address
            servers[i].end()
            servers[i] = self.start_server(listen=f"{host}:{port}")
            eventually(lambda: load.is_up(servers[i]), "the server is back")
        load.await_calls(ENOUGH)
        report = load.end()
        self.assertEqual((report["errors"], report["wrong"]), ({}, 0))


class Mixed(unittest.TestCase):
    def test_instances_of_one_list_may_speak_different_wires(self):
        with tempfile.TemporaryDirectory() as folder, \
                Server("rps-jsonrpc", admin=True) as json_rpc, \
                Server("rps-grpc", admin=True) as grpc, \
                Server("rps-grpc", "--rest=127.0.0.1:0", admin=True) as rest:
            path = pathlib.Path(folder) / "services.json"
            gateway = rest.read_url("rest ").replace("http:", "http+rest:")
            path.write_text(json.dumps({"rps": [json_rpc.url, grpc.url, gateway]}))
            with Load(f"file://{path}?balance=round_robin&deadline_ms=30000&codec=msgpack") as load:
                load.await_calls(ENOUGH)
                report = load.end()
            self.assertEqual((report["errors"], report["wrong"]), ({}, 0))
            self.assertTrue(all(calls_at(server) > 1000
                                for server in (json_rpc, grpc, rest)))


class WrongUrls(unittest.TestCase):
    def test_what_is_wrong_is_said(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "services.json"
            path.write_text('{"rps": ["jsonrpc://127.0.0.1:1"], "none": []}')
            for query, complaint in [
                    ("balanse=hash", "does not know 'balanse'"),
                    ("balance=best", "balance is one of round_robin, least_request, hash, random"),
                    ("deadline_ms=0", "deadline_ms must be a whole number from 1 to 600000"),
                    ("deadline_ms=600001", "deadline_ms must be a whole number from 1 to 600000"),
                    ("retries=11", "retries must be a whole number from 0 to 10"),
                    ("retries=-1", "retries must be a whole number"),
                    ("retries=1x", "retries must be a whole number"),
                    ("retries=1&retries=2", "'retries' stands twice"),
                    ("codec=morse", "codec"),
                    ("service=chess", 'knows no service "chess"'),
                    ("service=", "a service's name is"),
                    ("service=none", "no instance of none"),
                    ("", "no instance of rps"),
            ]:
                with self.subTest(query):
                    self.assertIn(complaint, complaint_about(f"jsonrpc+fleet://{path}?{query}"))
            self.assertIn("cannot be read", complaint_about(f"jsonrpc+fleet://{path}.none"))
            self.assertIn("names a file", complaint_about("jsonrpc+fleet://127.0.0.1:1/x"))


def complaint_about(url: str) -> str:
    ended = subprocess.run([binary("rps-fleet-load"), url, "1"], stdin=subprocess.DEVNULL,
                           capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert ended.returncode in (1, 2), ended
    return ended.stderr


if __name__ == "__main__":
    unittest.main()
