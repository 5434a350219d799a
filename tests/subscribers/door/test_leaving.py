"""Leaving with one click, as RFC 8058 has it."""

from datetime import date, timedelta

import pytest
import time_machine
from django.test import Client
from pytest_django import Settings

from subscribers.models import ConsentEvent, Subscriber
from tests.cast import NOON, a_reader
from tests.sinks.smtp_sink import SmtpSink
from tests.subscribers.door.presses import link_in_mail
from tests.subscribers.door.visits import ONE_CLICK, kept_private, pending, snapshot, unsubscribing

pytestmark = pytest.mark.django_db

Status = Subscriber.Status


def test_one_click_leaves_before_the_answer_without_cookie_or_redirect(client: Client) -> None:
    reader = a_reader("ada@example.org")
    response = client.post(unsubscribing(reader), ONE_CLICK)
    assert response.status_code == 200
    assert kept_private(response)
    reader.refresh_from_db()
    assert reader.status == Status.UNSUBSCRIBED
    event = reader.consent_events.get()
    assert (event.kind, event.source) == (ConsentEvent.Kind.WITHDRAWN, "one-click")


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"List-Unsubscribe=One-Click", "application/x-www-form-urlencoded"),
        (b"", "application/x-www-form-urlencoded"),
        (b"", ""),
        (b"--x\r\nbroken", "multipart/form-data; boundary=x"),
        (b"--x\r\nbroken", "multipart/form-data"),
        (b"{}", "application/json"),
        (b"\xff" * 5_000_000, "application/octet-stream"),
    ],
)
def test_whatever_the_body_of_the_click_it_counts(client: Client, body: bytes, content_type: str) -> None:
    reader = a_reader("ada@example.org")
    response = client.generic("POST", unsubscribing(reader), body, content_type=content_type)
    assert response.status_code == 200
    reader.refresh_from_db()
    assert reader.status == Status.UNSUBSCRIBED


def test_leaving_again_or_after_erasure_is_answered_alike(client: Client) -> None:
    reader = a_reader("ada@example.org")
    address = unsubscribing(reader)
    first, second = client.post(address, ONE_CLICK), client.post(address, ONE_CLICK)
    reader.delete()
    third = client.post(address, ONE_CLICK)
    assert [r.status_code for r in (first, second, third)] == [200] * 3
    assert first.content == second.content == third.content
    assert client.get(address).status_code == 200


def test_the_page_shows_one_button_to_leave_and_hands_out_nothing(client: Client) -> None:
    reader = a_reader("ada@example.org")
    page = client.get(unsubscribing(reader)).content.decode()
    assert page.count('<button class="button">') == 1
    assert 'action="?page"' in page
    for door in ("/preferences/", "/account/", "/undo/"):
        assert door not in page, "a link that never expires must not hand out one that does"
    assert client.post(unsubscribing(reader) + "?page").status_code == 303
    assert reader.consent_events.get().source == "unsubscribe page"


def test_beside_it_stand_fewer_mails_for_those_who_get_any(client: Client) -> None:
    active = client.get(unsubscribing(a_reader("ada@example.org"))).content.decode()
    weekly = client.get(unsubscribing(a_reader("eve@example.org", frequency="weekly"))).content.decode()
    waiting = client.get(unsubscribing(pending("ben@example.org"))).content.decode()
    for page in active, weekly, waiting:
        assert "Stop sending Daily Papers to" in page
    assert ("Once a week instead" in active, "Pause for two weeks" in active) == (True, True)
    assert ("Once a week instead" in weekly, "Pause for two weeks" in weekly) == (False, True)
    assert waiting.count("<button") == 1


def test_once_a_week_instead(client: Client) -> None:
    reader = a_reader("ada@example.org")
    response = client.post(unsubscribing(reader) + "?do=weekly")
    assert (response.status_code, "Once a week, then" in response.content.decode()) == (200, True)
    assert kept_private(response)
    reader.refresh_from_db()
    assert (reader.status, reader.frequency) == (Status.ACTIVE, "weekly")
    assert [(e.kind, e.source) for e in reader.consent_events.all()] == [("changed", "unsubscribe page")]


@pytest.mark.parametrize(("days", "until"), [("14", date(2026, 3, 19)), ("30", date(2026, 4, 4))])
def test_a_pause_instead_counts_from_the_readers_own_day(client: Client, days: str, until: date) -> None:
    reader = a_reader("ada@example.org", time_zone="Pacific/Kiritimati")  # where it is the 5th already
    page = client.post(f"{unsubscribing(reader)}?do=pause&days={days}").content.decode()
    reader.refresh_from_db()
    assert (reader.status, reader.paused_until) == (Status.ACTIVE, until)
    assert f"{until:%A}, {until.day} {until:%B} 2026" in page


def test_a_pause_instead_never_shortens_one(client: Client) -> None:
    reader = a_reader("ada@example.org", paused_until=date(2026, 6, 1))
    client.post(unsubscribing(reader) + "?do=pause&days=14")
    reader.refresh_from_db()
    assert reader.paused_until == date(2026, 6, 1)


@pytest.mark.parametrize(
    "what", ["?do=pause", "?do=pause&days=9999", "?do=pause&days=x", "?do=nothing", "?do=", "?x=1"]
)
def test_a_post_that_names_no_other_wish_is_a_wish_to_leave(client: Client, what: str) -> None:
    reader = a_reader("ada@example.org")
    assert client.post(unsubscribing(reader) + what, ONE_CLICK).status_code == 200
    reader.refresh_from_db()
    assert reader.status == Status.UNSUBSCRIBED


@pytest.mark.parametrize("what", ["?do=weekly", "?do=pause&days=14"])
def test_fewer_mails_for_one_who_has_left_change_nothing(client: Client, what: str) -> None:
    reader = a_reader("ada@example.org", status=Status.UNSUBSCRIBED)
    before = snapshot()
    response = client.post(unsubscribing(reader) + what)
    assert (response.status_code, "You are unsubscribed" in response.content.decode()) == (200, True)
    assert snapshot() == before


def test_who_has_left_can_have_the_link_to_their_data_mailed(client: Client, smtp_sink: SmtpSink) -> None:
    reader = a_reader("ada@example.org", status=Status.UNSUBSCRIBED)
    assert "Mail me a link" in client.get(unsubscribing(reader)).content.decode()
    known = client.post(unsubscribing(reader) + "?do=account")
    account = client.get(link_in_mail(smtp_sink, "ada@example.org", "account"))
    assert (account.status_code, "Erase me" in account.content.decode()) == (200, True)
    gone = unsubscribing(reader)
    reader.delete()
    nobody = client.post(gone + "?do=account")
    assert (known.status_code, known.content) == (nobody.status_code, nobody.content)
    assert len(smtp_sink.received) == 1


def test_over_plain_http_the_click_is_taken_where_other_pages_are_sent_to_tls(settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT, settings.SECURE_REDIRECT_EXEMPT = True, [r"^u/"]
    reader = a_reader("ada@example.org")
    plain = Client(SERVER_NAME="papers.example.org")
    assert plain.get("/subscribe/").status_code == 301
    assert plain.post(unsubscribing(reader), ONE_CLICK).status_code == 200


def test_the_unsubscribe_link_of_an_old_mail_works_with_a_retired_key(
    client: Client, settings: Settings
) -> None:
    reader = a_reader("ada@example.org")
    old = unsubscribing(reader)
    settings.TOKEN_KEYS = {"new": b"n" * 32, **settings.TOKEN_KEYS}
    with time_machine.travel(NOON + timedelta(days=3650)):
        assert client.post(old, ONE_CLICK).status_code == 200
    reader.refresh_from_db()
    assert reader.status == Status.UNSUBSCRIBED
