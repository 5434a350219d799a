"""A fast SMTP sink in a process of its own, for benches and long runs.

    python -m tests.sinks.lean_sink --port 0 --log FILE [--mbox FILE] [--pause SECONDS]

prints its port, then takes everything; with --pause it takes its time over each message. The log has one line
a message, `recipient<TAB>Message-ID`; it is written every 0.2 s and when the sink is told to stop (SIGTERM,
SIGINT).
"""

import argparse
import asyncio
import re
import signal
import sys
from pathlib import Path
from typing import BinaryIO

_MESSAGE_ID = re.compile(rb"^message-id:\s*(\S+)", re.IGNORECASE | re.MULTILINE)
_MAILBOX = re.compile(rb"<([^>]*)>")
TAKEN = b"250 2.0.0 Ok: taken\r\n"
_EHLO = b"250-lean\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 52428800\r\n"


class Ledger:
    """What was taken, by all connections together."""

    def __init__(self, log: BinaryIO | None, mbox: BinaryIO | None) -> None:
        self.count = 0
        self._lines: list[bytes] = []
        self._log = log
        self._mbox = mbox

    def take(self, recipients: list[bytes], body: bytes) -> None:
        """Count one message and note it for the files."""
        self.count += 1
        if self._log is not None:
            found = _MESSAGE_ID.search(body[: body.find(b"\r\n\r\n") + 2])
            name = found[1] if found else b""
            self._lines.extend(recipient + b"\t" + name + b"\n" for recipient in recipients)
        if self._mbox is not None:
            text = body.replace(b"\r\n", b"\n").replace(b"\n.", b"\n")
            quoted = re.sub(rb"^(>*From )", rb">\1", text, flags=re.MULTILINE)
            self._mbox.write(b"From sink Thu Jan  1 00:00:00 1970\n" + quoted + b"\n\n")

    def flush(self) -> None:
        """Write what was noted."""
        if self._log is not None:
            self._log.write(b"".join(self._lines))
            self._log.flush()
        self._lines.clear()
        if self._mbox is not None:
            self._mbox.flush()


class Session(asyncio.Protocol):
    """One connection: commands until DATA, then a body until its final dot."""

    def __init__(self, ledger: Ledger, pause: float = 0.0) -> None:
        self._ledger = ledger
        self._pause = pause
        self._buffer = bytearray()
        self._recipients: list[bytes] = []
        self._in_body = False
        self._searched = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(b"220 lean ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        """Answer all that came in one write, as a pipelining server does."""
        self._buffer += data
        answers: list[bytes] = []
        while (answer := self._body() if self._in_body else self._command()) is not None:
            answers.append(answer)
        if self._pause and answers and answers[-1] == TAKEN:
            asyncio.get_running_loop().call_later(self._pause, self._transport.write, b"".join(answers))
        elif answers:
            self._transport.write(b"".join(answers))
            if answers[-1].startswith(b"221"):
                self._transport.close()

    def _body(self) -> bytes | None:
        """Take the body when it is whole."""
        end = 0 if self._buffer.startswith(b".\r\n") else self._buffer.find(b"\r\n.\r\n", self._searched)
        if end < 0:
            self._searched = max(0, len(self._buffer) - 4)
            return None
        self._ledger.take(self._recipients, bytes(self._buffer[:end]))
        del self._buffer[: end + (3 if end == 0 else 5)]
        self._in_body, self._recipients = False, []
        return TAKEN

    def _command(self) -> bytes | None:
        """Answer the next command when its line is whole."""
        end = self._buffer.find(b"\r\n")
        if end < 0:
            return None
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        verb = line[:4].upper()
        if verb == b"RCPT":
            found = _MAILBOX.search(line)
            self._recipients.append(found[1] if found else b"")
        elif verb == b"DATA":
            self._in_body, self._searched = True, 0
            return b"354 go on\r\n"
        elif verb in {b"MAIL", b"RSET"}:
            self._recipients = []
        return {b"EHLO": _EHLO, b"QUIT": b"221 2.0.0 Bye\r\n"}.get(verb, b"250 2.0.0 Ok\r\n")


async def serve(host: str, port: int, ledger: Ledger, pause: float = 0.0) -> None:
    """Serve until told to stop; the port is the first line on standard output."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = await loop.create_server(lambda: Session(ledger, pause), host, port, backlog=1024)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    while not stop.is_set():
        try:
            await asyncio.wait_for(stop.wait(), 0.2)
        except TimeoutError:
            ledger.flush()
    server.close()
    ledger.flush()
    sys.stdout.write(f"{ledger.count} messages\n")


def main() -> None:
    """Read the options and serve."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--host", default="127.0.0.1")
    options.add_argument("--port", type=int, default=0)
    options.add_argument("--log", type=Path)
    options.add_argument("--mbox", type=Path)
    options.add_argument("--pause", type=float, default=0.0, help="seconds before each message's answer")
    given = options.parse_args()
    log = given.log.open("ab") if given.log else None
    mbox = given.mbox.open("ab") if given.mbox else None
    asyncio.run(serve(given.host, given.port, Ledger(log, mbox), given.pause))


if __name__ == "__main__":
    main()
