"""A source's far end on loopback: answers what a test tells it to, and remembers what it was asked."""

import functools
import gzip
import os
import socket
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Asked:
    """One request as it came in; `began` and `ended` are monotonic seconds around the answer."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]
    began: float


@dataclass(frozen=True)
class Reply:
    """What goes out. `deed` is done to the connection: hang, truncate, reset."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    deed: str = ""


def zipped(body: bytes) -> Reply:
    """Return `body` as a gzip reply."""
    return Reply(gzip.compress(body, 1), headers={"Content-Encoding": "gzip"})


@functools.cache
def bomb(body: bytes, megabytes: int) -> Reply:
    """Return a small gzip reply that becomes `body` and that many megabytes of blanks."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    blanks = b" " * 1_000_000
    packed = (
        packer.compress(body) + b"".join(packer.compress(blanks) for _ in range(megabytes)) + packer.flush()
    )
    return Reply(packed, headers={"Content-Encoding": "gzip"})


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that hang up are what the tests are about."""


class Loopback:
    """The running server: set `answer`, read `asked`."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answer: Callable[[Asked], Reply] = lambda _asked: Reply()
        self.released = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                url = urlsplit(self.path)
                headers = {name.lower(): value for name, value in self.headers.items()}
                asked = Asked(url.path, dict(parse_qsl(url.query)), headers, time.monotonic())
                server.asked.append(asked)
                _deliver(self, server.answer(asked), server.released)

            def log_message(self, *arguments: object) -> None:
                """Say nothing."""

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def in_turn(self, *replies: Reply) -> None:
        """Give `replies` one after the other, the last one for ever."""
        self.answer = lambda _asked: replies[min(len(self.asked), len(replies)) - 1]

    @contextmanager
    def running(self) -> Iterator["Loopback"]:
        """Serve for the length of the block."""
        thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )
        thread.start()
        try:
            yield self
        finally:
            self.released.set()
            self._server.shutdown()
            self._server.server_close()
            thread.join()


def _deliver(handler: BaseHTTPRequestHandler, reply: Reply, released: threading.Event) -> None:
    if reply.deed == "hang":
        released.wait(10)
    handler.send_response(reply.status)
    handler.send_header("Content-Length", str(len(reply.body)))
    for name, value in reply.headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.close_connection = bool(reply.deed)
    if reply.deed == "reset":
        handler.wfile.flush()
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(handler.connection.detach())
        return
    try:
        handler.wfile.write(reply.body[: len(reply.body) // 2] if reply.deed == "truncate" else reply.body)
    except OSError:
        handler.close_connection = True  # the client had enough
