"""What tests of all servers need from a wire, whichever it is."""

import select

import grpc_wire
import jsonrpc_wire
from rps_process import Server


def check_play(server: Server):
    """One ordinary round."""
    if server.url.startswith("jsonrpc:"):
        jsonrpc_wire.check_play(server.address)
    else:
        grpc_wire.check_play(server.url)


def hold_call(server: Server):
    """A call that cannot end before the client does its part: take_answer(), then close()."""
    if server.url.startswith("jsonrpc:"):
        return HeldJsonRpc(server.address)
    return HeldGrpc(server.address)


class HeldJsonRpc:
    """Asks more than its socket takes the answers of, and does not read."""

    def __init__(self, address: tuple[str, int]):
        self._connection = jsonrpc_wire.Connection(address, receive_bytes=4096)
        self._asked = 0
        while select.select([], [self._connection.socket], [], 1.0)[1]:
            self._asked += 1
            request = jsonrpc_wire.request(self._asked, "play", player_move="ROCK")
            self._connection.socket.sendall(request)

    def take_answer(self):
        """Reads to the end: whole answers, in order. Those that the server had begun are carried
        out; those that it had only read by then are refused."""
        answered = 0
        carried_out = 0
        while (reply := self._connection.read_reply()) is not None:
            answered += 1
            assert reply["id"] == answered, reply
            if "result" in reply:
                carried_out += 1
                assert carried_out == answered, reply
            else:
                assert reply["error"]["data"]["error"] == "unavailable", reply
        assert 0 < carried_out <= answered <= self._asked, (carried_out, answered, self._asked)

    def close(self):
        self._connection.socket.close()


class HeldGrpc:
    """Gives its call's stream no room for an answer."""

    def __init__(self, address: tuple[str, int]):
        self._socket = grpc_wire.connect(address)
        self._socket.sendall(
            grpc_wire.PREFACE + grpc_wire.settings(initial_window_size=0)
            + grpc_wire.call_headers(1)
            + grpc_wire.call_body(1, grpc_wire.play_request(grpc_wire.MOVES["ROCK"])))
        self._read_until(lambda kind, stream: kind == grpc_wire.HEADERS and stream == 1)

    def _read_until(self, is_meant) -> bytes:
        while (frame := grpc_wire.read_frame(self._socket)) is not None:
            kind, _, stream, payload = frame
            if is_meant(kind, stream):
                return payload
        raise AssertionError("the server closed instead of answering")

    def take_answer(self):
        room = (1024).to_bytes(4, "big")
        self._socket.sendall(grpc_wire.h2_frame(grpc_wire.WINDOW_UPDATE, 0, 1, room))
        body = self._read_until(lambda kind, stream: kind == grpc_wire.DATA and stream == 1)
        assert 1 in grpc_wire.fields(body[5:]), body  # The opponent's move.
        self._read_until(lambda kind, stream: kind == grpc_wire.HEADERS and stream == 1)

    def close(self):
        self._socket.close()
