#!/usr/bin/env python3
"""rps-bench compare where something is missing: the row says what and why, and the run is a
success, for everything else was measured."""

import csv
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

from bench_process import Bench
from rps_process import Server, binary

REASON = "observer: this kernel grants nothing"


NOT_CHOSEN = "--subjects does not name it"
LACKS = 4  # The exit code of a server that found what this machine lacks.


def left_out(bench) -> dict[str, str]:
    """Why each subject was left out, but for those that were not asked for."""
    return {each["subject"]: each["why"] for each in bench.run["left_out"]
            if each["why"] != NOT_CHOSEN}


class LeftOut(unittest.TestCase):
    def binaries(self, *programs: str, end: str = f"exit {LACKS}") -> pathlib.Path:
        """A folder with these and no other programs, and a server that must be observed, says that
        it cannot be, and ends so."""
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        for program in programs:
            os.symlink(binary(program), folder / program)
        refusing = folder / "rps-ebpf"
        refusing.write_text("#!/bin/sh\n"
                            'case "$*" in *--observe=require*) ;; *) exit 3;; esac\n'
                            f'echo "2030-01-02T03:04:05.678Z critical rps-ebpf: {REASON}" >&2\n'
                            f"{end}\n")
        refusing.chmod(0o755)
        return folder

    def setUp(self):
        binary("rps-grpc")  # Otherwise rps-bench does not speak its protocol, and says only that.

    def test_a_row_that_this_machine_cannot_have_says_why(self):
        bench = Bench(self, "compare", "--profile", "ci", "--tables", "main", "--subjects",
                      "cli,jsonrpc,ebpf", "--bin", str(self.binaries("rps-cli"))).finish()
        self.assertEqual(left_out(bench),
                         {"jsonrpc": "not built here",
                          "ebpf": f"rps-ebpf did not start: {REASON}"})
        self.assertEqual({trial["cell"] for trial in bench.run["trials"]}, {"cli/64x1"})
        text = " ".join(bench.text.split())
        self.assertIn("RPC (JSON) not measured: not built here", text)
        self.assertIn(f"gRPC + eBPF not measured: rps-ebpf did not start: {REASON}", text)
        self.assertNotIn("INVALID", text)

    def test_a_machine_without_terminals_and_with_one_cpu(self):
        """What needs two CPUs or a pseudo-terminal says so; everything else is measured."""
        binary("rps-micro")
        cpu = str(min(os.sched_getaffinity(0)))
        hide = 'mount -t tmpfs none /dev/pts && mount --bind /dev/null /dev/ptmx && exec "$@"'
        prefix = ("taskset", "--cpu-list", cpu, "unshare", "--mount", "sh", "-c", hide, "sh")
        if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode != 0:
            self.skipTest("needs CAP_SYS_ADMIN, to mount")
        bench = Bench(self, "compare", "--profile", "ci", "--tables", "console,queues",
                      "--subjects", "cli,cli-pty,queue-ring,queue-locked-flow",
                      prefix=prefix).finish()
        two_cpus = f"it needs two CPUs, and may use CPU {cpu} only"
        self.assertEqual(left_out(bench),
                         {"cli-pty": "cannot make a pseudo-terminal: Invalid argument",
                          "queue-ring": two_cpus, "queue-locked-flow": two_cpus})
        self.assertEqual({trial["cell"] for trial in bench.run["trials"]}, {"cli/1x1"})
        text = " ".join(bench.text.split())
        self.assertIn("monolith, terminal not measured: cannot make a pseudo-terminal", text)
        self.assertIn(f"ring, hand-over not measured: {two_cpus}", text)

    def test_a_machine_that_cannot_make_certificates(self):
        bench = Bench(self, "compare", "--profile", "ci", "--tables", "stage3", "--subjects",
                      "grpc-lean,grpc-lean-tls", prefix=("env", "PATH=/nonexistent")).finish()
        reason, = left_out(bench).values()
        self.assertRegex(reason, "no certificates can be made: cannot start openssl: ")
        self.assertEqual({cell.split("/")[0] for cell in
                          (trial["cell"] for trial in bench.run["trials"])}, {"grpc-lean"})
        self.assertIn(f"TLS, 1 × 1 not measured: {reason}", " ".join(bench.text.split()))

    def test_any_other_end_is_a_failure(self):
        """Only what the machine was found to lack is a reason not to measure."""
        for end, why in (("exit 1", f"rps-ebpf did not start: {REASON}"),
                         ("exit 2", f"rps-ebpf did not start: {REASON}"),
                         ("kill -SEGV $$", "rps-ebpf was killed by signal 11 (Segmentation fault) "
                                           "before it printed its URL")):
            with self.subTest(end):
                bench = Bench(self, "compare", "--profile", "ci", "--tables", "main", "--subjects",
                              "cli,ebpf", "--bin", str(self.binaries("rps-cli", end=end))).finish(1)
                self.assertEqual(left_out(bench), {})
                self.assertIn(f"gRPC + eBPF INVALID: {why}", " ".join(bench.text.split()))
                self.assertIn("cli/64x1", {trial["cell"] for trial in bench.run["trials"]
                                           if trial["valid"]})

    def test_a_program_that_cannot_be_executed_is_a_failure(self):
        folder = self.binaries("rps-cli")
        (folder / "rps-ebpf").chmod(0o644)
        bench = Bench(self, "compare", "--profile", "ci", "--tables", "main", "--subjects",
                      "cli,ebpf", "--bin", str(folder)).finish(1)
        self.assertIn(f"INVALID: cannot start {folder}/rps-ebpf: Permission denied",
                      " ".join(bench.text.split()))

    def test_a_folder_of_binaries_that_is_none_is_refused(self):
        bench = Bench(self, "compare", "--bin", "/nonexistent").finish(2)
        self.assertIn("--bin: /nonexistent is no folder", bench.log)

    def test_nothing_measured_is_a_failure_that_says_so(self):
        bench = Bench(self, "compare", "--profile", "ci", "--tables", "main", "--subjects", "ebpf",
                      "--bin", str(self.binaries())).finish(1)
        self.assertIn("nothing was measured; the tables say why", bench.log)

    def test_each_absent_figure_says_why(self):
        """Where bpf() is refused nobody counts system calls; all outputs say so."""
        refusing = pathlib.Path(__file__).resolve().parents[1] / "privileged" / "refuse_bpf.py"
        why = "cannot load the BPF program: Operation not permitted"
        bench = Bench(self, "compare", "--profile", "ci", "--tables", "floors", "--subjects", "cli",
                      prefix=(sys.executable, "-B", str(refusing))).finish()
        if "built without libbpf" in bench.text:
            why = "this rps-bench was built without libbpf"
        sentence = f"syscalls /req of cli/64x1: {why}."
        self.assertIn(sentence, " ".join(bench.text.split()))
        self.assertIn(sentence, " ".join(bench.path(".md").read_text().split()))
        self.assertIn(sentence, bench.path(".html").read_text())
        self.assertEqual(bench.trial["why_no"]["syscalls"], why)
        summary, = bench.run["summary"]
        self.assertEqual(summary["absent"]["syscalls_per_call"], why)
        self.assertEqual({name for name, value in summary.items() if value is None},
                         set(summary["absent"]))
        line, = csv.DictReader(bench.path(".csv").read_text().splitlines())
        self.assertIn(f"syscalls_per_call: {why}", line["absent"])
        self.assertEqual({name for name, value in line.items() if not value} - {"complaint"},
                         {name for part in line["absent"].split("; ")
                          for name in part.split(": ")[0].split()})

    def test_a_server_that_somebody_else_started_has_no_account(self):
        with Server("rps-jsonrpc") as server:
            bench = Bench(self, "load", server.url, "--connections", "2", "--seconds", "0.2",
                          "--warmup", "0.1", "--threshold", "cpu_us<1s").finish(3)
        why = "rps-bench did not start the server, and no --server-pid names its processes"
        self.assertIn(f"CPU µs/req of {server.url}/2x1: {why}.", " ".join(bench.text.split()))
        self.assertIn(f"cpu_us, for which cpu_us<1s was asked: {why}", bench.log)
        self.assertIn(f"{why}", bench.path(".xml").read_text())

    def test_who_names_it_is_told_by_the_exit_code(self):
        bench = Bench(self, "load", "ebpf", "--connections", "1", "--seconds", "0.1", "--bin",
                      str(self.binaries())).finish(1)
        self.assertIn(REASON, bench.text)


if __name__ == "__main__":
    unittest.main()
