"""A wire on loopback between Paperboy and PostgreSQL that can be cut at the commit that a test names.

It reads so much of the protocol as it takes to see a transaction's text and its COMMIT, which Django sends as
a simple query (PostgreSQL documentation, "Message Formats").
"""

import contextlib
import enum
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

from django.db import connection

_COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"
#: The end of what the server answers to a simple query: ReadyForQuery, idle.
_READY = b"Z\x00\x00\x00\x05I"


class Fault(enum.Enum):
    """What becomes of a commit."""

    #: It never reaches the server: the transaction did not happen.
    ASKED_IN_VAIN = "asked in vain"
    #: The server commits, and its answer is lost: it happened, and the client hears of a broken connection.
    ANSWER_LOST = "answer lost"
    #: The server commits, and the line stays open and silent.
    SILENCE = "silence"


def claims(text: bytes) -> bool:
    """Say whether a transaction of this text takes a batch."""
    return b"SET state = 'claimed'" in text


def begins(text: bytes) -> bool:
    """Say whether it moves a group to `submitting`."""
    return b'"subject" = ' in text


def settles(text: bytes) -> bool:
    """Say whether it writes outcomes."""
    return b'"provider_id" = ' in text


class Wire:
    """Carries everything, until a transaction commits that `chosen(its text)` picks: that meets a fault."""

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self._chosen: Callable[[bytes], bool] | None = None
        self._fault = Fault.ANSWER_LOST
        self._before: Callable[[], None] | None = None
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._silent: list[_Line] = []
        #: How many commits met a fault.
        self.cut = 0

    def cut_once(self, chosen: Callable[[bytes], bool], fault: Fault) -> None:
        """Let the next commit of a transaction whose text is `chosen` meet `fault`."""
        self._chosen, self._fault, self._before = chosen, fault, None

    def before_commit(self, chosen: Callable[[bytes], bool], deed: Callable[[], None]) -> None:
        """Do `deed` when the next chosen transaction asks to commit, then pass that on to whoever is left."""
        self._chosen, self._before = chosen, deed

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()
        for line in self._silent:
            line.end()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(self._server)
        except OSError:
            client.close()
            return
        line = _Line(client, server)
        threading.Thread(target=line.bring_back, daemon=True).start()
        said = b""
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                said += data
                if said.endswith(_COMMIT):
                    if self._takes(said) and not self._passes(data, line):
                        return
                    said = b""
                server.sendall(data)
        line.end()

    def _takes(self, said: bytes) -> bool:
        with self._lock:
            if self._chosen is None or not self._chosen(said):
                return False
            self._chosen = None
            self.cut += 1
            return True

    def _passes(self, data: bytes, line: "_Line") -> bool:
        """Let a commit meet its fault; say whether it is passed on like any other."""
        if self._before is not None:
            self._before()
            return True
        if self._fault is not Fault.ASKED_IN_VAIN:
            line.swallow_the_answer(to=data)
        if self._fault is Fault.SILENCE:
            self._silent.append(line)  # else it would be closed with the last that knows it
        else:
            line.end()
        return False


@contextmanager
def wired() -> Iterator[Wire]:
    """Lead Django's connections, of all threads, over a wire while the block runs."""
    there = connection.settings_dict
    direct: dict[str, Any] = {name: there[name] for name in ("HOST", "PORT", "OPTIONS")}
    connection.close()
    with Wire(direct["HOST"] or "127.0.0.1", int(direct["PORT"] or 5432)) as between:
        options = {**direct["OPTIONS"], "sslmode": "disable"}  # the wire has to read along
        there.update(HOST="127.0.0.1", PORT=between.port, OPTIONS=options)
        try:
            yield between
        finally:
            connection.close()
            there.update(direct)


class _Line:
    """One connection: the client's end and the server's."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self._client, self._server = client, server
        self._swallowing, self._answered = threading.Event(), threading.Event()

    def bring_back(self) -> None:
        """Carry the server's answers to the client, or swallow them."""
        with contextlib.suppress(OSError):
            while data := self._server.recv(65536):
                if not self._swallowing.is_set():
                    self._client.sendall(data)
                elif _READY in data:
                    self._answered.set()
        if not self._swallowing.is_set():
            self.end()

    def swallow_the_answer(self, *, to: bytes) -> None:
        """Send `to` to the server and wait for the answer, which the client does not get."""
        self._swallowing.set()
        self._server.sendall(to)
        assert self._answered.wait(30), "the server did not answer a commit"

    def end(self) -> None:
        """Close both ends."""
        for side in (self._client, self._server):
            with contextlib.suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)
            side.close()
