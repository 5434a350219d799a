"""How a worker drains: told to stop it begins nothing, finishes what is on the wire and gives back the rest.

Celery's main process waits for the tasks of its pool and tells them nothing: a `deliver` would go on for the
better part of a minute, and a supervisor kills who takes too long. So the main process passes the wish on to
the pool processes that are at work. And where a supervisor sends its signal to the whole group (honcho,
systemd), Celery's pool processes end at once, in the middle of a mail: here they note it, and end after their
task.
"""

import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from types import FrameType

from celery import signals

from subscribers import stopping

#: What supervisors and terminals send to a group. SIGINT, which pool processes ignore, reaches them through
#: the main process.
WISHES = (signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP)
#: Seconds that a pool process that was told to stop, and is at rest, waits for the main process to end it in
#: good order; a task may come in between, and finds that nothing is to be begun.
LINGER = 2.0
#: How often the main process looks for tasks that its pool has accepted meanwhile, in seconds.
LOOK_SECONDS = 0.2

Handler = Callable[[int, FrameType | None], object]


class PoolProcess:
    """The wish to stop as one pool process has it."""

    def __init__(self) -> None:
        self.at_work = False
        self._over = False
        self._was: dict[int, Handler] = {}

    def begin(self, **_signal: object) -> None:
        """A task starts. Celery sets its own handlers after all its hooks but this one."""
        self.at_work = True
        if not self._was:
            self._was = {number: _handler(number) for number in WISHES}
            for number in WISHES:
                signal.signal(number, self.wish)

    def end(self, **_signal: object) -> None:
        """A task has ended."""
        self.at_work = False

    def wish(self, number: int, frame: FrameType | None) -> None:
        """Note the first wish; the last, sent by `_linger`, ends the process as Celery would have."""
        if self._over:
            self._was[number](number, frame)
        elif not stopping.told():
            stopping.tell()
            threading.Thread(target=self._linger, daemon=True).start()

    def _linger(self) -> None:
        resting_since = time.monotonic()
        while time.monotonic() < resting_since + LINGER:
            time.sleep(0.1)
            if self.at_work:
                resting_since = time.monotonic()
        self._over = True
        os.kill(os.getpid(), signal.SIGTERM)


def _handler(number: int) -> Handler:
    """Return what a signal does now; what is no function (the default, ignoring) is to end the process."""
    found = signal.getsignal(number)
    return found if callable(found) else lambda *_: os._exit(1)


def pass_on(**_signal: object) -> None:
    """In the main process: tell the pool processes at work, and those that begin work while it waits."""
    if not stopping.told():
        stopping.tell()
        threading.Thread(target=_tell_pool, daemon=True).start()


def _tell_pool() -> None:
    state = import_module("celery.worker.state")  # which web processes need not load
    seen: set[int] = set()
    while True:
        # Another thread changes the set meanwhile; then it is looked at again.
        with suppress(RuntimeError):
            at_work = {request.worker_pid for request in list(state.active_requests) if request.worker_pid}
            for pid in at_work - seen:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM)
            seen |= at_work
        time.sleep(LOOK_SECONDS)


def _begin_pool_process(**_signal: object) -> None:
    """In a new pool process: it has no wish of the main process's, which it is a copy of."""
    stopping.forget()
    process = PoolProcess()
    signals.task_prerun.connect(process.begin, weak=False)
    signals.task_postrun.connect(process.end, weak=False)


def connect() -> None:
    """Have Celery's processes drain."""
    signals.worker_process_init.connect(_begin_pool_process, weak=False)
    signals.worker_shutting_down.connect(pass_on, weak=False)
