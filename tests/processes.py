"""Looking at real processes and ports, on Linux and macOS."""

import http.client
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_free(port: int) -> bool:
    """Say whether `port` could be listened on."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def status(port: int, path: str) -> int:
    """Return the status of GET `path`, 0 if nobody answers."""
    return _get(port, path)[0]


def body(port: int, path: str) -> str:
    """Return what GET `path` answers, "" if nobody does."""
    return _get(port, path)[1]


def _get(port: int, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    except OSError:
        return 0, ""
    finally:
        connection.close()


def wait_until(happened: Callable[[], bool], seconds: float = 20.0) -> bool:
    """Return True as soon as `happened()`, False after `seconds`."""
    deadline = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


def descendants(pid: int) -> dict[int, str]:
    """Return {process id: command line} of all living processes below `pid`."""
    table = _table()
    below: dict[int, str] = {}
    generation = {pid}
    while generation:
        generation = {child for child, (parent, _) in table.items() if parent in generation}
        below |= {child: table[child][1] for child in generation}
    return below


def living(pids: set[int]) -> set[int]:
    """Return those of `pids` that still run; a zombie does not."""
    return pids & _table().keys()


def _table() -> dict[int, tuple[int, str]]:
    if not Path("/proc/self/stat").exists():
        return _table_of_ps()
    table = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if state != "Z":
            table[int(entry.name)] = (int(parent), command)
    return table


def _table_of_ps() -> dict[int, tuple[int, str]]:
    listing = subprocess.run(
        ["ps", "-Ao", "pid=,ppid=,stat=,command="], capture_output=True, text=True, check=True
    )
    rows = [line.split(None, 3) for line in listing.stdout.splitlines()]
    return {int(row[0]): (int(row[1]), row[-1]) for row in rows if not row[2].startswith("Z")}
