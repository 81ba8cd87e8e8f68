#!/usr/bin/env python3
"""rps-bench compare where something is missing: the row says what and why, and the run is a
success, for everything else was measured."""

import os
import pathlib
import subprocess
import tempfile
import unittest

from bench_process import Bench
from rps_process import binary

REASON = "observer: this kernel grants nothing"


class LeftOut(unittest.TestCase):
    def binaries(self, *programs: str) -> pathlib.Path:
        """A folder with these and no other programs, and a server that must be observed and cannot
        be."""
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        for program in programs:
            os.symlink(binary(program), folder / program)
        refusing = folder / "rps-ebpf"
        refusing.write_text("#!/bin/sh\n"
                            'case "$*" in *--observe=require*) ;; *) exit 3;; esac\n'
                            f'echo "2030-01-02T03:04:05.678Z critical rps-ebpf: {REASON}" >&2\n'
                            "exit 1\n")
        refusing.chmod(0o755)
        return folder

    def setUp(self):
        binary("rps-grpc")  # Otherwise rps-bench does not speak its protocol, and says only that.

    def test_a_row_that_this_machine_cannot_have_says_why(self):
        bench = Bench(self, "compare", "--profile", "ci", "--tables", "main", "--subjects",
                      "cli,jsonrpc,ebpf", "--bin", str(self.binaries("rps-cli"))).finish()
        self.assertEqual({each["subject"]: each["why"] for each in bench.run["left_out"]},
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
        self.assertEqual({each["subject"]: each["why"] for each in bench.run["left_out"]},
                         {"cli-pty": "cannot make a pseudo-terminal: Invalid argument",
                          "queue-ring": two_cpus, "queue-locked-flow": two_cpus})
        self.assertEqual({trial["cell"] for trial in bench.run["trials"]}, {"cli/1x1"})
        text = " ".join(bench.text.split())
        self.assertIn("monolith, terminal not measured: cannot make a pseudo-terminal", text)
        self.assertIn(f"ring, hand-over not measured: {two_cpus}", text)

    def test_who_names_it_is_told_by_the_exit_code(self):
        bench = Bench(self, "load", "ebpf", "--connections", "1", "--seconds", "0.1", "--bin",
                      str(self.binaries())).finish(1)
        self.assertIn(REASON, bench.text)


if __name__ == "__main__":
    unittest.main()
