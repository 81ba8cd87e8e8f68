"""From the first signal to the exit code: calls that run are answered, new ones are not taken."""

import contextlib
import os
import signal
import socket
import subprocess
import threading
import unittest

import grpc_wire
import jsonrpc_wire
from rps_process import (IS_SANITIZED, PATIENCE, Process, Server, binary, built_servers,
                         eventually)
from wire import check_play, hold_call

UNAVAILABLE_JSONRPC = -32005
UNAVAILABLE_GRPC = 14


class Idle(unittest.TestCase):
    def test_each_signal_ends_it_well(self):
        for name in built_servers():
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                with self.subTest(name, signal=number), Server(name) as server:
                    check_play(server)
                    server.send_signal(number)
                    server.wait(0)
                    self.assertIn(f"{number.name}: draining", server.stderr())

    def test_what_nohup_and_a_shell_in_the_background_ignore_stays_ignored(self):
        for name in built_servers():
            for number in (signal.SIGINT, signal.SIGHUP):
                trap = ("sh", "-c", f"trap '' {number.value}; exec \"$@\"", "sh")
                with self.subTest(name, signal=number), Server(name, prefix=trap) as server:
                    server.send_signal(number)
                    check_play(server)
                    server.send_signal()
                    server.wait(0)
                    self.assertIn("SIGTERM: draining", server.stderr())

    def test_its_port_is_free_afterwards(self):
        for name in built_servers():
            with self.subTest(name):
                with Server(name) as server:
                    host, port = server.address
                    check_play(server)
                with Server(name, listen=f"{host}:{port}") as server:
                    self.assertEqual(server.address, (host, port))
                    check_play(server)

    def test_a_console_ends_with_its_input(self):
        with Process("rps-cli", "--batch") as console:
            console.stdin.write(b"play ROCK s\nscore s")
            self.assertTrue(console.read_line().startswith(b"ok play "))
            console.stdin.close()
            self.assertTrue(console.read_line().startswith(b"ok score "))
            self.assertIsNone(console.read_line())
            console.wait(0)


@unittest.skipIf(IS_SANITIZED, "a sanitizer needs a thread of its own to look for leaks")
class Threads(unittest.TestCase):
    """A user may have so many processes and threads. Root may have any number."""

    USER = "54321"  # Nobody else's.

    def start(self, threads: int, seconds=PATIENCE) -> subprocess.CompletedProcess:
        return subprocess.run(
            ["setpriv", f"--reuid={self.USER}", f"--regid={self.USER}", "--clear-groups",
             "prlimit", f"--nproc={threads}", "timeout", str(seconds),
             binary("rps-jsonrpc"), "--listen=127.0.0.1:0", "--admin=127.0.0.1:0", "--threads=6"],
            capture_output=True, text=True, check=False)

    @unittest.skipIf(os.geteuid() != 0, "only root can become a user with a limit of threads")
    def test_a_start_without_enough_of_them_fails_with_that_reason(self):
        served = 124  # timeout's exit code.
        if self.start(1000, seconds=1).returncode != served:
            self.skipTest("another user cannot run the binary")
        # The server has nine threads, and timeout is one more.
        for threads in range(2, 10):
            with self.subTest(threads=threads):
                done = self.start(threads)
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertIn("cannot start a thread: ", done.stderr.splitlines()[-1])
                self.assertEqual(done.stdout, "")


class Draining(unittest.TestCase):
    @contextlib.contextmanager
    def draining(self, name: str):
        """A server that drains, and the call for whose end it waits."""
        with Server(name, "--drain=600000", admin=True) as server:
            self.assertEqual(server.get("/readyz")[0], 200)
            held = hold_call(server)
            self.addCleanup(held.close)
            server.send_signal()
            eventually(lambda: server.get("/readyz")[0] == 503, "/readyz says 503")
            yield server, held

    def test_a_running_call_is_answered(self):
        for name in built_servers():
            with self.subTest(name), self.draining(name) as (server, held):
                self.assertEqual(server.get("/healthz")[0], 200)
                self.assertTrue(server.is_alive())
                held.take_answer()
                held.close()
                server.wait(0)

    def test_nobody_new_is_served(self):
        for name in built_servers():
            with self.subTest(name), self.draining(name) as (server, held):
                eventually(lambda: is_refused(server), "new connections are refused")
                held.close()
                server.wait(0)

    def test_a_second_signal_ends_it_at_once(self):
        for name in built_servers():
            with self.subTest(name), self.draining(name) as (server, _):
                server.send_signal()
                server.wait(-signal.SIGTERM)

    def test_it_does_not_wait_for_ever(self):
        for name in built_servers():
            with self.subTest(name), Server(name, "--drain=100") as server:
                held = hold_call(server)
                self.addCleanup(held.close)
                server.send_signal()
                server.wait(0)
                self.assertIn("cut off", server.stderr())

    def test_peers_that_hold_no_call_do_not_hold_it_up(self):
        """Nor does a PlayMany whose peer falls silent: it is ended with UNAVAILABLE."""
        for name in built_servers():
            for what, hold in IDLE_PEERS.items():
                if name == "rps-jsonrpc" and what != "a silent connection":
                    continue
                with self.subTest(name, what=what), Server(name, "--drain=600000") as server:
                    check_play(server)
                    with contextlib.closing(hold(server)):
                        server.send_signal()
                        server.wait(0)
                    self.assertIn("drained; since the signal: ", server.stderr())

    def test_under_load_every_answer_is_a_right_one(self):
        for name in built_servers():
            with self.subTest(name), Server(name) as server:
                callers = [Caller(server) for _ in range(4)]
                for caller in callers:
                    caller.start()
                eventually(lambda: all(caller.answered >= 5 for caller in callers), "some calls")
                server.send_signal()
                server.wait(0)
                for caller in callers:
                    caller.join(PATIENCE)
                    self.assertFalse(caller.is_alive())
                    self.assertIsNone(caller.wrong)


def silent_connection(server: Server) -> socket.socket:
    return socket.create_connection(server.address, timeout=PATIENCE)


def deaf_connection(server: Server) -> socket.socket:
    """Greets, and from then on acknowledges nothing."""
    connection = silent_connection(server)
    connection.sendall(grpc_wire.PREFACE + grpc_wire.settings())
    assert connection.recv(1)
    return connection


def idle_connection(server: Server) -> grpc_wire.Connection:
    connection = grpc_wire.Connection(server.address)
    connection.check_play()
    return connection


def health_watch(server: Server) -> grpc_wire.Connection:
    connection = grpc_wire.Connection(server.address)
    stream = connection.open("Watch", b"", ends=True,
                             extra={":path": "/grpc.health.v1.Health/Watch"})
    connection.read_until(grpc_wire.DATA, stream=stream)
    return connection


def deaf_health_watch(server: Server) -> grpc_wire.Connection:
    """Leaves the server no room for any answer."""
    connection = grpc_wire.Connection(server.address)
    connection.send(grpc_wire.settings(initial_window_size=0))
    connection.open("Watch", b"", ends=True, extra={":path": "/grpc.health.v1.Health/Watch"})
    connection.ping()  # Then the call has come.
    return connection


class SpectatedDuel:
    """A duel with one player, and a spectator who reads nothing if the window is 0."""

    def __init__(self, server: Server, **window: int):
        self.player = grpc_wire.Connection(server.address)
        stream = self.player.open("Duel", b"\x0a\x06\x0a\x01g\x12\x01p", ends=False)  # Join g as p.
        self.player.read_until(grpc_wire.DATA, stream=stream)
        self.spectator = grpc_wire.Connection(server.address)
        self.spectator.send(grpc_wire.settings(**window))
        watch = self.spectator.open("Watch", b"\x0a\x01g", ends=True)
        if window:
            self.spectator.ping()  # Then the call has come.
        else:
            self.spectator.read_until(grpc_wire.DATA, stream=watch)

    def close(self):
        self.player.close()
        self.spectator.close()


def deaf_spectator(server: Server) -> SpectatedDuel:
    return SpectatedDuel(server, initial_window_size=0)


def play_many(rounds: int):
    def hold(server: Server) -> grpc_wire.Connection:
        connection = grpc_wire.Connection(server.address)
        connection.open("PlayMany", *[grpc_wire.play_request(1)] * rounds, ends=False)
        connection.check_play()  # Then the rounds have been read as well.
        return connection
    return hold


IDLE_PEERS = {
    "a silent connection": silent_connection,
    "a connection that acknowledges no PING": deaf_connection,
    "an idle connection": idle_connection,
    "a Watch of the health service": health_watch,
    "a Watch of the health service that reads nothing": deaf_health_watch,
    "a spectator": SpectatedDuel,
    "a spectator that reads nothing": deaf_spectator,
    "a PlayMany without a round": play_many(0),
    "a PlayMany of three rounds": play_many(3),
}


def is_refused(server: Server) -> bool:
    """Whether nobody listens. A connection that the listener's end caught half open is reset."""
    try:
        with contextlib.suppress(ConnectionResetError):
            socket.create_connection(server.address, timeout=PATIENCE).close()
        return False
    except ConnectionRefusedError:
        return True


class Caller(threading.Thread):
    """Calls until the server is gone. `wrong` is the first answer that must not be."""

    def __init__(self, server: Server):
        super().__init__(daemon=True)
        self._server = server
        self.answered = 0
        self.wrong = None

    def run(self):
        call = (self._call_jsonrpc if self._server.url.startswith("jsonrpc:")
                else self._call_grpc)
        while self.wrong is None and call():
            self.answered += 1

    def _call_jsonrpc(self) -> bool:
        try:
            with jsonrpc_wire.Connection(self._server.address) as connection:
                connection.send(jsonrpc_wire.request(1, "play", player_move="ROCK"))
                reply = connection.read_reply()
        except ConnectionError:
            return False
        if reply is not None and "result" not in reply:
            if reply["error"]["code"] != UNAVAILABLE_JSONRPC:
                self.wrong = reply
            return False
        return reply is not None

    def _call_grpc(self) -> bool:
        status, text, _ = grpc_wire.post(self._server.url, "Play",
                                         grpc_wire.message(grpc_wire.play_request(1)))
        if status not in (None, grpc_wire.OK, UNAVAILABLE_GRPC):
            self.wrong = (status, text)
        return status == grpc_wire.OK


if __name__ == "__main__":
    unittest.main()
