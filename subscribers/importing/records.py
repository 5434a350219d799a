"""Records of a CSV text (RFC 4180): a bad one does not spoil the next, and none fills the memory."""

import csv
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TextIO

#: Characters of one record and of one line; a reader with forty long interests has a tenth of it.
LONGEST = 1 << 16
#: Lines that one record's quoted cells may run over, before the quotation mark counts as never closed.
MOST_LINES = 200


@dataclass(frozen=True, slots=True)
class Raw:
    """A record's cells and the line it begins on, from 1; or, with no cells, a sentence on what is wrong."""

    line: int
    cells: list[str]
    problem: str = ""


class Lines:
    """The lines of a text with their numbers, none longer than LONGEST; lines can be given back."""

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self._number = 0
        self._back: deque[tuple[int, str]] = deque()

    def take(self) -> tuple[int, str] | None:
        """Return (number, line with its end), or None after the last. What a line has too much is dropped."""
        if self._back:
            return self._back.popleft()
        line = self._text.readline(LONGEST + 1)
        if not line:
            return None
        self._number += 1
        rest = line
        while len(rest) > LONGEST and rest[-1] not in "\r\n":
            rest = self._text.readline(LONGEST + 1)
        return self._number, line

    def give_back(self, lines: list[tuple[int, str]]) -> None:
        """Make `lines` the next ones again."""
        self._back.extendleft(reversed(lines))


def records(text: TextIO, delimiter: str) -> Iterator[Raw]:
    """Yield the records of `text` (opened with newline="") but the empty ones.

    A record that cannot be read is yielded with its problem, and reading goes on with the line after the one
    it began on: an unclosed quotation mark costs one row.
    """
    lines = Lines(text)
    while (first := lines.take()) is not None:
        found = _record(lines, first, delimiter)
        if found.problem or any(cell.strip() for cell in found.cells):
            yield found


def _record(lines: Lines, first: tuple[int, str], delimiter: str) -> Raw:
    number, line = first
    if len(line) > LONGEST:
        return Raw(number, [], f"The line is longer than {LONGEST:,} characters.")
    if "\0" in line:
        return Raw(number, [], "The line holds a null character; the file is damaged here.")
    if '"' not in line:
        return Raw(number, line.rstrip("\r\n").split(delimiter))
    more: list[tuple[int, str]] = []
    try:
        cells = next(csv.reader(_fed(lines, line, more), delimiter=delimiter, strict=True))
    except csv.Error as error:
        lines.give_back(more)
        return Raw(number, [], _told(str(error)))
    return Raw(number, cells)


def _fed(lines: Lines, first: str, more: list[tuple[int, str]]) -> Iterator[str]:
    """Yield the record's lines as the CSV reader asks for them, keeping all but the first in `more`."""
    yield first
    room = LONGEST - len(first)
    while len(more) < MOST_LINES and room > 0 and (following := lines.take()) is not None:
        more.append(following)
        room -= len(following[1])
        if "\0" in following[1] or room < 0:
            return
        yield following[1]


def _told(error: str) -> str:
    if "unexpected end" in error:
        return "A quotation mark opens here and is never closed."
    return (
        "A quotation mark stands in the middle of a cell. Quote the whole cell, and double the mark inside."
    )
