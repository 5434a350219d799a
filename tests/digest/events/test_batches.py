"""Many events in one post: each stands for itself."""

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from anymail.signals import tracking
from django.db import OperationalError
from django.dispatch import receiver

from digest.events.applying import apply_waiting
from digest.models import Delivery, ProviderEvent
from tests.cast import NOON
from tests.digest.events.conftest import ADDRESS, Send
from tests.digest.events.posts import Post, basic

pytestmark = pytest.mark.django_db
Batch = Callable[[list[Any]], Post]
STAMP = int(NOON.timestamp())


def sendgrid(delivery: str, serial: int) -> dict[str, Any]:
    return {
        "event": "delivered",
        "email": ADDRESS,
        "timestamp": STAMP,
        "sg_event_id": f"e{serial}",
        "delivery": delivery,
    }


def mailjet(delivery: str, serial: int) -> dict[str, Any]:
    return {
        "event": "sent",
        "email": ADDRESS,
        "time": STAMP + serial,
        "MessageID": 7,
        "Payload": json.dumps({"delivery": delivery}),
    }


def mailtrap(delivery: str, serial: int) -> dict[str, Any]:
    return {
        "event": "delivery",
        "email": ADDRESS,
        "timestamp": STAMP,
        "event_id": f"e{serial}",
        "message_id": "m",
        "custom_variables": {"delivery": delivery},
    }


def sparkpost(delivery: str, serial: int) -> dict[str, Any]:
    told = {
        "type": "delivery",
        "raw_rcpt_to": ADDRESS,
        "timestamp": str(STAMP),
        "event_id": f"e{serial}",
        "rcpt_meta": {"delivery": delivery},
    }
    return {"msys": {"message_event": told}}


Made = Callable[[str, int], dict[str, Any]]
#: provider: (its event, the name of what its post wraps events in)
BATCHES: dict[str, tuple[Made, str]] = {
    "sendgrid": (sendgrid, ""),
    "mailjet": (mailjet, ""),
    "mailtrap": (mailtrap, "events"),
    "sparkpost": (sparkpost, ""),
}


def batch(provider: str, events: list[Any]) -> Post:
    wrapped = BATCHES[provider][1]
    body: Any = {wrapped: events} if wrapped else events
    return Post(provider, json.dumps(body).encode(), {"Authorization": basic()})


def broken(event: dict[str, Any]) -> list[Any]:
    """Return what cannot be read in place of `event`."""
    return [7, None, ["list"], {}, {"msys": 7}, {**event, "timestamp": "soon", "time": "soon"}]


@pytest.mark.parametrize("provider", BATCHES)
def test_one_event_that_cannot_be_read_does_not_cost_the_others(
    post: Send, delivery: Delivery, provider: str, caplog: pytest.LogCaptureFixture
) -> None:
    made = BATCHES[provider][0]
    good = [made(delivery.public_id, serial) for serial in range(1, 4)]
    bad = broken(made(ADDRESS, 9))
    events = [good[0], *bad[:3], good[1], *bad[3:], good[2]]
    with caplog.at_level(logging.WARNING):
        assert post(batch(provider, events)).status_code == 200
    assert [event.delivery for event in ProviderEvent.objects.all() if event.delivery] == [delivery] * 3
    (line,) = [record for record in caplog.records if "events_unreadable" in record.getMessage()]
    assert ADDRESS not in line.getMessage()
    assert post(batch(provider, events)).status_code == 200
    assert ProviderEvent.objects.filter(delivery=delivery).count() == 3, "and each is kept once"


@pytest.mark.parametrize("provider", BATCHES)
def test_a_post_of_nothing_readable_is_refused(post: Send, provider: str) -> None:
    assert post(batch(provider, [7, None])).status_code == 400
    assert not ProviderEvent.objects.exists()


def test_a_listener_that_fails_on_one_event_does_not_bring_the_post_back(
    post: Send, delivery: Delivery
) -> None:
    heard: list[str] = []

    @receiver(tracking)
    def fails(event: Any, **_: object) -> None:
        heard.append(event.event_id)
        raise RuntimeError(ADDRESS)

    try:
        events = [sendgrid(delivery.public_id, serial) for serial in range(3)]
        assert post(batch("sendgrid", events)).status_code == 200
    finally:
        tracking.disconnect(fails)
    assert heard == ["e0", "e1", "e2"]
    assert ProviderEvent.objects.count() == 3


def test_a_database_that_goes_away_within_a_post_brings_it_back_and_nothing_counts_twice(
    post: Send, delivery: Delivery
) -> None:
    away = [True]

    @receiver(tracking)
    def database(event: Any, **_: object) -> None:
        if event.event_id == "e1" and away[0]:
            raise OperationalError("the connection is closed")

    one = batch("sendgrid", [sendgrid(delivery.public_id, serial) for serial in range(3)])
    try:
        assert post(one).status_code == 503
        assert ProviderEvent.objects.count() == 2
        away[0] = False
        assert post(one).status_code == 200
    finally:
        tracking.disconnect(database)
    assert ProviderEvent.objects.count() == 3
    assert apply_waiting(at=NOON) == 3
