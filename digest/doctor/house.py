"""The machine, the database and the processes."""

import os
import shutil
import zoneinfo
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import redis
from celery import current_app
from django.conf import settings
from django.core.checks import ERROR, run_checks
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Min
from django.db.models.functions import Coalesce

from digest.delivery import due as due_digests
from digest.doctor.finding import Finding, Findings, advice, good, quoted, unseen, wrong
from digest.doctor.looking import Looking
from subscribers.models import SystemMail

#: So old may what is due become before nobody seems to take it: two ticks and a full task.
LATE = timedelta(minutes=10)
#: File systems on which SQLite's locks cannot be relied on (sqlite.org/faq.html, question 5).
REMOTE = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "afs", "ceph", "glusterfs", "virtiofs"}
LEAST_FREE = 1_000_000_000
MOST_SKEW = 5.0


def database(looking: Looking) -> Findings:
    """Look at the version, the tables and the clock of the database."""
    if connection.vendor == "sqlite":
        yield from _sqlite()
    else:
        with connection.cursor() as cursor:
            cursor.execute("SHOW server_version")
            (version,) = cursor.fetchone()
            cursor.execute("SELECT extract(epoch FROM clock_timestamp() - %s)", [looking.at])
            (off,) = cursor.fetchone()
        yield good(f"PostgreSQL {version} answers.")
        yield _clock(abs(float(off)) - looking.timeout)
    executor = MigrationExecutor(connection)
    if missing := executor.migration_plan(executor.loader.graph.leaf_nodes()):
        yield wrong(f"{len(missing)} migrations are not applied.", "Run: manage.py migrate")
    else:
        yield good("All migrations are applied.")


def _clock(off: float) -> Finding:
    if off > MOST_SKEW:
        return wrong(f"This machine's clock and the database's differ by {off:.0f} s.", "Let NTP set both.")
    return good("This machine's clock and the database's agree.")


def _sqlite() -> Findings:
    path = Path(str(settings.DATABASES["default"]["NAME"]))
    kind = filesystem_of(path, _mounts())
    if kind in REMOTE:
        yield wrong(
            f"The SQLite database lies on {kind}, where its locks cannot be relied on.",
            "Move DATA_DIR to a disk of this machine, or use PostgreSQL.",
        )
    else:
        yield good("SQLite on a disk of this machine.")


def _mounts() -> str:
    mounts = Path("/proc/mounts")
    return mounts.read_text() if mounts.exists() else ""


def filesystem_of(path: Path, mounts: str) -> str:
    """Return the kind of file system that `path` lies on, by the lines of /proc/mounts; "" if not told."""
    rows = [line.split() for line in mounts.splitlines()]
    above = {row[1]: row[2] for row in rows if len(row) > 2 and path.is_relative_to(row[1])}
    return above[max(above, key=len)] if above else ""


def broker(looking: Looking) -> Findings:
    """Ask the broker, then whether a worker listens to it."""
    limits = {"socket_connect_timeout": looking.timeout, "socket_timeout": looking.timeout}
    try:
        redis.Redis.from_url(settings.REDIS_URL, **limits).ping()
    except redis.RedisError as error:
        where = "the embedded Valkey" if settings.EMBEDDED_VALKEY else "REDIS_URL"
        cure = (
            "Start it with: manage.py up" if settings.EMBEDDED_VALKEY else "Start it, or correct REDIS_URL."
        )
        yield wrong(f"The broker ({where}) does not answer: {type(error).__name__}.", cure)
        return
    yield good("The broker answers.")
    workers = current_app.control.ping(timeout=min(looking.timeout, 2.0))
    if workers:
        yield good(f"{len(workers)} worker{'s answer' if len(workers) > 1 else ' answers'}.")
    else:
        yield wrong(
            "No worker answers: nothing is taken in and nothing is sent.",
            "Start one (Procfile: worker), or manage.py up. One that is busy for long answers late: repeat.",
        )


def due(looking: Looking) -> Findings:
    """Look at the oldest row that is due: whatever else runs, that it is taken is what counts."""
    mails = SystemMail.objects.due(looking.at).order_by()
    since = {
        "digest": min(_due_since(looking.at), default=None),
        "mail of the house": mails.aggregate(at=Min(Coalesce("lease_until", "not_before")))["at"],
    }
    for what, oldest in since.items():
        if oldest is None or looking.at - oldest <= LATE:
            yield good(f"No {what} waits for long.")
        else:
            minutes = (looking.at - oldest).total_seconds() / 60
            yield wrong(
                f"The oldest {what} that is due has waited for {minutes:,.0f} minutes.",
                "See that worker and beat run and what their log says; then: manage.py deliver",
            )


def _due_since(at: datetime) -> Iterator[datetime]:
    """Yield since when the first of each line of digests is due.

    A retry is due from its own moment on, what a dead worker held from the end of its lease.
    """
    for line in due_digests.lines(at):
        first = line.first()
        if first is not None:
            moments = {first.State.CLAIMED: first.lease_until, first.State.DEFERRED: first.retry_at}
            yield moments.get(first.State(first.state)) or first.not_before


def machine(looking: Looking) -> Findings:  # noqa: ARG001 - every check is called alike
    """Look at time zones, disk and the folder that holds everything."""
    try:
        zoneinfo.ZoneInfo(settings.EDITION_ZONE)
        zoneinfo.ZoneInfo("Pacific/Kiritimati")
    except (zoneinfo.ZoneInfoNotFoundError, OSError):
        yield wrong("The time zones of the world are not installed.", "Run: pip install tzdata")
    else:
        yield good(f"Time zones are there ({len(zoneinfo.available_timezones())}).")
    free = shutil.disk_usage(settings.DATA_DIR).free
    size = f"{free / 1e9:.1f} GB free in DATA_DIR"
    if free < LEAST_FREE:
        yield wrong(f"Only {size}: a full disk stops the database.", "Make room, or move DATA_DIR.")
    else:
        yield good(f"{size}.")
    yield _folder(Path(settings.DATA_DIR))


def _folder(path: Path) -> Finding:
    mode = path.stat().st_mode & 0o777
    if not os.access(path, os.W_OK):
        return wrong(f"DATA_DIR ({path}) cannot be written to.", "Give it to the user that runs Paperboy.")
    if mode & 0o007:
        return advice(
            f"Everybody on this machine can read DATA_DIR (mode {mode:o}): it holds readers' addresses where "
            "the database is SQLite.",
            f"Run: chmod o-rwx {path}",
        )
    return good("DATA_DIR belongs to Paperboy alone.")


def settings_checked(looking: Looking) -> Findings:  # noqa: ARG001 - every check is called alike
    """Tell what `check --deploy` tells."""
    if settings.DEBUG:
        yield unseen(
            "check --deploy: this is development mode", "Set SECRET_KEY and DEBUG=false for production."
        )
        return
    found = run_checks(include_deployment_checks=True)
    for message in found:
        make = wrong if message.level >= ERROR else advice
        yield make(
            f"{message.id}: {quoted(message.msg)}", str(message.hint or "See manage.py check --deploy.")
        )
    if not found:
        yield good("check --deploy has nothing to say.")
