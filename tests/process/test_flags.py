"""What is wrong with the flags is said in one sentence that names the flag, and ends the start."""

import functools
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

from rps_process import BINARIES, PATIENCE, Server, binary, built_servers, check_at_once
from wire import check_play

WRONG = {  # Flag: values that it must refuse.
    "--listen": ["", "7000", "127.0.0.1", "127.0.0.1:", ":7000", "127.0.0.1:65536", "[::1:7000"],
    "--admin": ["7000", "127.0.0.1:x"],
    "--house": ["", "unfair", "FAIR"],
    "--seed": ["", "-1", "0x10", "7 ", "18446744073709551616"],
    "--threads": ["-1", "257", "many", "1.5"],
    "--max-sessions": ["0", "10000001", "1e3"],
    "--session-idle": ["0", "-5", "721h", "999ms"],
    "--max-duels": ["0"],
    "--max-spectators": ["0", "1000001"],
    "--max-spectators-per-duel": ["0", "1000001"],
    "--duel-idle": ["0"],
    "--log-level": ["loud"],
    "--log-format": ["xml"],
    "--drain": ["-1", "600001", "11m", "0.5"],
    "--no-such-flag": ["1"],
}

WRONG_CLI = {
    "--house": ["unfair"],
    "--seed": ["", "-1", "x", "18446744073709551616"],
    "--max-sessions": ["0", "10000001"],
    "--no-such-flag": ["1"],
}


# Of each kind of value: spellings that every flag of the kind accepts, and some that none does.
SPELLINGS = {
    "count": (["1", "2", "010"],
              ["", "-1", "+1", "0x1", "1.5", "1e1", "1k", "1KiB", " 1", "1 ", "many", "inf",
               "18446744073709551616"]),
    "seed": (["0", "010", "18446744073709551615"],
             ["", "-1", "+1", "0x10", "1.5", "1e3", "1k", " 1", "1 ", "18446744073709551616"]),
    "duration": (["100", "5000ms", "5s", "1.5m", "0.01h", "6000000us", "6e9ns"],
                 ["", "-5", "-5s", "+5", "0x10", "5 s", " 5s", "5s ", "5S", "5d", "5k", "s", "nan",
                  "infs", "1h30m", "99999h"]),
    "size": (["512", "512B", "2kB", "1KiB", "0.5KiB", "2e3"],
             ["", "-1", "+5", "0x10", "1.5", "1K", "1kib", "1 KiB", "5s", "KiB", "inf", "9999GiB"]),
    "rate": (["250", "2k", "1.5k", "0.01M"],
             ["", "-1", "+5", "0x10", "2K", "2 k", "2G", "fast", "inf", "9999M"]),
    "share": (["0.5", "50%", "0.05", "5e-2"],
              ["", "-1", "-5%", "+5%", "0x1", "50 %", "5k", "%", "nan", "5000%"]),
}

SERVER_FLAGS = {
    "count": ["--threads", "--max-sessions", "--max-duels", "--max-spectators",
              "--max-spectators-per-duel", "--max-connections"],
    "seed": ["--seed"],
    "duration": ["--session-idle", "--duel-idle", "--drain", "--idle-timeout"],
}
GRPC_FLAGS = SERVER_FLAGS | {
    "count": [*SERVER_FLAGS["count"], "--max-streams", "--max-calls"],
    "duration": [*SERVER_FLAGS["duration"], "--handshake-timeout", "--keepalive-after",
                 "--keepalive-timeout", "--give-way-after"],
    "size": ["--max-message-bytes", "--max-memory-bytes", "--max-metadata-bytes"],
}
TARGET_FLAGS = {"count": ["--connections", "--depth"], "seed": ["--seed"],
                "duration": ["--trial-seconds", "--warmup"]}

# Of each command line: a mistake that stands behind a value which is to be accepted, and the flags
# by their kind. The mistake ends the program, so that it starts nothing, and names what was wrong.
DIALECT = [
    (["rps-cli"], ["stray"], {"count": ["--max-sessions"], "seed": ["--seed"]}),
    (["rps-jsonrpc"], ["stray"], SERVER_FLAGS | {
        "count": [*SERVER_FLAGS["count"], "--max-batch", "--max-waiting-events", "--calls-per-turn",
                  "--rate-burst"],
        "duration": [*SERVER_FLAGS["duration"], "--overload-after", "--first-frame-timeout",
                     "--frame-timeout", "--write-timeout", "--linger"],
        "size": ["--max-frame-bytes", "--max-line-bytes", "--max-body-bytes", "--max-header-bytes",
                 "--max-unsent-bytes"],
        "rate": ["--rate-limit"]}),
    (["rps-grpc"], ["stray"], GRPC_FLAGS),
    (["rps-ebpf"], ["stray"], GRPC_FLAGS),
    (["rps-bench", "load", "inproc"], ["--stray"], {
        "count": ["--connections", "--depth", "--burst", "--rounds", "--server-pid"],
        "seed": ["--seed"],
        "duration": ["--seconds", "--warmup", "--timeout", "--interval"],
        "rate": ["--rate"]}),
    (["rps-bench", "compare"], ["--stray"], {"seed": ["--seed"]}),
    (["rps-bench", "search", "inproc"], ["--stray"],
     TARGET_FLAGS | {"count": [*TARGET_FLAGS["count"], "--rounds"]}),
    (["rps-bench", "overload", "inproc"], ["--stray"],
     TARGET_FLAGS | {"duration": [*TARGET_FLAGS["duration"], "--seconds"]}),
    (["rps-bench", "soak", "inproc"], ["--stray"],
     TARGET_FLAGS | {"duration": [*TARGET_FLAGS["duration"], "--minutes"], "share": ["--share"]}),
    (["rps-bench", "churn", "inproc"], ["--stray"],
     TARGET_FLAGS | {"duration": [*TARGET_FLAGS["duration"], "--seconds"]}),
    (["rps-bench", "diff", "one.json", "other.json"], ["--stray"], {"share": ["--max-regression"]}),
    (["rps-micro"], ["--baseline=/stray"], {"share": ["--alpha"]}),
    (["rps-conformance"], ["--only=stray", "inproc:"],
     {"duration": ["--patience"], "seed": ["--house=fair --seed"]}),
    (["rps-synthetic"], ["stray"], {"seed": ["--seed"], "share": ["--wrong", "--error"]}),
]


# As --help lists it: "  --drain DURATION [5s]".
NUMERIC_FLAG = re.compile(
    r"^ +(--[\w-]+) (?:COUNT|NUMBER|DURATION|SIZE|RATE|SHARE)\b", re.MULTILINE)
HOUSE_FIRST = ("rps-conformance",)  # Whose --seed needs --house.


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

    def test_what_is_repeated_speaks_to_no_terminal(self):
        for name in ["rps-cli", *built_servers()]:
            with self.subTest(name):
                done = run(binary(name), "--no-\x1b[2J-\u009b")
                self.check_refused(done, r"--no-\u001b[2J-\u009b")

    def test_what_is_no_flag(self):
        for name in ["rps-cli", *built_servers()]:
            with self.subTest(name):
                self.check_refused(run(binary(name), "stray"), "stray")


class Dialect(unittest.TestCase):
    def check(self, words: list[str], value: str, mistake: list[str], accepted: bool):
        program, *rest = words
        flag = rest.pop()
        done = run(binary(program), *rest, f"{flag}={value}", *(mistake if accepted else []))
        if accepted:
            self.assertIn(done.returncode, (1, 2), done.stderr)
            self.assertNotIn(flag, done.stderr)
            self.assertIn("stray", done.stderr)
        else:
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(flag, done.stderr)
            self.assertEqual(done.stderr.count("\n"), 1, f"not one sentence: {done.stderr}")

    def test_every_flag_of_a_kind_takes_the_same_spellings(self):
        checks = {}
        for words, mistake, kinds in DIALECT:
            if not (BINARIES / words[0]).exists():
                continue
            for kind, flags in kinds.items():
                for flag in flags:
                    for accepted, values in zip((True, False), SPELLINGS[kind]):
                        # Every spelling for one flag of the kind, two for the others: they differ
                        # in their names and ranges alone.
                        for value in values if flag == flags[0] else values[1:3]:
                            command = [*words, *flag.split()]
                            checks[f"{' '.join(command)}={value!r}"] = functools.partial(
                                self.check, command, value, mistake, accepted)
        check_at_once(self, checks)

    def test_no_flag_of_any_program_reads_numbers_in_another_way(self):
        """Whatever --help lists as a number, also what was added after this test."""
        checks = {}
        for words, _, _ in DIALECT:
            if not (BINARIES / words[0]).exists():
                continue
            command = words[:2] if words[0] == "rps-bench" else words[:1]
            shown = run(binary(command[0]), *command[1:], "--help").stdout
            flags = NUMERIC_FLAG.findall(shown)
            self.assertTrue(flags, shown)
            for flag in flags:
                prefix = ["--house=fair"] if flag == "--seed" and words[0] in HOUSE_FIRST else []
                for value in ("0x2", " 2", "nan"):
                    checks[f"{' '.join(words)} {flag}={value!r}"] = functools.partial(
                        self.check, [*words, *prefix, flag], value, [], accepted=False)
        check_at_once(self, checks)

    def test_an_empty_value_does_not_take_the_next_argument(self):
        for words in (["rps-jsonrpc", "--drain=", "5s"], ["rps-grpc", "--threads=", "1"],
                      ["rps-bench", "load", "inproc", "--seconds=", "1"],
                      ["rps-conformance", "--only=", "inproc:"], ["rps-cli", "--seed=", "7"]):
            if (BINARIES / words[0]).exists():
                with self.subTest(words):
                    done = run(binary(words[0]), *words[1:])
                    self.assertEqual((done.returncode, done.stdout), (2, ""))
                    self.assertIn(words[-2].removesuffix("="), done.stderr)

    def test_a_file_takes_the_spellings_of_the_command_line(self):
        for words, mistake, kinds in DIALECT:
            if words[0] not in built_servers():
                continue
            for kind, flags in kinds.items():
                for accepted, values in zip((True, False), SPELLINGS[kind]):
                    for value in values:
                        with self.subTest(words[0], kind=kind, value=value), \
                                tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
                            file.write(f'{flags[-1].removeprefix("--")} = "{value}"\n')
                            file.flush()
                            done = run(binary(words[0]), f"--config={file.name}",
                                       *(mistake if accepted else []))
                            self.assertEqual(done.returncode, 2, done.stderr)
                            self.assertIn("stray" if accepted else flags[-1], done.stderr)

    def test_the_sizes_of_a_floor(self):
        for value in SPELLINGS["size"][0]:
            with self.subTest(value):
                done = run(binary("rps-floor-pipe"), value, value)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
        for name in ("rps-floor-pipe", "rps-floor-echo", "rps-floor-http"):
            for value in SPELLINGS["size"][1]:
                for sizes in ((value, "64"), ("64", value)):
                    with self.subTest(name, sizes=sizes):
                        done = run(binary(name), *sizes)
                        self.assertEqual((done.returncode, done.stdout), (2, ""))
                        self.assertIn("usage", done.stderr)

    def test_help_shows_groups_and_defaults(self):
        for name, shown in {
                "rps-jsonrpc": ["Network:", "Timeouts:", "--drain DURATION [5s]",
                                "--max-line-bytes SIZE [1MiB]", "--max-frame-bytes SIZE [65535B]",
                                "--rate-limit RATE [0]", "--overload-after DURATION [100ms]"],
                "rps-grpc": ["Limits:", "--max-message-bytes SIZE [64KiB]",
                             "--idle-timeout DURATION [5m]"],
                "rps-bench load": ["Load:", "Measurement:", "Output:", "--connections COUNT,… [64]",
                                   "--seconds DURATION [10s]", "--timeout DURATION [10s]",
                                   "--arrivals constant|poisson [poisson]", "--seed NUMBER [1]"],
                "rps-bench soak": ["--minutes DURATION [30m]", "--share SHARE [70%]"],
                "rps-micro": ["--alpha SHARE [1%]"],
                "rps-cli": ["Game:", "--seed NUMBER", "--max-sessions COUNT [100000]"],
        }.items():
            program, *command = name.split()
            if not (BINARIES / program).exists():
                continue
            help_text = run(binary(program), *command, "--help").stdout
            for text in shown:
                with self.subTest(name, text=text):
                    self.assertIn(text, help_text)


class Urls(unittest.TestCase):
    """What is wrong with a URL is said before anything is connected or measured."""

    WRONG = ["nonsense", "gopher://127.0.0.1:1", "https://127.0.0.1:1", "jsonrpc:",
             "inproc:?house=unfair", "inproc:?seed=-1", "inproc:?colour=red",
             "spawn:/bin/true?colour=red",
             "echo://127.0.0.1:1?request=1", "echo://127.0.0.1:1?request=1&reply=1&colour=red",
             "echo+pipe:/bin/cat?request=1&reply=0", "echo+http://127.0.0.1:1?request=x"]
    WRONG_OF = {
        "rps-jsonrpc": [
            f"{scheme}://127.0.0.1:1?{parameter}" for scheme in ("jsonrpc", "jsonrpc+lean")
            for parameter in ("colour=red", "codec=jason", "framing=post", "codec=json&codec=json",
                              "codec=msgpack&framing=line")
        ] + [
            "jsonrpc://127.0.0.1:1/path", "http://127.0.0.1:1/path",
            "http://127.0.0.1:1?colour=red", "http://127.0.0.1:1?codec=binary",
            "http://127.0.0.1:1?framing=line",
            "jsonrpc+fleet:///etc/hostname?colour=red", "jsonrpc+fleet:///etc/hostname?balance=all",
            "jsonrpc+fleet:///etc/hostname?retries=many",
            "jsonrpc+fleet:///etc/hostname?codec=jason"],
        "rps-grpc": [
            "grpc://127.0.0.1:1?colour=red", "grpc://127.0.0.1:1?mode=slow",
            "grpc://127.0.0.1:1?rounds=4", "grpc://127.0.0.1:1?mode=many&rounds=0",
            "grpc://127.0.0.1:1?deadline_ms=1s", "grpc://127.0.0.1:1?ca=/etc/hostname",
            "grpcs://127.0.0.1:1?ca=/does/not/exist", "grpcs://127.0.0.1:1?cert=/etc/hostname",
            "grpc+lean://127.0.0.1:1?mode=rally",
            "http+rest://127.0.0.1:1/v1", "http+rest://127.0.0.1:1?token=a%20b"],
    }
    PROGRAMS = [("rps-conformance", []), ("rps-bench", ["load"]), ("rps-bench", ["search"]),
                ("rps-bench", ["churn"])]

    def test_what_is_wrong_in_it(self):
        urls = self.WRONG + [url for server in built_servers()
                             for url in self.WRONG_OF.get(server, [])]
        checks = {}
        for name, words in self.PROGRAMS:
            for url in urls:
                checks[f"{name} {words} {url}"] = functools.partial(self.check, name, words, url)
        check_at_once(self, checks)

    def check(self, name: str, words: list[str], url: str):
        with tempfile.TemporaryDirectory() as folder:
            out = [f"--out={folder}"] if words else []
            done = run(binary(name), *words, *out, url)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertEqual(done.stdout, "")
            said = [line for line in done.stderr.splitlines() if "WARNING" not in line]
            self.assertEqual(len(said), 1, done.stderr)
            self.assertEqual(os.listdir(folder), [])


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
                                ("threads = many\n", "threads"),
                                ("\x1b[2J = 1\n", r"'\u001b[2J'"),
                                ("threads = \x1b[2J\n", r"'\u001b[2J'")]:
                with self.subTest(name, text=text):
                    done = run(binary(name), self.config(text))
                    self.assertEqual(done.returncode, 2, done.stderr)
                    self.assertIn(named, done.stderr)
            for path in ("/dev/zero", "/dev/stdin"):
                with self.subTest(name, file=path):
                    done = subprocess.run([binary(name), f"--config={path}"], capture_output=True,
                                          stdin=subprocess.PIPE, text=True, timeout=PATIENCE,
                                          check=False)
                    self.assertEqual(done.returncode, 2, done.stderr)
                    self.assertEqual(done.stderr,
                                     f"{name}: --config: '{path}' is no regular file\n")
            with self.subTest(name, file="missing"):
                done = run(binary(name), "--config=/no/such/file")
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn("--config", done.stderr)


class Threads(unittest.TestCase):
    def thread_count(self, server: Server) -> int:
        """Without gRPC's own threads, which have names, and come and go."""
        process = pathlib.Path(f"/proc/{server.pid}")
        names = [name.read_text() for name in process.glob("task/*/comm")]
        return names.count((process / "comm").read_text())

    def test_one_serving_thread_for_each_usable_cpu(self):
        cpu = str(min(os.sched_getaffinity(0)))
        tie = ("taskset", "--cpu-list", cpu)
        for name in built_servers():
            with self.subTest(name), Server(name, "--threads=1", prefix=tie) as one, \
                    Server(name, "--threads=3", prefix=tie) as three, \
                    Server(name, prefix=tie) as tied:
                self.assertEqual(self.thread_count(three), self.thread_count(one) + 2)
                self.assertEqual(self.thread_count(tied), self.thread_count(one))
                self.assertIn("serving threads: 3 (--threads)", three.stderr())
                self.assertIn("serving threads: 1 (affinity mask: 1 CPU; cgroup quota: ",
                              tied.stderr())

    def test_help_says_how_many(self):
        for name in built_servers():
            said = " ".join(run(binary(name), "--help").stdout.split())
            with self.subTest(name):
                self.assertIn("one for each CPU that the process may use", said)


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
