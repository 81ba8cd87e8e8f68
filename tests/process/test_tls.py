"""Stages 3 and 4 over TLS: which clients are served, which certificates are served and from when
on, and what peers do that speak no TLS. What is tested over plain connections holds here as well:
the contract, the flood guard, replies that leave together."""

import collections
import contextlib
import os
import pathlib
import re
import shutil
import signal
import ssl
import subprocess
import tempfile
import unittest
import warnings

import grpc_wire
from abuse import cut
from grpc_wire import MOVES, OK, PREFACE, Connection, message, play_request, settings
from rps_process import PATIENCE, ROOT, Server, binary, check_at_once, eventually, grpc_servers
from test_coalescing import segments_per_call
from test_floods import FLOODS, flood_until_cut

MADE = tempfile.TemporaryDirectory()
CERTS = pathlib.Path(MADE.name)
FAILURES = (ssl.SSLError, OSError, AssertionError)


def setUpModule():
    if not shutil.which("openssl"):
        raise unittest.SkipTest("openssl is not installed")
    subprocess.run([ROOT / "stage3_grpc" / "tls" / "make_certificates.sh", CERTS], check=True)


def tearDownModule():
    MADE.cleanup()


def flags(folder: pathlib.Path | None = None, name: str = "server", ca: str = "ca") -> list[str]:
    folder = folder or CERTS
    return [f"--tls-cert={folder / name}.crt", f"--tls-key={folder / name}.key"] + (
        [f"--tls-ca={folder / ca}.crt"] if ca else [])


def client(certificate: str = "client", ca: str = "ca", protocols=("h2",),
           version: ssl.TLSVersion | None = None, checks_name: bool = True) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(CERTS / f"{ca}.crt")
    context.check_hostname = checks_name
    if certificate:
        context.load_cert_chain(CERTS / f"{certificate}.crt", CERTS / f"{certificate}.key")
    if protocols:
        context.set_alpn_protocols(list(protocols))
    if version:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # Of TLS 1.1.
            context.minimum_version = context.maximum_version = version
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
    return context


def play(server: Server, tls: ssl.SSLContext) -> dict:
    """Plays a round over a new connection. The server's certificate."""
    with Connection(server.address, tls) as connection:
        connection.check_play()
        return connection.socket.getpeercert()


def name_of(certificate: dict) -> str:
    return dict(pair for part in certificate["subject"] for pair in part)["commonName"]


def handshakes(server: Server) -> dict[str, int]:
    """By their result; those that did not occur are left out."""
    return {sample.split('"')[1]: int(value) for sample, value in server.metrics().items()
            if sample.startswith("rps_tls_handshakes_total{") and value}


def reloads(server: Server, result: str) -> float:
    return server.metrics()[f'rps_tls_reloads_total{{result="{result}"}}']


class Clients(unittest.TestCase):
    def test_who_is_served(self):
        served = {
            "a client of the authority": client(),
            "TLS 1.2": client(version=ssl.TLSVersion.TLSv1_2),
            "TLS 1.3": client(version=ssl.TLSVersion.TLSv1_3),
            "several protocols": client(protocols=("http/1.1", "h2")),
        }
        refused = {
            "no certificate": ("certificate", client(certificate="")),
            "another authority's": ("certificate", client("other-client")),
            "expired": ("certificate", client("expired")),
            "not yet valid": ("certificate", client("future")),
            "a server's": ("certificate", client("server")),
            "an authority itself": ("certificate", client("other-ca")),
            "TLS 1.1": ("protocol", client(version=ssl.TLSVersion.TLSv1_1)),
            "no protocol": ("protocol", client(protocols=())),
            "HTTP/1.1 only": ("protocol", client(protocols=("http/1.1",))),
        }
        for name in grpc_servers():
            with Server(name, *flags(), admin=True) as server:
                self.assertTrue(server.url.startswith("grpcs://"), server.url)
                for what, tls in served.items():
                    with self.subTest(name, served=what):
                        play(server, tls)
                for version in (None, ssl.TLSVersion.TLSv1_2):
                    for what, (_, tls) in refused.items():
                        if version and tls.minimum_version == ssl.TLSVersion.TLSv1_1:
                            continue
                        if version:
                            tls.minimum_version = tls.maximum_version = version
                        with self.subTest(name, refused=what, version=version), \
                                self.assertRaises(FAILURES):
                            play(server, tls)
                expected = collections.Counter(why for why, _ in refused.values())
                expected += collections.Counter(
                    why for what, (why, _) in refused.items() if what != "TLS 1.1")
                expected["accepted"] = len(served)
                eventually(lambda: handshakes(server) == expected, f"handshakes: {expected}")
                eventually(lambda: re.search(r"TLS failed .*from 127\.0\.0\.1:", server.stderr()),
                           "the log says so")

    def test_without_an_authority_nobody_needs_a_certificate(self):
        for name in grpc_servers():
            with self.subTest(name), Server(name, *flags(ca="")) as server:
                play(server, client(certificate=""))
                play(server, client("other-client"))

    def test_who_trusts_the_server(self):
        with Server(grpc_servers()[0], *flags(name="wrong-name"), admin=True) as server:
            with self.assertRaises(ssl.SSLCertVerificationError):
                play(server, client())
            play(server, client(checks_name=False))
            with self.assertRaises(ssl.SSLCertVerificationError):
                play(server, client(ca="other-ca", checks_name=False))
            url = f"{server.url}?{parameters()}"
            self.assertEqual(conformance(url, "--only=round", patience="1s").returncode, 1)
            self.assertEqual(conformance(url + "&name=server.example", "--only=round").returncode,
                             0)

    def test_the_server_listens_at_both_families(self):
        with Server(grpc_servers()[0], *flags(), listen="localhost:0") as server:
            play(server, client())


def parameters(certificate: str = "client", ca: str = "ca") -> str:
    own = f"&cert={CERTS / certificate}.crt&key={CERTS / certificate}.key" if certificate else ""
    return f"ca={CERTS / ca}.crt{own}"


def conformance(url: str, *more: str, patience: str = "60s") -> subprocess.CompletedProcess:
    return subprocess.run([binary("rps-conformance"), f"--patience={patience}", *more, url],
                          capture_output=True, text=True, timeout=10 * PATIENCE, check=False)


class Contract(unittest.TestCase):
    """The same over TLS, with every combination of what stands before it."""

    def test_is_kept(self):
        for name in grpc_servers():
            for guard, coalesce in (("on", "on"), ("on", "off"), ("off", "on"), ("off", "off")):
                with self.subTest(name, guard=guard, coalesce=coalesce), \
                        Server(name, f"--flood-guard={guard}", f"--coalesce-writes={coalesce}",
                               *flags()) as server:
                    for mode in ("unary", "rally"):
                        done = conformance(f"{server.url}?{parameters()}&mode={mode}")
                        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_is_not_offered_to_a_client_without_a_certificate(self):
        with Server(grpc_servers()[0], *flags()) as server:
            done = conformance(f"{server.url}?{parameters(certificate='')}", "--only=round",
                               patience="1s")
            self.assertEqual(done.returncode, 1, done.stdout)


class OtherClients(unittest.TestCase):
    def test_curl(self):
        for name in grpc_servers():
            with self.subTest(name), Server(name, *flags()) as server:
                status, text, body = grpc_wire.post(
                    server.url, "Play", message(play_request(MOVES["ROCK"])),
                    "--cacert", CERTS / "ca.crt", "--cert", CERTS / "client.crt",
                    "--key", CERTS / "client.key")
                self.assertEqual(status, OK, text)
                self.assertIn(1, grpc_wire.fields(body[5:]))

    def test_openssl(self):
        def said(server: Server, *more: str) -> str:
            host, port = server.address
            done = subprocess.run(
                ["openssl", "s_client", "-connect", f"{host}:{port}", "-CAfile", CERTS / "ca.crt",
                 "-cert", CERTS / "client.crt", "-key", CERTS / "client.key", "-alpn", "h2",
                 "-verify_return_error", *more],
                input=b"", capture_output=True, timeout=PATIENCE, check=False)
            return done.stdout.decode(errors="replace")

        with Server(grpc_servers()[0], *flags()) as server:
            for version in ("-tls1_2", "-tls1_3"):
                with self.subTest(version):
                    text = said(server, version)
                    self.assertIn("Verification: OK", text)
                    self.assertIn("ALPN protocol: h2", text)
                    self.assertIn("CN = ca", text)  # The authorities that a client may use.
            self.assertNotIn("Reused, TLS", said(server, "-tls1_2", "-reconnect"))


class OddPeers(unittest.TestCase):
    """Connections that come to no handshake are closed, and others are served meanwhile."""

    # The beginning of a handshake's record of 512 bytes.
    HALF_A_HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100)

    def check_closed(self, *server_flags: str, **openings: bytes):
        for name in grpc_servers():
            with Server(name, *flags(), *server_flags, admin=True) as server, \
                    Connection(server.address, client()) as player:

                def is_closed(opening: bytes, server: Server = server):
                    with contextlib.suppress(ConnectionResetError, BrokenPipeError), \
                            grpc_wire.connect(server.address) as connection:
                        connection.sendall(opening)
                        self.assertTrue(grpc_wire.is_closed_by_peer(connection))

                check_at_once(self, {what: lambda opening=opening: is_closed(opening)
                                     for what, opening in openings.items()})
                player.check_play()
                eventually(lambda: server.metrics()["rps_connections"] == 1, "only one is left")

    def test_what_is_no_tls(self):
        self.check_closed(plain_http2=PREFACE + settings(), http_1=b"GET / HTTP/1.1\r\n\r\n",
                          zeros=bytes(10_000), random=os.urandom(100_000),
                          record_without_end=b"\x16\x03\x01\xff\xff" + bytes(100_000),
                          data_before_handshake=b"\x17\x03\x03\x00\x10" + bytes(16),
                          alert=b"\x15\x03\x03\x00\x02\x02\x28")

    def test_who_does_not_go_on(self):
        self.check_closed("--handshake-timeout=2s", silent=b"", a_byte=b"\x16",
                          half_a_hello=self.HALF_A_HELLO)

    def test_half_a_hello_and_a_reset_that_come_together(self):
        for name in grpc_servers():
            with self.subTest(name), Server(name, *flags(), "--handshake-timeout=1h",
                                            admin=True) as server:
                for _ in range(1000):
                    connection = grpc_wire.connect(server.address)
                    connection.sendall(self.HALF_A_HELLO)
                    cut(connection)
                eventually(lambda: server.metrics()["rps_connections"] == 0, "all are closed")

    def test_half_a_record_for_ever(self):
        """Whoever stops within a record does not answer the server's PING."""
        for name in grpc_servers():
            with self.subTest(name), \
                    Server(name, *flags(), "--keepalive-after=2s", "--keepalive-timeout=1s",
                           admin=True) as server, \
                    grpc_wire.connect(server.address) as raw:
                incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
                tls = client().wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
                while True:
                    try:
                        tls.do_handshake()
                        break
                    except ssl.SSLWantReadError:
                        raw.sendall(outgoing.read())
                        block = raw.recv(65536)
                        self.assertTrue(block, "the server closes within the handshake")
                        incoming.write(block)
                tls.write(PREFACE + settings())
                raw.sendall(outgoing.read())
                tls.write(grpc_wire.call_headers(1))
                raw.sendall(outgoing.read()[:20])
                self.assertTrue(grpc_wire.is_closed_by_peer(raw))
                eventually(lambda: server.metrics()["rps_connections"] == 0, "it is closed")
                play(server, client())

    def test_silent_connections_make_room(self):
        with contextlib.ExitStack() as stack:
            server = stack.enter_context(
                Server(grpc_servers()[0], *flags(), "--max-connections=20", "--give-way-after=1h",
                       admin=True))
            for _ in range(60):
                stack.enter_context(grpc_wire.connect(server.address))

            def is_served() -> bool:
                try:
                    return bool(play(server, client()))
                except FAILURES:
                    return False
            eventually(is_served, "a newcomer is served")
            self.assertEqual(set(server.cuts()), {"gave_way"})


class Boundary(unittest.TestCase):
    """It sees plain text."""

    def test_floods_are_cut(self):
        for name in grpc_servers():
            with Server(name, *flags(), admin=True) as server, \
                    Connection(server.address, client()) as player:
                for reason in ("cancelled_calls", "priority", "empty_data", "header_bytes"):
                    with self.subTest(name, reason=reason), \
                            Connection(server.address, client()) as attacker:
                        flood_until_cut(attacker, FLOODS[reason])
                    player.check_play()
                    self.assertIn(reason, server.cuts())

    def test_replies_to_calls_that_came_together_leave_together(self):
        for name in grpc_servers():
            for guard in ("on", "off"):
                with self.subTest(name, guard=guard), \
                        Server(name, *flags(), f"--flood-guard={guard}") as server:
                    self.assertLessEqual(segments_per_call(server, client()), 0.2)


class Rotation(unittest.TestCase):
    """New connections get new certificates, open ones go on, and bad ones change nothing."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def put(self, name: str, ca: str = "ca", key: str = "", folder: pathlib.Path | None = None):
        """Makes a certificate of CERTS the server's."""
        for source, target in ((f"{name}.crt", "server.crt"), (f"{key or name}.key", "server.key"),
                               (f"{ca}.crt", "ca.crt")):
            fresh = (folder or self.folder) / "fresh"
            shutil.copy(CERTS / source, fresh)
            fresh.rename((folder or self.folder) / target)

    def serving(self, name: str) -> Server:
        return Server(name, *flags(self.folder), admin=True)

    def served_name(self, server: Server, certificate: str = "client") -> str:
        return name_of(play(server, client(certificate, checks_name=False)))

    def test_a_new_certificate(self):
        for name in grpc_servers():
            self.put("wrong-name")
            with self.subTest(name), self.serving(name) as server, \
                    Connection(server.address, client(checks_name=False)) as player:
                self.assertEqual(self.served_name(server), "wrong-name")
                self.put("server")
                eventually(lambda: self.served_name(server) == "server", "the new one is served")
                player.check_play()
                self.assertEqual(name_of(player.socket.getpeercert()), "wrong-name")
                self.assertEqual((reloads(server, "accepted"), reloads(server, "rejected")), (1, 0))

    def test_a_new_authority(self):
        self.put("server")
        with self.serving(grpc_servers()[0]) as server, \
                Connection(server.address, client()) as player:
            with self.assertRaises(FAILURES):
                play(server, client("other-client"))
            self.put("server", ca="other-ca")
            eventually(lambda: reloads(server, "accepted"), "it is read")
            play(server, client("other-client"))
            with self.assertRaises(FAILURES):
                play(server, client())
            player.check_play()

    def test_bad_ones(self):
        self.put("server")
        with self.serving(grpc_servers()[0]) as server, \
                Connection(server.address, client()) as player:
            expiry = server.metrics()["rps_tls_certificate_expiry_seconds"]
            for count, (bad, reason) in enumerate((
                    (lambda: self.put("server", key="client"), "is not the key of"),
                    (lambda: self.put("expired"), "has expired on"),
                    (lambda: self.put("future"), "is not valid before"),
                    (lambda: self.put("client"), "is not one for servers"),
                    (lambda: (self.folder / "server.crt").write_text("nonsense"),
                     "holds no certificate"),
                    (lambda: (self.folder / "ca.crt").unlink(), "cannot be read")), start=1):
                with self.subTest(reason):
                    bad()
                    eventually(lambda: reloads(server, "rejected") == count, "it is rejected")
                    self.assertRegex(server.stderr(), f"certificates are not served.*{reason}")
                    self.assertEqual(self.served_name(server), "server")
                    self.put("server")
                    eventually(lambda: reloads(server, "accepted") == count, "it is mended")
            player.check_play()
            self.assertEqual(server.metrics()["rps_tls_certificate_expiry_seconds"], expiry)

    def test_sighup_reads_them_at_once(self):
        (self.folder / "config").write_text("")
        for name in grpc_servers():
            self.put("wrong-name")
            with self.subTest(name), \
                    Server(name, *flags(self.folder), f"--config={self.folder / 'config'}",
                           admin=True) as server:
                self.put("server")
                server.send_signal(signal.SIGHUP)
                eventually(lambda: reloads(server, "accepted"), "they are read")
                play(server, client())

    def test_a_symbolic_link_that_is_replaced(self):
        """As in a mounted Secret of Kubernetes."""
        for number, name in enumerate(("wrong-name", "server"), start=1):
            (self.folder / f"..version{number}").mkdir()
            self.put(name, folder=self.folder / f"..version{number}")
        (self.folder / "..data").symlink_to("..version1")
        for file in ("server.crt", "server.key", "ca.crt"):
            (self.folder / file).symlink_to(pathlib.Path("..data", file))
        with self.serving(grpc_servers()[0]) as server:
            self.assertEqual(self.served_name(server), "wrong-name")
            (self.folder / "..fresh").symlink_to("..version2")
            (self.folder / "..fresh").rename(self.folder / "..data")
            eventually(lambda: self.served_name(server) == "server", "the new one is served")
            self.assertEqual((reloads(server, "accepted"), reloads(server, "rejected")), (1, 0))


class Start(unittest.TestCase):
    def run_server(self, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run([binary(grpc_servers()[0]), "--listen=127.0.0.1:0", *arguments],
                              capture_output=True, text=True, timeout=PATIENCE, check=False)

    def test_does_not_serve_bad_certificates(self):
        for arguments, reason in (
                (flags(name="no-such"), r"--tls-cert.*no-such\.crt.*No such file"),
                ([*flags()[:1], f"--tls-key={CERTS / 'client.key'}"], "is not the key of"),
                (flags(name="expired"), "has expired on"),
                (flags(name="future"), "is not valid before"),
                (flags(name="client"), "is not one for servers"),
                (flags(ca="no-such"), r"--tls-ca.*No such file"),
                ([*flags(ca=""), f"--tls-ca={CERTS / 'ca.key'}"], "--tls-ca holds no certificate"),
                ([*flags(ca=""), "--tls-ca=/dev/null"], "--tls-ca")):
            with self.subTest(reason):
                done = self.run_server(*arguments)
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertRegex(done.stderr, reason)
                self.assertEqual(done.stdout, "")

    def test_flags_that_need_each_other(self):
        certificate, key, ca = flags()
        for arguments in ([certificate], [key], [ca], [certificate, ca], [key, ca],
                          ["--tls-cert=", key], [certificate, "--tls-key="],
                          [certificate, key, "--tls-ca="]):
            with self.subTest(arguments):
                done = self.run_server(*arguments)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
                self.assertIn("--tls-", done.stderr)


if __name__ == "__main__":
    unittest.main()
