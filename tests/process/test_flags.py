"""What is wrong with the flags is said in one sentence that names the flag, and ends the start."""

import os
import subprocess
import tempfile
import unittest

from rps_process import PATIENCE, Server, binary, built_servers
from wire import check_play

WRONG = {  # Flag: values that it must refuse.
    "--listen": ["", "7000", "127.0.0.1", "127.0.0.1:", ":7000", "127.0.0.1:65536", "[::1:7000"],
    "--admin": ["7000", "127.0.0.1:x"],
    "--house": ["", "unfair", "FAIR"],
    "--seed": ["", "-1", "0x10", "7 ", "18446744073709551616"],
    "--threads": ["-1", "257", "many", "1.5"],
    "--max-sessions": ["0", "10000001", "1e3"],
    "--session-idle": ["0", "-5"],
    "--max-duels": ["0"],
    "--duel-idle": ["0"],
    "--log-level": ["loud"],
    "--log-format": ["xml"],
    "--drain": ["-1", "600001"],
    "--no-such-flag": ["1"],
}

WRONG_CLI = {
    "--house": ["unfair"],
    "--seed": ["", "-1", "x", "18446744073709551616"],
    "--max-sessions": ["0", "10000001"],
    "--no-such-flag": ["1"],
}


def run(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(arguments, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=PATIENCE, check=False)


class Flags(unittest.TestCase):
    def check_refused(self, done: subprocess.CompletedProcess, named: str):
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertIn(named, done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, f"not one sentence: {done.stderr}")

    def test_wrong_values(self):
        tables = {name: WRONG for name in built_servers()} | {"rps-cli": WRONG_CLI}
        for name, table in tables.items():
            for flag, values in table.items():
                for value in values:
                    with self.subTest(name, flag=flag, value=value):
                        self.check_refused(run(binary(name), f"{flag}={value}"), flag)

    def test_help_and_version(self):
        for name in ["rps-cli", *built_servers()]:
            with self.subTest(name):
                shown = run(binary(name), "--help")
                self.assertEqual(shown.returncode, 0)
                for flag in WRONG_CLI if name == "rps-cli" else WRONG:
                    if flag != "--no-such-flag":
                        self.assertIn(flag, shown.stdout)
                version = run(binary(name), "--version")
                self.assertEqual(version.returncode, 0)
                self.assertRegex(version.stdout, rf"^{name} \d+\.\d+\.\d+\n$")

    def test_what_is_no_flag(self):
        for name in ["rps-cli", *built_servers()]:
            with self.subTest(name):
                self.check_refused(run(binary(name), "stray"), "stray")


class ConfigFile(unittest.TestCase):
    def config(self, text: str):
        file = tempfile.NamedTemporaryFile("w", suffix=".toml")
        self.addCleanup(file.close)
        file.write(text)
        file.flush()
        return f"--config={file.name}"

    def test_it_sets_flags_and_the_command_line_wins(self):
        for name in built_servers():
            with self.subTest(name):
                config = self.config('admin = "127.0.0.1:0"\nlog-format = "json"\n')
                with Server(name, config) as server:
                    server.admin_url = server.read_url("admin ")
                    self.assertEqual(server.get("/healthz")[0], 200)
                    check_play(server)
                    self.assertTrue(server.stderr().startswith("{"), server.stderr())
                with Server(name, config, "--log-format=text") as server:
                    check_play(server)
                    self.assertFalse(server.stderr().startswith("{"), server.stderr())

    def test_what_is_wrong_in_it(self):
        for name in built_servers():
            for text, named in [('house = "unfair"\n', "house"), ("colour = 1\n", "colour"),
                                ("threads = many\n", "threads")]:
                with self.subTest(name, text=text):
                    done = run(binary(name), self.config(text))
                    self.assertEqual(done.returncode, 2, done.stderr)
                    self.assertIn(named, done.stderr)
            with self.subTest(name, file="missing"):
                done = run(binary(name), "--config=/no/such/file")
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn("--config", done.stderr)


class Threads(unittest.TestCase):
    def thread_count(self, server: Server) -> int:
        return len(os.listdir(f"/proc/{server.pid}/task"))

    def test_one_serving_thread_for_each_usable_cpu(self):
        cpu = str(min(os.sched_getaffinity(0)))
        with Server("rps-jsonrpc", "--threads=1") as one, \
                Server("rps-jsonrpc", "--threads=3") as three, \
                Server("rps-jsonrpc", prefix=("taskset", "--cpu-list", cpu)) as tied:
            self.assertEqual(self.thread_count(three), self.thread_count(one) + 2)
            self.assertEqual(self.thread_count(tied), self.thread_count(one))
            self.assertIn("serving threads: 3 (--threads)", three.stderr())
            self.assertIn("serving threads: 1 (affinity mask: 1 CPU; cgroup quota: ", tied.stderr())

    def test_help_says_how_many(self):
        for name in built_servers():
            said = " ".join(run(binary(name), "--help").stdout.split())
            with self.subTest(name):
                self.assertIn("one for each CPU that the process may use" if name == "rps-jsonrpc"
                              else "gRPC sizes its thread pools itself", said)


class Ports(unittest.TestCase):
    def test_a_port_in_use(self):
        for name, flags in built_servers().items():
            with self.subTest(name), Server(name, admin=True) as server:
                host, port = server.address
                taken = f"{host}:{port}"
                admin = server.admin_url.removeprefix("http://")
                for arguments, address in [(["--listen=" + taken], taken),
                                           (["--listen=127.0.0.1:0", "--admin=" + admin], admin)]:
                    done = run(binary(name), *flags, *arguments)
                    self.assertEqual(done.returncode, 1, done.stderr)
                    self.assertEqual(done.stdout, "")
                    self.assertIn(address, done.stderr)
                check_play(server)


if __name__ == "__main__":
    unittest.main()
