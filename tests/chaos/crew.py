"""The processes of one run: a worker with its pool, beat, for webhooks the web; who dies is started again."""

import contextlib
import json
import os
import queue
import signal
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connection
from django.db.models import Q

from digest.models import Delivery
from tests.chaos import victims
from tests.chaos.judging import Death
from tests.chaos.killing import BEAT, strike
from tests.chaos.nursery import Nursery
from tests.chaos.steps import GROUP_AND_BEAT, POOL, Kill

#: As in the Procfile, but for the second in which a worker asks others who they are.
WORKER = (
    "celery -A tests.chaos.app worker --loglevel WARNING --concurrency 2 --prefetch-multiplier 1 "
    "--max-tasks-per-child 500 --without-mingle"
).split()
CLOCK = "celery -A tests.chaos.app beat --loglevel WARNING".split()
WEB = "gunicorn digest.wsgi --workers 1 --threads 4 --no-control-socket --bind 127.0.0.1:{port}"
POOL_SIZE = 2


@dataclass(frozen=True)
class Killed:
    """A kill under way: which of the plan, and whom it hit."""

    number: int
    pid: int
    group: int


class Crew:
    """Starts them in `folder`, hears of kills, starts anew who was killed."""

    def __init__(
        self, nursery: Nursery, deaths: "queue.Queue[Killed]", kills: Sequence[Kill], folder: Path
    ) -> None:
        self._nursery, self._queue, self._kills, self._folder = nursery, deaths, kills, folder
        self.deaths: list[Death] = []
        self._worker = self._beat = self._web = 0

    def start(self) -> None:
        """Start the worker and beat."""
        self._start_worker()
        self._start_beat()

    def serve_web(self, port: int) -> None:
        """Start the web."""
        argv = WEB.format(port=port).split()
        self._web = self._nursery.start(argv, folder=self._folder)

    def halt(self, port: int) -> None:
        """Stop the process of the pool that talks to the mail server from `port`."""
        os.kill(victims.holder(port, self._worker), signal.SIGSTOP)

    def strike(self, number: int, port: int) -> None:
        """Kill, from the mail server's thread, the worker that talks to it from `port`."""
        kill = self._kills[number]
        pid = victims.holder(port, self._worker)
        self._queue.put(Killed(number, pid, self._worker))
        strike(kill.victim, pid, self._worker, self._folder)

    def look(self, seconds: float) -> bool:
        """Wait up to `seconds` for a kill; see to it and say whether there was one."""
        try:
            killed = self._queue.get(timeout=seconds)
        except queue.Empty:
            return False
        self._see_to(killed)
        return True

    def _see_to(self, killed: Killed) -> None:
        """Wait for the death, count what was on the wire, start again who died."""
        kill = self._kills[killed.number]
        alone = kill.victim == POOL
        dead = victims.wait_for_end(killed.pid if alone else killed.group, whole_group=not alone)
        # A process of the pool is its worker's child: it is the worker that is told the signal.
        how = signal.SIGKILL if dead else 0
        if not alone:
            how = self._nursery.signal_of(killed.group)
        self.deaths.append(Death(1 if alone else POOL_SIZE, how, on_the_wire(alone=alone)))
        if not alone:
            self._start_worker()
        if kill.victim == GROUP_AND_BEAT:
            self._nursery.signal_of(self._beat)
            self._start_beat()

    def _start_worker(self) -> None:
        kills: list[dict[str, Any]] = [vars(kill) for kill in self._kills]
        self._worker = self._nursery.start(WORKER, folder=self._folder, kills=kills)

    def _start_beat(self) -> None:
        self._beat = self._nursery.start(CLOCK, folder=self._folder)
        (self._folder / BEAT).write_text(str(self._beat))

    @property
    def on_the_wire(self) -> frozenset[str]:
        """The deliveries that were on the wire at any of the deaths."""
        return frozenset[str]().union(*(death.on_the_wire for death in self.deaths))

    def explains_unknown(self) -> bool:
        """Say whether whatever was taken for dead has died."""
        swept = Delivery.objects.filter(state="unknown", detail__startswith="its worker died")
        return self.on_the_wire.issuperset(swept.values_list("public_id", flat=True))

    def end(self) -> None:
        """End everybody, as a power cut would."""
        for group in filter(None, (self._beat, self._worker, self._web)):
            victims.end_group(group)
            self._nursery.signal_of(group)
            victims.wait_for_end(group, whole_group=True)


def on_the_wire(*, alone: bool) -> frozenset[str]:
    """Return the deliveries (public ids) that nobody can know the outcome of, right after a death.

    PostgreSQL may still commit what a dead client had asked for: it is waited for.
    """
    found = _submitting()
    if connection.vendor == "postgresql":
        deadline = time.monotonic() + (0.15 if alone else 5.0)
        while time.monotonic() < deadline and (alone or _other_clients()):
            time.sleep(0.01)
            found |= _submitting()
        found |= _submitting()
    return found


def _submitting() -> frozenset[str]:
    lost = Q(state="submitting") | Q(state="unknown")
    return frozenset(Delivery.objects.filter(lost).values_list("public_id", flat=True))


def _other_clients() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        return int(cursor.fetchone()[0])


def listen(nursery: Nursery) -> "queue.Queue[Killed]":
    """Return the queue of kills that workers tell of, and that the mail server adds its own to."""
    told: queue.Queue[Killed] = queue.Queue()

    def read() -> None:
        with contextlib.suppress(OSError), os.fdopen(nursery.deaths) as lines:
            for said in map(json.loads, lines):
                told.put(Killed(said["kill"], said["pid"], said["group"]))

    threading.Thread(target=read, daemon=True).start()
    return told
