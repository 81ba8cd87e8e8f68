"""The whole contract on all stages at once, for each house: every server plays the same game."""

import collections
import contextlib
import json
import pathlib
import re
import subprocess
import tempfile
import unittest

import restated_house
from rps_process import BINARIES, PATIENCE, ROOT, Server, binary, built_servers

SEED = 7

# The other ways to speak to rps-jsonrpc: its codecs, and what its port takes beside frames.
SPELLINGS = ("?codec=msgpack", "?codec=binary", "?framing=line", "?framing=http")
# The servers that offer the game over REST as well.
GATEWAYS = ("rps-grpc", "rps-ebpf")
GOLDEN = ROOT / "tests" / "conformance" / "golden.hpp"


class Contract(unittest.TestCase):
    def test_all_stages_keep_it_with_every_house(self):
        suite = binary("rps-conformance")
        for house in restated_house.HOUSES:
            with self.subTest(house), contextlib.ExitStack() as running, \
                    tempfile.NamedTemporaryFile("r") as report:
                flags = [f"--house={house}", f"--seed={SEED}"]
                urls = []
                for name in built_servers():
                    has_gateway = name in GATEWAYS
                    server = running.enter_context(
                        Server(name, *flags, *["--rest=127.0.0.1:0"] * has_gateway))
                    urls.append(server.url)
                    if has_gateway:
                        urls.append(server.read_url("rest ").replace("http:", "http+rest:"))
                urls += [url + spelling for url in urls if url.startswith("jsonrpc:")
                         for spelling in SPELLINGS]
                if (BINARIES / "rps-cli").exists():
                    urls.append(f"cli:{BINARIES / 'rps-cli'}?house={house}&seed={SEED}")
                done = subprocess.run([suite, *flags, f"--json={report.name}", *urls],
                                      capture_output=True, text=True, timeout=10 * PATIENCE,
                                      check=False)
                cases = json.loads(pathlib.Path(report.name).read_text())["cases"]
                self.assertEqual([case for case in cases if case["verdict"] == "failed"], [])
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                self.check_nothing_is_missing(cases, urls)
                print(f"{house}: {done.stdout.splitlines()[-1]}, {len(urls)} ways", flush=True)

    def test_any_number_of_threads_keeps_it(self):
        for name in built_servers():
            for threads in (1, 2, 4):
                with self.subTest(name, threads=threads), \
                        Server(name, "--house=fair", f"--seed={SEED}",
                               f"--threads={threads}") as server:
                    done = subprocess.run(
                        [binary("rps-conformance"), "--house=fair", f"--seed={SEED}", server.url],
                        capture_output=True, text=True, timeout=10 * PATIENCE, check=False)
                    self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def check_nothing_is_missing(self, cases: list[dict], urls: list[str]):
        """Our own servers offer everything, but on a pipe two connections cannot meet, HTTP cannot
        push, the REST client plays no duels, and only gRPC has spectators."""
        counts = collections.Counter(case["url"] for case in cases)
        self.assertEqual(set(counts), set(urls))
        self.assertEqual(len(set(counts.values())), 1, counts)
        for case in cases:
            if case["case"].startswith("watch/"):
                offered = case["url"].startswith("grpc:")
                self.assertEqual(case["verdict"], "passed" if offered else "not offered", case)
            elif case["verdict"] == "not offered":
                over_http = (case["url"].endswith("framing=http")
                             or case["url"].startswith("http+rest:"))
                self.assertTrue(over_http or case["url"].startswith("cli:"), case)
                self.assertIn("no duels" if over_http else "server of its own", case["why"])


class Golden(unittest.TestCase):
    def test_the_golden_transcripts_are_what_the_strategies_demand(self):
        text = GOLDEN.read_text()
        scripts = re.search(r"golden_scripts\{(.*?)\}", text, re.DOTALL).group(1)
        self.assertEqual(tuple(re.findall(r'"([RPS]+)"', scripts)), restated_house.SCRIPTS)
        for house in restated_house.HOUSES:
            with self.subTest(house):
                rows = re.search(rf"Strategy::{house},(.*?)\}}\}}\}}", text, re.DOTALL).group(1)
                self.assertEqual(re.findall(r'"([RPS]+)"', rows),
                                 [restated_house.session(house, SEED, script)
                                  for script in restated_house.SCRIPTS])


class CommandLine(unittest.TestCase):
    def run_suite(self, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run([binary("rps-conformance"), *arguments], capture_output=True,
                              text=True, timeout=PATIENCE, check=False)

    def test_what_it_refuses(self):
        for arguments in ([], ["nowhere"], ["ftp://127.0.0.1:1"], ["--seed=7", "inproc:"],
                          ["--house=unfair", "inproc:"], ["--only=nothing", "inproc:"],
                          ["--json=/no/such/folder/file", "--only=round", "inproc:"]):
            with self.subTest(arguments=arguments):
                done = self.run_suite(*arguments)
                self.assertEqual(done.returncode, 2, done.stdout)
                self.assertTrue(done.stderr)

    def test_it_lists_its_cases(self):
        done = self.run_suite("--list")
        self.assertEqual(done.returncode, 0)
        self.assertIn("round/all_nine_pairs", done.stdout)

    def test_a_server_that_is_not_there_fails_every_case(self):
        scheme = "jsonrpc" if "rps-jsonrpc" in built_servers() else "grpc"
        done = self.run_suite("--only=round", f"{scheme}://127.0.0.1:1")
        self.assertEqual(done.returncode, 1)
        self.assertIn("0 passed, 2 failed, 0 not offered", done.stdout)


if __name__ == "__main__":
    unittest.main()
