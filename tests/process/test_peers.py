"""Our clients against servers that others wrote: Node's and Python's HTTP servers, and nginx.

Each stands in front of a server of ours, so the answers are the game's and the transport is not
ours. What is not installed is skipped by its name. nginx is not among the packages that ./rps
installs, because Debian's package of it starts a server on port 80.
"""

import contextlib
import http.client
import http.server
import json
import pathlib
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import unittest
from urllib.parse import urlsplit

from rps_process import PATIENCE, Server, binary, built_servers, eventually, killed_if_stuck
from test_fleet import Load

HERE = pathlib.Path(__file__).resolve().parent
CASES = 57  # At least: of the conformance suite.
CLOSE_AFTER = 1000  # Requests: nginx's default.
MANY = 16  # Connections.


def program(*names: str) -> str:
    """The path of the first of these programs that is installed."""
    for name in names:
        if path := shutil.which(name):
            return path
    raise unittest.SkipTest(f"{names[0]} is not installed")


@contextlib.contextmanager
def started(*command: str):
    """A process of others, and its first line on stdout; killed at the end."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            with killed_if_stuck(process):
                line = process.stdout.readline()
            assert line, f"{command[0]} says nothing"
            yield line.strip()
        finally:
            process.kill()


def node(server: "Server | Gateway", form: str, script: str = "http_peer.js"):
    """A Node server in front of `server`; its port."""
    return started(program("node", "nodejs"), str(HERE / script), str(server.address[1]), form)


class Python10(http.server.BaseHTTPRequestHandler):
    """HTTP/1.0 as Python's server speaks it: no length, and the body ends with the connection."""

    backend = ("127.0.0.1", 0)
    protocol_version = "HTTP/1.0"

    def do_POST(self):
        self.pass_on(self.rfile.read(int(self.headers["Content-Length"])))

    def do_GET(self):
        self.pass_on(None)

    def pass_on(self, body: bytes | None):
        onward = http.client.HTTPConnection(*self.backend, timeout=PATIENCE)
        fields = {"Content-Type": "application/json"} if body is not None else {}
        onward.request(self.command, self.path, body, fields)
        answer = onward.getresponse()
        self.send_response(answer.status)
        self.end_headers()
        self.wfile.write(answer.read())
        onward.close()

    def log_message(self, *_):
        pass


class Threading(http.server.ThreadingHTTPServer):
    request_queue_size = 128  # Not 5, with which the kernel drops callers, who then wait a second.


@contextlib.contextmanager
def python10(server: "Server | Gateway"):
    handler = type("Handler", (Python10,), {"backend": server.address})
    with Threading(("127.0.0.1", 0), handler) as peer:
        threading.Thread(target=peer.serve_forever, daemon=True).start()
        yield peer.server_port
        peer.shutdown()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


NGINX = """
daemon off; master_process off; pid {folder}/pid; error_log stderr crit;
events {{ worker_connections 512; }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  keepalive_requests {close_after};
  upstream game {{ server {address}; keepalive 64; keepalive_requests 1000000; }}
  server {{ listen 127.0.0.1:{port} {protocol}; location / {{ {how} }} }}
}}
"""


@contextlib.contextmanager
def nginx(server: "Server | Gateway", protocol: str = "", close_after: int = CLOSE_AFTER):
    """nginx in front of `server`, which closes each connection after so many requests; its port."""
    path = program("nginx", "/usr/sbin/nginx")
    host, backend = server.address
    how = "grpc_pass grpc://game;" if protocol == "http2" else (
        "proxy_pass http://game; proxy_http_version 1.1; proxy_set_header Connection '';"
        "proxy_set_header Host $host;")
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        config = pathlib.Path(folder, "nginx.conf")
        config.write_text(NGINX.format(folder=folder, address=f"{host}:{backend}", port=port,
                                       protocol=protocol, how=how, close_after=close_after))
        with subprocess.Popen([path, "-c", str(config), "-p", folder, "-e", "stderr"]) as process:
            try:
                eventually(lambda: accepts(port), "nginx listens")
                yield port
            finally:
                process.kill()


def accepts(port: int) -> bool:
    with contextlib.suppress(ConnectionRefusedError), \
            socket.create_connection(("127.0.0.1", port), PATIENCE):
        return True
    return False


class Gateway:
    """The REST port of a server."""

    def __init__(self, server: Server):
        parts = urlsplit(server.read_url("rest "))
        self.address = parts.hostname, parts.port


class Measured(unittest.TestCase):
    def gateway(self) -> Gateway:
        return Gateway(self.enterContext(Server("rps-grpc", "--rest=127.0.0.1:0")))

    def server(self, name: str = "rps-jsonrpc") -> Server:
        return self.enterContext(Server(name))

    def measure(self, url: str, *flags: str, seconds: int = 1) -> dict:
        """The trial of a load."""
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run([binary("rps-bench"), "load", url, "--connections=4",
                                   "--warmup=100ms", f"--seconds={seconds}s", f"--out={folder}",
                                   *flags],
                                  capture_output=True, text=True, timeout=PATIENCE, check=False)
            files = list(pathlib.Path(folder).glob("*.json"))
            self.assertEqual(len(files), 1, done.stdout + done.stderr)
            return json.loads(files[0].read_text())["trials"][0]

    def fleet_report(self, ports: list[int], calls: int) -> dict:
        """What a fleet client says after so many calls over HTTP."""
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "services.json"
            path.write_text(json.dumps({"rps": [f"jsonrpc://127.0.0.1:{port}" for port in ports]}))
            with Load(f"jsonrpc+fleet://{path}?framing=http&deadline_ms=30000") as load:
                load.await_calls(calls)
                return load.end()

    def check_conformance(self, url: str):
        with tempfile.TemporaryDirectory() as folder:
            report = pathlib.Path(folder) / "outcomes.json"
            done = subprocess.run([binary("rps-conformance"), f"--json={report}", url],
                                  capture_output=True, text=True, timeout=10 * PATIENCE,
                                  check=False)
            cases = json.loads(report.read_text())["cases"]
        self.assertEqual([case for case in cases if case["verdict"] == "failed"], [])
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertGreaterEqual(len(cases), CASES)

    def check_load(self, url: str, *flags: str, reconnects: bool = False) -> dict:
        """Every call was answered and right, where wanted over connections that were opened again.
        Beside a heavy load few calls are answered in a second: then it measures for longer."""
        for seconds in (1, 5, 25):
            trial = self.measure(url, *flags, seconds=seconds)
            if trial["answered"] and (trial["connections"]["reconnects"] or not reconnects):
                break
        self.assertEqual(trial["complaint"], "")
        self.assertTrue(trial["valid"])
        self.assertGreater(trial["answered"], 0)
        self.assertEqual(trial["answers"]["refused"], 0)
        self.assertEqual((trial["unanswered"], trial["connections"]["uncertain"]), (0, 0))
        if reconnects:
            self.assertGreater(trial["connections"]["reconnects"], 0)
        return trial["connections"]


class Peers(Measured):
    def test_node_in_every_form(self):
        server = self.server()
        for form in ("chunked", "length", "close", "3"):
            with self.subTest(form), node(server, form) as port:
                self.check_conformance(f"http://127.0.0.1:{port}")

    def test_http_1_0(self):
        with python10(self.server()) as port:
            self.check_conformance(f"http://127.0.0.1:{port}")

    def test_a_load_goes_on_over_closed_connections(self):
        server = self.server()
        for form in ("close", "10"):
            for depth in (1, 8):
                with self.subTest(form=form, depth=depth), node(server, form) as port:
                    self.check_load(f"http://127.0.0.1:{port}", f"--depth={depth}", reconnects=True)
        with python10(server) as port:
            self.check_load(f"http://127.0.0.1:{port}", reconnects=True)

    def test_nginx(self):
        with nginx(self.server()) as port:
            self.check_conformance(f"http://127.0.0.1:{port}")
        with nginx(self.server(), close_after=50) as port:
            for scheme in ("http", "jsonrpc+lean"):
                query = "?framing=http" if scheme != "http" else ""
                with self.subTest(scheme):
                    self.check_load(f"{scheme}://127.0.0.1:{port}{query}", reconnects=True)

    def test_node_and_http_1_0_before_the_rest_gateway(self):
        gateway = self.gateway()
        for form in ("chunked", "length", "close", "3"):
            with self.subTest(form), node(gateway, form) as port:
                self.check_conformance(f"http+rest://127.0.0.1:{port}")
        with python10(gateway) as port:
            self.check_conformance(f"http+rest://127.0.0.1:{port}")
            self.check_load(f"http+rest://127.0.0.1:{port}", reconnects=True)
        for form in ("close", "10"):
            for depth in (1, 8):
                with self.subTest(form=form, depth=depth), node(gateway, form) as port:
                    self.check_load(f"http+rest://127.0.0.1:{port}", f"--depth={depth}",
                                    reconnects=True)

    def test_nginx_before_the_rest_gateway(self):
        gateway = self.gateway()
        with nginx(gateway) as port:
            self.check_conformance(f"http+rest://127.0.0.1:{port}")
        with nginx(gateway, close_after=50) as port:
            self.check_load(f"http+rest://127.0.0.1:{port}", reconnects=True)

    def test_goaway(self):
        with nginx(self.server("rps-grpc"), protocol="http2", close_after=50) as port:
            for depth in (1, 8):
                with self.subTest(depth):
                    self.check_load(f"grpc+lean://127.0.0.1:{port}", f"--depth={depth}",
                                    reconnects=True)
            self.check_load(f"grpc://127.0.0.1:{port}")

    def test_node_with_http2(self):
        server = self.server("rps-grpc")
        with node(server, "0", "http2_peer.js") as port:
            self.check_conformance(f"grpc://127.0.0.1:{port}")
            self.check_load(f"grpc+lean://127.0.0.1:{port}", "--depth=8")
        with node(server, "50", "http2_peer.js") as port:
            for depth in (1, 8):
                self.check_load(f"grpc+lean://127.0.0.1:{port}", f"--depth={depth}",
                                reconnects=True)
            self.check_load(f"grpc://127.0.0.1:{port}")

    def test_a_fleet_goes_on_over_closed_connections(self):
        """The breaker opens after twenty failures: these are none."""
        with nginx(self.server()) as port:
            self.check_fleet([port], 26 * CLOSE_AFTER)
        with node(self.server(), "10") as first, node(self.server(), "close") as second:
            self.check_fleet([int(first), int(second)], 2000)

    def check_fleet(self, ports: list[int], calls: int):
        report = self.fleet_report(ports, calls)
        self.assertEqual((report["errors"], report["wrong"]), ({}, 0))
        self.assertEqual((report["breaker_opened"], report["connections_lost"]), (0, 0))
        self.assertGreater(report["reconnects"], 20)

    def test_a_server_that_only_says_503_is_there(self):
        class Unavailable(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(503)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        with Threading(("127.0.0.1", 0), Unavailable) as peer:
            threading.Thread(target=peer.serve_forever, daemon=True).start()
            trial = self.measure(f"http://127.0.0.1:{peer.server_port}")
            peer.shutdown()
        self.assertEqual(trial["ending"], "finished")
        self.assertFalse(trial["valid"])
        self.assertIn("refused calls", trial["complaint"])


class Outage(Measured):
    def run_with_outage(self, scheme: str, name: str, *flags: str) -> dict:
        """The trial of an open loop during which the server is killed and started anew."""
        server = self.server(name)
        host, port = server.address

        def restart():
            eventually(lambda: server.fd_count() > idle_files, "the load is there")
            time.sleep(1)  # Into the window.
            server.send_signal(9)
            server.wait(-9)
            time.sleep(0.5)  # So long that calls become due meanwhile also on a busy machine.
            if flags:
                self.again = Server(name, listen=f"{host}:{port}")

        idle_files = server.fd_count()
        worker = threading.Thread(target=restart)
        worker.start()
        try:
            return self.measure(f"{scheme}://{host}:{port}", "--rate=500", *flags, seconds=5)
        finally:
            worker.join()
            if flags:
                self.again.__exit__(None)

    def test_it_is_measured_where_that_is_wanted(self):
        for scheme, name in (("jsonrpc", "rps-jsonrpc"), ("http", "rps-jsonrpc"),
                             ("grpc+lean", "rps-grpc"), ("grpc", "rps-grpc")):
            with self.subTest(scheme):
                trial = self.run_with_outage(scheme, name, "--through-outages")
                self.assertEqual((trial["ending"], trial["complaint"]), ("finished", ""))
                self.assertGreaterEqual(trial["outages"]["count"], 1)
                self.assertGreater(trial["outages"]["seconds"], 0)
                self.assertGreater(trial["unanswered"], 0)
                # It went on behind the outage.
                self.assertGreater(trial["series"][-1]["good"], 0)

    def test_else_it_ends_the_trial(self):
        trial = self.run_with_outage("jsonrpc", "rps-jsonrpc")
        self.assertEqual(trial["ending"], "broken")
        self.assertIn("went away", trial["complaint"])

    def test_a_closed_loop_has_no_use_for_it(self):
        done = subprocess.run([binary("rps-bench"), "load", "inproc:", "--through-outages"],
                              capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertEqual(done.returncode, 2, done.stdout)
        self.assertIn("--through-outages needs --rate", done.stderr)


class Names(unittest.TestCase):
    """A name with two addresses, which processes in a mount namespace of their own know."""

    ADDRESSES = ("127.0.0.2", "127.0.0.3")

    def setUp(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        hosts = pathlib.Path(folder, "hosts")
        hosts.write_text("".join(f"{address} two.test\n" for address in self.ADDRESSES))
        self.knows = ("unshare", "-m", "sh", "-c",
                      f"mount --bind {hosts} /etc/hosts && exec \"$@\"", "sh")
        tried = subprocess.run([*self.knows, "true"], stderr=subprocess.DEVNULL, check=False)
        if tried.returncode != 0:
            self.skipTest("this user may not mount")

    def test_a_server_listens_on_every_address(self):
        for name in built_servers():
            with self.subTest(name), Server(name, "--admin=two.test:0", listen="two.test:0",
                                            prefix=self.knows) as server:
                server.admin_url = server.read_url("admin ")
                for url in (server.url, server.admin_url):
                    self.assertEqual(urlsplit(url).hostname, "two.test")
                    for address in self.ADDRESSES:
                        socket.create_connection((address, urlsplit(url).port), PATIENCE).close()

    def test_a_client_passes_over_an_address_that_does_not_answer(self):
        """The kernel drops who calls a listener whose queue is full. Ten seconds for each of so
        many connections, which is what one may take, would outlast the patience."""
        with Server("rps-jsonrpc", listen=f"{self.ADDRESSES[1]}:0") as server, \
                socket.socket() as hole, contextlib.ExitStack() as queued:
            port = server.address[1]
            hole.bind((self.ADDRESSES[0], port))
            hole.listen(0)
            for _ in range(4):
                caller = queued.enter_context(socket.socket())
                caller.setblocking(False)
                caller.connect_ex((self.ADDRESSES[0], port))
            out = self.enterContext(tempfile.TemporaryDirectory())
            done = subprocess.run([*self.knows, binary("rps-bench"), "load",
                                   f"jsonrpc://two.test:{port}", f"--connections={MANY}",
                                   "--warmup=0", "--seconds=100ms", f"--out={out}"],
                                  capture_output=True, text=True, timeout=2 * PATIENCE,
                                  check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
