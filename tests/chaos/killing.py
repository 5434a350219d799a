"""Within a worker: wrap the function of a stage where it stands, and kill at the call that the plan names.

The product has no hooks for this. Calls are counted over all processes and restarts of one run.
"""

import functools
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from django.utils import timezone

from tests.chaos.steps import GROUP_AND_BEAT, POOL, STAGES, WIRE, Kill

#: Names of the files in a run's folder: who beat is, and how often a stage has come.
BEAT = "beat.pid"


def _something(result: Any, _args: Sequence[Any]) -> bool:
    return bool(result)


def _settled(_result: Any, args: Sequence[Any]) -> bool:
    return bool(args[1])


def _froze(_result: Any, args: Sequence[Any]) -> bool:
    return bool(args[1] == "frozen")


def _lapsed(_result: Any, _args: Sequence[Any]) -> bool:
    rows = import_module("digest.models").Delivery.objects
    return bool(rows.filter(state="submitting", lease_until__lt=timezone.now()).exists())


def _swept(_result: Any, _args: Sequence[Any]) -> bool:
    """Say whether a sweep that has found somebody's death is under way in this process."""
    frame = sys._getframe()
    for _ in range(6):
        if frame.f_code.co_name == "sweep":
            return bool(frame.f_locals.get("lost"))
        if frame.f_back is None:
            break
        frame = frame.f_back
    return False


CONDITIONS: Mapping[str, Callable[[Any, Sequence[Any]], bool]] = {
    "": lambda _result, _args: True,
    "something came of it": _something,
    "outcomes were written": _settled,
    "it froze": _froze,
    "a lease has lapsed": _lapsed,
    "the sweep asks": _swept,
}


class Killer:
    """Counts the calls of each stage and strikes. `tell` is the pipe on which it says so first."""

    def __init__(self, kills: Sequence[Kill], folder: Path, tell: int) -> None:
        self.kills = kills
        self.folder = folder
        self.tell = tell

    def arm(self) -> None:
        """Wrap the functions. A stage whose function has gone is an error: the test would test nothing."""
        for stage in {kill.stage for kill in self.kills} - set(WIRE):
            where, _, path = STAGES[stage].function.partition(":")
            owner: Any = import_module(where)
            *outer, name = path.split(".")
            for each in outer:
                owner = getattr(owner, each)
            setattr(owner, name, self._wrapped(stage, getattr(owner, name)))

    def _wrapped(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        when, only = STAGES[stage].when, CONDITIONS[STAGES[stage].only]

        @functools.wraps(function)
        def call(*args: Any, **named: Any) -> Any:
            if when == "before" and only(None, args):
                self._count(stage)
            result = function(*args, **named)
            if when == "after" and only(result, args):
                self._count(stage)
            return result

        return call

    def _count(self, stage: str) -> None:
        """Count one call; kill if it is one that the plan names."""
        descriptor = os.open(self.folder / f"{stage}.count", os.O_CREAT | os.O_APPEND | os.O_WRONLY)
        os.write(descriptor, b".")
        nth = os.lseek(descriptor, 0, os.SEEK_CUR)
        os.close(descriptor)
        for number, kill in enumerate(self.kills):
            if (kill.stage, kill.nth) == (stage, nth):
                said = {"kill": number, "pid": os.getpid(), "group": os.getpgid(0)}
                os.write(self.tell, json.dumps(said).encode() + b"\n")
                strike(kill.victim, os.getpid(), os.getpgid(0), self.folder)


def strike(victim: str, pid: int, group: int, folder: Path) -> None:
    """Send SIGKILL to the `victim`."""
    if victim == GROUP_AND_BEAT:
        os.killpg(int((folder / BEAT).read_text()), signal.SIGKILL)
    if victim == POOL:
        os.kill(pid, signal.SIGKILL)
    else:
        os.killpg(group, signal.SIGKILL)
