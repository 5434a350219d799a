"""The embedded Valkey, with the wheel's real server."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from digest import valkey


@pytest.fixture
def home(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """A socket and a data folder; whatever runs there at the end is stopped."""
    socket = tmp_path / "valkey.sock"
    yield socket, tmp_path / "valkey"
    valkey.stop(socket)


def _client(socket: Path) -> redis.Redis:
    return redis.Redis(unix_socket_path=str(socket), socket_timeout=2)


def _pid(socket: Path) -> int:
    return int(_client(socket).info("server")["process_id"])


def _kill(socket: Path) -> None:
    pid = _pid(socket)
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 5
    while valkey.answers(socket) and time.monotonic() < deadline:
        time.sleep(0.01)


def test_it_starts_answers_and_stops(home: tuple[Path, Path]) -> None:
    socket, folder = home
    assert not valkey.answers(socket)
    assert valkey.start(socket, folder) is True
    assert valkey.answers(socket)
    valkey.stop(socket)
    assert not valkey.answers(socket)
    assert not socket.exists()


def test_it_listens_on_the_socket_alone_and_for_its_owner_alone(home: tuple[Path, Path]) -> None:
    socket, folder = home
    valkey.start(socket, folder)
    assert _client(socket).config_get("port") == {"port": "0"}
    assert socket.stat().st_mode & 0o077 == 0


def test_what_was_queued_is_there_after_a_stop(home: tuple[Path, Path]) -> None:
    socket, folder = home
    with valkey.running(socket, folder) as started:
        assert started
        _client(socket).lpush("queue", "a hint")
    with valkey.running(socket, folder):
        assert _client(socket).lrange("queue", 0, -1) == [b"a hint"]


def test_a_living_one_is_adopted_with_its_data_and_stopped_in_the_end(home: tuple[Path, Path]) -> None:
    socket, folder = home
    valkey.start(socket, folder)
    _client(socket).set("kept", "yes")
    orphan = _pid(socket)
    with valkey.running(socket, folder) as started:
        assert not started
        assert _pid(socket) == orphan
        assert _client(socket).get("kept") == b"yes"
    assert not valkey.answers(socket)


def test_the_socket_of_a_killed_server_is_swept_away(home: tuple[Path, Path]) -> None:
    socket, folder = home
    valkey.start(socket, folder)
    _client(socket).set("kept", "yes")
    _kill(socket)
    assert socket.exists()
    assert valkey.start(socket, folder) is True
    assert _client(socket).get("kept") == b"yes"


def test_stopping_twice_is_stopping_once(home: tuple[Path, Path]) -> None:
    socket, folder = home
    valkey.start(socket, folder)
    valkey.stop(socket)
    valkey.stop(socket)
    assert not valkey.answers(socket)


def test_a_silent_socket_does_not_hold_us_up(home: tuple[Path, Path]) -> None:
    socket, _ = home
    before = time.monotonic()
    assert not valkey.answers(socket)
    assert time.monotonic() - before < 1


def test_a_server_that_cannot_start_says_where_its_log_is(tmp_path: Path) -> None:
    folder = tmp_path / "valkey"
    too_long = tmp_path / ("x" * 100) / "valkey.sock"
    too_long.parent.mkdir()
    with pytest.raises(valkey.ValkeyError, match=r"valkey\.log"):
        valkey.start(too_long, folder)
    assert "socket" in (folder / "valkey.log").read_text()
