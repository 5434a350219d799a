"""An SMTP server that takes everything, writes it down, and at the wire's steps kills whom it talks to."""

import asyncio
import socket
import threading
from collections.abc import Sequence
from typing import Protocol

from tests.chaos.ledger import Ledger
from tests.chaos.steps import DOT, MID_BODY, REPLY, WIRE, Kill
from tests.sinks import lean_sink


class Executioner(Protocol):
    """Knows who is behind a connection; `number` is of the kill in the plan, `port` the client's."""

    def halt(self, port: int) -> None:
        """Let the client do nothing more."""

    def strike(self, number: int, port: int) -> None:
        """Kill the client, and who is to die with it."""


class Sink:
    """Listens on `port` of loopback in a thread of its own; `begin` starts a new ledger."""

    def __init__(self, port: int) -> None:
        self.ledger = Ledger()
        self._kills: Sequence[Kill] = ()
        self._executioner: Executioner | None = None
        self._cut = False
        self._seen = dict.fromkeys(WIRE, 0)
        listener = socket.create_server(("127.0.0.1", port), backlog=128)
        threading.Thread(target=asyncio.run, args=(self._serve(listener),), daemon=True).start()

    def begin(
        self, kills: Sequence[Kill] = (), *, by: Executioner | None = None, cut: bool = False
    ) -> Ledger:
        """Start anew and return the ledger of what comes from now on."""
        self._kills, self._executioner, self._cut = kills, by, cut
        self._seen = dict.fromkeys(WIRE, 0)
        self.ledger = Ledger()
        return self.ledger

    async def _serve(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Session(self, self.ledger), sock=listener)
        await server.serve_forever()

    def reached(self, stage: str, port: int) -> bool:
        """Count that a message came to `stage`; kill its sender if the plan says so, and say so."""
        self._seen[stage] += 1
        number = self._due(stage, self._seen[stage])
        if number is None or self._executioner is None:
            return False
        self._executioner.strike(number, port)
        return True

    def halt(self, stage: str, port: int) -> None:
        """Halt the sender of a message that is about to come to `stage`, if that is to kill it."""
        if self._due(stage, self._seen[stage] + 1) is not None and self._executioner is not None:
            self._executioner.halt(port)

    def _due(self, stage: str, nth: int) -> int | None:
        kills = enumerate(self._kills)
        return next((number for number, kill in kills if (kill.stage, kill.nth) == (stage, nth)), None)

    @property
    def cuts(self) -> bool:
        """Whether the connection of a client that died within a body is cut, not read to its end."""
        return self._cut


class _Session(lean_sink.Session):
    """A connection of the lean sink's that knows the three steps."""

    def __init__(self, sink: Sink, ledger: Ledger) -> None:
        super().__init__(ledger)  # type: ignore[arg-type]  # it takes messages, as the lean one's does
        self._sink = sink
        self._begun = False

    def _body(self) -> bytes | None:
        # The kernel hands over what a dead client had written: a body may come whole all the same.
        if self._buffer and not self._begun:
            self._begun = True
            if self._sink.reached(MID_BODY, self._port) and self._sink.cuts:
                self._buffer.clear()
                self._transport.abort()
                return None
        answer = super()._body()
        if answer is None:
            return None
        self._begun = False
        self._sink.reached(DOT, self._port)
        # Who is to die of the reply is halted first: else its commit might be quicker than the signal.
        self._sink.halt(REPLY, self._port)
        self._transport.write(answer)
        self._sink.reached(REPLY, self._port)
        return b""

    @property
    def _port(self) -> int:
        """The client's port."""
        peer: tuple[str, int] = self._transport.get_extra_info("peername")
        return peer[1]
