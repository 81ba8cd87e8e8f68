"""Servers that register in a real etcd, and clients that follow the list there."""

import contextlib
import json
import pathlib
import signal
import subprocess
import tempfile
import unittest

from etcd import Etcd, complaint_of
from fleet_load import Load, calls_at
from rps_process import (PATIENCE, ROOT, Server, binary, built_servers, eventually, grpc_servers,
                         parse_metrics)

ENOUGH = 5_000  # Calls before something happens, and after it.


def registered(name: str, etcd: Etcd, query: str = "", *flags: str, scheme: str = "etcd",
               listen: str = "127.0.0.1:0") -> Server:
    url = f"{scheme}://{etcd.address}/prod{query}"
    return Server(name, f"--register={url}", *flags, admin=True, listen=listen)


def key_of(server: Server) -> str:
    host, port = server.address
    return f"prod/rps/{host}:{port}"


def await_registered(server: Server):
    eventually(lambda: server.metrics()["rps_registered"] == 1, "the server is registered")


class Servers(unittest.TestCase):
    def test_each_is_listed_while_it_serves(self):
        with Etcd() as etcd:
            for name in built_servers():
                with self.subTest(name):
                    with registered(name, etcd) as server:
                        await_registered(server)
                        self.assertEqual(etcd.values("prod/"), {key_of(server): server.url})
                        failures = server.metrics()["rps_registration_failures_total"]
                        self.assertEqual(failures, 0, server.stderr())
                        server.send_signal()
                        server.wait(0)
                        self.assertIn("no longer registered", server.stderr())
                    self.assertEqual(etcd.values("prod/"), {})

    def test_another_address_and_another_service_may_be_said(self):
        name = next(iter(built_servers()))
        with Etcd() as etcd:
            with registered(name, etcd, "?service=chess", "--advertise=game.example",
                            listen="0.0.0.0:0") as server:
                await_registered(server)
                at = f"game.example:{server.address[1]}"
                scheme = server.url.split(":")[0]
                self.assertEqual(etcd.values("prod/"), {f"prod/chess/{at}": f"{scheme}://{at}"})

    def test_one_that_is_killed_goes_with_its_lease(self):
        with Etcd() as etcd, registered(next(iter(built_servers())), etcd) as server:
            await_registered(server)
            server.send_signal(signal.SIGKILL)
            server.wait(-signal.SIGKILL)
            self.assertEqual(len(etcd.values("prod/")), 1)
            eventually(lambda: etcd.values("prod/") == {}, "its lease expires")

    def test_one_that_was_stopped_longer_than_its_lease_comes_back(self):
        with Etcd() as etcd, registered(next(iter(built_servers())), etcd) as server:
            await_registered(server)
            server.send_signal(signal.SIGSTOP)
            try:
                eventually(lambda: etcd.values("prod/") == {}, "its lease expires")
            finally:
                server.send_signal(signal.SIGCONT)
            eventually(lambda: etcd.values("prod/") == {key_of(server): server.url}, "it is back")

    def test_the_list_outlives_the_data_of_etcd(self):
        with Etcd() as etcd, registered(next(iter(built_servers())), etcd) as server:
            await_registered(server)
            etcd.stop()
            eventually(lambda: server.metrics()["rps_registration_failures_total"] > 0,
                       "it notices")
            etcd.drop_data()
            etcd.start()
            eventually(lambda: etcd.values("prod/") == {key_of(server): server.url}, "it is back")

    def test_each_outage_of_etcd_and_its_end_is_logged(self):
        with Etcd() as etcd, registered(next(iter(built_servers())), etcd) as server:
            await_registered(server)
            for outages in (1, 2):
                etcd.stop()
                eventually(lambda: server.stderr().count("registration of") == outages,
                           "the failure is logged")
                if outages == 2:  # Longer than the lease.
                    eventually(lambda: server.metrics()["rps_registered"] == 0,
                               "the lease is over")
                etcd.start()
                eventually(lambda: server.stderr().count(f"registered {server.url}") > outages,
                           "the end of the failure is logged")
                self.assertEqual(server.metrics()["rps_registered"], 1)

    def test_a_server_serves_without_etcd_and_registers_when_it_comes(self):
        with Etcd() as etcd:
            etcd.stop()
            with registered(next(iter(built_servers())), etcd) as server:
                eventually(lambda: server.metrics()["rps_registration_failures_total"] > 1,
                           "it tries again")
                metrics = server.metrics()
                self.assertEqual(metrics["rps_registered"], 0)
                self.assertEqual(server.get("/readyz")[0], 200)
                self.assertEqual(server.stderr().count("it is not on the list"), 1)
                etcd.start()
                await_registered(server)

    def test_an_etcd_that_hangs_holds_up_no_drain(self):
        with Etcd() as etcd, registered(next(iter(built_servers())), etcd) as server:
            await_registered(server)
            etcd.freeze()
            server.send_signal()
            server.wait(0)
            self.assertIn("the lease stays until it expires", server.stderr())

    def test_what_is_wrong_is_said(self):
        for name in built_servers():
            for url, complaint in [
                    ("etcd://127.0.0.1:1", "what its keys begin with"),
                    ("etcd:///rps", "HOST:PORT/PREFIX"),
                    ("file:///x", "scheme etcd"),
                    ("etcd://127.0.0.1:1/rps?balance=hash", "knows no 'balance'"),
                    ("etcd://127.0.0.1:1/rps?service=a%20b", "a service's name"),
                    ("etcd://127.0.0.1:1/rps?service=a&service=b", "'service' stands twice"),
                    ("etcd://127.0.0.1:1/rps?ca=/dev/null", "over TLS"),
                    ("etcds://127.0.0.1:1/rps?ca=/no/such", "/no/such")]:
                with self.subTest(name, url=url):
                    self.assertIn(complaint, complaint_of(name, 2, f"--register={url}"))
            register = "--register=etcd://127.0.0.1:1/rps"
            wildcard = complaint_of(name, 1, register, "--listen=0.0.0.0:0")
            self.assertIn("needs --advertise", wildcard)
            self.assertIn("HOST", complaint_of(name, 2, register, "--advertise=a b"))


class Clients(unittest.TestCase):
    def setUp(self):
        binary("rps-fleet-load")
        self.running = contextlib.ExitStack()
        self.addCleanup(self.running.close)
        self.name = grpc_servers()[0]
        self.etcd = self.running.enter_context(Etcd())

    def start_server(self) -> Server:
        server = self.running.enter_context(registered(self.name, self.etcd))
        await_registered(server)
        return server

    def start_load(self) -> Load:
        url = f"etcd://{self.etcd.address}/prod?balance=round_robin&deadline_ms=30000"
        return self.running.enter_context(Load(url))

    def test_the_list_is_followed(self):
        first = self.start_server()
        load = self.start_load()
        load.await_calls(ENOUGH)
        second = self.start_server()
        eventually(lambda: calls_at(second) > 1000, "the new one gets calls")
        first.end()
        eventually(lambda: first.url not in load.report()["instances"], "the old one goes")
        load.await_calls(ENOUGH)
        report = load.end()
        self.assertEqual((report["errors"], report["wrong"]), ({}, 0))

    def test_calls_go_on_without_etcd(self):
        self.start_server()
        load = self.start_load()
        load.await_calls(ENOUGH)
        self.assertTrue(self.is_current(load))
        self.etcd.stop()
        eventually(lambda: not self.is_current(load), "the client notices")
        load.await_calls(ENOUGH)
        self.etcd.start()
        eventually(lambda: self.is_current(load), "the list is followed again")
        second = self.start_server()
        eventually(lambda: calls_at(second) > 1000, "the new one gets calls")
        report = load.end()
        self.assertEqual((report["errors"], report["wrong"]), ({}, 0))
        self.assertIn("the last list of \"rps\" stays", load.stderr())

    def test_calls_go_on_when_etcd_comes_back_without_its_data(self):
        servers = [self.start_server() for _ in range(2)]
        load = self.start_load()
        load.await_calls(ENOUGH)
        self.etcd.stop()
        eventually(lambda: not self.is_current(load), "the client notices")
        self.etcd.drop_data()
        self.etcd.start()
        for server in servers:
            eventually(lambda: key_of(server) in self.etcd.values("prod/"), "it registers again")
        eventually(lambda: self.is_current(load), "the list is followed again")
        third = self.start_server()
        eventually(lambda: calls_at(third) > 1000, "the new one gets calls")
        report = load.end()
        self.assertEqual((report["errors"], report["wrong"]), ({}, 0))

    def test_calls_go_on_while_etcd_hangs(self):
        self.start_server()
        load = self.start_load()
        load.await_calls(ENOUGH)
        self.etcd.freeze()
        load.await_calls(ENOUGH)
        eventually(lambda: not self.is_current(load), "the client notices")
        load.await_calls(ENOUGH)
        self.assertEqual(load.report()["errors"], {})
        self.etcd.thaw()  # The lease may have expired meanwhile.
        second = self.start_server()
        eventually(lambda: calls_at(second) > 1000, "the new one gets calls")
        report = load.end()
        self.assertEqual(report["wrong"], 0)

    def test_changes_that_were_compacted_while_no_watch_stood_are_found(self):
        first = self.start_server()
        load = self.start_load()
        load.await_calls(ENOUGH)
        load.send_signal(signal.SIGSTOP)  # It asks for nothing before the compaction.
        self.etcd.stop()
        self.etcd.start()
        second = self.start_server()
        first.end()
        status = self.etcd.ctl("get", "prod/", "--prefix", "--write-out=json")
        self.etcd.ctl("compaction", str(json.loads(status.stdout)["header"]["revision"]))
        load.send_signal(signal.SIGCONT)
        eventually(lambda: calls_at(second) > 1000, "the new one gets calls")
        eventually(lambda: first.url not in load.report()["instances"], "the old one goes")
        self.assertEqual(load.end()["wrong"], 0)

    def is_current(self, load: Load) -> bool:
        return parse_metrics(load.report()["metrics"])["rps_fleet_list_current"] == 1

    def test_a_fleet_in_etcd_keeps_the_contract_of_one_server(self):
        for name in built_servers():
            with self.subTest(name), contextlib.ExitStack() as running:
                service = f"service={name}"
                for _ in range(3):
                    server = running.enter_context(registered(name, self.etcd, f"?{service}"))
                    await_registered(server)
                url = f"etcd://{self.etcd.address}/prod?{service}&balance=hash&deadline_ms=30000"
                tried = subprocess.run([binary("rps-conformance"), url], capture_output=True,
                                       text=True, timeout=PATIENCE, check=False)
                self.assertEqual(tried.returncode, 0, tried.stdout + tried.stderr)

    def test_what_is_wrong_is_said(self):
        for url, complaint in [
                ("etcd://127.0.0.1:1/prod", "gives no list of \"rps\""),
                ("etcd://127.0.0.1:1", "what its keys begin with"),
                ("etcd://127.0.0.1:1/prod?reread_ms=5", "does not know 'reread_ms'"),
                (f"etcd://{self.etcd.address}/prod", "no instance of rps")]:
            with self.subTest(url):
                ended = subprocess.run([binary("rps-fleet-load"), url, "1"],
                                       stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                       timeout=PATIENCE, check=False)
                self.assertIn(complaint, ended.stderr)


class OverTls(unittest.TestCase):
    def test_servers_and_clients_show_their_certificates(self):
        name = grpc_servers()[0]
        with tempfile.TemporaryDirectory() as folder:
            certs = pathlib.Path(folder)
            subprocess.run([ROOT / "stage3_grpc" / "tls" / "make_certificates.sh", certs],
                           check=True)
            etcd = Etcd(f"--cert-file={certs}/server.crt", f"--key-file={certs}/server.key",
                        f"--trusted-ca-file={certs}/ca.crt", "--client-cert-auth", scheme="https",
                        client_flags=(f"--cacert={certs}/ca.crt", f"--cert={certs}/client.crt",
                                      f"--key={certs}/client.key"))
            query = f"?ca={certs}/ca.crt&cert={certs}/client.crt&key={certs}/client.key"
            with etcd, registered(name, etcd, query, scheme="etcds") as server:
                await_registered(server)
                with Load(f"etcds://{etcd.address}/prod{query}") as load:
                    load.await_calls(ENOUGH)
                    self.assertEqual(load.end()["wrong"], 0)
                unknown = f"etcds://{etcd.address}/prod?ca={certs}/ca.crt"
                ended = subprocess.run([binary("rps-fleet-load"), unknown, "1"],
                                       stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                       timeout=PATIENCE, check=False)
                self.assertIn("gives no list", ended.stderr)


if __name__ == "__main__":
    unittest.main()
