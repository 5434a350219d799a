"""Leaving with one click, as RFC 8058 has it."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from pytest_django import Settings

from subscribers.models import ConsentEvent, Subscriber
from tests.cast import NOON, a_reader
from tests.subscribers.door.visits import ONE_CLICK, kept_private, pending, unsubscribing

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


def test_the_page_shows_one_button_and_says_where_it_came_from(client: Client) -> None:
    reader = a_reader("ada@example.org")
    page = client.get(unsubscribing(reader)).content.decode()
    assert page.count("<button") == 1
    assert 'action="?page"' in page
    assert "/preferences/" not in page, "a link that never expires must not hand out one that does"
    assert client.post(unsubscribing(reader) + "?page").status_code == 200
    assert reader.consent_events.get().source == "unsubscribe page"


def test_the_page_asks_and_says_how_to_pause_to_those_who_have_a_digest_to_pause_from(client: Client) -> None:
    active = client.get(unsubscribing(a_reader("ada@example.org"))).content.decode()
    waiting = client.get(unsubscribing(pending("ben@example.org"))).content.decode()
    for page in active, waiting:
        assert "Stop sending Daily Papers to" in page
    assert "Press “Pause”" in active
    assert "Pause" not in waiting


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
