"""Which digest somebody left by."""

import pytest
import time_machine
from django.dispatch import receiver
from django.test import Client

from digest.models import Delivery
from subscribers import links
from subscribers.models import ConsentEvent, Subscriber
from subscribers.signals import left_by_link
from tests.cast import NOON, a_reader
from tests.digest.events.conftest import accepted
from tests.subscribers.door.visits import ONE_CLICK, path

pytestmark = pytest.mark.django_db


def way(delivery: Delivery) -> str:
    assert delivery.subscriber
    return path(links.unsubscribe_url(delivery.subscriber.public_id, delivery.public_id))


@time_machine.travel(NOON, tick=False)
@pytest.mark.parametrize("query", ["", "?page"])
def test_the_digest_knows_who_left_by_its_link(client: Client, delivery: Delivery, query: str) -> None:
    client.post(way(delivery) + query, ONE_CLICK)
    delivery.refresh_from_db()
    assert delivery.left_at == NOON
    assert Subscriber.objects.get().status == "unsubscribed"


def test_looking_at_the_page_or_choosing_less_is_not_leaving(client: Client, delivery: Delivery) -> None:
    client.get(way(delivery)), client.head(way(delivery)), client.post(way(delivery) + "?do=weekly")
    delivery.refresh_from_db()
    assert delivery.left_at is None


def test_only_the_first_press_counts_and_only_for_ones_own_digest(client: Client) -> None:
    mine = accepted()
    other = a_reader("eve@example.org")
    client.post(path(links.unsubscribe_url(other.public_id, mine.public_id)), ONE_CLICK)
    mine.refresh_from_db()
    assert mine.left_at is None
    with time_machine.travel(NOON, tick=False) as clock:
        client.post(way(mine), ONE_CLICK)
        clock.shift(60)
        client.post(way(mine), ONE_CLICK)
    mine.refresh_from_db()
    assert mine.left_at == NOON


@pytest.mark.django_db(transaction=True)
def test_leaving_succeeds_though_a_listener_fails() -> None:
    delivery, heard = accepted(), []

    @receiver(left_by_link)
    def broken(**_: object) -> None:
        heard.append("asked")
        Delivery.objects.create()  # refused by the database

    try:
        answer = Client().post(way(delivery), ONE_CLICK)
    finally:
        left_by_link.disconnect(broken)
    assert (answer.status_code, heard) == (200, ["asked"])
    assert Subscriber.objects.get().status == "unsubscribed"
    assert ConsentEvent.objects.get().kind == "withdrawn"
