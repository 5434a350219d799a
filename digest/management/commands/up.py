"""`manage.py up`: the whole of Paperboy on this machine, under one supervisor."""

import os
import signal
import socket
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from digest import valkey
from digest.supervision import AlreadyRunningError, Supervisor, sole

#: How long the processes have to end by themselves after Ctrl-C: a sending task finishes its batch.
GRACE_SECONDS = 30.0
#: How long what a killed `up` left behind has to let go of the port.
LEFTOVER_SECONDS = GRACE_SECONDS + 5.0


class Command(BaseCommand):
    """Release steps, then Valkey (if embedded), web, worker and beat; Ctrl-C stops them together."""

    help = (
        "Run all of Paperboy on this machine: migrates, then starts the broker (unless REDIS_URL is set), "
        "web, worker and beat together. Ctrl-C stops them. Exit code 1 when one of them ended by itself."
    )

    #: {what it is: its address} to print in place of the ordinary ones.
    places: Mapping[str, str] | None = None

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare --port and --host."""
        parser.add_argument("--port", type=int, default=8000, help="port of the web process (default 8000)")
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")

    def handle(self, *_args: object, port: int, host: str, **_options: object) -> None:
        """Run until stopped. Raises CommandError when it cannot start or when a process died."""
        check_port(port)
        signal.signal(signal.SIGTERM, _interrupt)
        try:
            with sole(settings.DATA_DIR) as leftovers:
                wait_for_port(host, port, seconds=LEFTOVER_SECONDS if leftovers else 0.0)
                self._release()
                with self._broker():
                    died = self._supervise(host, port)
        except KeyboardInterrupt:
            self.stdout.write("Stopped before it was up.")
            return
        except AlreadyRunningError as error:
            raise CommandError(f"{error} Stop it first, or set DATA_DIR to another folder.") from error
        except valkey.ValkeyError as error:
            raise CommandError(str(error)) from error
        if died:
            raise CommandError(
                f"{died} ended by itself, so everything was stopped. Its last lines stand above."
            )
        self.stdout.write("Everything is stopped.")

    def _release(self) -> None:
        self.stdout.write("Preparing ...")
        call_command("migrate", interactive=False, verbosity=0)
        if not settings.DEBUG:  # in development they are served from where they lie
            call_command("collectstatic", interactive=False, verbosity=0)

    @contextmanager
    def _broker(self) -> Iterator[None]:
        """Own Valkey while the block runs: first started, last stopped."""
        folder = settings.DATA_DIR / "valkey"
        with valkey.running(settings.VALKEY_SOCKET, folder) if settings.EMBEDDED_VALKEY else nullcontext():
            yield

    def _supervise(self, host: str, port: int) -> str:
        """Run the processes to their end; return the name of the one that died, else ""."""
        site = _site(host, port)
        places = self.places or _places(site)
        connections.close_all()  # forks must not share a connection
        supervisor = Supervisor(
            grace=GRACE_SECONDS,
            on_tick=once_open(host, port, lambda: self._announce(places)),
            on_wish=lambda: self._say(
                "\nStopping ... (what is being sent is finished; Ctrl-C again ends it now)"
            ),
        )
        environment = {**os.environ, "SITE_URL": site, "PYTHONUNBUFFERED": "1"} | _quiet()
        for name, command in _processes(host, port).items():
            supervisor.add(name, command, environment=environment, folder=settings.BASE_DIR)
        supervisor.loop()
        died: str = supervisor.died
        return died

    def _announce(self, places: Mapping[str, str]) -> None:
        kept = {"Database": _database(), "Broker": _broker(), "Data": str(settings.DATA_DIR)}
        lines = [f"  {name:<12} {value}" for name, value in {**places, **kept}.items()]
        self._say("\n".join(["", "Paperboy is up. Ctrl-C stops it.", *lines, ""]))

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def check_port(port: int) -> None:
    """Raise CommandError for what is no port that a web process can listen on."""
    if not 0 < port < 65_536:
        raise CommandError(f"{port} is no port. Choose one from 1 to 65535, such as --port 8000.")


def _places(site: str) -> dict[str, str]:
    places = {"Sign up": f"{site}/subscribe/", "Admin": f"{site}/admin/"}
    if settings.EMAIL_BACKEND == "digest.mailbox.EmailBackend":
        places["Mailbox"] = f"{site}/mailbox/ (development: no mail leaves this machine)"
    if not get_user_model().objects.filter(is_superuser=True).exists():
        python = sys.executable.removeprefix(f"{settings.BASE_DIR}/")
        places["Admin"] += f" (nobody can log in yet: {python} manage.py createsuperuser)"
    return places


def _quiet() -> dict[str, str]:
    """Return what spares a development machine Celery's seven lines about root, who containers run as."""
    if not settings.DEBUG:
        return {}
    filters = [os.environ.get("PYTHONWARNINGS"), "ignore:You're running the worker with superuser privileges"]
    return {"PYTHONWARNINGS": ",".join(filter(None, filters))}


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def wait_for_port(host: str, port: int, *, seconds: float) -> None:
    """Return once `port` can be listened on; raise CommandError if it cannot be within `seconds`."""
    deadline = time.monotonic() + seconds
    while (problem := _port_problem(host, port)) and time.monotonic() < deadline:
        time.sleep(0.2)
    if problem:
        raise CommandError(f"{problem} Stop what listens there, or choose another port: --port {port + 1}")


def _port_problem(host: str, port: int) -> str:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen()
    except (OSError, OverflowError) as error:
        return f"Port {port} on {host} cannot be used ({getattr(error, 'strerror', '') or error})."
    return ""


def once_open(host: str, port: int, act: Callable[[], None]) -> Callable[[], None]:
    """Return a function that calls `act` the first time it finds somebody listening on `port`."""
    done = False

    def look() -> None:
        nonlocal done
        if done:
            return
        try:
            socket.create_connection((host, port), timeout=0.2).close()
        except OSError:
            return
        done = True
        act()

    return look


def _site(host: str, port: int) -> str:
    """Return where readers find us: SITE_URL if it is set, else the web process itself."""
    if "SITE_URL" in os.environ or not settings.DEBUG:
        site: str = settings.SITE_URL
        return site
    seen = "127.0.0.1" if host in {"0.0.0.0", "::", ""} else host  # noqa: S104 - compared, not bound
    return f"http://{_bracketed(seen)}:{port}"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _processes(host: str, port: int) -> dict[str, list[str]]:
    """Return each process's command line. The embedded default is small: two processes that work."""
    celery = [sys.executable, "-m", "celery", "-A", "digest", "--quiet"]
    web = [sys.executable, "-m", "gunicorn", "digest.wsgi", "--bind", f"{_bracketed(host)}:{port}"]
    web += ["--workers", "2", "--threads", "4", "--timeout", "60", "--graceful-timeout", "10"]
    web += ["--log-level", "warning", "--no-control-socket"]
    concurrency = 2 if settings.EMBEDDED_VALKEY else os.cpu_count() or 2
    worker = [*celery, "worker", "--concurrency", str(concurrency), "--prefetch-multiplier", "1"]
    worker += ["--loglevel", "WARNING", "--without-gossip", "--without-mingle"]
    return {"web": web, "worker": worker, "beat": [*celery, "beat", "--loglevel", "WARNING"]}


def _database() -> str:
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        return f"SQLite, {database['NAME']}"
    return f"PostgreSQL, {database['NAME']} on {database['HOST'] or 'this machine'}"


def _broker() -> str:
    if settings.EMBEDDED_VALKEY:
        return f"embedded Valkey, {settings.VALKEY_SOCKET}"
    parts = urlsplit(settings.REDIS_URL)
    # Without the user and the password that may stand in the address.
    return f"Redis, {parts.hostname}:{parts.port or 6379}" if parts.hostname else f"Redis, {Path(parts.path)}"
