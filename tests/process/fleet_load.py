"""Calls at several servers without end, by rps-fleet-load, and what came of them."""

import json

from rps_process import Process, Server, eventually

CALLS = 32  # Open at any time.


def calls_at(server: Server) -> float:
    """The calls that this server has answered."""
    return sum(value for name, value in server.metrics().items()
               if name.startswith("rps_requests_total"))


class Load(Process):
    """Rounds without end, at a fleet or at any other URL. Without a fleet, a report has only
    "right", "wrong" and "errors"."""

    def __init__(self, url: str):
        super().__init__("rps-fleet-load", url, str(CALLS))

    def report(self) -> dict:
        self.stdin.write(b"\n")
        line = self.read_line()
        assert line is not None, self.stderr()
        return json.loads(line)

    def await_calls(self, count: int):
        """Waits until so many more were answered."""
        start = self.report()["right"]
        eventually(lambda: self.report()["right"] >= start + count, f"{count} right answers")

    def is_up(self, server: Server) -> bool:
        return self.report()["instances"][server.url]["is_up"]

    def is_trusted(self, server: Server) -> bool:
        return self.report()["instances"][server.url]["breaker_is_closed"]

    def end(self) -> dict:
        report = self.report()
        self.stdin.close()
        self.wait(0)
        return report
