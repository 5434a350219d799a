"""Moving house: every row from the database in use to an empty PostgreSQL, in one transaction there.

Keys, public ids, hashes and moments stay as they are, so that links, the suppression list and "who got it"
mean the same afterwards. Rows stream table by table through COPY, so that a million need no memory.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.core.management.color import no_style
from django.db import DEFAULT_DB_ALIAS, connections, models, transaction

from digest.delivery.balance import balance
from digest.models import Edition

#: The alias of the new database, while rows go there.
TARGET = "moving_to"
#: Rows read at a time.
PAGE = 2_000


class MovingError(Exception):
    """Nothing was moved; `str()` is a sentence that says why and what to do."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table of ours."""

    model: type[models.Model]
    rows: int

    @property
    def name(self) -> str:
        """Its name in the database."""
        return self.model._meta.db_table


@contextmanager
def target(settings: dict[str, Any]) -> Iterator[None]:
    """Make the database of `settings` (as in DATABASES) known as TARGET for the length of the block."""
    ours = connections.databases[DEFAULT_DB_ALIAS]
    defaults = {key: ours[key] for key in ("ATOMIC_REQUESTS", "AUTOCOMMIT", "TIME_ZONE", "TEST")}
    names = dict.fromkeys(("NAME", "USER", "PASSWORD", "HOST", "PORT"), "")
    connections.databases[TARGET] = {**names, **defaults, **settings}
    try:
        yield
    finally:
        connections[TARGET].close()
        del connections[TARGET]
        del connections.databases[TARGET]


def tables() -> list[Table]:
    """Return every table of the installation with the number of its rows in the database in use."""
    found = [
        model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy
    ]
    return [Table(model, _rows(model, DEFAULT_DB_ALIAS).count()) for model in found]


def refuse_unless_empty() -> None:
    """Raise MovingError where the tables in TARGET hold anything of anybody's.

    What the migrations wrote (topics, wordings, groups) may be there: it is replaced.
    """
    written = {
        "contenttypes",
        "auth.Permission",
        "auth.Group",
        "subscribers.Topic",
        "subscribers.ConsentText",
    }
    for table in tables():
        meta = table.model._meta
        if meta.app_label in written or meta.label in written or meta.auto_created:
            continue
        if _rows(table.model, TARGET).exists():
            raise MovingError(
                f"The new database is not empty: there are rows in {table.name}. Nothing was moved. Make a "
                "new, empty one (createdb) and name that."
            )


def move(*, on_rows: Callable[[int], object]) -> list[Table]:
    """Copy every row to TARGET, set its sequences, compare the counts; return the tables with their rows.

    Nobody can write to an SQLite database meanwhile. `on_rows` hears how many rows went. All of it is one
    transaction: a fault leaves the new database as it was. Raises MovingError.
    """
    with transaction.atomic(), transaction.atomic(using=TARGET):
        moving = tables()
        _empty(moving)
        for table in moving:
            _copy(table, on_rows)
        _set_sequences(moving)
        _compare(moving)
    with connections[TARGET].cursor() as cursor:
        cursor.execute("ANALYZE")  # without it the first plans are made for empty tables
    return moving


def _rows(model: type[models.Model], alias: str) -> models.QuerySet[models.Model]:
    """Return all rows, whatever the model's own manager leaves out."""
    return models.QuerySet(model, using=alias).order_by("pk")


def _empty(moving: list[Table]) -> None:
    quote = connections[TARGET].ops.quote_name
    with connections[TARGET].cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(quote(table.name) for table in moving)} CASCADE")


def _copy(table: Table, on_rows: Callable[[int], object]) -> None:
    new = connections[TARGET]
    fields = table.model._meta.concrete_fields
    columns = ", ".join(new.ops.quote_name(str(field.column)) for field in fields)
    rows = _rows(table.model, DEFAULT_DB_ALIAS).values_list(*(field.attname for field in fields))
    with (
        new.cursor() as cursor,
        cursor.copy(f"COPY {new.ops.quote_name(table.name)} ({columns}) FROM STDIN") as to,
    ):
        for row in rows.iterator(chunk_size=PAGE):
            to.write_row(
                [field.get_db_prep_save(value, new) for field, value in zip(fields, row, strict=True)]
            )
            on_rows(1)


def _set_sequences(moving: list[Table]) -> None:
    """Let new rows get keys after those that came: COPY does not draw them."""
    new = connections[TARGET]
    with new.cursor() as cursor:
        for statement in new.ops.sequence_reset_sql(no_style(), [table.model for table in moving]):
            cursor.execute(statement)


def _compare(moving: list[Table]) -> None:
    for table in moving:
        there = _rows(table.model, TARGET).count()
        if there != table.rows:
            raise MovingError(
                f"{table.name} has {table.rows:,} rows here and {there:,} there. Nothing was moved. Stop "
                "every process that writes, and repeat."
            )


def accounts() -> list[str]:
    """Return the account of each edition that is not over, as it stands in the database in use."""
    going = Edition.objects.filter(state__in=[*Edition.SENDABLE, Edition.State.PAUSED]).order_by("-day")
    return [f"{edition.day}: {balance(edition)}" for edition in going[:3]]
