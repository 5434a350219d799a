"""What a command says when there is no database to work on."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from django.db.migrations.executor import MigrationExecutor


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
