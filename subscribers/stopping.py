"""Whether this process was told to stop: what runs for a while looks here between two steps."""

import threading

_told = threading.Event()


def tell() -> None:
    """Note the wish; a signal's handler may call this."""
    _told.set()


def told() -> bool:
    """Say whether the process is to stop: nothing new is begun, what is on the wire is finished."""
    return _told.is_set()


def forget() -> None:
    """Take the wish back, in a process that goes on after all."""
    _told.clear()
