"""A worker at its pace: a slow mailbox provider holds up nobody else, and its readers come in their order."""

import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.backends.utils import CursorWrapper
from pytest_django import Settings

from digest import enrolling
from digest.delivery import pacing
from digest.delivery import run as loop
from digest.delivery.balance import balance
from digest.models import Delivery, Edition
from subscribers import outbox
from subscribers.models import Subscriber, SystemMail
from subscribers.rates import Rate, by_domain
from tests.cast import a_frozen_edition, a_paper, a_reader, a_topic
from tests.sinks.smtp_sink import SmtpSink

EIGHT = datetime(2026, 3, 4, 8, tzinfo=UTC)
State = Delivery.State

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("cache_server")]


@pytest.fixture(autouse=True)
def _small_groups(settings: Settings) -> None:
    settings.IN_FLIGHT, settings.SENDERS = 5, 2


def enrolled() -> Edition:
    moment = EIGHT - timedelta(hours=2)
    papers = [a_paper(f"Paper {n}", a_topic("vision")) for n in range(6)]
    edition = a_frozen_edition(moment.date(), *papers, approved_at=moment)
    enrolling.enroll(edition, at=moment)
    edition.refresh_from_db()
    return edition


def deliver(at: datetime) -> int:
    worker = loop.Worker(lambda: at)
    try:
        return loop.run(worker, seconds=30)
    finally:
        worker.close()


def test_a_slow_mailbox_provider_holds_up_nobody_and_its_readers_come_in_order(
    smtp_sink: SmtpSink, settings: Settings
) -> None:
    random.seed(2)
    settings.DOMAIN_RATES = by_domain("gmail.com=2/s")
    slow = [a_reader(f"reader{n}@{'gmail.com' if n % 2 else 'googlemail.com'}").address for n in range(20)]
    for n in range(12):
        a_reader(f"other{n}@example.org")
    edition = enrolled()
    assert deliver(EIGHT) == 32
    assert {mail.recipients[0].rpartition("@")[2] for mail in smtp_sink.received} == {"example.org"}
    assert len(smtp_sink.received) == 12
    waiting = Delivery.objects.filter(state=State.DEFERRED)
    assert waiting.filter(detail=pacing.PUT_OFF, attempts=0, lease_until=None).count() == 20
    assert deliver(EIGHT) == 0, "nobody looks at them before their turn"
    arrived: list[datetime] = []
    claimed, at = 0, EIGHT
    while len(smtp_sink.received) < 32 and at < EIGHT + timedelta(minutes=2):
        at += timedelta(seconds=0.5)
        claimed += deliver(at)
        arrived += [at] * (len(smtp_sink.received) - 12 - len(arrived))
    assert len(arrived) == 20
    spans = [sum(first <= moment < first + timedelta(seconds=1) for moment in arrived) for first in arrived]
    assert max(spans) <= 2
    assert claimed <= 3 * 20, "each is looked at a few times, however long it waits"
    came = [mail.recipients[0] for mail in smtp_sink.received[12:]]
    late = [abs(place - slow.index(address)) for place, address in enumerate(came)]
    # In any order they would be 7 places off, on average; the first few find the window full, and come later.
    assert sum(late) / len(late) <= 5, "in their order, but for a little jitter"
    assert balance(edition).accepted == 32
    assert set(Delivery.objects.values_list("attempts", flat=True)) == {1}


def test_a_used_up_quota_stops_digests_and_the_outbox_has_its_part(
    smtp_sink: SmtpSink, settings: Settings
) -> None:
    settings.SEND_QUOTA = (Rate(20, 86_400),)
    for _ in range(30):
        a_reader()
    edition = enrolled()
    deliver(EIGHT)
    assert len(smtp_sink.received) == 19
    assert balance(edition).open == 11
    assert not Delivery.objects.filter(state=State.CLAIMED).exists(), "nobody holds what waits"
    assert deliver(EIGHT + timedelta(seconds=1)) == 0, "and nobody claims it"
    for reader in Subscriber.objects.all()[:2]:
        outbox.post(reader, SystemMail.Kind.ALREADY_SUBSCRIBED, at=EIGHT)
    assert outbox.deliver_due(at=EIGHT + timedelta(seconds=2)) == 1
    left = SystemMail.objects.get(state=SystemMail.State.WAITING)
    assert left.attempts == 0
    assert left.not_before > EIGHT + timedelta(minutes=1)
    later = EIGHT + timedelta(hours=25)
    Delivery.objects.filter(state=State.READY).update(expires_at=later + timedelta(hours=1))
    deliver(later)
    assert balance(edition).accepted == 30


@contextmanager
def asking() -> Iterator[Counter[str]]:
    """Count which threads ask the database something."""
    threads: Counter[str] = Counter()
    execute = CursorWrapper.execute

    def watched(self: CursorWrapper, *args: Any, **kwargs: Any) -> Any:
        threads[threading.current_thread().name] += 1
        return execute(self, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CursorWrapper, "execute", watched)
        yield threads


def test_senders_never_touch_the_database(smtp_sink: SmtpSink, settings: Settings) -> None:
    settings.SENDERS, settings.SEND_RATE = 5, (Rate(1_000, 1),)
    settings.DOMAIN_RATES = by_domain("example.org=1000/s")
    for _ in range(30):
        a_reader()
    enrolled()
    with asking() as threads:
        deliver(EIGHT)
        deliver(EIGHT + timedelta(seconds=10))
        deliver(EIGHT + timedelta(seconds=90))
    assert len(smtp_sink.received) == 30
    assert set(threads) == {threading.current_thread().name}
