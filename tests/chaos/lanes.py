"""Houses from outside: the environment they are given, and two lanes of them that work off a list of runs."""

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.chaos import places
from tests.chaos.steps import plan
from tests.environment import SETTINGS
from tests.processes import free_port
from tests.sinks.dialects import DIALECTS

ROOT = Path(__file__).resolve().parent.parent.parent
EMBEDDED, SHARED = "E", "S"
#: What the provider of the kill test proves itself by.
SECRET = "hook:a-password-of-the-tests"


def in_the_morning() -> str:
    """Return a zone in which it is between nine and ten now: editions froze at six, no hour is over."""
    offset = 9 - datetime.now(UTC).hour
    if offset < -12:
        offset += 24
    # POSIX has the sign the other way round.
    return f"Etc/GMT{-offset:+d}"


class Houses:
    """Makes templates and starts houses below `home`."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._zone = in_the_morning()
        self._stem = places.stem_of(os.environ.get("DATABASE_URL", ""))
        (home / "templates").mkdir(parents=True)

    def prepare(self, mode: str) -> None:
        """Make the templates of `mode`."""
        environment = self._environment(mode, "template", 0)
        subprocess.run(
            [sys.executable, "-m", "tests.chaos.house", "prepare"], env=environment, cwd=ROOT, check=True
        )

    def open(self, mode: str, carrier: str, lane: int, *, broken: str = "") -> "House":
        """Start a house whose mails leave by `carrier`, smtp or http, workers without the guard `broken`."""
        environment = {**self._environment(mode, f"lane{lane}", lane), "CHAOS_BROKEN": broken}
        if carrier == "http":
            port = environment["CHAOS_PORT"]
            provider = {key: value.format(port=port) for key, value in DIALECTS["postmark"].settings.items()}
            del environment["EMAIL_URL"]
            environment |= {**provider, "ANYMAIL_PROVIDER": "postmark", "WEBHOOK_SECRET": SECRET}
        return House(environment, self._home / f"{mode}{lane}.log")

    def close(self) -> None:
        """Drop what lies outside `home`."""
        if "DATABASE_URL" in os.environ:
            server = places.renamed(os.environ["DATABASE_URL"], "postgres")
            for template in (places.OPEN, places.APPROVED):
                places.drop_database(server, places.template_name(self._stem, template))

    def _environment(self, mode: str, name: str, lane: int) -> dict[str, str]:
        ours = {"DATABASE_URL", "REDIS_URL", *SETTINGS}
        port = free_port()
        environment = {
            **{key: value for key, value in os.environ.items() if key not in ours},
            "DJANGO_SETTINGS_MODULE": "digest.settings",
            "PAPERBOY_ENV_FILE": os.devnull,
            "DATA_DIR": str(self._home / f"{mode}-{name}"),
            "SECRET_KEY": "a-secret-key-of-the-kill-test-that-is-longer-than-fifty-characters",
            "ALLOWED_HOSTS": "papers.example.org,127.0.0.1",
            "SITE_URL": "https://papers.example.org",
            "TOKEN_KEYS": "k1:a-token-key-of-the-kill-test-0123456789",
            "DEFAULT_FROM_EMAIL": "Daily Papers <papers@papers.example.org>",
            "POSTAL_ADDRESS": "Kill Test, 1 Example Street, Example Town",
            "EMAIL_URL": f"smtp://127.0.0.1:{port}",
            "CHAOS_PORT": str(port),
            "CHAOS_STEM": self._stem,
            "CHAOS_TEMPLATES": str(self._home / "templates"),
            "EDITION_ZONE": self._zone,
            "EDITION_HOUR": "6",
            "SOURCES": "huggingface",
            "HUGGINGFACE_URL": "https://127.0.0.1:9",
            "LEASE_SECONDS": "2",
            "TICK_SECONDS": "1",
            "IN_FLIGHT": "8",
            "LOG_LEVEL": "WARNING",
            "OPENBLAS_NUM_THREADS": "1",
        }
        if mode == SHARED:
            environment |= _shared(self._stem, name, lane)
        return environment


def _shared(stem: str, name: str, lane: int) -> dict[str, str]:
    return {
        "DATABASE_URL": places.renamed(os.environ["DATABASE_URL"], f"{stem}_{name}"),
        "REDIS_URL": places.redis_number(os.environ["REDIS_URL"], lane),
    }


class House:
    """A process that does runs, one at a time."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.chaos.house", "serve"],
                env=environment,
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                text=True,
                # Ctrl-C is for the runner alone, which lets a run end.
                start_new_session=True,
            )

    def run(self, step: str, seed: int, *, nth: int | None = None) -> dict[str, Any]:
        """Do one run and return its figures; `nth` is when to kill first, instead of what the seed says."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"step": step, "seed": seed, "nth": nth}) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise SystemExit(f"A house has fallen. Its log says why:\n{self.log.read_text()[-3000:]}")
        figures: dict[str, Any] = json.loads(answer)
        return figures

    def close(self) -> None:
        """Let it tidy up and end."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)


Run = tuple[str, str, int]  # step, mode, seed


Done = Callable[[Run, dict[str, Any]], None]


def work_off(
    runs: Sequence[Run],
    lanes: int,
    done: Done,
    *,
    go_on: Callable[[], bool] = lambda: True,
    broken: str = "",
) -> None:
    """Do `runs` in so many lanes; `done` hears of each, one at a time, in whatever order they end.

    The second lane begins at the other end, so that both modes get on. None begins once `go_on` is false.
    `broken` names a guard that workers are without.
    """
    with open_houses({mode for _, mode, _ in runs}) as houses:
        work = _Work(houses, runs, done, go_on, broken, lanes)
        threads = [threading.Thread(target=work.lane, args=(number,)) for number in range(lanes)]
        for thread in threads:
            thread.start()
        # Not by joining the threads: a join that a signal interrupts takes them for ended (Python 3.11).
        try:
            work.over.wait()
        except (KeyboardInterrupt, SystemExit) as error:
            # Ctrl-C: the runs under way end, and what they made is removed.
            work.fault = error
            work.over.wait()
    if work.fault is not None:
        raise work.fault


class _Work:
    """What is left to do, and the lanes that do it."""

    def __init__(
        self,
        houses: Houses,
        runs: Sequence[Run],
        done: Done,
        go_on: Callable[[], bool],
        broken: str,
        lanes: int,
    ) -> None:
        # Runs of one kind together: a house is of one kind, and takes seconds to open.
        self._waiting = sorted(runs, key=_kind)
        self._houses, self._done, self._go_on = houses, done, go_on
        self._broken, self._at_work = broken, lanes
        self.over = threading.Event()
        self._lock = threading.Lock()
        self.fault: BaseException | None = None

    def lane(self, number: int) -> None:
        """Do runs until none is left."""
        house: House | None = None
        kind: tuple[str, str] | None = None
        try:
            while run := self._next(number):
                if house is None or kind != _kind(run):
                    if house is not None:
                        house.close()
                    kind = _kind(run)
                    house = self._houses.open(*kind, number, broken=self._broken)
                figures = house.run(run[0], run[2])
                with self._lock:
                    self._done(run, figures)
        except BaseException as error:  # noqa: BLE001 - raised by the thread that waits for all lanes
            self.fault = error
        finally:
            try:
                if house is not None:
                    house.close()
            finally:
                self._ended()

    def _ended(self) -> None:
        with self._lock:
            self._at_work -= 1
            if not self._at_work:
                self.over.set()

    def _next(self, number: int) -> Run | None:
        with self._lock:
            if not self._waiting or self.fault is not None or not self._go_on():
                return None
            return self._waiting.pop(0 if number % 2 == 0 else -1)


def _kind(run: Run) -> tuple[str, str]:
    step, mode, seed = run
    return mode, plan(step, seed).carrier


@contextmanager
def open_houses(modes: set[str]) -> Iterator[Houses]:
    """Make the templates of `modes`, in a folder of their own; remove all of it afterwards."""
    with tempfile.TemporaryDirectory(prefix="paperboy-chaos-") as folder:
        houses = Houses(Path(folder))
        try:
            for mode in sorted(modes):
                houses.prepare(mode)
            yield houses
        finally:
            if SHARED in modes:
                houses.close()
