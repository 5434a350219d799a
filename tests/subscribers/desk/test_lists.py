"""Every list of the desk: as a file, as far as its rows go; on the screen, as far as a person looks."""

import csv
import io
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import StreamingHttpResponse
from django.test import Client
from django.urls import reverse

from subscribers.admin import lists_as_csv, long_lists
from subscribers.importing.guarding import guarded
from subscribers.models import AuditEvent, ConsentEvent, Subscriber
from tests.cast import NOON, a_reader, the_wording
from tests.subscribers.desk.conftest import may

pytestmark = pytest.mark.django_db

LIST = reverse("admin:subscribers_subscriber_changelist")
FILE = reverse("admin:subscribers_subscriber_export")


def rows(answer: Any) -> list[list[str]]:
    assert isinstance(answer, StreamingHttpResponse)
    assert isinstance(answer.streaming_content, Iterator)
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline="")))


def test_a_list_goes_out_as_its_columns_show_it(curator: Client) -> None:
    reader = a_reader("ada@example.org", frequency="weekly")
    header, row = rows(curator.post(FILE))
    assert header == ["Reader", "Public id", "Status", "Status at", "Frequency", "Confirmed at"]
    assert row == [
        "a•••@example.org",
        guarded(reader.public_id),  # one in sixty-four begins with a sign
        "Active",
        "2026-02-22T12:00:00Z",
        "Once a week",
        "2026-02-22T12:00:00Z",
    ]


def test_only_the_rows_that_the_filters_leave_go_out_in_the_lists_order(curator: Client) -> None:
    left = [a_reader(status="unsubscribed") for _ in range(3)]
    a_reader()
    _header, *found = rows(curator.post(f"{FILE}?status__exact=unsubscribed&p=7"))
    assert [row[1] for row in found] == [guarded(reader.public_id) for reader in reversed(left)]
    taken = AuditEvent.objects.get()
    assert (taken.kind, taken.about, taken.detail) == (
        "exported",
        "subscribers",
        "as CSV, status__exact=unsubscribed",
    )


def test_more_rows_than_are_fetched_at_once_or_shown_on_a_page_go_out_once_each(
    curator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists_as_csv, "PAGE", 2)
    monkeypatch.setattr(long_lists, "MOST_ROWS", 2)
    readers = [a_reader() for _ in range(5)]
    _header, *found = rows(curator.post(FILE))
    assert [row[1] for row in found] == [guarded(reader.public_id) for reader in reversed(readers)]


def test_a_row_that_goes_while_the_file_is_taken_is_passed_over(
    curator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists_as_csv, "PAGE", 1)
    first, second = a_reader(), a_reader()
    answer: Any = curator.post(FILE)
    pieces = iter(answer)
    for _ in range(3):  # the mark, the headers, the newest reader
        newest = next(pieces)
    assert second.public_id in newest.decode()
    first.delete()
    assert list(pieces) == []


def test_a_link_and_a_related_row_go_out_as_text(curator: Client) -> None:
    ConsentEvent.objects.create(
        subscriber=a_reader(), address_hash="x", kind="confirmed", text=the_wording(), source="=form", at=NOON
    )
    header, row = rows(curator.post(reverse("admin:subscribers_consentevent_export")))
    found = dict(zip(header, row, strict=True))
    assert (found["Text"], found["Source"]) == (the_wording().version, "'=form")
    assert found["Subscriber"].startswith("reader ")


def test_who_may_not_look_takes_nothing(newcomer: User) -> None:
    a_reader()
    assert may(newcomer).post(FILE).status_code == 403
    assert not AuditEvent.objects.exists()
    assert may(newcomer, "view_subscriber").post(FILE).status_code == 200


def test_following_a_link_to_the_file_leads_to_the_list_and_writes_nothing(curator: Client) -> None:
    assert curator.get(FILE, follow=True).redirect_chain == [(LIST, 302)]
    assert not AuditEvent.objects.exists()


def test_a_filter_that_means_nothing_leads_back_to_the_list(curator: Client) -> None:
    assert curator.post(f"{FILE}?status_at__gte=yesterday", follow=True).redirect_chain[0][0] == f"{LIST}?e=1"


def test_the_button_keeps_the_filters_and_is_not_there_for_nothing(curator: Client) -> None:
    assert "Download as CSV" not in curator.get(LIST).content.decode()
    a_reader()
    page = curator.get(f"{LIST}?status__exact=active").content.decode()
    assert f'action="{FILE}?status__exact=active"' in page


@pytest.fixture
def _three_rows_on_two_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(long_lists, "MOST_ROWS", 3)
    monkeypatch.setattr("subscribers.admin.readers.SubscriberAdmin.list_per_page", 2)


@pytest.mark.usefixtures("_three_rows_on_two_pages")
def test_a_long_list_is_counted_no_further_than_it_is_shown(curator: Client) -> None:
    for _ in range(3):
        a_reader()
    assert "3 subscribers" in curator.get(LIST).content.decode()
    a_reader()
    assert "3+ subscribers" in curator.get(LIST).content.decode()


@pytest.mark.usefixtures("_three_rows_on_two_pages")
@pytest.mark.parametrize(("page", "told"), [("2", False), ("3", True), ("0", True), ("-1", True)])
def test_a_page_that_is_not_there_gets_a_sentence_and_the_first(
    page: str, told: bool, curator: Client
) -> None:
    readers = [a_reader() for _ in range(5)]
    text = curator.get(f"{LIST}?p={page}&status__exact=active").content.decode()
    assert ("There is no such page; this is the first." in text) is told
    assert (readers[-1].public_id in text) is told
    assert (readers[-3].public_id in text) is not told


def test_a_list_is_sorted_by_what_it_offers_alone(curator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    a_reader(frequency="daily")
    a_reader(frequency="weekly")
    order = {"o": "5"}  # the column of how often
    monkeypatch.setattr("subscribers.admin.readers.SubscriberAdmin.sortable_by", ["frequency"], raising=False)
    assert sorted_by(curator, order) == ["daily", "weekly"]
    monkeypatch.setattr("subscribers.admin.readers.SubscriberAdmin.sortable_by", [])
    assert sorted_by(curator, order) == ["weekly", "daily"]


def sorted_by(curator: Client, order: dict[str, str]) -> list[str]:
    found: list[Subscriber] = list(curator.get(LIST, order).context["cl"].result_list)
    return [reader.frequency for reader in found]
