"""The goodbye page: a way back for half an hour, and a question nobody has to answer."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from subscribers import lifecycle
from subscribers.models import LeavingReason, Subscriber, Suppression
from tests.cast import NOON, a_reader
from tests.subscribers.door.presses import undoing
from tests.subscribers.door.visits import ONE_CLICK, kept_private, pending, snapshot, unsubscribing

pytestmark = pytest.mark.django_db

Status = Subscriber.Status


def leave(client: Client, reader: Subscriber) -> str:
    """Press the page's own button and return where it leads."""
    left = client.post(unsubscribing(reader) + "?page")
    assert left.status_code == 303
    location: str = left["Location"]
    return location


def status(reader: Subscriber) -> str:
    reader.refresh_from_db()
    return reader.status


def test_the_pages_own_button_leads_to_a_goodbye_with_a_way_back(client: Client) -> None:
    reader = a_reader("ada@example.org")
    goodbye = leave(client, reader)
    assert status(reader) == Status.UNSUBSCRIBED
    page = client.get(goodbye)
    assert "You are unsubscribed" in page.content.decode()
    assert "example.org" not in page.content.decode().partition("<main")[2].partition("</main")[0]
    assert kept_private(page)
    assert status(reader) == Status.UNSUBSCRIBED, "a look is no press"
    back = client.post(goodbye)
    assert (back.status_code, "Welcome back" in back.content.decode()) == (200, True)
    assert status(reader) == Status.ACTIVE
    assert "Welcome back" in client.post(goodbye).content.decode()
    assert reader.consent_events.filter(kind="resumed").count() == 1


def test_a_mail_program_is_shown_no_way_back(client: Client) -> None:
    answer = client.post(unsubscribing(a_reader("ada@example.org")), ONE_CLICK)
    assert answer.status_code == 200
    assert "/undo/" not in answer.content.decode()
    assert "<form" not in answer.content.decode()


@pytest.mark.parametrize("earlier", [Status.PENDING, Status.UNSUBSCRIBED, Status.SUPPRESSED])
def test_whoever_was_not_subscribed_gets_no_way_in_by_leaving(
    client: Client, earlier: Subscriber.Status
) -> None:
    reader = a_reader("ada@example.org", status=earlier)
    answer = client.post(unsubscribing(reader) + "?page")
    assert (answer.status_code, "/undo/" in answer.content.decode()) == (200, False)
    assert status(reader) == Status.UNSUBSCRIBED


def test_the_way_back_closes_after_half_an_hour(client: Client) -> None:
    reader = a_reader("ada@example.org")
    goodbye = leave(client, reader)
    with time_machine.travel(NOON + timedelta(minutes=30)):
        assert client.get(goodbye).status_code == client.post(goodbye).status_code == 410
    assert status(reader) == Status.UNSUBSCRIBED


def test_the_way_back_closes_with_the_next_step(client: Client) -> None:
    reader = a_reader("ada@example.org")
    goodbye = leave(client, reader)
    lifecycle.suppress(reader.address_hash, Suppression.Reason.COMPLAINT, "test", at=NOON)
    before = snapshot()
    assert client.get(goodbye).status_code == client.post(goodbye).status_code == 410
    assert snapshot() == before


def test_one_click_after_coming_back_leaves_again(client: Client) -> None:
    reader = a_reader("ada@example.org")
    client.post(leave(client, reader))
    with time_machine.travel(NOON + timedelta(minutes=5)):
        client.post(unsubscribing(reader), ONE_CLICK)
        assert client.post(undoing(reader)).status_code == 410, "the first goodbye is over"
    assert status(reader) == Status.UNSUBSCRIBED


@pytest.mark.usefixtures("broker")
def test_a_reason_is_kept_once_and_thanked_for_each_time(client: Client) -> None:
    reader = a_reader("ada@example.org")
    goodbye = leave(client, reader)
    before = snapshot()
    for words in ("One line.", "Another."):
        told = client.post(goodbye + "?why", {"reason": "not_fitting", "words": words})
        assert told.status_code == 303
        page = client.get(told["Location"]).content.decode()
        assert "Thank you. That helps." in page
        assert "Keep sending it to me" in page, "the way back stays open"
    reason = LeavingReason.objects.get()
    assert (reason.reason, reason.words) == ("not_fitting", "One line.")
    assert snapshot() == before, "and nothing else is written"
    assert status(reader) == Status.UNSUBSCRIBED


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "Please choose a reason"),
        ({"reason": "because"}, "Select a valid choice"),
        ({"reason": "other", "words": "w" * 501}, "keep to 500"),
        ({"reason": "other", "words": "a\x00b"}, "Null characters"),
    ],
)
def test_a_reason_out_of_bounds_is_refused_with_a_sentence(
    client: Client, given: dict[str, str], sentence: str
) -> None:
    goodbye = leave(client, a_reader("ada@example.org"))
    refused = client.post(goodbye + "?why", given)
    assert (refused.status_code, sentence in refused.content.decode()) == (422, True)
    assert not LeavingReason.objects.exists()


def test_reasons_need_a_goodbye(client: Client) -> None:
    reader = pending()
    for link in (unsubscribing(reader), "/undo/forged"):
        client.post(link + "?why", {"reason": "other", "words": "Buy this."})
    assert not LeavingReason.objects.exists()
