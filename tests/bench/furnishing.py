"""A house after a busy year, on PostgreSQL: written by SQL, so that a million readers take a minute or two.

One large edition is being sent, older ones were, the newest waits at the desk.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.db import connection
from django.utils import timezone

from digest import figures, progress, terms
from digest.models import Edition


@dataclass(frozen=True)
class Furniture:
    """How much there is of everything. `largest` of the deliveries are of one edition."""

    readers: int
    papers: int = 100_000
    editions: int = 60
    #: Candidates of each edition.
    candidates: int = 1_500

    @property
    def largest(self) -> int:
        return self.readers * 7 // 10

    def rows(self, now: datetime) -> dict[str, int | datetime]:
        """Return what the statements below are filled in with."""
        return {
            "now": now,
            "readers": self.readers,
            "papers": self.papers,
            "editions": self.editions,
            "candidates": self.candidates,
            "largest": self.largest,
            "older": (self.readers - self.largest) // 6,
            "large_edition": self.editions - 1,
        }


_SQL = Path(__file__).with_name("furniture.sql")
#: Written by the product itself.
_FIGURES = ("digest_dailyfigures", "digest_topicfigures", "digest_editionfigures")
_SEQUENCES = ("subscribers_subscriber", "digest_paper", "digest_edition", "digest_delivery")


#: Django fills in what a row leaves out, and the statements may be older than a column: texts are empty then.
_DEFAULTS = """do $$ declare found record; begin
  for found in select table_name, column_name from information_schema.columns
    where table_schema = current_schema() and is_nullable = 'NO' and column_default is null
      and is_identity = 'NO' and data_type in ('character varying', 'text')
  loop
    execute format('alter table %I alter column %I set default %L', found.table_name, found.column_name, '');
  end loop;
end $$"""


def clear() -> None:
    """Empty the tables again."""
    tables = dict.fromkeys(re.findall(r"^insert into (\w+)", _SQL.read_text(), re.MULTILINE))
    with connection.cursor() as cursor:
        cursor.execute(f"truncate {', '.join([*tables, *_FIGURES])} restart identity cascade")


def statements() -> list[str]:
    """Return the statements that write the rows, in order."""
    return [part for part in _SQL.read_text().split(";\n\n") if part.strip()]


def furnish(furniture: Furniture) -> Edition:
    """Write the rows into an empty database, tell the planner, keep the figures; return the large edition."""
    now = timezone.now().astimezone(UTC).replace(microsecond=0)
    with connection.cursor() as cursor:
        cursor.execute("select current_setting('is_superuser')")
        if cursor.fetchone() == ("on",):  # the rows are right: checking each foreign key takes half the time
            cursor.execute("set session_replication_role = replica")
        cursor.execute(_DEFAULTS)
        for statement in statements():
            cursor.execute(statement, furniture.rows(now))
        for table in _SEQUENCES:
            cursor.execute(
                f"select setval(pg_get_serial_sequence('{table}', 'id'), (select max(id) from {table}))"
            )
        cursor.execute("reset session_replication_role")
        cursor.execute("vacuum analyze")
    for edition in Edition.objects.order_by("-day")[:9]:
        progress.keep(edition, at=now)
    for edition in Edition.objects.order_by("-day")[:2]:
        terms.compute(edition)  # as freezing does
    figures.keep(at=now + timedelta(seconds=1))
    return Edition.objects.get(pk=furniture.editions - 1)
