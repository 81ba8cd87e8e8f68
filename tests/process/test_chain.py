"""What stands in front of the game of rps-grpc: who may call, how often, and what callers are told.
The client is Python's grpcio, which we did not write; messages are made by hand. Skipped, with the
reason, where grpcio is not installed."""

import contextlib
import hashlib
import json
import os
import pathlib
import sys
import tempfile
import threading
import unittest

from grpc_wire import MOVES, SERVICE, fields, play_request
from rps_process import PATIENCE, Process, Server, binary, eventually

try:
    import grpc
except ImportError as missing:
    print(f"OK (skipped=all: {missing}: ./rps deps tests)")
    sys.exit(0)

Code = grpc.StatusCode
ROCK = play_request(MOVES["ROCK"])
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
TYPES = "type.googleapis.com/google.rpc."


def line_of(token: str, operations: str, name: str) -> str:
    return f"{hashlib.sha256(token.encode()).hexdigest()} {operations} {name}\n"


def bearer(token: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {token}"),)


class Caller:
    """Methods of the service that take and give bytes."""

    def __init__(self, server: Server):
        self.channel = grpc.insecure_channel("{}:{}".format(*server.address))

    def call(self, method: str = SERVICE + "Play", request: bytes = ROCK, metadata=()):
        return self.channel.unary_unary(method)(request, metadata=metadata, timeout=PATIENCE,
                                                wait_for_ready=True)

    def code(self, **what):
        try:
            self.call(**what)
        except grpc.RpcError as error:
            return error.code()
        return Code.OK

    def error(self, **what):
        """The error with which the call must fail."""
        try:
            self.call(**what)
        except grpc.RpcError as error:
            return error
        raise AssertionError("the call was not refused")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.channel.close()


def trailers(call) -> dict:
    return dict(call.trailing_metadata())


def repeated(payload: bytes, number: int) -> list[bytes]:
    """All values of a field that may come several times; each must fit a length of one byte."""
    found, at = [], 0
    while at < len(payload):
        kind, value = payload[at] & 7, payload[at] >> 3
        if kind == 0:
            at += 2
        else:
            size = payload[at + 1]
            if value == number:
                found.append(payload[at + 2:at + 2 + size])
            at += 2 + size
    return found


def details(error) -> dict[str, bytes]:
    """google.rpc.Status{repeated Any details = 3;} by type, Any{type_url = 1; value = 2;}."""
    status = trailers(error)["grpc-status-details-bin"]
    alls = [fields(one) for one in repeated(status, 3)]
    return {one[1].decode().removeprefix(TYPES): one.get(2, b"") for one in alls}


def reason(error) -> str:
    """ErrorInfo{reason = 1; domain = 2;}"""
    info = fields(details(error)["ErrorInfo"])
    assert info[2] == b"rps", info
    return info[1].decode()


class Base(unittest.TestCase):
    def setUp(self):
        self.stack = contextlib.ExitStack()
        self.addCleanup(self.stack.close)
        self.folder = pathlib.Path(self.stack.enter_context(tempfile.TemporaryDirectory()))

    def start(self, *flags: str) -> tuple[Server, Caller]:
        server = self.stack.enter_context(Server("rps-grpc", *flags, admin=True))
        return server, self.stack.enter_context(Caller(server))


class Auth(Base):
    def test_each_answer_says_why_the_call_was_refused(self):
        tokens = self.folder / "tokens"
        tokens.write_text("# who may play\n" + line_of("secret", "play", "ann"))
        server, caller = self.start("--auth=on", f"--auth-tokens={tokens}")
        for metadata in ((), bearer("wrong"), bearer("secret") * 2):
            with self.subTest(metadata):
                error = caller.error(metadata=metadata)
                self.assertEqual(error.code(), Code.UNAUTHENTICATED)
                self.assertEqual(reason(error), "UNAUTHENTICATED")
        error = caller.error(method=SERVICE + "Score", request=b"\x0a\x01s",
                             metadata=bearer("secret"))
        self.assertEqual(error.code(), Code.PERMISSION_DENIED)
        self.assertEqual(reason(error), "PERMISSION_DENIED")
        caller.call(metadata=bearer("secret"))
        counted = server.metrics()
        sample = 'rps_requests_total{{operation="{}",error_class="{}"}}'.format
        self.assertEqual(counted[sample("play", "unauthenticated")], 3)
        self.assertEqual(counted[sample("score", "permission_denied")], 1)
        self.assertEqual(counted[sample("play", "ok")], 1)

    def test_the_health_service_asks_nobody(self):
        server, caller = self.start("--auth=on")
        self.assertIn("neither --auth-tokens nor --tls-ca: every call is refused", server.stderr())
        self.assertEqual(caller.code(), Code.UNAUTHENTICATED)
        answer = caller.call(method="/grpc.health.v1.Health/Check", request=b"")
        self.assertEqual(fields(answer), {1: 1})  # SERVING

    def test_a_file_that_is_swapped_is_read_and_a_wrong_one_is_not(self):
        """Through a symbolic link that is replaced, as in a mounted secret of Kubernetes."""
        for name, text in [("one", line_of("first", "*", "ann")),
                           ("two", line_of("second", "*", "ann")), ("three", "nonsense\n")]:
            (self.folder / name).write_text(text)
        link = self.folder / "tokens"

        def point_to(name: str):
            os.symlink(name, self.folder / "new")
            os.replace(self.folder / "new", link)

        point_to("one")
        server, caller = self.start("--auth=on", f"--auth-tokens={link}")
        caller.call(metadata=bearer("first"))
        point_to("two")
        eventually(lambda: caller.code(metadata=bearer("second")) == Code.OK, "the new token")
        self.assertEqual(caller.code(metadata=bearer("first")), Code.UNAUTHENTICATED)
        point_to("three")
        rejected = 'rps_auth_file_reads_total{outcome="rejected"}'
        eventually(lambda: server.metrics()[rejected] == 1, "the wrong file is rejected")
        self.assertIn("line 1: ", server.stderr())
        caller.call(metadata=bearer("second"))

    def test_a_wrong_first_file_stops_the_start(self):
        tokens = self.folder / "tokens"
        for text in ("nonsense\n", line_of("secret", "dance", "ann")):
            tokens.write_text(text)
            self.check_start_fails(tokens, "line 1: ")
        self.check_start_fails(self.folder / "nowhere", "cannot be read")

    def check_start_fails(self, tokens: pathlib.Path, why: str):
        with self.subTest(why), Process("rps-grpc", "--listen=127.0.0.1:0", "--auth=on",
                                        f"--auth-tokens={tokens}") as server:
            server.wait(1)
            self.assertIn(f"--auth-tokens: '{tokens}'", server.stderr())
            self.assertIn(why, server.stderr())


class Limits(Base):
    def check_overloaded(self, error):
        self.assertEqual(error.code(), Code.RESOURCE_EXHAUSTED)
        self.assertEqual(reason(error), "OVERLOADED")
        wait_ms = int(trailers(error)["grpc-retry-pushback-ms"])
        self.assertGreater(wait_ms, 0)
        self.assertEqual(trailers(error)["retry-after-ms"], str(wait_ms))
        # RetryInfo{Duration retry_delay = 1;}, Duration{seconds = 1; nanos = 2;}
        delay = fields(fields(details(error)["RetryInfo"])[1])
        self.assertEqual(delay.get(1, 0) * 1000 + delay.get(2, 0) // 1_000_000, wait_ms)

    def test_a_caller_above_its_rate_is_told_when_to_come_again(self):
        server, caller = self.start("--rate-limit=1", "--rate-burst=3")
        for _ in range(3):
            caller.call()
        self.check_overloaded(caller.error())
        self.assertEqual(server.metrics()['rps_calls_refused_total{reason="rate"}'], 1)

    def test_callers_with_identities_do_not_share_a_rate(self):
        tokens = self.folder / "tokens"
        tokens.write_text(line_of("a", "*", "ann") + line_of("b", "*", "bob"))
        _, caller = self.start("--auth=on", f"--auth-tokens={tokens}", "--rate-limit=1",
                               "--rate-burst=1")
        caller.call(metadata=bearer("a"))
        self.check_overloaded(caller.error(metadata=bearer("a")))
        caller.call(metadata=bearer("b"))

    def test_a_stream_in_progress_leaves_no_place(self):
        server, caller = self.start("--max-calls-in-progress=1")
        rally = caller.channel.stream_stream(SERVICE + "Rally")
        with contextlib.ExitStack() as stack:
            requests = iter([ROCK])
            held = rally(self.then_wait(requests, stack), timeout=PATIENCE)
            next(held)
            self.check_overloaded(caller.error())
            self.assertEqual(server.metrics()['rps_calls_refused_total{reason="in_progress"}'], 1)
            held.cancel()
        eventually(lambda: caller.code() == Code.OK, "the place is free again")

    @staticmethod
    def then_wait(requests, stack: contextlib.ExitStack):
        """The requests, and then none, without ending the stream before the stack closes."""
        is_over = threading.Event()
        stack.callback(is_over.set)
        yield from requests
        is_over.wait(PATIENCE)


class Trace(Base):
    def test_a_trace_comes_back_and_stands_in_the_access_log(self):
        server, caller = self.start("--access-log=on", "--log-format=json")
        play = caller.channel.unary_unary(SERVICE + "Play")
        _, call = play.with_call(ROCK, metadata=(("traceparent", TRACE),), timeout=PATIENCE)
        sent = trailers(call)["traceparent"]
        self.assertEqual(sent[:36], TRACE[:36])
        self.assertNotEqual(sent, TRACE)
        _, call = play.with_call(ROCK, metadata=(("traceparent", "00-x-01"),), timeout=PATIENCE)
        self.assertNotIn("traceparent", trailers(call))
        self.assertEqual(caller.code(request=b"\xff"), Code.INVALID_ARGUMENT)

        def lines():
            messages = [json.loads(line)["message"] for line in server.stderr().splitlines()]
            return [text for text in messages if text.startswith("call ")]
        eventually(lambda: len(lines()) == 3, "three lines of the access log")
        # Several threads serve, and their lines may be out of order (core/server/bulk_log.hpp).
        order = {(TRACE[3:35], "ok"): 0, ("-", "ok"): 1, ("-", "malformed_request"): 2}
        first, second, third = sorted(
            (dict(word.split("=", 1) for word in text.split()[1:]) for text in lines()),
            key=lambda line: order[line["trace_id"], line["outcome"]])
        self.assertEqual(first["trace_id"], TRACE[3:35])
        self.assertEqual(first["method"], SERVICE + "Play")
        self.assertEqual((first["operation"], first["outcome"]), ("play", "ok"))
        self.assertTrue(first["address"].startswith("ipv4:127.0.0.1:"))
        self.assertGreaterEqual(int(first["duration_us"]), 0)
        self.assertEqual((second["trace_id"], second["identity"]), ("-", "-"))
        self.assertEqual(third["outcome"], "malformed_request")

    def test_sampling_begins_traces(self):
        _, caller = self.start("--trace-sampling=100%")
        play = caller.channel.unary_unary(SERVICE + "Play")
        _, call = play.with_call(ROCK, timeout=PATIENCE)
        self.assertRegex(trailers(call)["traceparent"], "^00-[0-9a-f]{32}-[0-9a-f]{16}-01$")


class AccessLog(Base):
    def test_every_call_has_its_line_before_the_server_says_that_it_has_drained(self):
        server, caller = self.start("--access-log=on")
        for _ in range(300):
            caller.call()
        server.end()
        lines = server.stderr().splitlines()
        calls = [at for at, line in enumerate(lines) if " rps-grpc: call method=" in line]
        self.assertEqual(len(calls), 300)
        self.assertTrue(all(lines[at].endswith("trace_id=-") for at in calls))
        drained = next(at for at, line in enumerate(lines) if "drained; " in line)
        self.assertLess(max(calls), drained)

    def test_a_log_that_nobody_reads_holds_up_no_call_and_every_line_is_read_or_counted(self):
        tokens = self.folder / "tokens"
        tokens.write_text(line_of("secret", "*", '"' * 512))  # Few lines fill all buffers.
        fifo = self.folder / "log"
        os.mkfifo(fifo)
        reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        self.stack.callback(os.close, reader)
        server = self.stack.enter_context(
            Server("rps-grpc", "--access-log=on", "--auth=on", f"--auth-tokens={tokens}",
                   admin=True, prefix=("sh", "-c", 'exec "$@" 2>"$0"', str(fifo))))
        caller = self.stack.enter_context(Caller(server))
        rally = caller.channel.stream_stream(SERVICE + "Rally")
        rounds = 4_000
        answers = rally(iter([ROCK] * rounds), metadata=bearer("secret"), timeout=PATIENCE)
        self.assertEqual(len(list(answers)), rounds)
        lost = server.metrics()["rps_log_lines_lost_total"]
        self.assertGreater(lost, 0)
        log = b""

        def is_complete() -> bool:
            nonlocal log
            with contextlib.suppress(BlockingIOError):
                log += os.read(reader, 1 << 20)
            return log.count(b" call method=") + lost == rounds
        eventually(is_complete, "each call has a line, or is counted")
        self.assertIn(f"because stderr did not take them: {int(lost)}\n".encode(), log)


class Metrics(Base):
    def test_off_means_that_nothing_is_counted_and_that_the_log_says_so(self):
        server, caller = self.start("--metrics=off")
        caller.call()
        self.assertEqual(
            server.metrics()['rps_requests_total{operation="play",error_class="ok"}'], 0)
        server.end()
        self.assertIn("--metrics=off: calls are not counted", server.stderr())


class Switches(Base):
    def test_links_are_switched_while_the_server_runs(self):
        config = self.folder / "config"

        def write(text: str):
            (self.folder / "new").write_text(text)
            os.replace(self.folder / "new", config)

        write("trace-sampling = 0\n")
        server, caller = self.start(f"--config={config}")
        self.assertEqual(caller.code(), Code.OK)
        write("auth = on\n")
        eventually(lambda: caller.code() == Code.UNAUTHENTICATED, "Auth is on")
        eventually(lambda: "every call is refused" in server.stderr(), "the log says why")
        write("rate-limit = 1\nrate-burst = 1\n")
        eventually(lambda: caller.code() == Code.RESOURCE_EXHAUSTED, "a rate is in force")
        write("")
        eventually(lambda: [caller.code() for _ in range(3)] == [Code.OK] * 3, "no rate any more")


if __name__ == "__main__":
    binary("rps-grpc")
    unittest.main()
