"""Rows as lines of a CSV file, one at a time, harmless in a spreadsheet."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime

from subscribers.importing.guarding import guarded


class _Lines:
    """A file that hands back what is written to it."""

    def write(self, line: str) -> str:
        return line


def csv_lines(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Yield `headers` and `rows` line by line; memory holds one row, whatever their number."""
    writer = csv.writer(_Lines())
    yield writer.writerow(map(_cell, headers))
    for row in rows:
        yield writer.writerow(map(_cell, row))


def _cell(value: object) -> str:
    """Return `value` as a person and a program read it: figures as they are, text guarded, moments in UTC."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%SZ}"
    return value.isoformat() if isinstance(value, date) else guarded(str(value))
