"""A complaint is applied while its reader leaves, by the same mail program's button: both are obeyed."""

import threading
from collections.abc import Callable
from time import sleep
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from digest.events import applying
from digest.models import Delivery, ProviderEvent
from subscribers import lifecycle, links
from subscribers.consent import Trace
from subscribers.models import Subscriber, Suppression
from tests.cast import NOON
from tests.digest.events.conftest import accepted
from tests.subscribers.door.visits import ONE_CLICK, path

pytestmark = pytest.mark.django_db(transaction=True)


def leave(delivery: Delivery) -> None:
    assert delivery.subscriber
    way = path(links.unsubscribe_url(delivery.subscriber.public_id, delivery.public_id))
    assert Client().post(way, ONE_CLICK).status_code == 200


def erase(delivery: Delivery) -> None:
    assert delivery.subscriber
    lifecycle.erase(delivery.subscriber.public_id, at=NOON, trace=Trace("account page"))


@pytest.mark.parametrize("deed", [leave, erase])
def test_who_leaves_while_their_complaint_is_applied_has_left(
    monkeypatch: pytest.MonkeyPatch, deed: Callable[[Delivery], None]
) -> None:
    delivery, failed = accepted(), []
    ProviderEvent.objects.create(
        provider="postmark",
        key="1",
        kind="complained",
        at=NOON,
        received_at=NOON,
        delivery=delivery,
        recipient_hash=delivery.address_hash,
    )
    under_way, suppress = threading.Event(), lifecycle.suppress

    def slowly(*args: Any, **more: Any) -> None:
        under_way.set()
        sleep(0.4)
        suppress(*args, **more)

    monkeypatch.setattr(lifecycle, "suppress", slowly)

    def do(step: Callable[[], object]) -> None:
        try:
            step()
        except Exception as error:  # noqa: BLE001 - told below
            failed.append(error)
        finally:
            connection.close()

    def then_leave() -> None:
        assert under_way.wait(20)
        deed(delivery)

    steps = (lambda: applying.apply_waiting(at=NOON), then_leave)
    threads = [threading.Thread(target=do, args=(step,)) for step in steps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failed == []
    delivery.refresh_from_db()
    assert delivery.complained_at == NOON
    assert Suppression.objects.get().reason == "complaint"
    if deed is leave:
        assert delivery.left_at is not None, "the digest knows who left by it"
        assert Subscriber.objects.get().status == "unsubscribed"
    else:
        assert not Subscriber.objects.exists()
