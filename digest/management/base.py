"""What the commands share: how they read a day, and what they say when there is no database to work on."""

import argparse
from datetime import date
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from django.db.migrations.executor import MigrationExecutor

#: arXiv began in that year: no paper here is older.
FIRST_YEAR = 1991


def a_day(text: str) -> date:
    """Return the date `text`, written YYYY-MM-DD; a type for argparse."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.min
    if day.isoformat() != text or day.year < FIRST_YEAR:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date since {FIRST_YEAR}. Write it YYYY-MM-DD.")
    return day


class DatabaseCommand(BaseCommand):
    """A command that works on the database and says in a sentence when it cannot be used."""

    def execute(self, *args: Any, **options: Any) -> str | None:  # noqa: ANN401 - Django's signature
        """Run the command. Raises CommandError where the database is away or not set up."""
        try:
            return super().execute(*args, **options)
        except DatabaseError as error:
            sentence = whats_wrong_with_the_database()
            if not sentence:
                raise
            raise CommandError(sentence) from error


def whats_wrong_with_the_database() -> str:
    """Return a sentence about a database that cannot be reached or lacks its tables, or "" if all is well."""
    connection = connections[DEFAULT_DB_ALIAS]
    connection.close_if_unusable_or_obsolete()
    try:
        connection.ensure_connection()
    except DatabaseError as error:
        return _unreachable(str(error))
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return "The database is not set up: run `manage.py migrate` first."
    return ""


def _unreachable(answer: str) -> str:
    """Return the sentence, with the first line of the driver's `answer`: it holds no password."""
    database = settings.DATABASES[DEFAULT_DB_ALIAS]
    if database["ENGINE"].endswith("sqlite3"):
        return f"The database {database['NAME']} cannot be opened: {answer}. Check DATABASE_URL and DATA_DIR."
    place = ":".join(str(database[part]) for part in ("HOST", "PORT") if database.get(part))
    reason = answer.partition("\n")[0].rpartition("failed: ")[2].strip().rstrip(".")
    return f"The database at {place or 'this machine'} cannot be reached: {reason}. Check DATABASE_URL."
