"""CSV, one bad record at a time."""

import csv
import io
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers.importing import records as reading
from subscribers.importing.records import LONGEST, Raw, records


def read(text: str, delimiter: str = ",") -> list[Raw]:
    """Return the records of `text`."""
    return list(records(io.StringIO(text, newline=""), delimiter))


def cells(text: str) -> list[list[str]]:
    """Return the cells of the records that can be read."""
    return [raw.cells for raw in read(text) if not raw.problem]


def problems(text: str) -> list[tuple[int, str]]:
    """Return (line, first words) of the records that cannot."""
    return [(raw.line, " ".join(raw.problem.split()[:3])) for raw in read(text) if raw.problem]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_may_end_in_three_ways(end: str) -> None:
    assert cells(end.join(["a,b", "c,d", ""])) == [["a", "b"], ["c", "d"]]


def test_a_quoted_cell_holds_separators_newlines_and_doubled_marks() -> None:
    assert cells('a,"b, c\nd ""e"""\nf,g\n') == [["a", 'b, c\nd "e"'], ["f", "g"]]


def test_a_record_is_told_by_the_line_it_begins_on() -> None:
    assert [raw.line for raw in read('a\n"b\nc"\n\n\nd\n')] == [1, 2, 6]


def test_empty_records_are_passed_over() -> None:
    assert cells("a,b\n\n , \n,\nc,d") == [["a", "b"], ["c", "d"]]


def test_an_unclosed_quotation_mark_costs_one_row() -> None:
    text = 'a,b\n"open,1\nc,d\n"e",f\ng,h\n'
    assert cells(text) == [["a", "b"], ["c", "d"], ["e", "f"], ["g", "h"]]
    assert problems(text) == [(2, "A quotation mark")]


def test_an_unclosed_mark_at_the_end_of_a_long_file_is_not_looked_for_to_its_end() -> None:
    text = '"open\n' + "x,y\n" * 5_000
    assert len(cells(text)) == 5_000
    assert problems(text) == [(1, "A quotation mark")]


def test_a_mark_within_a_cell_costs_one_row() -> None:
    assert problems('a,b\n"c"d,e\nf,g\n') == [(2, "A quotation mark")]


def test_a_null_character_costs_one_row_even_within_quotes() -> None:
    assert cells('a,b\nc\0,d\n"e\nf\0",g\nh,i\n')[-1] == ["h", "i"]
    assert (2, "The line holds") in problems("a,b\nc\0,d\nh,i\n")


@pytest.mark.parametrize("quote", ["", '"'])
def test_a_line_longer_than_the_bound_costs_one_row(quote: str) -> None:
    text = f"a,b\n{quote}{'x' * (3 * LONGEST)}{quote},y\nc,d\n"
    assert cells(text) == [["a", "b"], ["c", "d"]]
    assert problems(text) == [(2, "The line is")]


def test_a_long_line_is_never_held_whole() -> None:
    class Endless(io.TextIOBase):
        """One line of a gigabyte, made as it is read; remembers the most that was asked for at once."""

        left = 1 << 30
        most = 0

        def readline(self, size: int = -1) -> str:  # type: ignore[override]
            assert size > 0, "a whole line was asked for"
            self.most = max(self.most, size)
            given, self.left = min(size, self.left), max(self.left - size, 0)
            return "x" * given

    endless = Endless()
    found = list(records(endless, ","))  # type: ignore[arg-type]
    assert [raw.problem[:20] for raw in found] == ["The line is longer t"]
    assert endless.most <= LONGEST + 1


@given(st.lists(st.lists(st.text(string.printable, max_size=12), min_size=2, max_size=4), max_size=8))
def test_what_python_writes_is_read_as_it_was(table: list[list[str]]) -> None:
    table = [row for row in table if any(cell.strip() for cell in row)]
    written = io.StringIO(newline="")
    csv.writer(written, quoting=csv.QUOTE_ALL).writerows(table)
    assert cells(written.getvalue()) == table


@given(st.text(alphabet='ab",;\n\r\0é', max_size=200))
def test_no_text_breaks_the_reader_and_no_line_is_told_twice(text: str) -> None:
    lines = [raw.line for raw in read(text)]
    assert lines == sorted(set(lines))


def test_quoted_lines_without_end_are_given_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_LINES", 3)
    assert cells('"a\nb\nc\nd\ne"\nf\n')[-1] == ["f"]
    assert problems('"a\nb\nc\nd\ne"\nf\n')[0] == (1, "A quotation mark")
