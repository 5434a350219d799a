"""A captcha's `siteverify` on loopback, with the manners of Turnstile and hCaptcha.

It takes a form by POST (`secret`, `response`), wants the right secret, and takes its one good answer once.
`mode` spoils what it says: "500", "no json", "a list", "too long", "hang", "trickle" (slow headers),
"trickled body", "gone".
"""

import json
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs

_SPOILT = {
    "500": (500, b"{}"),
    "no json": (200, b"<html>\xff"),
    "a list": (200, b"[]"),
    "too long": (200, b'{"success": true}' + b" " * 1_000_000),
}
SECRET = "the captcha's secret key"


@dataclass
class Siteverify:
    """`asked` keeps each request's fields."""

    good: str = "a good answer"
    mode: str = "fine"
    asked: list[dict[str, list[str]]] = field(default_factory=list)
    _used: set[str] = field(default_factory=set)

    def __enter__(self) -> Self:
        fake = self
        self._over = threading.Event()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                fake.asked.append(parse_qs(body, strict_parsing=True))
                if fake.mode == "hang":
                    fake._over.wait(20)
                status, said = fake._answer()
                if fake.mode == "trickle":
                    fake._trickle(self.wfile, b"HTTP/1.0 200 OK\r\n" + b"X: y\r\n" * 1000)
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                if fake.mode == "trickled body":
                    fake._trickle(self.wfile, said)
                self.wfile.write(said)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/siteverify"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening: who asks now is refused the connection."""
        self._over.set()
        self._server.shutdown()
        self._server.server_close()

    def _trickle(self, file: BufferedIOBase, said: bytes) -> None:
        """Write a byte every tenth of a second, until nobody listens or the test is over."""
        with suppress(OSError):
            for byte in said:
                file.write(bytes([byte]))
                if self._over.wait(0.1):
                    return

    def _answer(self) -> tuple[int, bytes]:
        return _SPOILT.get(self.mode) or self._judged()

    def _judged(self) -> tuple[int, bytes]:
        fields = self.asked[-1]
        if fields.get("secret") != [SECRET]:
            return 200, json.dumps({"success": False, "error-codes": ["invalid-input-secret"]}).encode()
        answer = fields.get("response", [""])[0]
        if answer in self._used:
            return 200, json.dumps({"success": False, "error-codes": ["timeout-or-duplicate"]}).encode()
        self._used.add(answer)
        codes = [] if answer == self.good else ["invalid-input-response"]
        return 200, json.dumps({"success": not codes, "error-codes": codes}).encode()
