"""A server that is restarted again and again on its port, as by an upgrade: SIGTERM, the end, a new
start. RPS_RESTARTS says how often, RPS_CALLS_A_SECOND how fast a client calls meanwhile."""

import os

from rps_process import Server

RESTARTS = int(os.environ.get("RPS_RESTARTS", "8"))
CALLS_A_SECOND = int(os.environ.get("RPS_CALLS_A_SECOND", "500"))


class RestartedServer:
    """The server that runs at present; `with` ends the last one."""

    def __init__(self, name: str, *flags: str):
        self._name, self._flags = name, flags
        self.server = Server(name, *flags)

    @property
    def address(self) -> str:
        return "{}:{}".format(*self.server.address)

    def restart(self):
        address = self.address
        with self.server:
            self.server.end()
            assert "drained" in self.server.stderr(), self.server.stderr()
        self.server = Server(self._name, *self._flags, listen=address)

    def restart_often(self, settle):
        """Before each restart, settle() waits until the calls that it finds open are over: a client
        that is short of processor time would meet the next restart at each of its attempts."""
        for _ in range(RESTARTS):
            settle()
            self.restart()
        settle()

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.server.__exit__(*failure)
