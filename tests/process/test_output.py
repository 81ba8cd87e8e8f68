#!/usr/bin/env python3
"""What every program does when its output cannot be written: one line that says so, and an exit
code that is not 0. And what a program says of a name that it does not know: which names exist."""

import json
import os
import pathlib
import pty
import shutil
import subprocess
import tempfile
import time
import unittest

from rps_process import (BINARIES, PATIENCE, ROOT, SANITIZER, binary, check_at_once, eventually,
                         killed_if_stuck)

FOLDER = tempfile.TemporaryDirectory()  # Goes with the process.
RUN = f"{FOLDER.name}/load.json"  # A stored run, which setUpModule() makes.
SHORT = ("--connections=1", "--seconds=100ms", "--warmup=0", "--quiet")

# Command lines that print something and end, with what they read from stdin.
PRINTING = [
    (("rps-cli", "--help"), ""),
    (("rps-cli", "--version"), ""),
    (("rps-cli", "--batch"), "play ROCK\n"),
    (("rps-cli", "--interactive"), "r\nq\n"),
    (("rps-jsonrpc", "--help"), ""),
    (("rps-jsonrpc", "--version"), ""),
    (("rps-grpc", "--help"), ""),
    (("rps-grpc", "--version"), ""),
    (("rps-ebpf", "--help"), ""),
    (("rps-ebpf", "--version"), ""),
    (("rps-bench", "--help"), ""),
    *(((("rps-bench", command, "--help"), ""))
      for command in ("compare", "load", "search", "overload", "soak", "churn", "report", "diff")),
    *(((("rps-bench", "report", RUN, f"--format={form}"), ""))
      for form in ("text", "html", "csv", "json", "junit")),
    (("rps-bench", "diff", RUN, RUN), ""),
    (("rps-bench", "load", "inproc", *SHORT), ""),
    (("rps-bench", "compare", "--profile=ci", "--tables=main", "--subjects=inproc", "--quiet"), ""),
    (("rps-micro", "--help"), ""),
    (("rps-micro", "--benchmark_list_tests"), ""),
    (("rps-micro", "--benchmark_filter=judge", "--benchmark_min_time=0.001"), ""),
    (("rps-conformance", "--help"), ""),
    (("rps-conformance", "--list"), ""),
    (("rps-conformance", "inproc:", "--only=round/"), ""),
    (("rps-floor-echo", "10", "10"), ""),
    (("rps-floor-pipe", "4", "4"), "ping"),
    (("rps-floor-http", "10", "10"), ""),
    (("rps-floor-asio", "10", "10"), ""),
    (("rps-floor-grpc", "39"), ""),
    (("rps-floor-http2", "39"), ""),
    (("rps-synthetic", "--help"), ""),
]
# What these say on stderr while they work is more than their last line.
TALKATIVE = ("rps-micro", "rps-bench load", "rps-bench compare")


def setUpModule():
    subprocess.run([binary("rps-bench"), "load", "inproc", *SHORT, f"--out={FOLDER.name}"],
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=PATIENCE,
                   check=True)


def is_built(words) -> bool:
    return (BINARIES / words[0]).exists()


class Unwritable(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def run_to(self, words, text: str, redirection: str) -> subprocess.CompletedProcess:
        """A program whose stdout is what a shell's redirection makes of it."""
        program, *arguments = words
        if words[:2] in (("rps-bench", "load"), ("rps-bench", "compare")) and "--help" not in words:
            arguments.append(f"--out={tempfile.mkdtemp(dir=self.folder)}")
        return subprocess.run(
            ["sh", "-c", f'exec "$@" {redirection}', "sh", binary(program), *arguments],
            input=text, stderr=subprocess.PIPE, text=True, timeout=PATIENCE, check=False)

    def check(self, words, text: str, redirection: str, why: str):
        done = self.run_to(words, text, redirection)
        self.assertGreater(done.returncode, 0, done.stderr)
        self.assertNotRegex(done.stderr, SANITIZER)
        lines = done.stderr.splitlines()
        self.assertEqual(lines[-1], f"{words[0]}: cannot write to stdout: {why}")
        if not " ".join(words).startswith(TALKATIVE):
            self.assertEqual(len(lines), 1, done.stderr)

    def test_what_could_not_be_printed_is_a_failure(self):
        check_at_once(self, {
            f"{' '.join(words)} {redirection}":
                lambda words=words, text=text, redirection=redirection, why=why:
                    self.check(words, text, redirection, why)
            for words, text in PRINTING if is_built(words)
            for redirection, why in ((">/dev/full", "No space left on device"),
                                     (">&-", "Bad file descriptor"))})

    def test_a_reader_that_goes_away_is_no_crash(self):
        for words, text in PRINTING:
            if not is_built(words):
                continue
            with self.subTest(words):
                ours, theirs = os.pipe()
                os.close(ours)
                try:
                    done = subprocess.run(
                        [binary(words[0]), *words[1:],
                         *([f"--out={self.folder}"] if "--quiet" in words else [])],
                        input=text, stdout=theirs, stderr=subprocess.PIPE, text=True,
                        timeout=PATIENCE, check=False)
                finally:
                    os.close(theirs)
                self.assertNotEqual(done.returncode, 0)
                self.assertNotRegex(done.stderr, SANITIZER)
                if not " ".join(words).startswith(TALKATIVE):
                    self.assertLessEqual(done.stderr.count("\n"), 1, done.stderr)

    def test_stdin_that_cannot_be_read(self):
        for words in (("rps-cli", "--batch"), ("rps-cli", "--interactive"),
                      ("rps-floor-pipe", "4", "4")):
            with self.subTest(words):
                done = self.run_to(words, "", "<&-")
                self.assertEqual(done.returncode, 1)
                self.assertEqual(done.stderr,
                                 f"{words[0]}: cannot read stdin: Bad file descriptor\n")


class Places(unittest.TestCase):
    """Files and folders that a program is to write to."""

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def run_one(self, *words) -> subprocess.CompletedProcess:
        return subprocess.run([binary(words[0]), *words[1:]], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=PATIENCE, check=False)

    def test_they_are_tried_before_anything_is_measured(self):
        taken = self.folder / "taken"
        taken.mkdir()
        (self.folder / "file").touch()
        for words in (
                ("rps-bench", "load", "inproc", "--seconds=1h", "--out=/proc"),
                ("rps-bench", "load", "inproc", "--seconds=1h", f"--out={self.folder}/file"),
                ("rps-bench", "compare", "--profile=publish", "--out=/proc"),
                ("rps-bench", "soak", "inproc", "--minutes=1h", "--out=/proc"),
                ("rps-micro", "--baseline-write=/proc/none", "--benchmark_min_time=3600"),
                ("rps-micro", f"--baseline-write={taken}", "--benchmark_min_time=3600"),
                ("rps-conformance", "inproc:", "--json=/proc/none"),
                ("rps-conformance", "inproc:", f"--json={taken}")):
            with self.subTest(words):
                done = self.run_one(*words)
                place = [word.partition("=")[2] for word in words
                         if word.startswith(("--out", "--baseline-write", "--json"))][0]
                code = 2 if words[0] == "rps-conformance" else 1
                self.assertEqual((done.returncode, done.stdout), (code, ""), done.stderr)
                self.assertIn(place, done.stderr.splitlines()[-1])

    def test_to_try_them_destroys_nothing(self):
        kept = self.folder / "kept.json"
        kept.write_text("older")
        # Which has tried the place before it learns that there is nothing to measure.
        done = self.run_one("rps-micro", "--benchmark_filter=nosuch", f"--baseline-write={kept}")
        self.assertEqual(done.returncode, 2)
        self.assertEqual(kept.read_text(), "older")
        self.assertEqual(os.listdir(self.folder), ["kept.json"])

    def test_a_disk_that_is_full_leaves_the_older_file(self):
        """A limit of the size of files stands for the disk."""
        kept = self.folder / "outcomes.json"
        kept.write_text("older")
        done = subprocess.run(
            ["prlimit", "--fsize=100", binary("rps-conformance"), "inproc:", "--only=round/",
             f"--json={kept}"],
            capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(f"cannot write {kept}: File too large", done.stderr)
        self.assertEqual(kept.read_text(), "older")
        self.assertEqual(os.listdir(self.folder), ["outcomes.json"])

    def test_a_pipe_is_written_to_as_it_is(self):
        """A pipe of the test's own: whoever may write to /dev could replace /dev/stderr."""
        pipe = self.folder / "pipe"
        os.mkfifo(pipe)
        reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        done = self.run_one("rps-conformance", "inproc:", "--only=round/", f"--json={pipe}")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(os.read(reader, 65536))["failed"], 0)
        self.assertTrue(pipe.is_fifo())
        self.assertEqual(os.listdir(self.folder), ["pipe"])

    def test_what_was_measured_is_printed_in_any_case(self):
        out = self.folder / "out"
        process = subprocess.Popen(
            [binary("rps-bench"), "load", "inproc", "--connections=1", "--seconds=1s",
             f"--out={out}"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.kill)
        eventually(out.exists, "the folder is made")
        time.sleep(0.2)  # Past the trial; the test is right whenever the folder goes.
        shutil.rmtree(out)
        out.touch()
        text, log = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 1, log)
        self.assertIn("inproc", text)
        self.assertNotIn("Written to", text)
        self.assertIn(f"rps-bench: cannot write {out}/load.json: Not a directory", log)


class Terminals(unittest.TestCase):
    """Colour and cursor control, by what stands in the environment."""

    ESCAPE = "\x1b["
    COLORED = [
        (("rps-cli", "--interactive", "--seed=7"), "r\nq\n"),
        (("rps-jsonrpc", "--listen=127.0.0.1:0"), ""),
        (("rps-grpc", "--listen=127.0.0.1:0"), ""),
        (("rps-ebpf", "--listen=127.0.0.1:0"), ""),
        (("rps-micro", "--benchmark_filter=judge", "--benchmark_min_time=0.001"), ""),
    ]

    def shown(self, words, text: str = "", **environment: str) -> str:
        """What a program shows at a terminal until it ends, or serves."""
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        kept = {name: value for name, value in os.environ.items()
                if name not in ("TERM", "NO_COLOR")}
        process = subprocess.Popen([binary(words[0]), *words[1:]], stdin=theirs, stdout=theirs,
                                   stderr=theirs, env=kept | environment)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        os.close(theirs)
        os.write(ours, text.encode())
        screen = b""
        with killed_if_stuck(process):
            while b"serving at" not in screen:
                try:
                    chunk = os.read(ours, 65536)
                except OSError:  # How Linux says that the other side is closed.
                    break
                screen += chunk
        process.terminate()
        return screen.decode()

    def test_color_is_for_terminals_and_people_that_want_it(self):
        for words, text in self.COLORED:
            if not is_built(words):
                continue
            for colored, environment in ((True, {"TERM": "xterm"}),
                                         (True, {"TERM": "xterm", "NO_COLOR": ""}),
                                         (False, {"TERM": "xterm", "NO_COLOR": "1"}),
                                         (False, {"TERM": "dumb"}), (False, {"TERM": ""}),
                                         (False, {})):
                with self.subTest(words[0], environment=environment):
                    screen = self.shown(words, text, **environment)
                    self.assertEqual(self.ESCAPE in screen, colored, screen)

    def test_the_cursor_is_moved_where_that_works(self):
        for moved, environment in ((True, {"TERM": "xterm"}),
                                   (True, {"TERM": "xterm", "NO_COLOR": "1"}),
                                   (False, {"TERM": "dumb"}), (False, {})):
            with self.subTest(environment), tempfile.TemporaryDirectory() as out:
                screen = self.shown(("rps-bench", "load", "inproc", *SHORT[:-1], f"--out={out}"),
                                    **environment)
                self.assertEqual(self.ESCAPE in screen, moved, screen)
                self.assertIn("# Load on inproc", screen)


class Names(unittest.TestCase):
    """Who names what does not exist is told what does."""

    UNKNOWN = [
        (("rps-bench", "nosuch"), "compare, load, search, overload, soak, churn, report, diff"),
        (("rps-bench",), "compare, load, search, overload, soak, churn, report, diff"),
        (("rps-bench", "load", "nosuch"), "inproc, cli, jsonrpc"),
        (("rps-bench", "load", "nosuch://h:1"), "inproc, cli, cli+pty"),
        (("rps-bench", "load", "inproc", "--nosuch"), "see --help"),
        (("rps-bench", "load", "inproc", "--arrivals=nosuch"), "constant|poisson"),
        (("rps-bench", "load", "inproc", "--threshold=nosuch<1"), "qps, mean, p50"),
        (("rps-bench", "search", "inproc", "--objective=nosuch<1"), "qps, mean, p50"),
        (("rps-bench", "compare", "--tables=nosuch"), "main|offers"),
        (("rps-bench", "compare", "--subjects=nosuch"), "inproc|cli"),
        (("rps-bench", "compare", "--profile=nosuch"), "default|ci|publish"),
        (("rps-bench", "report", RUN, "--tables=nosuch"), "main|offers"),
        (("rps-bench", "report", RUN, "--format=nosuch"), "text|html|csv|json|junit"),
        (("rps-cli", "--nosuch"), "see --help"),
        (("rps-cli", "--house=nosuch"), "fair, weighted, cycle, mirror or markov"),
        (("rps-cli", "--color=nosuch"), "auto, always or never"),
        (("rps-jsonrpc", "--nosuch"), "see --help"),
        (("rps-jsonrpc", "--house=nosuch"), "fair|weighted|cycle|mirror|markov"),
        (("rps-jsonrpc", "--log-level=nosuch"), "debug|info|warn|error|off"),
        (("rps-jsonrpc", "--log-format=nosuch"), "text|json"),
        (("rps-grpc", "--nosuch"), "see --help"),
        (("rps-ebpf", "--observe=nosuch"), "auto|require|off"),
        (("rps-conformance", "nosuch://h:1"), "inproc, cli, cli+pty"),
        (("rps-conformance", "inproc:", "--only=nosuch"), "--list"),
        (("rps-conformance", "inproc:", "--house=nosuch"), "fair|weighted|cycle|mirror|markov"),
        (("rps-micro", "--benchmark_filter=nosuch"), "--benchmark_list_tests"),
        (("rps-micro", "--benchmark_format=nosuch"), "console|json|csv"),
        (("rps-micro", "--benchmark_out_format=nosuch"), "console|json|csv"),
    ]
    # Found out when the client is made, which a measuring command does for each trial.
    URLS = [
        ("inproc:?house=nosuch", "fair, weighted, cycle, mirror, markov"),
        ("inproc:?nosuch=1", "house and seed"),
        ("jsonrpc://127.0.0.1:1?codec=nosuch", "json, msgpack or binary"),
        ("jsonrpc://127.0.0.1:1?framing=nosuch", "frame, line or http"),
        ("jsonrpc://127.0.0.1:1?nosuch=1", "codec and framing"),
        ("jsonrpc+fleet:///f?service=s&balance=nosuch", "round_robin, least_request, hash"),
        ("grpc://127.0.0.1:1?mode=nosuch", "unary, rally, many or watch"),
        ("echo://127.0.0.1:1?nosuch=1", "request, reply"),
    ]

    def run_one(self, *words):
        return subprocess.run([binary(words[0]), *words[1:]], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=PATIENCE, check=False)

    def test_an_unknown_name_is_answered_with_those_that_exist(self):
        for words, names in self.UNKNOWN:
            if not is_built(words):
                continue
            with self.subTest(words):
                done = self.run_one(*words)
                self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
                last = done.stderr.splitlines()[-1]
                self.assertTrue(last.startswith(words[0] + ": "), last)
                self.assertIn(names, last)
                if words[-1].startswith("nosuch"):
                    self.assertIn("nosuch", last)

    def test_an_unknown_name_in_a_url(self):
        with tempfile.TemporaryDirectory() as out:
            for url, names in self.URLS:
                scheme = url.partition(":")[0]
                if (BINARIES / ("rps-grpc" if scheme == "grpc" else "rps-jsonrpc")).exists():
                    with self.subTest(url):
                        done = self.run_one("rps-bench", "load", url, *SHORT, f"--out={out}")
                        self.assertEqual(done.returncode, 2, done.stderr)
                        self.assertIn(names, " ".join(done.stderr.split()))

    def test_the_toolbox(self):
        for words, names in ((("nosuch",), "compare publish test"), (("serve", "nosuch"), "grpc"),
                             (("bench", "nosuch"), "load or micro"),
                             (("deps", "nosuch"), "core lint servers tests"),
                             (("build", "nosuch"), "dev release asan tsan clang"),
                             (("fmt", "--chek"), "--check")):
            with self.subTest(words):
                done = subprocess.run([ROOT / "rps", *words], capture_output=True, text=True,
                                      timeout=PATIENCE, check=False)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn(names, done.stderr)

    def test_an_argument_that_the_toolbox_does_not_read(self):
        for words in (("help", "play"), ("build", "dev", "rps-cli"), ("fuzz", "5", "frame"),
                      ("fmt", "--check", "core"), ("publish", "--rounds=3"), ("play serve",)):
            with self.subTest(words):
                done = subprocess.run([ROOT / "rps", *words], capture_output=True, text=True,
                                      timeout=PATIENCE, check=False)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn(words[-1], done.stderr)

    def test_an_operation_of_the_console(self):
        done = subprocess.run([binary("rps-cli"), "--batch"], input="nosuch\n", text=True,
                              capture_output=True, timeout=PATIENCE, check=False)
        self.assertIn("play, score, join, throw and leave", done.stdout)


if __name__ == "__main__":
    unittest.main()
