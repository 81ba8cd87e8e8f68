"""The flags of a running server follow a key of a real etcd."""

import contextlib
import pathlib
import signal
import subprocess
import tempfile
import unittest

from etcd import Etcd, complaint_of, free_port
from rps_process import PATIENCE, ROOT, binary, built_servers, eventually
from test_config import IN_FORCE, Configured
from wire import check_play

KEY = "prod/rps.conf"
CURRENT = "rps_config_source_current"
LARGEST = 1 << 20


class ConfiguredByKey(Configured):
    """A server whose flags the key sets."""

    def __init__(self, name: str, etcd: Etcd, *flags: str, key: str = KEY, query: str = ""):
        scheme = etcd.scheme.replace("http", "etcd")
        super().__init__(name, None, "", *flags, path=f"{scheme}://{etcd.address}/{key}{query}")
        self.etcd = etcd
        self.key = key

    def put(self, text: str):
        self.etcd.ctl("put", self.key, text)


@contextlib.contextmanager
def cluster():
    """Three members of one etcd."""
    members = [Etcd() for _ in range(3)]
    peers = {f"m{i}": f"http://127.0.0.1:{free_port()}" for i in range(3)}
    for member, (name, peer) in zip(members, peers.items()):
        member.peer = peer
        member.flags = (f"--name={name}", "--initial-cluster",
                        ",".join(f"{n}={p}" for n, p in peers.items()))
    with contextlib.ExitStack() as undo:
        for member in members:
            undo.callback(member.__exit__)
            member.launch()
        for member in members:
            member.await_health()
        yield members


class FollowingAKey(unittest.TestCase):
    def for_each_server(self, check, text: str, *flags: str):
        for name in built_servers():
            with self.subTest(name), Etcd() as etcd:
                etcd.ctl("put", KEY, text)
                with ConfiguredByKey(name, etcd, *flags) as server:
                    check(server, etcd)

    def test_flags_of_the_key_are_in_force_and_changes_follow(self):
        def check(server, _):
            self.assertEqual(server.metrics()[CURRENT], 1)
            server.put("log-level = debug\ndrain = 1s\n")
            server.await_counts(1, 0)
            self.assertIn("changed: --drain from 2s to 1s, --log-level from info to debug",
                          server.stderr())
            check_play(server)
            server.send_signal()
            server.wait(0)
            self.assertIn("draining for at most 1000 ms", server.stderr())
        self.for_each_server(check, "drain = 2s\n")

    def test_what_is_wrong_rejects_all_of_the_text(self):
        def check(server, etcd):
            server.put("log-level = debug\ndrain = 11m\n")
            server.await_counts(0, 1)
            self.assertIn(f"/{KEY} is rejected, all flags stay as they were: --drain: must be",
                          server.stderr())
            self.assertEqual(server.metrics()[IN_FORCE], 0)
            server.send_signal(signal.SIGHUP)
            server.await_counts(0, 2)
            server.put("house = cycle\n")
            server.await_counts(0, 3)
            self.assertIn("only a restart of the server can change --house", server.stderr())
            etcd.ctl("del", KEY)
            server.await_counts(0, 4)
            self.assertIn("they were: it is no key in etcd", server.stderr())
            self.assertEqual(server.metrics()[CURRENT], 1)
            self.assertFalse(server.logs_debug())
            server.put("log-level = debug\n")
            eventually(lambda: server.counts()[0] == 1, "a good text is accepted")
            self.assertTrue(server.logs_debug())
            self.assertEqual(server.metrics()[IN_FORCE], 1)
        self.for_each_server(check, "")

    def test_without_etcd_the_flags_stay_and_changes_are_found_later(self):
        def check(server, etcd):
            etcd.stop()
            eventually(lambda: server.metrics()[CURRENT] == 0, "the server notices")
            self.assertIn(f"the last text of {KEY} stays", server.stderr())
            self.assertEqual(server.counts(), (0, 0))
            check_play(server)
            etcd.start()
            server.put("log-level = debug\n")
            server.await_counts(1, 0)
            self.assertEqual(server.metrics()[CURRENT], 1)
            self.assertTrue(server.logs_debug())
        self.for_each_server(check, "log-level = info\n")

    def test_an_etcd_that_hangs_holds_up_neither_a_reload_nor_the_end(self):
        def check(server, etcd):
            etcd.freeze()
            self.assertFalse(server.logs_debug())
            check_play(server)
            server.send_signal()
            server.wait(0)
        self.for_each_server(check, "")

    def test_a_member_that_has_lost_the_others_is_not_current(self):
        name = next(iter(built_servers()))
        with cluster() as members, contextlib.ExitStack() as undo:
            members[0].ctl("put", KEY, "drain = 2s")
            server = undo.enter_context(ConfiguredByKey(name, members[0]))
            server.put("drain = 1s")
            server.await_counts(1, 0)  # Its watch stands.
            for other in members[1:]:
                other.freeze()
                undo.callback(other.thaw)
            eventually(lambda: server.metrics()[CURRENT] == 0, "the server notices")
            self.assertIn("no leader", server.stderr())

    def test_a_hangup_during_the_start_reloads_when_it_is_over(self):
        for name in built_servers():
            with self.subTest(name), Etcd() as etcd:
                etcd.ctl("put", KEY, "log-level = debug")
                etcd.freeze()
                server = subprocess.Popen(
                    [binary(name), "--listen=127.0.0.1:0", f"--config=etcd://{etcd.address}/{KEY}"],
                    stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                with server:
                    # Its client has threads: the signal is taken by now.
                    tasks = pathlib.Path(f"/proc/{server.pid}/task")
                    eventually(lambda: len(list(tasks.iterdir())) > 2, "it waits for etcd")
                    server.send_signal(signal.SIGHUP)
                    etcd.thaw()
                    self.assertIn("://", server.stdout.readline())
                    eventually(lambda: "SIGHUP: reloading" in server.stderr.readline(), "a reload")
                    server.terminate()
                    server.communicate(timeout=PATIENCE)
                    self.assertEqual(server.returncode, 0)

    def test_a_key_may_begin_with_a_slash(self):
        with Etcd() as etcd:
            etcd.ctl("put", "/a b", "drain = 1s")
            name = next(iter(built_servers()))
            with ConfiguredByKey(name, etcd, key="/a%20b") as server:
                server.send_signal()
                server.wait(0)
                self.assertIn("draining for at most 1000 ms", server.stderr())

    def test_what_is_wrong_at_the_start_is_said(self):
        with Etcd("--max-request-bytes=4194304") as etcd:
            etcd.ctl("put", "mistaken", "drain = 11m")
            subprocess.run(["sh", "-c", f"head -c {LARGEST + 1} /dev/zero | tr '\\0' '#' | "
                            f"ETCDCTL_API=3 etcdctl --endpoints={etcd.address} put large"],
                           check=True, capture_output=True)
            for name in built_servers():
                for url, complaint in [
                        (f"etcd://{etcd.address}/missing", "/missing' is no key in etcd"),
                        (f"etcd://{etcd.address}/large", "/large' is larger than 1MiB"),
                        (f"etcd://{etcd.address}/mistaken", "--drain: must be a duration"),
                        (f"etcd://{etcd.address}", "names a key"),
                        (f"etcd://{etcd.address}/k?service=a", "knows no 'service'"),
                        (f"etcd://{etcd.address}/k?user=a&user=b", "'user' stands twice"),
                        ("etcd://127.0.0.1:1/k", "/k' cannot be read: "),
                        ("consul://127.0.0.1:1/k", "must be a URL of scheme etcd"),
                        ("etcd://127.0.0.1/k", "port")]:
                    with self.subTest(name, url=url):
                        said = complaint_of(name, 2, f"--config={url}")
                        self.assertIn(complaint, said)
                        self.assertEqual(said.count("\n"), 1, said)

    def test_over_tls(self):
        with tempfile.TemporaryDirectory() as folder:
            certs = pathlib.Path(folder)
            subprocess.run([ROOT / "stage3_grpc" / "tls" / "make_certificates.sh", certs],
                           check=True)
            with Etcd(f"--cert-file={certs}/server.crt", f"--key-file={certs}/server.key",
                      scheme="https", client_flags=(f"--cacert={certs}/ca.crt",)) as etcd:
                etcd.ctl("put", KEY, "drain = 1s")
                name = next(iter(built_servers()))
                with ConfiguredByKey(name, etcd, query=f"?ca={certs}/ca.crt") as server:
                    server.put("drain = 2s")
                    server.await_counts(1, 0)
                for name in built_servers():
                    url = f"etcds://{etcd.address}/{KEY}?ca={certs}/client.crt"
                    said = complaint_of(name, 2, f"--config={url}")
                    self.assertIn("cannot be read: ", said)
                    self.assertEqual(said.count("\n"), 1, said)


class WithAPassword(unittest.TestCase):
    def setUp(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        self.folder = pathlib.Path(folder)
        (self.folder / "password").write_text("secret\n")
        self.query = f"?user=root&password_file={self.folder}/password"
        self.name = next(iter(built_servers()))

    def test_an_etcd_that_asks_for_none_needs_none(self):
        with Etcd() as etcd:
            etcd.ctl("put", KEY, "")
            with ConfiguredByKey(self.name, etcd, query=self.query) as server:
                server.put("drain = 2s")
                server.await_counts(1, 0)

    def test_a_token_that_is_older_than_the_users_is_given_up(self):
        private, public = self.folder / "private.pem", self.folder / "public.pem"
        subprocess.run(["openssl", "genrsa", "-out", private], check=True, capture_output=True)
        subprocess.run(["openssl", "rsa", "-in", private, "-pubout", "-out", public], check=True,
                       capture_output=True)
        token = f"jwt,pub-key={public},priv-key={private},sign-method=RS256,ttl=1h"
        with Etcd("--auth-token", token, client_flags=("--user=root:secret",)) as etcd:
            etcd.ctl("user", "add", "root:secret")
            etcd.ctl("user", "grant-role", "root", "root")
            etcd.ctl("auth", "enable")
            etcd.ctl("put", KEY, "")
            with ConfiguredByKey(self.name, etcd, query=self.query) as server:
                etcd.ctl("user", "add", "other:word")
                etcd.stop()  # The watch has a token of before.
                etcd.start()
                server.put("drain = 2s")
                server.await_counts(1, 0)


if __name__ == "__main__":
    unittest.main()
