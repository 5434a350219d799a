"""Agreeing that clicks are counted: off until chosen, under its own wording, and taken back as easily."""

from importlib import import_module

import pytest
import time_machine
from django.test import Client

from subscribers import lifecycle, links, retention
from subscribers.consent import Trace, binding_of, current_consent_text
from subscribers.models import ConsentEvent, ConsentText, Subscriber
from tests.cast import NOON, a_reader, the_first_rows
from tests.subscribers.door.visits import ONE_CLICK, choices, choosing, path, unsubscribing

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_noon")]
TRACE = Trace("test")


@pytest.fixture
def at_noon() -> object:
    the_first_rows()
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def reader() -> Subscriber:
    return a_reader("ada@example.org")


def kinds() -> list[str]:
    return list(ConsentEvent.objects.order_by("pk").values_list("kind", flat=True))


def ticked(client: Client, reader: Subscriber) -> bool:
    page = client.get(choosing(reader)).content.decode()
    box = page[page.index('name="count_clicks"') :].partition(">")[0]
    return "checked" in box


def test_the_box_is_never_ticked_for_anybody_who_did_not_agree(client: Client, reader: Subscriber) -> None:
    assert not ticked(client, reader)
    client.post(choosing(reader), choices())
    assert not ticked(client, reader)
    assert kinds() == ["changed"]


def test_agreeing_and_taking_it_back_are_both_one_press_and_both_proved(
    client: Client, reader: Subscriber
) -> None:
    client.post(choosing(reader), choices(count_clicks="on"), headers={"User-Agent": "Invented/1"})
    reader.refresh_from_db()
    assert reader.clicks_counted_since == NOON
    event = ConsentEvent.objects.get(kind="tracking_on")
    assert event.text
    assert (event.text.purpose, event.source, event.user_agent) == (
        "clicks",
        "preferences page",
        "Invented/1",
    )
    assert "Count which papers I open" in event.text.wording
    assert ticked(client, reader)
    client.post(choosing(reader), choices(count_clicks="on"))
    client.post(choosing(reader), choices())
    reader.refresh_from_db()
    assert reader.clicks_counted_since is None
    assert kinds() == ["changed", "tracking_on", "changed", "changed", "tracking_off"]


def test_the_wording_says_what_is_done(client: Client, reader: Subscriber) -> None:
    text = ConsentText.objects.get(purpose="clicks")
    assert f"{retention.CLICKS.days} days" in text.wording
    assert text.wording.split(",")[0] in client.get(choosing(reader)).content.decode()


def test_its_wording_is_not_the_one_of_signing_up() -> None:
    assert ConsentText.objects.latest("pk").purpose in {"clicks", "digests"}
    ConsentText.objects.create(version="clicks-2027-1", wording="Count more.", purpose="clicks")
    assert current_consent_text().purpose == "digests"
    assert import_module("subscribers.migrations.0002_consent_text").WORDING.startswith("I would like")


def test_a_form_with_a_slip_changes_nothing(client: Client, reader: Subscriber) -> None:
    answer = client.post(choosing(reader), choices(count_clicks="on", size="99"))
    assert answer.status_code == 422
    reader.refresh_from_db()
    assert reader.clicks_counted_since is None
    assert not kinds()


def test_who_leaves_and_comes_back_is_asked_anew(client: Client, reader: Subscriber) -> None:
    client.post(choosing(reader), choices(count_clicks="on"))
    client.post(unsubscribing(reader), ONE_CLICK)
    lifecycle.sign_up(reader.address, [], at=NOON, trace=TRACE)
    reader.refresh_from_db()
    client.post(path(links.confirm_url(reader.public_id, binding=binding_of(reader), at=NOON)))
    reader.refresh_from_db()
    assert (reader.status, reader.clicks_counted_since) == ("active", None)
