"""`manage.py move_to`: every row to a new PostgreSQL."""

import os
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import redis
from celery import current_app
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError
from django.db import DatabaseError, connection
from tqdm import tqdm

from digest import configuration, moving
from digest.management.base import DatabaseCommand, whats_wrong_with_the_database


class Command(DatabaseCommand):
    """Copies, compares, and puts the old SQLite file out of the way."""

    help = (
        "Move everything from the database in use to an empty PostgreSQL: streams all rows in one "
        "transaction, sets the sequences, compares the counts. Stop all processes first (web, worker, beat). "
        "An SQLite file is renamed to .moved afterwards, so that nothing can send from it again. Exit codes: "
        "0 moved, 1 nothing was moved, 2 wrong arguments."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--database-url",
            required=True,
            metavar="URL",
            help="postgres://user@host/name; leave the password to PGPASSWORD or ~/.pgpass, else it stands "
            "in the list of processes",
        )
        parser.add_argument(
            "--keep", action="store_true", help="do not rename the SQLite file; see that nothing starts on it"
        )

    def handle(self, *_args: Any, database_url: str, keep: bool, **_options: Any) -> None:
        """Move. Raises CommandError, and then nothing was moved."""
        target = _postgresql(database_url)
        if working := _workers():
            raise CommandError(f"{working} worker(s) still run. Stop web, worker and beat, then repeat.")
        if sentence := whats_wrong_with_the_database():
            raise CommandError(sentence)
        _migrate(database_url)
        with moving.target(target):
            try:
                moved = self._move()
            except moving.MovingError as error:
                raise CommandError(str(error)) from error
            except DatabaseError as error:
                words = str(error).partition("\n")[0]
                raise CommandError(
                    f"The new database refused a row, and nothing was moved: {words}"
                ) from error
        self.stdout.write(
            f"{sum(table.rows for table in moved):,} rows of {len(moved)} tables moved, and counted."
        )
        for account in moving.accounts():
            self.stdout.write(account)
        if not keep:
            self._put_away()
        self.stdout.write("Now set DATABASE_URL to the new database, then start all processes.")

    def _move(self) -> list[moving.Table]:
        moving.refuse_unless_empty()
        total = sum(table.rows for table in moving.tables())
        with tqdm(total=total, unit=" rows", disable=None) as bar:
            return moving.move(on_rows=bar.update)

    def _put_away(self) -> None:
        """Rename the SQLite file: started again on it by mistake, Paperboy would send what has been sent."""
        if connection.vendor != "sqlite":
            self.stdout.write("See that nothing starts on the old database again: it would send once more.")
            return
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        old = Path(str(settings.DATABASES["default"]["NAME"]))
        for suffix in ("", "-wal", "-shm"):
            beside = old.with_name(old.name + suffix)
            if beside.exists():
                beside.rename(old.with_name(f"{old.name}.moved{suffix}"))
        self.stdout.write(
            f"The old database is {old}.moved now; keep it until you have a backup of the new one."
        )


def _postgresql(url: str) -> dict[str, Any]:
    """Return Django's settings for the database at `url`. Raises CommandError."""
    try:
        target = configuration.database("--database-url", url, tests=Path())
    except ImproperlyConfigured as error:
        raise CommandError(str(error), returncode=2) from error
    if "postgresql" not in target["ENGINE"]:
        raise CommandError("--database-url: use postgres://user@host/name.", returncode=2)
    return target


def _workers() -> int:
    """Return how many workers answer; without a broker none can."""
    try:
        redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=1).ping()
    except redis.RedisError:
        return 0
    return len(current_app.control.ping(timeout=2.0) or [])


def _migrate(database_url: str) -> None:
    """Make the tables there, in a process of its own: migrations write to the database in use."""
    environment = {**os.environ, "DATABASE_URL": database_url}
    command = [
        sys.executable,
        str(settings.BASE_DIR / "manage.py"),
        "migrate",
        "--noinput",
        "--verbosity",
        "0",
    ]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason told"])[-1]
        raise CommandError(f"The new database cannot be set up: {last}")
