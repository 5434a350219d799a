"""A table as a file: what stands in it, what a spreadsheet makes of it, and who took it."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, StreamingHttpResponse
from django.test import RequestFactory

from subscribers.admin.csv_table import csv_answer
from subscribers.models import AuditEvent
from tests.cast import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def request_by_post() -> HttpRequest:
    request = RequestFactory().post("/admin/")
    request.user = User.objects.create_user("curator")
    return request


def body(answer: StreamingHttpResponse) -> str:
    assert isinstance(answer.streaming_content, Iterator)
    return b"".join(answer.streaming_content).decode("utf-8")


def read(answer: StreamingHttpResponse) -> list[list[str]]:
    return list(csv.reader(io.StringIO(body(answer).removeprefix("\ufeff"), newline="")))


def test_cells_come_out_as_they_are(request_by_post: HttpRequest) -> None:
    row = [
        "Fišer, “D.”",
        'a "b"\nc',
        -3,
        0.5,
        True,
        None,
        date(2026, 3, 4),
        datetime(2026, 3, 4, 5, tzinfo=UTC),
    ]
    found = read(csv_answer(request_by_post, name="x", headers=list("abcdefgh"), rows=[row]))
    assert found == [
        list("abcdefgh"),
        ["Fišer, “D.”", 'a "b"\nc', "-3", "0.5", "yes", "", "2026-03-04", "2026-03-04T05:00:00Z"],
    ]


def test_excel_is_told_that_it_is_utf_8(request_by_post: HttpRequest) -> None:
    assert body(csv_answer(request_by_post, name="x", headers=["a"], rows=[])).startswith("\ufeffa")


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "'=1"])
def test_text_that_a_spreadsheet_would_run_is_shown(cell: str, request_by_post: HttpRequest) -> None:
    assert read(csv_answer(request_by_post, name="x", headers=[cell], rows=[[cell]])) == [[f"'{cell}"]] * 2


def test_the_file_is_named_after_the_day_and_kept_nowhere(request_by_post: HttpRequest) -> None:
    with time_machine.travel(NOON):
        answer = csv_answer(request_by_post, name='Papers "of" today', headers=["a"], rows=[])
    assert answer["Content-Disposition"] == 'attachment; filename="papers-of-today-2026-03-04.csv"'
    assert answer["Cache-Control"] == "no-store"
    assert answer["Content-Type"] == "text/csv; charset=utf-8"


def test_who_took_it_is_written_down_before_the_first_row_leaves(request_by_post: HttpRequest) -> None:
    csv_answer(request_by_post, name="papers", headers=["title", "votes"], rows=[])
    taken = AuditEvent.objects.get()
    assert (taken.kind, taken.by_name, taken.about, taken.detail) == (
        AuditEvent.Kind.EXPORTED,
        "curator",
        "papers",
        "title, votes",
    )


def test_looking_takes_nothing(request_by_post: HttpRequest) -> None:
    request_by_post.method = "GET"
    with pytest.raises(PermissionDenied):
        csv_answer(request_by_post, name="papers", headers=["title"], rows=[])
    assert not AuditEvent.objects.exists()


def test_rows_are_asked_for_one_by_one(request_by_post: HttpRequest) -> None:
    asked = []

    def rows() -> Iterator[list[int]]:
        for number in range(1_000):
            asked.append(number)
            yield [number]

    answer = csv_answer(request_by_post, name="x", headers=["n"], rows=rows())
    assert asked == []
    pieces = iter(answer)
    assert [next(pieces) for _ in range(3)] == ["\ufeff".encode(), b"n\r\n", b"0\r\n"]
    assert asked == [0]
