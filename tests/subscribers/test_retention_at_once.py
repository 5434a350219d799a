"""Retention beside others at the same moment, on real connections."""

from datetime import timedelta
from functools import partial

import pytest
from django.db import transaction

from subscribers import lifecycle, retention
from subscribers.consent import Trace, binding_of
from subscribers.models import ConsentEvent, Subscriber
from tests.cast import NOON, the_wording
from tests.subscribers.test_at_once import at_once

pytestmark = pytest.mark.django_db(transaction=True)

TRACE = Trace("test", network="192.0.2.77", user_agent="Browser/1.0")
OVER = NOON + retention.UNCONFIRMED


def asked(number: int) -> Subscriber:
    the_wording()
    lifecycle.sign_up(f"reader{number}@example.org", [], at=NOON, trace=TRACE)
    return Subscriber.objects.get(address=f"reader{number}@example.org")


def test_two_beats_at_once_do_it_once() -> None:
    for number in range(60):
        asked(number)
    late = NOON + retention.WHOLE_NETWORKS
    results = at_once(*(partial(retention.tidy, at=late, limit=30) for _ in range(3)))
    assert all(isinstance(result, int) for result in results), results
    while retention.tidy(at=late, limit=30):
        pass
    assert not Subscriber.objects.exists()
    for event in ConsentEvent.objects.all():
        assert (event.network, event.user_agent, event.subscriber) == ("192.0.2.0", "", None)


def test_who_confirms_in_the_last_moment_is_a_reader_or_is_told_no_and_nothing_between() -> None:
    for number in range(8):
        reader = asked(number)
        press = partial(
            lifecycle.confirm, reader.public_id, binding_of(reader), at=OVER - timedelta(days=1), trace=TRACE
        )
        confirmed, _ = sorted(
            at_once(press, partial(retention.tidy, at=OVER)), key=lambda each: each is not True
        )
        there = Subscriber.objects.filter(pk=reader.pk, status=Subscriber.Status.ACTIVE).exists()
        assert there is (confirmed is True)


@pytest.mark.postgres
def test_a_reader_whom_somebody_else_holds_is_left_for_the_next_page() -> None:
    held, _ = asked(1), asked(2)
    with transaction.atomic():
        Subscriber.objects.select_for_update().get(pk=held.pk)
        assert at_once(partial(retention.tidy, at=OVER)) == [1]
    assert Subscriber.objects.get() == held
    assert retention.tidy(at=OVER) == 1
