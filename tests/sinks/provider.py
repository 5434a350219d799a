"""Mail providers on loopback: Postmark, Mailgun, Resend and Brevo, as far as one message at a time goes.

Each request is checked as the provider would (credentials, required fields) and as a bulk sender must be
(one-click unsubscribe, our delivery id in the metadata). What passes is kept in `accepted`; what does not is
answered as the provider answers, and told in `problems`.
"""

import contextlib
import hashlib
import json
import socket
import struct
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from tests.sinks import dialects
from tests.sinks.dialects import DIALECTS, Mail
from tests.sinks.smtp_sink import free_port

#: The ways a request can fail; `refused` is nobody listening.
MODES = (
    "refused",
    "close before body",
    "reset before body",
    "close after body",
    "reset after body",
    "hang",
    "429",
    "500",
    "503",
    "200 bad json",
    "422",
)
#: Modes of which the sender cannot know whether the mail was taken.
_UNCERTAIN = {"close after body", "reset after body", "hang", "500", "503", "200 bad json"}
_STATUS_MODES = {"400", "401", "403", "404", "408", "409", "413", "422", "429", "500", "502", "503"}


@dataclass(frozen=True)
class Request:
    """One request as it came, whatever was answered."""

    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Provider:
    """`mode` may change between messages. `refuses`: addresses the provider calls inactive or invalid."""

    name: str = "postmark"
    mode: str = "fine"
    retry_after: str = "7"
    patience: float = 10.0
    refuses: set[str] = field(default_factory=set)
    requests: list[Request] = field(default_factory=list)
    accepted: list[Mail] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    checks_bulk_rules: bool = True
    #: A request that fails after its body came is taken all the same: nobody at the other end can tell.
    keeps: bool = False
    #: The modes of the next requests, one each; then `mode` stays as the last of them.
    coming: list[str] = field(default_factory=list)
    _keys: dict[str, tuple[str, bytes]] = field(default_factory=dict)

    def __enter__(self) -> Self:
        self.port = free_port()
        self.over = threading.Event()
        self.lock = threading.Lock()
        self._server: _Server | None = None
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Listen."""
        handler = type("Handler", (_Handler,), {"provider": self})
        self._server = _Server(("127.0.0.1", self.port), handler)
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()

    def stop(self) -> None:
        """Listen no more."""
        self.over.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def settings(self, name: str) -> dict[str, Any]:
        """Be provider `name`, and return Django's settings that lead here."""
        self.name = name
        anymail = {key: value.format(port=self.port) for key, value in DIALECTS[name].settings.items()}
        backend = "subscribers.resend" if name == "resend" else f"anymail.backends.{name}"
        return {
            "EMAIL_BACKEND": f"{backend}.EmailBackend",
            "ANYMAIL": {**anymail, "REQUESTS_TIMEOUT": self.patience},
        }

    def answer(self, request: Request) -> tuple[int, bytes]:
        """Return the status and body this provider answers `request` with."""
        dialect = DIALECTS[self.name]
        if not dialect.path.fullmatch(request.path):
            return self._problem(404, f"no such path {request.path}")
        if not dialect.authorised(request.headers):
            return self._problem(401, "wrong credentials")
        mail = dialect.read(request.headers, request.body)
        problems = dialects.missing(mail)
        if self.checks_bulk_rules:
            problems += dialects.broken_bulk_rules(mail)
        if problems:
            return self._problem(422, "; ".join(problems))
        if self.refuses.intersection(mail.to):
            status, refusal = dialect.refusal(mail)
            return status, json.dumps(refusal).encode()
        return self._accept(mail, request)

    def _accept(self, mail: Mail, request: Request) -> tuple[int, bytes]:
        """Keep `mail`, unless it repeats an earlier request with the same idempotency key."""
        dialect = DIALECTS[self.name]
        key, print_ = request.headers.get("Idempotency-Key", ""), hashlib.sha256(request.body).hexdigest()
        with self.lock:
            if key in self._keys:
                known, earlier = self._keys[key]
                return (200, earlier) if known == print_ else (409, b'{"name":"invalid_idempotent_request"}')
            status, answer = dialect.success(mail, str(uuid.uuid4()))
            encoded = json.dumps(answer).encode()
            if key:
                self._keys[key] = (print_, encoded)
            self.accepted.append(mail)
        return status, encoded

    def _problem(self, status: int, sentence: str) -> tuple[int, bytes]:
        self.problems.append(sentence)
        return status, json.dumps({"message": sentence, "Message": sentence, "ErrorCode": 0}).encode()


class _Server(ThreadingHTTPServer):
    """Room for a dozen senders that dial at once."""

    daemon_threads = True
    request_queue_size = 128


class _Handler(BaseHTTPRequestHandler):
    """Reads one request, fails where the mode says, else lets the provider answer."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # the answer in one piece, else its second half waits for a delayed acknowledgement
    provider: Provider

    def do_POST(self) -> None:
        """Answer one request."""
        with self.provider.lock:
            if self.provider.coming:
                self.provider.mode = self.provider.coming.pop(0)
        mode = self.provider.mode
        if mode.endswith("before body"):
            self._cut()
            return
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        request = Request(self.path, dict(self.headers.items()), body)
        with self.provider.lock:
            self.provider.requests.append(request)
        if self.provider.keeps and mode in _UNCERTAIN:
            self.provider.answer(request)
        if mode == "hang":
            self.provider.over.wait(10)
            self.close_connection = True
        elif mode.endswith("after body"):
            self._cut()
        else:
            self._reply(*self._answer(request))

    def _answer(self, request: Request) -> tuple[int, bytes]:
        mode = self.provider.mode
        if mode == "200 bad json":
            return 200, b'{"id": "cut off'
        if mode in _STATUS_MODES:
            return int(mode), json.dumps(
                {"message": f"told to answer {mode} about reader@example.org"}
            ).encode()
        return self.provider.answer(request)

    def _reply(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if status in {429, 503}:
            self.send_header("Retry-After", self.provider.retry_after)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def _cut(self) -> None:
        """End the connection the way the mode says."""
        self.close_connection = True
        with contextlib.suppress(OSError):
            if self.provider.mode.startswith("reset"):
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
            else:
                self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's signature
        """Say nothing."""
