"""A commit whose answer is lost may have happened or not: nobody twice, and nothing forgotten, either way."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime

import pytest
from django.db import connection
from pytest_django import Settings

from digest import enrolling
from digest.delivery import run as loop
from digest.delivery.balance import balance
from digest.models import Delivery, Edition
from digest.postgresql.base import Connection
from subscribers.models import Subscriber
from tests.cast import a_frozen_edition, a_paper, a_reader
from tests.faults.postgres_wire import Fault, Wire, begins, claims, settles, wired
from tests.sinks.smtp_sink import SmtpSink

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

DAY, EIGHT = date(2026, 3, 4), datetime(2026, 3, 4, 8, tzinfo=UTC)
READERS, GROUP = 15, 5


def first_group(text: bytes) -> bool:
    return begins(text) and not settles(text)


def one_settled_next_begun(text: bytes) -> bool:
    return begins(text) and settles(text)


def last_group_settled(text: bytes) -> bool:
    return settles(text) and not begins(text)


@pytest.fixture
def wire(settings: Settings) -> Iterator[Wire]:
    """A wire that this test's own connection goes through."""
    settings.IN_FLIGHT, settings.SENDERS = GROUP, 2
    with wired() as between:
        yield between


@pytest.fixture
def edition(wire: Wire) -> Edition:  # noqa: ARG001 - enrolled over it
    for _ in range(READERS):
        a_reader()
    edition = a_frozen_edition(DAY, *(a_paper() for _ in range(5)), approved_at=EIGHT)
    enrolling.enroll(edition, at=EIGHT)
    edition.refresh_from_db()
    return edition


def deliver() -> None:
    worker = loop.Worker(lambda: EIGHT)
    try:
        loop.run(worker)
    finally:
        worker.close()
        connection.close()


def assert_each_got_one(edition: Edition, sink: SmtpSink) -> None:
    got = Counter(recipient for mail in sink.received for recipient in mail.recipients)
    assert got == Counter(dict.fromkeys(Subscriber.objects.values_list("address", flat=True), 1))
    account = balance(edition)
    assert (account.accepted, account.unknown) == (READERS, 0), str(account)
    assert account.exact


@pytest.mark.parametrize("fault", [Fault.ANSWER_LOST, Fault.ASKED_IN_VAIN])
@pytest.mark.parametrize("commit", [claims, first_group, one_settled_next_begun, last_group_settled])
def test_each_reader_gets_one_mail_whichever_commit_breaks(
    wire: Wire, edition: Edition, smtp_sink: SmtpSink, commit: Callable[[bytes], bool], fault: Fault
) -> None:
    wire.cut_once(commit, fault)
    deliver()
    assert wire.cut == 1
    assert_each_got_one(edition, smtp_sink)
    assert not Delivery.objects.exclude(state=Delivery.State.ACCEPTED).exists()
    assert set(Delivery.objects.values_list("attempts", flat=True)) == {1}


@pytest.mark.parametrize("commit", [claims, first_group, last_group_settled])
def test_a_database_that_falls_silent_is_not_waited_for_for_ever(
    wire: Wire,
    edition: Edition,
    smtp_sink: SmtpSink,
    commit: Callable[[bytes], bool],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Connection, "patience", 2.0)
    wire.cut_once(commit, Fault.SILENCE)
    worker = threading.Thread(target=deliver, daemon=True)
    worker.start()
    worker.join(60)
    assert not worker.is_alive()
    assert wire.cut == 1
    assert_each_got_one(edition, smtp_sink)
