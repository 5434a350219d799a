"""A relay between processes and their broker that can lose connections without a word."""

import socket
import threading
from contextlib import suppress


class Relay:
    """Passes bytes to a port on loopback. What it forgets stays open and silent for ever, as behind a router
    that lost its table: no reset, no end, no answer."""

    def __init__(self, to: int) -> None:
        self._to = to
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._silent: list[threading.Event] = []
        self._kept: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def forget(self) -> int:
        """Go silent on all connections there are now; return how many. New ones work."""
        known = list(self._silent)
        for each in known:
            each.set()
        return len(known)

    def close(self) -> None:
        """End all of it."""
        for each in [self._listener, *self._kept]:
            each.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                try:
                    far = socket.create_connection(("127.0.0.1", self._to))
                except OSError:
                    near.close()
                    continue
                silent = threading.Event()
                self._silent.append(silent)
                self._kept += [near, far]
                for source, target in ((near, far), (far, near)):
                    threading.Thread(target=self._pass, args=(source, target, silent), daemon=True).start()

    @staticmethod
    def _pass(source: socket.socket, target: socket.socket, silent: threading.Event) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                if silent.is_set():
                    continue
                target.sendall(data)
        if not silent.is_set():
            with suppress(OSError):
                target.close()
