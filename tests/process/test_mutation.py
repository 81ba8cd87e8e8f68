"""A wrong judge is caught: by the compiler, by the unit test, by the suite and by the harness.

Builds stage 1 from a copy of its sources in which one entry of the judge's table is flipped and the
static assertions that would stop it are removed. What is sound must pass the same checks.
"""

import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from rps_process import PATIENCE, ROOT, binary

CXX = os.environ.get("RPS_CXX", "g++")
FLAGS = ["-std=c++23", "-O0", '-DRPS_VERSION="mutant"']
# Of core/net all but HTTP, which needs Boost.
SOURCES = ["core/*.cpp", "core/net/[!h]*.cpp", "stage1_cli/*.cpp"]
CATCH_MAIN = [["-lCatch2WithMain"], ["-lCatch2Main", "-lCatch2"]]


def flip_an_entry(judge: str) -> str:
    """Lets rock beat paper."""
    flipped, count = re.subn(r"(judge_table\{\{.*?)Result::lose", r"\1Result::win", judge, count=1,
                             flags=re.DOTALL)
    assert count == 1, "core/judge.hpp has another shape than this test knows"
    return flipped


def drop_assertions(judge: str) -> str:
    dropped, count = re.subn(r"^static_assert\(judge\(.*\n", "", judge, flags=re.MULTILINE)
    assert count == 9, f"core/judge.hpp has {count} assertions, not nine"
    return dropped


class Copy:
    """A copy of the sources whose judge is `change(judge)`."""

    def __init__(self, change=lambda judge: judge):
        self._folder = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self._folder.name)
        for name in ("core", "stage1_cli"):
            shutil.copytree(ROOT / name, self.root / name)
        judge = self.root / "core" / "judge.hpp"
        judge.write_text(change(judge.read_text()))

    def cleanup(self):
        self._folder.cleanup()

    def compile(self, source: pathlib.Path, *flags: str) -> subprocess.CompletedProcess:
        return subprocess.run([CXX, *FLAGS, "-I", self.root, *flags, source], capture_output=True,
                              text=True, timeout=10 * PATIENCE, check=False)

    def build_cli(self) -> pathlib.Path:
        sources = [path for pattern in SOURCES for path in sorted(self.root.glob(pattern))]
        objects = [source.with_suffix(".o") for source in sources]
        with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            for done in pool.map(lambda source, to: self.compile(source, "-c", "-o", to),
                                 sources, objects):
                assert done.returncode == 0, done.stderr
        program = self.root / "rps-cli"
        subprocess.run([CXX, *objects, "-pthread", "-o", program], check=True)
        return program

    def run_unit_test(self) -> subprocess.CompletedProcess:
        """Builds and runs tests/core/judge_test.cpp, with this judge in front of the real one."""
        program = self.root / "judge_test"
        test = ROOT / "tests" / "core" / "judge_test.cpp"
        for libraries in CATCH_MAIN:
            built = self.compile(test, "-I", ROOT, "-o", program, *libraries_after(libraries))
            if built.returncode == 0:
                return subprocess.run([program], capture_output=True, text=True, errors="replace",
                                      timeout=PATIENCE, check=False)
        raise unittest.SkipTest(f"the unit test does not build on its own:\n{built.stderr}")


def libraries_after(libraries: list[str]) -> list[str]:
    """The source stands last on the command line, so what it needs is kept by force."""
    return ["-Wl,--whole-archive", *libraries, "-Wl,--no-whole-archive"]


class Mutation(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sound_cli = pathlib.Path(binary("rps-cli"))
        cls.mutant = Copy(lambda judge: drop_assertions(flip_an_entry(judge)))
        cls.addClassCleanup(cls.mutant.cleanup)
        cls.mutant_cli = cls.mutant.build_cli()

    def test_the_compiler_refuses_a_flipped_table(self):
        flipped = Copy(flip_an_entry)
        self.addCleanup(flipped.cleanup)
        done = flipped.compile(flipped.root / "core" / "game.cpp", "-fsyntax-only")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("static assertion failed", done.stderr)

    def test_the_unit_test_fails(self):
        sound = Copy()
        self.addCleanup(sound.cleanup)
        self.assertEqual(sound.run_unit_test().returncode, 0)
        done = self.mutant.run_unit_test()
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("judge(Move::rock, Move::paper) == Result::lose", done.stdout)

    def test_the_suite_names_the_pair(self):
        suite = binary("rps-conformance")
        arguments = [suite, "--house=fair", "--seed=7"]
        sound = subprocess.run([*arguments, f"cli:{self.sound_cli}?house=fair&seed=7"],
                               capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertEqual(sound.returncode, 0, sound.stdout)
        mutant = subprocess.run([*arguments, f"cli:{self.mutant_cli}?house=fair&seed=7"],
                                capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertEqual(mutant.returncode, 1, mutant.stdout)
        self.assertRegex(mutant.stdout, r"failed +round/all_nine_pairs .*"
                                        r"ROCK against PAPER is WIN, must be LOSE")
        self.assertRegex(mutant.stdout, r"failed +duel/all_nine_pairs .*"
                                        r"ROCK against PAPER in the duel is WIN, must be LOSE")

    def test_the_harness_counts_wrong_answers(self):
        bench = binary("rps-bench")
        for program, is_right in ((self.sound_cli, True), (self.mutant_cli, False)):
            with self.subTest(program=program):
                done = subprocess.run(
                    [bench, "load", "cli", "--bin", program.parent,
                     "--out", self.mutant.root / "report", "--connections", "4",
                     "--seconds", "0.2", "--warmup", "0.1"],
                    capture_output=True, text=True, timeout=10 * PATIENCE, check=False)
                said = done.stdout + done.stderr
                self.assertEqual(done.returncode == 0, is_right, said)
                if not is_right:
                    self.assertIn("wrong_result", said)


if __name__ == "__main__":
    unittest.main()
