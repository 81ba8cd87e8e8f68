"""Three servers and one client with gRPC's own channel to all of them (grpc://a,b,c): one is killed
and comes back, one is stopped. Likewise a list of one server's addresses keeps the contract."""

import signal
import subprocess
import unittest

from fleet_load import Load, calls_at
from rps_process import PATIENCE, Server, binary, eventually

ENOUGH = 5_000  # Calls before something happens, and after it.

ERRORS_MAX = 0.001  # Of all calls: what one dead server of three may cost.


def list_url(servers: list[Server]) -> str:
    return "grpc://" + ",".join(server.url.removeprefix("grpc://") for server in servers)


class Channel(unittest.TestCase):
    def start_server(self, **options) -> Server:
        server = Server("rps-grpc", admin=True, **options)
        self.addCleanup(server.__exit__, AssertionError)  # Killed if it is still there.
        return server

    def start_load(self, servers: list[Server], query: str) -> Load:
        binary("rps-fleet-load")
        load = Load(f"{list_url(servers)}?{query}")
        self.addCleanup(load.__exit__, AssertionError)
        return load

    def test_a_killed_server_costs_next_to_nothing_and_rejoins(self):
        servers = [self.start_server() for _ in range(3)]
        load = self.start_load(servers, "deadline_ms=30000")
        load.await_calls(ENOUGH)
        eventually(lambda: all(calls_at(server) > 0 for server in servers), "all get calls")

        host, port = servers[0].address
        servers[0].send_signal(signal.SIGKILL)
        servers[0].wait(-signal.SIGKILL)
        load.await_calls(ENOUGH)

        again = self.start_server(listen=f"{host}:{port}")
        eventually(lambda: calls_at(again) > 1000, "it gets its share")
        report = load.end()
        self.assertEqual(report["wrong"], 0)
        self.assertLessEqual(sum(report["errors"].values()), ERRORS_MAX * report["right"], report)

    def test_a_stopped_server_keeps_its_turn_until_it_goes_on(self):
        """round_robin looks at connections, not at answers. Only deadlines end such calls."""
        servers = [self.start_server() for _ in range(3)]
        load = self.start_load(servers, "deadline_ms=1000")
        load.await_calls(ENOUGH)
        servers[0].send_signal(signal.SIGSTOP)
        self.addCleanup(servers[0].send_signal, signal.SIGCONT)
        eventually(lambda: load.report()["errors"].get("deadline_exceeded", 0) > 0,
                   "a call waits in vain for the stopped server")
        right = load.report()["right"]
        eventually(lambda: load.report()["right"] > right, "the others answer")

        servers[0].send_signal(signal.SIGCONT)
        before = calls_at(servers[0])
        eventually(lambda: calls_at(servers[0]) > before + 1000, "it gets calls again")
        report = load.end()
        self.assertEqual(report["wrong"], 0)
        self.assertLessEqual(set(report["errors"]), {"deadline_exceeded"}, report)

    def test_a_list_of_one_servers_addresses_keeps_the_contract(self):
        suite = binary("rps-conformance")
        with Server("rps-grpc", "--house=fair", "--seed=7") as server:
            # One address twice is one address: all sessions and duels are at one server.
            done = subprocess.run(
                [suite, "--house=fair", "--seed=7", list_url([server, server])],
                capture_output=True, text=True, timeout=10 * PATIENCE, check=False)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
