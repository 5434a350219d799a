"""`manage.py up` as an operator lives it: real processes, a real port, Ctrl-C and kill -9."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings

from digest import valkey
from tests.processes import descendants, free_port, is_free, living, status, wait_until

PAGE = "/admin/login/"
Up = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    """A function that runs `manage.py up --port PORT` on an empty installation; all is ended afterwards."""
    started: list[subprocess.Popen[str]] = []

    def run(port: int) -> "subprocess.Popen[str]":
        # Nothing set, as on a fresh machine, wherever the tests themselves run.
        environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        process = subprocess.Popen(
            [sys.executable, "manage.py", "up", "--port", str(port)],
            cwd=settings.BASE_DIR,
            env={**environment, "DATA_DIR": str(tmp_path), "PAPERBOY_ENV_FILE": os.devnull},
            stdout=(tmp_path / "said").open("a"),
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        if process.poll() is None:
            process.terminate()
            process.wait(60)
    valkey.stop(tmp_path / "valkey.sock")


def _said(folder: Path) -> str:
    return (folder / "said").read_text()


def _is_up(process: "subprocess.Popen[str]", port: int, owned: int) -> bool:
    """Wait for `owned` processes and the page (a killed one before may serve it for a moment more)."""
    wait_until(
        lambda: (
            process.poll() is not None or (len(_leaders(process.pid)) == owned and status(port, PAGE) == 200)
        ),
        60,
    )
    return process.poll() is None and status(port, PAGE) == 200


def _leaders(pid: int) -> dict[str, int]:
    """Return {name: process id} of the processes that `up` owns; an adopted Valkey is nobody's child."""
    marks = {"web": "gunicorn", "worker": " worker ", "beat": " beat ", "valkey": "valkey-server"}
    below = descendants(pid)
    return {
        name: min(child for child, command in below.items() if mark in command)
        for name, mark in marks.items()
        if any(mark in command for command in below.values())
    }


def test_it_survives_kill_9_says_what_runs_where_and_leaves_nothing_behind(up: Up, tmp_path: Path) -> None:
    port = free_port()
    killed = up(port)
    assert _is_up(killed, port, 4), _said(tmp_path)
    orphans = descendants(killed.pid)
    broker = _leaders(killed.pid)["valkey"]
    killed.kill()
    killed.wait()

    process = up(port)
    assert _is_up(process, port, 3), _said(tmp_path)
    assert wait_until(lambda: living(set(orphans)) == {broker}), "only the adopted Valkey may be left"
    assert wait_until(lambda: _said(tmp_path).count("Paperboy is up") == 2)
    for expected in (
        f"http://127.0.0.1:{port}/mailbox/",
        "embedded Valkey",
        "paperboy.sqlite3",
        str(tmp_path),
        "manage.py createsuperuser",
    ):
        assert expected in _said(tmp_path)

    second = up(free_port())
    assert second.wait(20) == 1
    assert "Another Paperboy is running" in _said(tmp_path)

    family = set(descendants(process.pid)) | {broker}
    process.send_signal(signal.SIGINT)
    assert process.wait(40) == 0
    assert _said(tmp_path).index("Stopping ...") < _said(tmp_path).index("Everything is stopped.")
    assert "superuser privileges" not in _said(tmp_path)
    assert not living(family)
    assert is_free(port)
    assert not (tmp_path / "valkey.sock").exists()


@pytest.mark.parametrize("port", [0, 65_536, -1])
def test_what_is_no_port_is_refused_in_a_sentence(up: Up, tmp_path: Path, port: int) -> None:
    assert up(port).wait(20) == 1
    assert f"{port} is no port. Choose one from 1 to 65535" in _said(tmp_path)
    assert "Traceback" not in _said(tmp_path)


def test_a_taken_port_is_named_before_anything_is_started(up: Up, tmp_path: Path) -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        process = up(port)
        assert process.wait(20) == 1
    assert f"Port {port} on 127.0.0.1 cannot be used" in _said(tmp_path)
    assert f"--port {port + 1}" in _said(tmp_path)
    assert not (tmp_path / "paperboy.sqlite3").exists()
