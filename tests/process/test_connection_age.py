"""Stages 3 and 4 under --max-connection-age and --idle-timeout: connections end, and no call does
because of it."""

import json
import pathlib
import subprocess
import tempfile
import unittest

import grpc_wire
from grpc_wire import DATA, GOAWAY, MOVES, Connection, h2_frame, message
from rps_process import PATIENCE, Server, binary, eventually, grpc_servers

AGE = "--max-connection-age=1s"
CONNECTIONS = 4
ROCK = grpc_wire.play_request(MOVES["ROCK"])


def read_to_end(peer: Connection):
    while peer.read() is not None:
        pass


class ConnectionAge(unittest.TestCase):
    def test_an_idle_connection_is_told_to_go_and_closed(self):
        for name in grpc_servers():
            with self.subTest(name), Server(name, AGE) as server, \
                    Connection(server.address) as peer:
                self.assertEqual(peer.read_until(GOAWAY, stream=0)[:4], b"\x7f\xff\xff\xff")
                self.assertEqual(peer.read_until(GOAWAY, stream=0)[:4], bytes(4))
                self.assertIsNone(peer.read())

    def test_a_call_that_is_open_goes_on(self):
        for name in grpc_servers():
            with self.subTest(name), Server(name, AGE) as server, \
                    Connection(server.address) as peer:
                stream = peer.open("Rally", ROCK, ends=False)
                for _ in range(2):
                    peer.read_until(GOAWAY, stream=0)
                for _ in range(10):
                    peer.send(h2_frame(DATA, 0, stream, message(ROCK)))
                    self.assertIn(1, grpc_wire.fields(peer.read_until(DATA, stream=stream)[5:]))

    def test_a_call_that_stays_open_longer_than_the_grace_is_closed(self):
        for name in grpc_servers():
            with self.subTest(name), \
                    Server(name, AGE, "--connection-age-grace=1s") as server, \
                    Connection(server.address) as peer:
                peer.open("Rally", ROCK, ends=False)
                read_to_end(peer)

    def test_clients_that_call_without_pause_lose_no_call(self):
        """A connection must live longer than a client needs to connect, also on a busy machine."""
        for name in grpc_servers():
            for scheme in ("grpc", "grpc+lean"):
                with (self.subTest(name, scheme=scheme),
                      Server(name, "--max-connection-age=1s", admin=True) as server):
                    url = server.url.replace("grpc:", scheme + ":")
                    trial = self.trial_of_load(url)
                    self.assertEqual(trial["complaint"], "")
                    self.assertGreater(trial["answered"], 0)
                    self.assertEqual(trial["answers"]["refused"], 0)
                    self.assertEqual(trial["unanswered"], 0)
                    self.assertEqual(trial["connections"]["uncertain"], 0)
                    self.assertGreater(server.metrics()["rps_connections_total"], CONNECTIONS)

    def trial_of_load(self, url: str) -> dict:
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                [binary("rps-bench"), "load", url, f"--connections={CONNECTIONS}", "--depth=8",
                 "--warmup=100ms", "--seconds=3s", f"--out={folder}"],
                capture_output=True, text=True, timeout=PATIENCE, check=False)
            files = list(pathlib.Path(folder).glob("*.json"))
            self.assertEqual(len(files), 1, done.stdout + done.stderr)
            return json.loads(files[0].read_text())["trials"][0]


class IdleTimeout(unittest.TestCase):
    IDLE = "--idle-timeout=1s"

    def test_a_peer_that_stays_is_told_to_go_and_closed(self):
        for name in grpc_servers():
            with self.subTest(name), Server(name, self.IDLE, admin=True) as server, \
                    Connection(server.address) as peer:
                peer.check_play()
                self.assertEqual(peer.read_until(GOAWAY, stream=0)[:4], b"\x7f\xff\xff\xff")
                read_to_end(peer)
                eventually(lambda: server.cuts() == {"idle": 1}, "it is counted")

    def test_headers_that_begin_no_call_do_not_keep_a_connection_open(self):
        """On a stream of the server's, and on one that is over: gRPC ignores them."""
        for name in grpc_servers():
            with self.subTest(name), Server(name, self.IDLE, admin=True) as server, \
                    Connection(server.address) as peer:
                peer.check_play()
                peer.send(grpc_wire.call_headers(2) + grpc_wire.call_headers(1))
                peer.read_until(GOAWAY, stream=0)
                read_to_end(peer)
                eventually(lambda: server.cuts() == {"idle": 1}, "it is counted")

    def test_a_call_that_crosses_the_goodbye_is_answered(self):
        for name in grpc_servers():
            with self.subTest(name), Server(name, "--idle-timeout=3s") as server, \
                    Connection(server.address) as peer:
                while grpc_wire.read_frame(peer.socket)[0] != GOAWAY:
                    pass
                peer.check_play()  # Acknowledges the PING behind the GOAWAY, too.
                read_to_end(peer)

    def test_an_open_call_is_no_idle_time(self):
        for name in grpc_servers():
            with self.subTest(name), Server(name, self.IDLE, admin=True) as server, \
                    Connection(server.address) as peer:
                peer.open("Rally", ROCK, ends=False)
                with Connection(server.address) as idle:
                    read_to_end(idle)
                peer.ping()
                self.assertEqual(server.cuts(), {"idle": 1})

    def test_without_the_flood_guard_it_is_closed_as_well(self):
        with Server(grpc_servers()[0], self.IDLE, "--flood-guard=off") as server, \
                Connection(server.address) as peer:
            peer.check_play()
            read_to_end(peer)


if __name__ == "__main__":
    unittest.main()
