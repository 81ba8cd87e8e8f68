"""The console's pipe under bad input: the error of the table, or an ordered end."""

import os
import pty
import random
import signal
import subprocess
import unittest

from rps_process import Process, binary, killed_if_stuck

LINE_BYTES_MAX = 4096


def console() -> Process:
    return Process("rps-cli", "--batch", "--seed=7")


class RefusedLines(unittest.TestCase):
    """What is refused is refused in one line, and the console goes on."""

    LINES = [
        (b"play", "malformed_request"),
        (b"play STONE", "invalid_move"),
        (b"play ROCK a b", "malformed_request"),
        (b"play MOVE_UNSPECIFIED", "invalid_move"),
        (b"PLAY ROCK", "unknown_operation"),
        (b"stop", "unknown_operation"),
        (b"score never-played", "unknown_session"),
        (b"join g p x", "malformed_request"),
        (b"join g p -1", "malformed_request"),
        (b"join g p 4294967299", "malformed_request"),  # 3 in 32 bits.
        (b"throw g p ROCK", "unknown_game"),
        (b"play ROCK \xff\xfe", "malformed_request"),
        (b"play ROCK caf\xc3\xa9", "malformed_request"),
        (b"pl\xc3\xa4y ROCK", "malformed_request"),
        (b"play ROCK a\x00b", "malformed_request"),
        (b"play ROCK " + b"x" * 65, "malformed_request"),
        (b"\x00", None),
        (b"\x1b[2J", None),
        (b"\xca\xfe\x01\x00\x05hello", None),
    ]

    def test_each_line_gets_its_error(self):
        with console() as process:
            for line, error in self.LINES:
                with self.subTest(line=line):
                    process.stdin.write(line + b"\n")
                    reply = process.read_line()
                    self.assertTrue(reply.startswith(f"error {error or ''}".encode()), reply)
                    self.assertTrue(all(0x20 <= byte < 0x7F for byte in reply), reply)
                    process.stdin.write(b"play ROCK\n")
                    self.assertTrue(process.read_line().startswith(b"ok play "))
            process.stdin.close()
            process.wait(0)

    def test_empty_lines_and_carriage_returns_are_no_requests(self):
        with console() as process:
            process.stdin.write(b"\n\r\n\n  \nplay ROCK\r\n")
            self.assertTrue(process.read_line().startswith(b"ok play "))
            process.stdin.close()
            self.assertIsNone(process.read_line())
            process.wait(0)


class LongLines(unittest.TestCase):
    def test_the_longest_line(self):
        with console() as process:
            process.stdin.write(b"play ROCK".ljust(LINE_BYTES_MAX) + b"\n")
            self.assertTrue(process.read_line().startswith(b"ok play "))
            process.stdin.close()
            process.wait(0)

    def test_one_byte_more(self):
        with console() as process:
            process.stdin.write(b"play ROCK\n" + b"play ROCK".ljust(LINE_BYTES_MAX + 1) + b"\n")
            self.assertTrue(process.read_line().startswith(b"ok play "))
            self.assertTrue(process.read_line().startswith(b"error too_large "))
            self.assertIsNone(process.read_line())
            process.wait(1)

    def test_ten_megabytes_without_a_newline(self):
        with console() as process:
            try:
                process.stdin.write(b"x" * 10_000_000)
            except BrokenPipeError:
                pass
            self.assertTrue(process.read_line().startswith(b"error too_large "))
            self.assertIsNone(process.read_line())
            process.wait(1)


class Ends(unittest.TestCase):
    def test_half_a_line_at_the_end_counts(self):
        with console() as process:
            process.stdin.write(b"play ROCK s\nscore s")
            process.stdin.close()
            self.assertTrue(process.read_line().startswith(b"ok play "))
            self.assertTrue(process.read_line().startswith(b"ok score "))
            self.assertIsNone(process.read_line())
            process.wait(0)

    def test_nothing_at_all(self):
        with console() as process:
            process.stdin.close()
            self.assertIsNone(process.read_line())
            process.wait(0)

    def test_the_terminal_goes_away(self):
        """That is the end of the input, also in the middle of a read()."""
        for _ in range(20):
            ours, theirs = pty.openpty()
            process = subprocess.Popen([binary("rps-cli"), "--batch"], stdin=theirs, stdout=theirs,
                                       stderr=subprocess.PIPE)
            os.close(theirs)
            os.write(ours, b"play ROCK\n")
            with killed_if_stuck(process):
                said = b""
                while said.count(b"\n") < 2:  # The terminal's echo and the reply.
                    said += os.read(ours, 4096)
                os.close(ours)
                errors = process.communicate()[1]
            self.assertEqual((process.returncode, errors), (0, b""))

    def test_the_reader_goes_away(self):
        with console() as process:
            process.close_stdout()
            try:
                for _ in range(1000):
                    process.stdin.write(b"play ROCK\n" * 100)
            except BrokenPipeError:
                pass
            process.stdin.close()
            process.wait(-signal.SIGPIPE)  # As any filter ends whose reader goes away.

    def test_garbage_of_all_bytes(self):
        with console() as process:
            garbage = random.Random(7).randbytes(200_000)
            try:
                process.stdin.write(garbage)
            except BrokenPipeError:
                pass
            process.stdin.close()
            while (reply := process.read_line()) is not None:
                self.assertTrue(reply.startswith(b"error "), reply)
            process.wait(0, 1)


class ManyLines(unittest.TestCase):
    def test_every_line_of_a_burst_is_answered(self):
        """More than both pipes hold, from a writer who reads only when writing blocks."""
        lines = 50_000
        with console() as process:
            os.set_blocking(process.stdin.fileno(), False)
            unsent = b"play ROCK s\n" * lines
            for number in range(1, lines + 1):
                while unsent and (sent := process.stdin.write(unsent[:65536])):
                    unsent = unsent[sent:]
                reply = process.read_line()
                self.assertIn(b" round=%d " % number, reply)
            process.stdin.close()
            self.assertIsNone(process.read_line())
            process.wait(0)


class HiddenThrow(unittest.TestCase):
    def test_it_is_on_no_line_before_the_round_is_over(self):
        with console() as process:
            process.stdin.write(b"join g a\njoin g b\nthrow g a SCISSORS\nscore never\n")
            while not (line := process.read_line()).startswith(b"error unknown_session"):
                self.assertNotIn(b"SCISSORS", line)
            process.stdin.write(b"throw g b ROCK\n")
            self.assertEqual(process.read_line(), b"ok throw")
            told = process.read_line() + process.read_line()
            self.assertEqual(told.count(b"event round_over "), 2)
            self.assertEqual(told.count(b"SCISSORS"), 2)
            process.stdin.close()
            process.wait(0)


if __name__ == "__main__":
    unittest.main()
