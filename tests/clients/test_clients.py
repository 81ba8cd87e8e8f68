"""Clients and validators that others wrote, from npm, on our servers.

They are installed into the folder of the build, as the lock says, and never into the source tree.
Without npm or a registry they are skipped, with the reason; with RPS_REQUIRE_CLIENTS=1 in the
environment, as in CI, that is a failure.
"""

import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "process"))

from abuse import unharmed  # noqa: E402
from restarts import CALLS_A_SECOND, RESTARTS, RestartedServer  # noqa: E402
from rps_process import BINARIES, PATIENCE, ROOT, Server, killed_if_stuck  # noqa: E402

INSTALLED = BINARIES.resolve() / "npm"
MANIFESTS = ("package.json", "package-lock.json")
PROTOS = ROOT / "stage3_grpc" / "proto"

# Node brings its own list of authorities; the machine's may know more, a company's proxy say.
AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"

ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "NODE_PATH": str(INSTALLED / "node_modules")}


def is_installed() -> bool:
    """The lock is copied last of all, so whoever has it has everything."""
    lock = INSTALLED / "installed.json"
    return lock.exists() and lock.read_bytes() == (HERE / "package-lock.json").read_bytes()


def give_up(reason: str):
    if os.environ.get("RPS_REQUIRE_CLIENTS") == "1":
        raise AssertionError(reason)
    raise unittest.SkipTest(reason)


def install():
    if not shutil.which("npm"):
        give_up("npm is not installed: ./rps deps tests")
    INSTALLED.mkdir(parents=True, exist_ok=True)
    for name in MANIFESTS:
        shutil.copy(HERE / name, INSTALLED)
    try:
        done = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
                              env={"NODE_EXTRA_CA_CERTS": AUTHORITIES, **os.environ},
                              cwd=INSTALLED, capture_output=True, text=True, timeout=9 * PATIENCE,
                              check=False)
    except subprocess.TimeoutExpired:
        give_up("npm cannot install the clients: it does not end")
    if done.returncode != 0:
        give_up(f"npm cannot install the clients:\n{done.stdout}{done.stderr}")
    shutil.copy(HERE / "package-lock.json", INSTALLED / "installed.json")


class Clients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not is_installed():
            install()

    def run_script(self, name: str, *arguments):
        done = subprocess.run(["node", HERE / name, *map(str, arguments)], env=ENVIRONMENT,
                              capture_output=True, text=True, timeout=5 * PATIENCE, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_jayson_and_ajv(self):
        with Server("rps-jsonrpc") as server, unharmed(server):
            self.run_script("jayson_and_ajv.js", *server.address)

    def test_grpc_js(self):
        with Server("rps-grpc", "--min-ping-interval=100") as server, unharmed(server):
            self.run_script("grpc_js.js", "{}:{}".format(*server.address), PROTOS)

    def test_grpc_reflection(self):
        with Server("rps-grpc") as server, unharmed(server):
            self.run_script("grpc_reflection.js", "{}:{}".format(*server.address))

    def test_grpc_js_callers(self):
        if not shutil.which("openssl"):
            self.skipTest("openssl is not installed")
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([ROOT / "stage3_grpc" / "tls" / "make_certificates.sh", folder],
                           check=True, stdout=subprocess.DEVNULL)
            callers = pathlib.Path(folder, "callers")
            callers.write_text("".join(
                f"{hashlib.sha256(token.encode()).hexdigest()} {operations} {name}\n"
                for token, operations, name in [("player-token", "play", "player"),
                                                ("patient-token", "*", "patient")]))
            with Server("rps-grpc", f"--tls-cert={folder}/server.crt",
                        f"--tls-key={folder}/server.key", f"--tls-ca={folder}/ca.crt",
                        "--auth=on", f"--auth-tokens={callers}", "--rate-limit=1",
                        "--rate-burst=5") as server:
                self.run_script("grpc_js_callers.js", "{}:{}".format(*server.address), PROTOS,
                                folder)

    def test_openapi(self):
        rest = "--rest=127.0.0.1:0"
        with tempfile.TemporaryDirectory() as folder:
            callers = pathlib.Path(folder, "callers")
            callers.write_text("".join(
                f"{hashlib.sha256(token.encode()).hexdigest()} {operations} {token}\n"
                for token, operations in [("player", "*"), ("scorer", "score"),
                                          ("thrower", "throw")]))
            guard = ["--auth=on", f"--auth-tokens={callers}", "--rate-limit=1", "--rate-burst=1"]
            with (Server("rps-grpc", rest, "--rest-request-timeout=1000") as server,
                  Server("rps-grpc", rest, *guard) as guarded,
                  Server("rps-grpc", rest, "--drain=600000") as draining):
                self.run_script("openapi.js", *(one.read_url("rest ") for one in
                                                (server, guarded, draining)), draining.pid)
                draining.wait(0)

    def test_grpc_js_watches_a_duel_while_the_server_drains(self):
        with Server("rps-grpc", "--drain=600000") as server:
            self.run_script("grpc_js_drain.js", "{}:{}".format(*server.address), PROTOS,
                            server.pid)
            server.wait(0)

    def test_grpc_js_loses_no_call_while_the_server_is_restarted(self):
        with RestartedServer("rps-grpc") as restarted:
            client = subprocess.Popen(
                ["node", HERE / "grpc_js_restarts.js", restarted.address, PROTOS,
                 str(CALLS_A_SECOND)],
                env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                bufsize=1)

            def settle():
                client.stdin.write("\n")
                with killed_if_stuck(client):
                    self.assertEqual(client.stdout.readline(), "over\n")

            with client:
                try:
                    restarted.restart_often(settle)
                    ends = json.loads(client.communicate(timeout=2 * PATIENCE)[0])
                finally:
                    client.kill()
        self.assertEqual(set(ends), {"OK"}, ends)
        self.assertGreater(ends["OK"], RESTARTS)

    def test_html_report(self):
        self.run_script("html_report.js", BINARIES.resolve() / "bench_html_page")

    def test_page(self):
        self.run_script("page.js", BINARIES.resolve() / "rps-grpc")


class Lock(unittest.TestCase):
    def test_it_names_no_host(self):
        """Whoever installs asks the registry of their own choice."""
        self.assertNotIn("://", (HERE / "package-lock.json").read_text())


if __name__ == "__main__":
    unittest.main()
