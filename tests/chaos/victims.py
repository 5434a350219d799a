"""Which process is at the other end of a connection, and who of a process group still lives. Linux: /proc."""

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

_PROC = Path("/proc")


def holder(port: int, group: int) -> int:
    """Return the process of `group` that holds the client's end, on loopback, of a connection from `port`."""
    inode = _inode(port)
    for pid in members(group):
        with contextlib.suppress(OSError):
            for entry in (_PROC / str(pid) / "fd").iterdir():
                with contextlib.suppress(OSError):
                    if entry.readlink().name == f"socket:[{inode}]":
                        return pid
    raise LookupError(f"no process of the group holds port {port}")


def _inode(port: int) -> str:
    for line in (_PROC / "net" / "tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if int(fields[1].rpartition(":")[2], 16) == port:
            return fields[9]
    raise LookupError(f"no connection from port {port}")


def members(group: int) -> Iterator[int]:
    """Yield the living processes of `group`."""
    for entry in _PROC.iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            state, _parent, of = (entry / "stat").read_text().rpartition(")")[2].split()[:3]
            if int(of) == group and state not in "ZX":
                yield int(entry.name)


def wait_for_end(pid: int, *, whole_group: bool, seconds: float = 20.0) -> bool:
    """Wait until the process, or the group it leads, has ended; say whether it did."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not (list(members(pid)) if whole_group else _lives(pid)):
            return True
        time.sleep(0.005)
    return False


def _lives(pid: int) -> bool:
    try:
        return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def end_group(group: int) -> None:
    """Kill what is left of the group, if anything is."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, 9)
