"""An SMTP server that fails in the eighteen ways of the wire, each at the place its name says."""

import contextlib
import socket
import struct
import threading
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, BinaryIO, Self

from tests.sinks.smtp_sink import free_port

#: Every way a send can end early; `refused` and `fine` need no code here.
MODES = (
    "refused",
    "close before banner",
    "banner 421",
    "mail 451",
    "rcpt 450",
    "rcpt 550",
    "data 451",
    "close mid-body",
    "reset mid-body",
    "hang before 354",
    "dot 451",
    "dot 421",
    "dot 554",
    "close after dot",
    "reset after dot",
    "hang after dot",
    "250 then close",
    "250 then hang on quit",
)


class _GoneError(Exception):
    """The session is over."""


@dataclass
class FaultSMTP:
    """`taken` holds each message whose final dot arrived and was not refused; `mode` may change in between.

    `answers` overrides the answer to a verb ("MAIL", "RCPT", "DATA", ".", "AUTH", "EHLO"), whatever the mode,
    and to any command that names a mailbox `bad@` (under that key).
    """

    mode: str = "fine"
    pipelining: bool = True
    patience: float = 10.0
    answers: dict[str, bytes] = field(default_factory=dict)
    taken: list[bytes] = field(default_factory=list)
    connections: int = 0

    def __enter__(self) -> Self:
        self._over = threading.Event()
        self._open: list[socket.socket] = []
        self.port = free_port()
        if self.mode != "refused":
            self._listener = socket.create_server(("127.0.0.1", self.port))
            # A small window, so that a long body cannot all wait in the kernel.
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
            threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Go away: nobody listens any more and every session is cut."""
        self._over.set()
        if hasattr(self, "_listener"):
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
        self.hang_up()

    def hang_up(self) -> None:
        """Close the sessions that are open, as a server does with idle ones."""
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._open.clear()

    @property
    def settings(self) -> dict[str, Any]:
        """Django's settings that lead here."""
        return {
            "EMAIL_BACKEND": "subscribers.smtp.EmailBackend",
            "EMAIL_HOST": "127.0.0.1",
            "EMAIL_PORT": self.port,
            "EMAIL_HOST_USER": "",
            "EMAIL_HOST_PASSWORD": "",
            "EMAIL_USE_TLS": False,
            "EMAIL_USE_SSL": False,
            "EMAIL_TIMEOUT": self.patience,
        }

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections += 1
            self._open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, _GoneError), connection, connection.makefile("rb") as lines:
            if self.mode == "close before banner":
                return
            if self.mode == "banner 421":
                connection.sendall(b"421 4.3.2 Service not available\r\n")
                return
            connection.sendall(b"220 fault ESMTP\r\n")
            for line in lines:
                self._command(connection, lines, line.decode("latin-1"))

    def _command(self, connection: socket.socket, lines: BinaryIO, line: str) -> None:
        verb = line[:4].upper().strip()
        if verb == "QUIT" and self.mode == "250 then hang on quit":
            self._hang()
        bad = "bad@" in line and self.answers.get("bad@")
        answer = bad or self._answer(verb)
        connection.sendall(answer)
        if answer.startswith((b"421", b"221")):
            raise _GoneError
        if answer.startswith(b"354"):
            self._body(connection, lines)

    def _answer(self, verb: str) -> bytes:
        if verb in self.answers:
            return self.answers[verb]
        refusals = {
            ("MAIL", "mail 451"): b"451 4.3.0 Try later\r\n",
            ("RCPT", "rcpt 450"): b"450 4.2.1 Mailbox busy\r\n",
            ("RCPT", "rcpt 550"): b"550 5.1.1 User unknown\r\n",
            ("DATA", "data 451"): b"451 4.3.0 Try later\r\n",
        }
        if (verb, self.mode) in refusals:
            return refusals[verb, self.mode]
        if verb == "DATA" and self.mode in {"rcpt 450", "rcpt 550", "mail 451"}:
            return b"503 5.5.1 No valid recipients\r\n"
        if verb == "DATA" and self.mode == "hang before 354":
            self._hang()
        pipelining = b"250-PIPELINING\r\n" if self.pipelining else b""
        known = {
            "EHLO": b"250-fault\r\n" + pipelining + b"250-AUTH PLAIN\r\n250 8BITMIME\r\n",
            "DATA": b"354 go on\r\n",
            "QUIT": b"221 2.0.0 Bye\r\n",
        }
        return known.get(verb, b"250 2.0.0 Ok\r\n")

    def _body(self, connection: socket.socket, lines: BinaryIO) -> None:
        if self.mode.endswith("mid-body"):
            lines.read(20)
            self._cut(connection)
        body: list[bytes] = []
        for line in lines:
            if line == b".\r\n":
                break
            body.append(line)
        else:
            raise _GoneError  # without its final dot it is no message
        if not self.mode.startswith("dot "):
            self.taken.append(b"".join(body))
        if self.mode.endswith("after dot"):
            self._cut(connection)
        answer = self.answers.get(".") or {
            "dot 451": b"451 4.3.0 Try later\r\n",
            "dot 421": b"421 4.3.2 Closing\r\n",
            "dot 554": b"554 5.7.1 Message rejected as spam\r\n",
        }.get(self.mode, b"250 2.0.0 Ok: queued\r\n")
        connection.sendall(answer)
        if answer.startswith(b"421") or self.mode == "250 then close":
            raise _GoneError

    def _cut(self, connection: socket.socket) -> None:
        """End the session the way the mode says."""
        if self.mode.startswith("hang"):
            self._hang()
        if self.mode.startswith("reset"):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()
        raise _GoneError

    def _hang(self) -> None:
        """Say nothing until the test is over."""
        self._over.wait(30)
        raise _GoneError
