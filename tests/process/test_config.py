"""The flags of a running server follow the file of --config, as a whole or not at all."""

import contextlib
import os
import pathlib
import signal
import socket
import tempfile
import threading
import unittest

import grpc_wire
import jsonrpc_wire
from rps_process import PATIENCE, Server, built_servers, eventually
from wire import check_play

ACCEPTED = 'rps_config_reloads_total{result="accepted"}'
REJECTED = 'rps_config_reloads_total{result="rejected"}'
IN_FORCE = "rps_config_last_reload_successful"
SUCCESS_TIME = "rps_config_last_reload_success_timestamp_seconds"
LARGEST = 1 << 20
RELOADS = 50
CALLERS = 4
RESOURCE_EXHAUSTED = 8
UNAUTHENTICATED = 16
ROOM = ((1 << 31) - 1 - 65535).to_bytes(4, "big")  # The rest of the window, for many answers.


class Configured(Server):
    """A server whose file `config` in `folder` sets the flags."""

    def __init__(self, name: str, folder: pathlib.Path, text: str, *flags: str,
                 path: pathlib.Path | None = None):
        self.path = path or folder / "config"
        if path is None:
            self.path.write_text(text)
        super().__init__(name, "--config", str(self.path), *flags, admin=True)

    def put(self, text: str):
        """Puts a file of this text in the place of the file, by a rename."""
        fresh = self.path.with_name("fresh")
        fresh.write_text(text)
        fresh.rename(self.path)

    def counts(self) -> tuple[int, int]:
        metrics = self.metrics()
        return int(metrics[ACCEPTED]), int(metrics[REJECTED])

    def await_counts(self, accepted: int, rejected: int):
        eventually(lambda: self.counts() == (accepted, rejected),
                   f"{accepted} reloads accepted, {rejected} rejected")

    def await_log(self, text: str):
        eventually(lambda: text in self.stderr(), f"log: {text}")

    def logs_debug(self) -> bool:
        """Whether the level debug is logged: a reload of an unchanged file says so there."""
        reloads = self.stderr().count("SIGHUP: reloading")
        unchanged = self.stderr().count("has not changed")
        self.send_signal(signal.SIGHUP)
        eventually(lambda: self.stderr().count("SIGHUP: reloading") == reloads + 1, "a reload")
        self.send_signal(signal.SIGHUP)  # Begins when the one before has ended.
        eventually(lambda: self.stderr().count("SIGHUP: reloading") == reloads + 2, "a reload")
        return self.stderr().count("has not changed") > unchanged


class Config(unittest.TestCase):
    def for_each_server(self, check, text: str, *flags: str):
        self.for_servers(built_servers(), check, text, *flags)

    def for_one_server(self, check, text: str):
        """Of what all servers share."""
        self.for_servers(list(built_servers())[:1], check, text)

    def for_servers(self, names, check, text: str, *flags: str):
        for name in names:
            with self.subTest(name), tempfile.TemporaryDirectory() as folder:
                with Configured(name, pathlib.Path(folder), text, *flags) as server:
                    check(server)


class Noticing(Config):
    def test_a_file_that_is_written_in_place(self):
        def check(server):
            self.assertFalse(server.logs_debug())
            server.path.write_text("log-level = debug\n")
            server.await_counts(1, 0)
            self.assertTrue(server.logs_debug())
            server.path.write_text("")
            server.await_counts(2, 0)
            self.assertFalse(server.logs_debug())
            self.assertEqual(server.metrics()[IN_FORCE], 1)
        self.for_each_server(check, "")

    def test_a_file_that_is_renamed_into_its_place(self):
        def check(server):
            before = server.metrics()[SUCCESS_TIME]
            server.put("log-level = debug\n")
            server.await_counts(1, 0)
            self.assertTrue(server.logs_debug())
            self.assertGreaterEqual(server.metrics()[SUCCESS_TIME], before)
        self.for_each_server(check, "log-level = info\n")

    def test_sighup_reloads_at_once_and_does_not_end_the_server(self):
        def check(server):
            server.put("drain = 1s\n")
            server.send_signal(signal.SIGHUP)
            server.await_log("changed: --drain from 2s to 1s")
            check_play(server)
            server.send_signal()
            server.wait(0)
            self.assertIn("draining for at most 1000 ms", server.stderr())
        self.for_each_server(check, "drain = 2s\n")

    def test_a_link_that_is_swapped_as_kubernetes_does(self):
        for name in built_servers():
            with self.subTest(name), tempfile.TemporaryDirectory() as made:
                folder = pathlib.Path(made)
                for version, level in (("1", "info"), ("2", "debug")):
                    (folder / version).mkdir()
                    (folder / version / "config").write_text(f"log-level = {level}\n")
                (folder / "..data").symlink_to("1")
                (folder / "config").symlink_to("..data/config")
                with Configured(name, folder, "", path=folder / "config") as server:
                    self.assertFalse(server.logs_debug())
                    (folder / "fresh").symlink_to("2")
                    (folder / "fresh").rename(folder / "..data")
                    server.await_counts(1, 0)
                    self.assertTrue(server.logs_debug())

    def test_a_folder_that_is_swapped(self):
        """Which the kernel does not report."""
        for name in built_servers():
            with self.subTest(name), tempfile.TemporaryDirectory() as made:
                folder = pathlib.Path(made) / "now"
                folder.mkdir()
                with Configured(name, folder, "") as server:
                    folder.rename(pathlib.Path(made) / "before")
                    folder.mkdir()
                    server.path.write_text("log-level = debug\n")
                    server.await_counts(1, 0)
                    server.put("drain = 1s")
                    server.await_counts(2, 0)


class Rejecting(Config):
    def test_a_mistake_leaves_all_flags_as_they_were(self):
        def check(server):
            server.put("log-level = info\ndrain = 11m\n")
            server.await_counts(0, 1)
            self.assertIn("config is rejected, all flags stay as they were: --drain: must be a "
                          "duration from 0s to 10m in steps of 1ms, not '11m'", server.stderr())
            self.assertEqual(server.metrics()[IN_FORCE], 0)
            server.put("log-level = debug\n")
            server.await_counts(1, 1)
            self.assertTrue(server.logs_debug())
            self.assertEqual(server.metrics()[IN_FORCE], 1)
        self.for_each_server(check, "log-level = debug\n")

    def test_what_no_file_may_say(self):
        mistakes = {"no-such-flag = 1": "--config: the key 'no-such-flag' is no flag",
                    "\n[game]\n": "--config: line 2: the section '[game]' has no meaning",
                    "drain = 1s\ndrain = 2s": "--config: the key 'drain' stands there twice",
                    "drain = [1s, 2s]": "--drain: takes one value, once",
                    "config = other": "--config"}

        def check(server):
            for number, (text, reason) in enumerate(mistakes.items(), 1):
                server.put(text)
                server.await_counts(0, number)
                self.assertIn(reason, server.stderr().splitlines()[-1])
            check_play(server)
        self.for_one_server(check, "")

    def test_a_flag_that_only_a_restart_can_change(self):
        def check(server):
            server.put("log-level = debug\nhouse = cycle\nmax-sessions = 7\n")
            server.await_counts(0, 1)
            self.assertIn("only a restart of the server can change --house from fair to cycle, "
                          "--max-sessions from 100000 to 7", server.stderr())
            server.put("house = fair\nmax-sessions = 0100000\ndrain = 5000\n")
            server.await_counts(1, 1)
            self.assertIn("changed: nothing", server.stderr())
            self.assertFalse(server.logs_debug())
        self.for_each_server(check, "")

    def test_the_command_line_wins(self):
        def check(server):
            server.put("log-level = debug\nhouse = mirror\n")
            server.await_counts(1, 0)
            self.assertFalse(server.logs_debug())
        self.for_each_server(check, "", "--log-level=info", "--house=fair")

    def test_what_is_no_file(self):
        def check(server):
            server.path.unlink()
            server.await_counts(0, 1)
            self.assertIn("it cannot be read: No such file or directory", server.stderr())
            server.path.mkdir()
            server.await_counts(0, 2)
            self.assertIn("it cannot be read: Is a directory", server.stderr())
            server.path.rmdir()
            server.await_counts(0, 3)
            os.mkfifo(server.path)
            server.await_counts(0, 4)
            self.assertIn("it is no regular file", server.stderr())
            check_play(server)
            fresh = server.path.with_name("fresh")
            fresh.symlink_to("/dev/zero")
            fresh.rename(server.path)
            server.put("#" * (LARGEST + 1))
            server.await_log("it is larger than 1MiB")
            server.put("# " + "-" * (LARGEST - 3) + "\n")
            eventually(lambda: server.counts()[0] == 1, "a good file is accepted")
        self.for_one_server(check, "")

    def test_a_file_that_is_large_and_wrong_throughout(self):
        def check(server):
            lines = ["a", "a = [", '"""', "[a]", "a.b.c = 1", "drain = 1s", "host = a", "\x00"]
            texts = [(line + "\n") * (LARGEST // len(line + "\n")) for line in lines] + [
                "[" + "a." * (LARGEST // 2 - 1) + "]", "host = [" + "a, " * (LARGEST // 4),
                "drain = [" + "5s, " * (LARGEST // 5) + "]", "drain = " + "5" * (LARGEST - 10)]
            for number, text in enumerate(texts, 1):
                server.put(text)
                server.await_counts(0, number)
            check_play(server)
        self.for_one_server(check, "")


@contextlib.contextmanager
def a_caller(server: Configured):
    """A function that plays one round, each time on the same connection."""
    if server.url.startswith("jsonrpc:"):
        with jsonrpc_wire.Connection(server.address) as connection:
            yield lambda: connection.call("play", player_move="ROCK")["result"]
    else:
        with grpc_wire.Connection(server.address) as connection:
            connection.send(grpc_wire.h2_frame(grpc_wire.WINDOW_UPDATE, 0, 0, ROOM))
            yield connection.check_play


def a_limit(server: Configured) -> str:
    """A reloadable limit."""
    return "max-connections" if server.url.startswith("jsonrpc:") else "max-calls"


class Applying(Config):
    def test_no_call_is_lost_while_the_flags_change(self):
        def keep_calling(server, is_over, counts):
            calls = 0
            with a_caller(server) as call:
                while not is_over.is_set():
                    call()
                    calls += 1
            counts.append(calls)

        def check(server):
            is_over, counts = threading.Event(), []
            callers = [threading.Thread(target=keep_calling, args=(server, is_over, counts))
                       for _ in range(CALLERS)]
            for caller in callers:
                caller.start()
            try:
                for number in range(1, RELOADS + 1):
                    server.put(f"log-level = {'warn' if number % 2 else 'info'}\n"
                               f"{a_limit(server)} = {100 + number}\ndrain = {number}s\n")
                    server.send_signal(signal.SIGHUP)
                    eventually(lambda: server.counts()[0] >= number, "a reload")
            finally:
                is_over.set()
                for caller in callers:
                    caller.join()
            self.assertEqual(len(counts), CALLERS)
            self.assertTrue(all(counts))
            self.assertEqual(server.counts(), (RELOADS, 0))
        self.for_each_server(check, "")

    def test_fewer_connections_and_more_again(self):
        def check(server):
            with contextlib.ExitStack() as connections:
                for _ in range(3):
                    connections.enter_context(a_caller(server))()
                server.put("give-way-after = 24h\nmax-connections = 2\n")
                server.await_counts(1, 0)
                with socket.create_connection(server.address, PATIENCE) as refused:
                    self.assertEqual(refused.recv(1), b"")
                server.put("give-way-after = 24h\nmax-connections = 4\n")
                server.await_counts(2, 0)
                connections.enter_context(a_caller(server))()
        self.for_each_server(check, "give-way-after = 24h\nmax-connections = 3\n")

    def test_links_of_the_chain_can_be_switched(self):
        def status(server):
            play = grpc_wire.message(grpc_wire.play_request(grpc_wire.MOVES["ROCK"]))
            return grpc_wire.post(server.url, "Play", play)[0]

        def check(server):
            self.assertEqual(status(server), 0)
            server.put("rate-limit = 1\nrate-burst = 1\n")
            server.await_counts(1, 0)
            eventually(lambda: status(server) == RESOURCE_EXHAUSTED, "a call above the rate")
            server.put("auth = on\n")
            server.await_counts(2, 0)
            self.assertEqual(status(server), UNAUTHENTICATED)
            server.put("")
            server.await_counts(3, 0)
            self.assertEqual(status(server), 0)
        self.for_servers(built_servers().keys() - {"rps-jsonrpc"}, check, "")

    def test_sighup_reads_the_file_of_tokens_again(self):
        for name in built_servers().keys() - {"rps-jsonrpc"}:
            with self.subTest(name), tempfile.TemporaryDirectory() as made:
                folder = pathlib.Path(made)
                (folder / "tokens").write_text("")
                with Configured(name, folder, f"auth-tokens = {folder / 'tokens'}\n") as server:
                    (folder / "tokens").write_text(f"{'ab' * 32} play ann\n")
                    server.send_signal(signal.SIGHUP)
                    server.await_log("read 1 callers")


if __name__ == "__main__":
    unittest.main()
