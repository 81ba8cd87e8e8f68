"""The flags of a running server follow a key of a real etcd."""

import pathlib
import signal
import subprocess
import tempfile
import unittest

from etcd import Etcd, complaint_of
from rps_process import ROOT, built_servers, eventually
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
            etcd.process.send_signal(signal.SIGSTOP)
            self.assertFalse(server.logs_debug())
            check_play(server)
            server.send_signal()
            server.wait(0)
        self.for_each_server(check, "")

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


if __name__ == "__main__":
    unittest.main()
