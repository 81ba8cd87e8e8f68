"""Python's grpcio, a gRPC client that we did not write, on stage 3. Its messages are made while the
test runs, from the proto files. Skipped, with the reason, where grpcio is not installed; with
RPS_REQUIRE_CLIENTS=1 in the environment, as in CI, that is a failure."""

import contextlib
import json
import os
import pathlib
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "process"))

from abuse import unharmed  # noqa: E402
from grpc_wire import fields, varint  # noqa: E402
from restarts import CALLS_A_SECOND, RESTARTS, RestartedServer  # noqa: E402
from rps_process import PATIENCE, ROOT, Server, eventually  # noqa: E402

try:
    import grpc
    from google.protobuf import descriptor_pb2, message_factory
except ImportError as missing:
    if os.environ.get("RPS_REQUIRE_CLIENTS") == "1":
        raise
    print(f"OK (skipped=all: {missing}: ./rps deps tests)")
    sys.exit(0)

PROTOS = ROOT / "stage3_grpc" / "proto"
SERVICE = "rps.v1.RockPaperScissorsService"
ROCK, PAPER, SCISSORS = MOVES = (1, 2, 3)
WIN, DRAW, LOSE = 1, 2, 3
BEATS = {ROCK: SCISSORS, PAPER: ROCK, SCISSORS: PAPER}
REQUEST_BYTES_MAX = 64 * 1024  # --max-message-bytes
SERVING, NOT_SERVING = 1, 2
Code = grpc.StatusCode

# What docs/wire_grpc.md tells a client to set.
RETRYING = {"methodConfig": [{
    "name": [{"service": SERVICE}],
    "waitForReady": True,
    "retryPolicy": {"maxAttempts": 5, "initialBackoff": "0.1s", "maxBackoff": "1s",
                    "backoffMultiplier": 2, "retryableStatusCodes": ["UNAVAILABLE"]}}]}


def message_classes() -> dict:
    """The messages of all proto files of the project, by their full names."""
    with tempfile.NamedTemporaryFile() as descriptors:
        subprocess.run(["protoc", f"-I{PROTOS}", "--include_imports",
                        f"--descriptor_set_out={descriptors.name}",
                        *map(str, PROTOS.rglob("*.proto"))], check=True)
        files = descriptor_pb2.FileDescriptorSet.FromString(descriptors.read())
    return message_factory.GetMessages(files.file)


class Game:
    """The methods of the service on a channel of its own."""

    def __init__(self, address: str, *options: tuple, **more):
        self.channel = grpc.insecure_channel(
            address, [("grpc.use_local_subchannel_pool", 1), *options], **more)

        def method(kind: str, name: str, request: str, response: str):
            return getattr(self.channel, kind)(
                f"/{SERVICE}/{name}", request_serializer=MESSAGES[request].SerializeToString,
                response_deserializer=MESSAGES[response].FromString)

        play = "rps.v1.PlayRequest", "rps.v1.PlayResponse"
        self.play = method("unary_unary", "Play", *play)
        self.score = method("unary_unary", "Score", "rps.v1.ScoreRequest", "rps.v1.ScoreResponse")
        self.play_many = method("stream_unary", "PlayMany", play[0], "rps.v1.PlayManyResponse")
        self.rally = method("stream_stream", "Rally", *play)
        self.watch = method("unary_stream", "Watch", "rps.v1.WatchRequest", "rps.v1.WatchResponse")
        self.duel = method("stream_stream", "Duel", "rps.v1.DuelRequest", "rps.v1.DuelResponse")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.channel.close()


def setUpModule():
    global MESSAGES
    MESSAGES = message_classes()


def round_of(move: int, session_id: str = ""):
    return MESSAGES["rps.v1.PlayRequest"](player_move=move, session_id=session_id)


def rounds(count: int):
    for number in range(count):
        yield round_of(MOVES[number % 3])


def address_of(server: Server) -> str:
    return "{}:{}".format(*server.address)


class Stream:
    """A bidirectional call whose requests are sent one by one."""

    def __init__(self, method, timeout: float = PATIENCE):
        self._requests = queue.SimpleQueue()
        self.call = method(iter(self._requests.get, None), timeout=timeout)

    def send(self, request):
        self._requests.put(request)

    def end(self):
        self._requests.put(None)

    def ask(self, request):
        self.send(request)
        return next(self.call)


class Player(Stream):
    """A player's chair in a duel: joins at once."""

    def __init__(self, game: Game, game_id: str, player_id: str, best_of: int = 1):
        super().__init__(game.duel)
        self._self = {"game_id": game_id, "player_id": player_id}
        self._do("join", best_of=best_of)

    def throw(self, move: int):
        self._do("throw", move=move)

    def leave(self):
        self._do("leave")

    def next_event(self):
        return next(self.call).event

    def _do(self, what: str, **more):
        """Events that come before the reply are not of interest."""
        self.send(MESSAGES["rps.v1.DuelRequest"](**{what: {**self._self, **more}}))
        while (reply := next(self.call)).WhichOneof("response") == "event":
            pass
        assert reply.WhichOneof("response") != "refused", reply


class GrpcioTest(unittest.TestCase):
    def setUp(self):
        stack = contextlib.ExitStack()
        self.addCleanup(stack.close)
        self.server = stack.enter_context(Server("rps-grpc"))
        stack.enter_context(unharmed(self.server))
        self.game = stack.enter_context(Game(address_of(self.server)))

    def check_round(self, move: int, response):
        self.assertIn(response.opponent_move, MOVES)
        expected = (DRAW if response.opponent_move == move else
                    WIN if BEATS[move] == response.opponent_move else LOSE)
        self.assertEqual(response.result, expected)

    def refused(self, code, name: str, call, *arguments, **options):
        """The error of a call that must end so."""
        with self.assertRaises(grpc.RpcError) as caught:
            call(*arguments, timeout=PATIENCE, **options)
        self.assertEqual(caught.exception.code(), code, caught.exception)
        self.assertTrue(caught.exception.details().startswith(name), caught.exception)
        return caught.exception


class Calls(GrpcioTest):
    def test_play_and_score(self):
        for move in MOVES:
            self.check_round(move, self.game.play(round_of(move), timeout=PATIENCE))
            self.check_round(move, self.game.play(round_of(move, "grpcio"), timeout=PATIENCE))
        score = self.game.score(MESSAGES["rps.v1.ScoreRequest"](session_id="grpcio"))
        self.assertEqual(score.rounds, len(MOVES))
        self.assertEqual(score.wins + score.draws + score.losses, len(MOVES))

    def test_play_many(self):
        summary = self.game.play_many(rounds(1000), timeout=PATIENCE)
        self.assertEqual(summary.rounds, 1000)
        self.assertEqual(summary.score.wins + summary.score.draws + summary.score.losses, 1000)

    def test_rally(self):
        responses = list(self.game.rally(rounds(1000), timeout=PATIENCE))
        self.assertEqual(len(responses), 1000)
        for number, response in enumerate(responses):
            self.check_round(MOVES[number % 3], response)

    def test_duel(self):
        request = MESSAGES["rps.v1.DuelRequest"]
        of = {name: {"game_id": "grpcio", "player_id": name} for name in ("one", "two")}
        one, two = Stream(self.game.duel), Stream(self.game.duel)
        self.assertEqual(one.ask(request(join={**of["one"], "best_of": 1})).joined.seat, 1)
        self.assertEqual(two.ask(request(join=of["two"])).joined.best_of, 1)
        for player in (one, two):
            self.assertEqual(next(player.call).event.WhichOneof("event"), "opponent_joined")
        thrown = one.ask(request(throw={**of["one"], "move": ROCK}))
        self.assertEqual(thrown.WhichOneof("response"), "accepted")
        self.assertEqual(next(two.call).event.WhichOneof("event"), "opponent_ready")
        again = one.ask(request(throw={**of["one"], "move": ROCK}))
        self.assertEqual(again.refused.error, "not_your_turn")
        two.ask(request(throw={**of["two"], "move": PAPER}))
        for player, result in ((one, LOSE), (two, WIN)):
            self.assertEqual(next(player.call).event.round_over.result, result)
            self.assertEqual(next(player.call).event.game_over.winner, "two")
            player.end()
            list(player.call)  # grpcio tells the status behind the last event.
            self.assertEqual(player.call.code(), Code.OK)


class Watching(GrpcioTest):
    def watch(self, game_id: str, timeout: float = PATIENCE):
        return self.game.watch(MESSAGES["rps.v1.WatchRequest"](game_id=game_id), timeout=timeout)

    def sees(self, spectator, event: str):
        """What the spectator is told next, which must be this."""
        observation = next(spectator)
        self.assertEqual(observation.WhichOneof("event"), event, observation)
        return observation

    def test_a_whole_duel(self):
        one = Player(self.game, "watched", "one", best_of=3)
        spectator = self.watch("watched")
        alone = self.sees(spectator, "snapshot").state
        self.assertEqual((alone.game_id, alone.best_of, alone.over), ("watched", 3, False))
        self.assertEqual([(player.seat, player.player_id, player.present)
                          for player in alone.players], [(1, "one", True)])
        two = Player(self.game, "watched", "two")
        self.assertEqual(self.sees(spectator, "joined").joined.seat, 2)
        two.leave()
        left = self.sees(spectator, "left")
        self.assertEqual(left.left.seat, 2)
        self.assertEqual([player.present for player in left.state.players], [True, False])
        two = Player(self.game, "watched", "two")
        self.sees(spectator, "joined")
        for number, (first, second) in enumerate(((ROCK, PAPER), (ROCK, ROCK), (PAPER, SCISSORS))):
            one.throw(first)
            ready = self.sees(spectator, "ready")
            self.assertEqual(ready.ready.seat, 1)
            self.assertEqual([player.ready for player in ready.state.players], [True, False])
            two.throw(second)
            shown = self.sees(spectator, "round_over").round_over
            self.assertEqual((shown.round, shown.first_move, shown.second_move),
                             (number + 1, first, second))
            self.assertEqual(shown.first_result, DRAW if first == second else LOSE)
        end = self.sees(spectator, "game_over").state
        self.assertEqual((end.over, end.winner, end.rounds), (True, "two", 3))
        self.assertEqual(list(spectator), [])
        self.assertEqual(spectator.code(), Code.OK)
        late = self.watch("watched")
        self.assertEqual(self.sees(late, "snapshot").state, end)
        self.assertEqual(list(late), [])

    def test_a_thrown_move_is_in_no_byte_before_the_round_is_over(self):
        """Two duels that differ only in what was thrown look the same to their spectators."""
        method = self.game.channel.unary_stream(f"/{SERVICE}/Watch")
        seen = []
        for move in (ROCK, SCISSORS):
            with self.subTest(move):
                thrower = Player(self.game, f"hidden{move}", "one")
                other = Player(self.game, f"hidden{move}", "two")
                request = MESSAGES["rps.v1.WatchRequest"](game_id=f"hidden{move}")
                early = method(request.SerializeToString(), timeout=PATIENCE)
                next(early)
                thrower.throw(move)
                late = method(request.SerializeToString(), timeout=PATIENCE)
                seen.append([next(spectator).replace(b"hidden%d" % move, b"hidden")
                             for spectator in (early, late)])
                for call in (early, late, thrower.call, other.call):
                    call.cancel()
        self.assertEqual(seen[0], seen[1])

    def test_of_what_is_none(self):
        for game_id, code, name in [("nobody", Code.NOT_FOUND, "unknown_game"),
                                    ("", Code.INVALID_ARGUMENT, "malformed_request")]:
            with self.subTest(name):
                self.refused(code, f"{name}: ", lambda timeout: list(self.watch(game_id, timeout)))

    def test_ends_by_a_deadline_and_by_the_client_without_a_word_to_the_players(self):
        one = Player(self.game, "left-alone", "one")
        late = self.watch("left-alone", timeout=0.5)
        self.assertEqual(late.code(), Code.DEADLINE_EXCEEDED)
        spectator = self.watch("left-alone")
        self.sees(spectator, "snapshot")
        spectator.cancel()
        self.assertEqual(spectator.code(), Code.CANCELLED)
        Player(self.game, "left-alone", "two")
        self.assertEqual(one.next_event().WhichOneof("event"), "opponent_joined")

    def test_ends_when_the_server_drains(self):
        with Server("rps-grpc", "--drain=600000") as server, Game(address_of(server)) as self.game:
            player = Player(self.game, "drained", "one")
            spectator = self.watch("drained")
            self.sees(spectator, "snapshot")
            server.send_signal()
            self.refused(Code.UNAVAILABLE, "unavailable: ", lambda timeout: list(spectator))
            self.assertEqual(player.call.code(), Code.UNAVAILABLE)
            server.wait(0)


class Refusals(GrpcioTest):
    def test_the_details_of_a_status_name_the_reason(self):
        for call, request, code, name in [
                (self.game.play, round_of(0), Code.INVALID_ARGUMENT, "invalid_move"),
                (self.game.play, round_of(ROCK, "a b"), Code.INVALID_ARGUMENT,
                 "malformed_request"),
                (self.game.score, MESSAGES["rps.v1.ScoreRequest"](session_id="nobody"),
                 Code.NOT_FOUND, "unknown_session"),
                (self.game.play_many, iter([round_of(ROCK), round_of(0)]), Code.INVALID_ARGUMENT,
                 "invalid_move")]:
            with self.subTest(name):
                error = self.refused(code, f"{name}: ", call, request)
                trailers = dict(error.trailing_metadata())
                status = MESSAGES["google.rpc.Status"].FromString(
                    trailers["grpc-status-details-bin"])
                self.assertEqual(status.code, code.value[0])
                self.assertEqual(status.message, error.details())
                info = MESSAGES["google.rpc.ErrorInfo"]()
                self.assertTrue(status.details[0].Unpack(info), status)
                self.assertEqual((info.reason, info.domain), (name.upper(), "rps"))

    def test_a_refused_round_ends_a_stream_behind_the_answers(self):
        responses = self.game.rally(iter([round_of(ROCK), round_of(PAPER), round_of(0)]))
        self.check_round(ROCK, next(responses))
        self.check_round(PAPER, next(responses))
        self.refused(Code.INVALID_ARGUMENT, "invalid_move: ", lambda timeout: next(responses))

    def test_a_message_that_is_too_long(self):
        self.refused(Code.RESOURCE_EXHAUSTED, "", self.game.play,
                     round_of(ROCK, "x" * REQUEST_BYTES_MAX))
        self.check_round(ROCK, self.game.play(round_of(ROCK)))

    def test_a_compressed_message(self):
        self.refused(Code.UNIMPLEMENTED, "", self.game.play, round_of(ROCK, "x" * 60),
                     compression=grpc.Compression.Gzip)

    def test_bytes_that_are_no_message(self):
        play = self.game.channel.unary_unary(f"/{SERVICE}/Play")
        self.refused(Code.INVALID_ARGUMENT, "malformed_request: ", play, b"\xff" * 40)

    def test_an_unknown_method(self):
        cheat = self.game.channel.unary_unary(f"/{SERVICE}/Cheat")
        self.refused(Code.UNIMPLEMENTED, "unknown_operation: ", cheat, b"")

    def test_metadata_that_the_service_does_not_know(self):
        _, call = self.game.play.with_call(
            round_of(ROCK), metadata=[("x-note", "a note"), ("x-note-bin", b"\x00\xff\n")])
        self.assertEqual(call.code(), Code.OK)


class Ends(GrpcioTest):
    def open_streams(self, timeout: float):
        """A call of each mode that stays open, and a request behind it."""
        waiting = queue.SimpleQueue()
        self.addCleanup(waiting.put, None)
        never = iter(waiting.get, None)
        yield self.game.play_many.future(never, timeout=timeout)
        for method in (self.game.rally, self.game.duel):
            yield Stream(method, timeout).call

    def test_by_a_deadline(self):
        self.server.send_signal(signal.SIGSTOP)
        try:
            with self.assertRaises(grpc.RpcError) as caught:
                self.game.play(round_of(ROCK), timeout=0.1)
        finally:
            self.server.send_signal(signal.SIGCONT)
        self.assertEqual(caught.exception.code(), Code.DEADLINE_EXCEEDED)
        for call in self.open_streams(timeout=0.1):
            self.assertEqual(call.code(), Code.DEADLINE_EXCEEDED)

    def test_by_the_client(self):
        call = self.game.play.future(round_of(ROCK))
        if call.cancel():
            self.assertEqual(call.code(), Code.CANCELLED)
        for call in self.open_streams(timeout=PATIENCE):
            call.cancel()
            self.assertEqual(call.code(), Code.CANCELLED)
        self.check_round(ROCK, self.game.play(round_of(ROCK)))

    def test_by_the_client_in_a_duel_tell_the_opponent(self):
        request = MESSAGES["rps.v1.DuelRequest"]
        leaver, stayer = Stream(self.game.duel), Stream(self.game.duel)
        leaver.ask(request(join={"game_id": "left", "player_id": "leaver"}))
        stayer.ask(request(join={"game_id": "left", "player_id": "stayer"}))
        self.assertEqual(next(stayer.call).event.WhichOneof("event"), "opponent_joined")
        leaver.call.cancel()
        self.assertEqual(next(stayer.call).event.WhichOneof("event"), "opponent_left")
        stayer.end()


class Health(unittest.TestCase):
    """grpc.health.v1.Health, with messages by hand: HealthCheckRequest{string service = 1;},
    HealthCheckResponse{ServingStatus status = 1;}."""

    @staticmethod
    def request(service: str) -> bytes:
        return b"\x0a" + varint(len(service)) + service.encode() if service else b""

    def test_check(self):
        with Server("rps-grpc") as server, Game(address_of(server)) as game:
            check = game.channel.unary_unary("/grpc.health.v1.Health/Check")
            for service in ("", SERVICE):
                self.assertEqual(fields(check(self.request(service)))[1], SERVING)
            with self.assertRaises(grpc.RpcError) as caught:
                check(self.request("unknown"))
            self.assertEqual(caught.exception.code(), Code.NOT_FOUND)

    def test_watch_tells_of_a_drain_and_does_not_hold_it_up(self):
        with Server("rps-grpc", "--drain=600000") as server, Game(address_of(server)) as game:
            watch = game.channel.unary_stream("/grpc.health.v1.Health/Watch")
            statuses = watch(self.request(SERVICE))
            self.assertEqual(fields(next(statuses))[1], SERVING)
            server.send_signal()
            self.assertEqual(fields(next(statuses))[1], NOT_SERVING)
            server.wait(0)


class Retries(unittest.TestCase):
    def test_play_no_round_of_a_play_many_twice(self):
        """A call that the server ends when rounds are played is not sent again by grpcio."""
        config = ("grpc.service_config", json.dumps(RETRYING))
        sent = []

        def rounds():
            while True:  # The call's end ends it.
                sent.append(round_of(ROCK, "s"))
                yield sent[-1]
                time.sleep(0.05)

        with Server("rps-grpc", "--max-connection-age=500ms",
                    "--connection-age-grace=200ms") as server, \
                Game(address_of(server), config) as game:
            with self.assertRaises(grpc.RpcError) as caught:
                game.play_many(rounds(), timeout=PATIENCE)
            self.assertEqual(caught.exception.code(), Code.UNAVAILABLE)
            played = game.score(MESSAGES["rps.v1.ScoreRequest"](session_id="s")).rounds
            self.assertGreater(played, 0)
            self.assertLessEqual(played, len(sent))


class Restarts(unittest.TestCase):
    CALLERS = 4

    def test_lose_no_call(self):
        config = ("grpc.service_config", json.dumps(RETRYING))
        failures, answered = [], [0] * self.CALLERS
        is_over = threading.Event()

        def call(game: Game, number: int):
            while not is_over.wait(self.CALLERS / CALLS_A_SECOND):
                try:
                    game.play(round_of(ROCK), timeout=PATIENCE)
                    answered[number] += 1
                except grpc.RpcError as error:
                    failures.append(f"{error.code()}: {error.details()}")

        def settle():
            before = list(answered)
            eventually(lambda: failures or all(
                now > then + 1 for now, then in zip(answered, before)), "each caller is answered")

        with RestartedServer("rps-grpc") as restarted, contextlib.ExitStack() as stack:
            callers = []
            for number in range(self.CALLERS):
                game = stack.enter_context(Game(
                    restarted.address, config, ("grpc.initial_reconnect_backoff_ms", 100),
                    ("grpc.max_reconnect_backoff_ms", 1000)))
                callers.append(threading.Thread(target=call, args=(game, number)))
                callers[-1].start()
            try:
                restarted.restart_often(settle)
            finally:
                is_over.set()
                for caller in callers:
                    caller.join()
        self.assertEqual(failures, [])
        self.assertGreater(min(answered), RESTARTS)


if __name__ == "__main__":
    unittest.main()
