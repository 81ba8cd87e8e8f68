"""A call that is part of somebody's trace says so in the log, when that trace is recorded."""

import json
import unittest

from framings import FRAMINGS, Frames, Http, Peer, play
from rps_process import Server, eventually

TRACE_ID, PARENT_ID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
RECORDED = f"00-{TRACE_ID}-{PARENT_ID}-01"
UNRECORDED = f"00-{TRACE_ID}-{PARENT_ID}-00"
WRONG = [f"00-{'0' * 32}-{PARENT_ID}-01", f"00-{TRACE_ID.upper()}-{PARENT_ID}-01", "01", ""]


def traced_play(traceparent: str) -> bytes:
    return json.dumps(json.loads(play(1)) | {"traceparent": traceparent}).encode()


def post_with_header(peer: Peer, traceparent: str, payload: bytes):
    head, body = Http().encode(payload).split(b"\r\n\r\n", 1)
    peer.send_bytes(head + b"\r\nTraceparent: " + traceparent.encode() + b"\r\n\r\n" + body)
    assert b"result" in peer.receive()


class Traces(unittest.TestCase):
    def check_logged(self, server: Server, times: int):
        eventually(lambda: server.stderr().count(TRACE_ID) >= times, "the call is logged")
        self.assertEqual(server.stderr().count(TRACE_ID), times)

    def test_a_recorded_trace_is_logged_over_each_framing(self):
        for framing in FRAMINGS:
            with self.subTest(framing.name), Server("rps-jsonrpc") as server, \
                    Peer(framing, server.address) as peer:
                self.assertIn(b"result", peer.ask(traced_play(RECORDED)))
                self.check_logged(server, 1)
                line = next(line for line in server.stderr().splitlines() if TRACE_ID in line)
                for part in ("info", "operation=play", "outcome=ok", PARENT_ID):
                    self.assertIn(part, line)

    def test_others_are_not(self):
        with Server("rps-jsonrpc") as server, Peer(Frames(), server.address) as peer:
            for traceparent in [UNRECORDED, *WRONG]:
                self.assertIn(b"result", peer.ask(traced_play(traceparent)))
            self.assertIn(b"result", peer.ask(traced_play(RECORDED)))
            self.check_logged(server, 1)

    def test_the_field_of_http_is_for_calls_that_bring_none(self):
        other = RECORDED.replace(TRACE_ID, "f" * 32)
        with Server("rps-jsonrpc") as server, Peer(Http(), server.address) as peer:
            post_with_header(peer, other, traced_play(RECORDED))
            self.check_logged(server, 1)
            post_with_header(peer, RECORDED, play(1))
            self.check_logged(server, 2)
            self.assertNotIn("f" * 32, server.stderr())


if __name__ == "__main__":
    unittest.main()
