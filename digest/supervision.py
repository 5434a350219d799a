"""Run several processes as one: they start together, stop together, and none outlives its supervisor."""

import fcntl
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import FrameType

from honcho.manager import Manager
from honcho.process import Popen, Process

#: How often a keeper looks whether its supervisor still lives, in seconds.
WATCH_SECONDS = 0.2
#: How long the children of a process that has ended may go on.
ORPHAN_SECONDS = 1.0


class AlreadyRunningError(Exception):
    """Another process holds the folder."""


@contextmanager
def sole(folder: Path) -> Iterator[bool]:
    """Hold `folder` against a second supervisor; yield whether the one before was killed without cleaning up.

    The lock is a POSIX record lock: it ends with this very process, and forks do not inherit it.
    Raises AlreadyRunningError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "up.lock").open("a+") as note:
        try:
            fcntl.lockf(note, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise AlreadyRunningError(f"Another Paperboy is running on {folder}.") from error
        killed = note.tell() > 0
        note.write(f"{os.getpid()}\n")
        note.flush()
        yield killed
        note.truncate(0)


class Gentle:
    """Signals to a process and its group, in honcho's shape."""

    def terminate(self, pid: int) -> None:
        """Ask the leader alone: Celery's children die at once of SIGTERM, in the middle of a mail."""
        try:
            os.kill(pid, signal.SIGTERM)
        except ProcessLookupError:
            return

    def kill(self, pid: int) -> None:
        """End the whole group, now."""
        try:
            os.killpg(pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            return


class Keeper(Process):  # type: ignore[misc]  # honcho has no types
    """honcho's process, which also ends when the supervisor was killed.

    honcho keeps each process by a small fork of the supervisor. A kill -9 of the supervisor would leave both
    running, and the old web process on the port for ever.
    """

    def __init__(self, *args: object, grace: float, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self._child_ctor = partial(Popen, shell=False)
        self._grace = grace
        self._supervisor = os.getpid()

    def run(self, events: object = None, ignore_signals: bool = False) -> None:
        """Start the process and pass on what it prints, until it ends or the supervisor has gone."""
        threading.Thread(target=self._watch, daemon=True).start()
        super().run(events, ignore_signals)

    def _watch(self) -> None:
        while os.getppid() == self._supervisor:
            time.sleep(WATCH_SECONDS)
            if self._child is not None and self._child.poll() is not None:
                # Its own children may hold the pipe that honcho reads to the end.
                time.sleep(ORPHAN_SECONDS)
                Gentle().kill(self._child.pid)
                return
        if self._child is not None:
            self._end(self._child)
        os._exit(1)  # nobody reads our queue any more: a plain exit would wait for it

    def _end(self, child: "subprocess.Popen[bytes]") -> None:
        Gentle().terminate(child.pid)
        deadline = time.monotonic() + self._grace
        while child.poll() is None and time.monotonic() < deadline:
            time.sleep(WATCH_SECONDS)
        Gentle().kill(child.pid)


class Supervisor(Manager):  # type: ignore[misc]  # honcho has no types
    """honcho's manager with a grace that counts from the first wish to stop, and signals safe at any moment.

    `on_tick` is called again and again while they run, `on_wish` once, when they are asked to stop. After
    `loop`, `died` is the name of the process that ended by itself ("" if none did).
    """

    def __init__(
        self, *, grace: float, on_tick: Callable[[], None], on_wish: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__()
        self._process_ctor = partial(Keeper, grace=grace)
        self._procmgr = Gentle()
        self._grace = grace
        self._on_tick = on_tick
        self._on_wish = on_wish
        self._wishes = 0
        self.died = ""

    def add(self, name: str, command: Sequence[str], *, environment: Mapping[str, str], folder: Path) -> None:
        """Add a process to be started in `folder` with exactly `environment`."""
        self.add_process(name, list(command), env=dict(environment), cwd=str(folder))

    def loop(self) -> None:
        """Run until all processes have ended: after SIGINT, SIGTERM, SIGHUP, or the end of one of them."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._wish)
        self._start()
        deadline: float | None = None
        while not self._all_stopped():
            self._take_event()
            self._notice_lost_keepers()
            if not self._all_started():
                continue
            self._on_tick()
            if deadline is None and (self._wishes or self._any_stopped()):
                deadline = time.monotonic() + self._grace
                if self._wishes:
                    self._on_wish()
                self.terminate()
            if deadline is not None and (self._wishes > 1 or time.monotonic() > deadline):
                self.kill()
        for process in self._processes.values():
            process["process"].join()

    def _wish(self, _number: int, _frame: FrameType | None) -> None:
        # Only counted here: the loop acts, when it knows all process ids.
        self._wishes += 1

    def _take_event(self) -> None:
        try:
            message = self.events.get(timeout=0.1)
        except queue.Empty:
            return
        if message.type == "line":
            self._printer.write(message)
        elif message.type == "start":
            self._processes[message.name]["pid"] = message.data["pid"]
        else:
            self._stopped(message.name, message.data["returncode"])

    def _notice_lost_keepers(self) -> None:
        for name, process in self._processes.items():
            if process.get("returncode") is None and process["process"].exitcode not in {None, 0}:
                process.setdefault("pid", process["process"].pid)
                self._stopped(name, process["process"].exitcode)

    def _stopped(self, name: str, returncode: int) -> None:
        self._processes[name]["returncode"] = returncode
        if not self._wishes and not self.died:
            self.died = name
            self.returncode = returncode

    def _system_print(self, data: str) -> None:
        """Say nothing about each signal: the commands say in their own words what happens."""
