"""A file of readers, opened: its encoding, separator and format are known, its rows come one by one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from subscribers.importing.decoding import encoding_of
from subscribers.importing.entries import Entry, RowError
from subscribers.importing.formats import FORMATS, Format, column
from subscribers.importing.guarding import looks_guarded, unguarded
from subscribers.importing.records import Raw, records
from subscribers.importing.standings import Telling, doubtful, standing_in, telling, worst
from subscribers.models import ImportJob

_DELIMITERS = ",;\t"


class SheetError(ValueError):
    """The file as a whole cannot be used; `str()` says what to do."""


@dataclass(frozen=True, slots=True)
class Line:
    """A row: the line it begins on, and its entry or what is wrong with it."""

    number: int
    entry: Entry | None
    problem: str = ""


@dataclass(frozen=True)
class Sheet:
    """An opened file: `columns` are named as `formats.column` names them."""

    path: Path
    encoding: str
    delimiter: str
    columns: tuple[str, ...]
    format: Format
    #: The columns that say how a reader stands, beside what the format itself tells.
    told_by: Mapping[str, Telling]

    def rows(self) -> Iterator[Line]:
        """Yield every row after the header, in the file's order: the same ones each time."""
        with self.path.open(encoding=self.encoding, errors="replace", newline="") as text:
            for raw in islice(records(text, self.delimiter), 1, None):
                yield self._line(raw)

    def _line(self, raw: Raw) -> Line:
        if raw.problem:
            return Line(raw.line, None, raw.problem)
        try:
            row = self._row(raw.cells)
            entry, said = self.format.read(row), standing_in(row, self.told_by)
            return Line(raw.line, replace(entry, standing=worst(entry.standing, said)))
        except RowError as error:
            return Line(raw.line, None, str(error))

    def _row(self, cells: Sequence[str]) -> dict[str, str]:
        surplus = cells[len(self.columns) :]
        if len(cells) < len(self.columns) or any(surplus):
            raise RowError(
                f"The row has {len(cells)} cells, the header names {len(self.columns)}. "
                "Check its separators and quotation marks."
            )
        row = {name: cell.strip() for name, cell in zip(self.columns, cells, strict=False)}
        if self.format.guarded:
            return {name: unguarded(cell) for name, cell in row.items()}
        if any(looks_guarded(row.get(name, "")) for name in ("email", "email_address")):
            raise RowError(
                "The address begins with an apostrophe that a spreadsheet may have added. Take it off."
            )
        return row


def open_sheet(path: Path, named: str = "") -> Sheet:
    """Look at the beginning of the file; `named` is a format's name, or "" to tell it by the header.

    Raises SheetError, and OSError if the file is gone."""
    encoding = encoding_of(path)
    tried: list[tuple[str, ...]] = []
    for delimiter in _DELIMITERS:
        columns = _header(path, encoding, delimiter)
        tried.append(columns)
        if found := _format(columns, named):
            if unclear := doubtful(columns):
                raise SheetError(_unclear(unclear[0]))
            return Sheet(path, encoding, delimiter, columns, found, telling(columns))
    raise SheetError(_unknown(max(tried, key=len), named))


def _header(path: Path, encoding: str, delimiter: str) -> tuple[str, ...]:
    with path.open(encoding=encoding, errors="replace", newline="") as text:
        first = next(records(text, delimiter), None)
    if first is None:
        raise SheetError(
            "The file is empty. It needs a first line that names the columns, such as: email,topics"
        )
    if first.problem:
        raise SheetError(f"The first line cannot be read: {first.problem}")
    columns = tuple(column(cell) for cell in first.cells)
    while columns and not columns[-1]:  # a separator too many at the end
        columns = columns[:-1]
    twice = {"email", "email_address", *telling(columns)}
    if any(columns.count(name) > 1 for name in twice):
        raise SheetError("The header names a column twice. Take one of them out.")
    return columns


def _format(columns: Sequence[str], named: str) -> Format | None:
    names = frozenset(columns)
    candidates = [FORMATS[ImportJob.Format(named)]] if named else FORMATS.values()
    return next((known for known in candidates if known.knows(names)), None)


def _unknown(columns: Sequence[str], named: str) -> str:
    if any("@" in name for name in columns):
        return (
            "The first line holds an address, but it must name the columns. Add a line such as: email,topics "
            "(or just: email) before it."
        )
    kind = f"of the format {named}" if named else "we know"
    return (
        f"The first line does not name the columns of a file {kind}. It names: "
        f"{', '.join(columns[:8])[:200] or 'nothing'}. A plain file needs a column email."
    )


def _unclear(name: str) -> str:
    return (
        f"The column {name[:60]!r} may say who has left, in a way we do not know. Take out the rows of "
        "those who have left and then the column, or call it status with active or unsubscribed in it."
    )
