"""Somebody else holds the database longer than anybody waits: outcomes are kept, nothing goes twice."""

import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from time import sleep
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection
from pytest_django import Settings

from digest import enrolling
from digest.delivery import claiming
from digest.delivery import run as loop
from digest.delivery.balance import balance
from digest.models import Edition
from digest.postgresql.base import Connection
from subscribers.models import Subscriber
from tests.cast import a_frozen_edition, a_paper, a_reader
from tests.sinks.smtp_sink import SmtpSink

pytestmark = pytest.mark.django_db(transaction=True)

DAY, EIGHT = date(2026, 3, 4), datetime(2026, 3, 4, 8, tzinfo=UTC)
READERS, GROUP = 15, 5
#: Seconds for which it is held, and which a statement waits.
HELD, WAITS = 2.0, 0.3


@pytest.fixture(autouse=True)
def _little_patience(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    settings.IN_FLIGHT, settings.SENDERS = GROUP, 2
    options = connection.settings_dict["OPTIONS"]
    connection.close()
    if connection.vendor == "sqlite":
        short = f"PRAGMA journal_mode=WAL; PRAGMA busy_timeout={int(WAITS * 1000)};"
        connection.settings_dict["OPTIONS"] = {**options, "timeout": WAITS, "init_command": short}
    else:
        monkeypatch.setattr(Connection, "patience", WAITS)
    yield
    connection.close()
    connection.settings_dict["OPTIONS"] = options


@pytest.fixture
def edition() -> Edition:
    for _ in range(READERS):
        a_reader()
    edition = a_frozen_edition(DAY, *(a_paper() for _ in range(5)), approved_at=EIGHT)
    enrolling.enroll(edition, at=EIGHT)
    edition.refresh_from_db()
    return edition


def hold(held: threading.Event) -> None:
    """Hold the database, or on PostgreSQL the table, as somebody else would."""
    told: dict[str, Any] = connection.settings_dict
    if connection.vendor == "sqlite":
        with closing(sqlite3.connect(told["NAME"], timeout=30, isolation_level=None)) as own:
            own.execute("BEGIN IMMEDIATE")
            held.set()
            sleep(HELD)
            own.execute("ROLLBACK")
        return
    names = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD", "dbname": "NAME"}
    with psycopg.connect(**{name: told[key] for name, key in names.items() if told[key]}) as other:
        other.execute("LOCK TABLE digest_delivery IN ACCESS EXCLUSIVE MODE")
        held.set()
        sleep(HELD)
        other.rollback()


def held_by_somebody_else() -> threading.Thread:
    held = threading.Event()
    holder = threading.Thread(target=hold, args=(held,))
    holder.start()
    assert held.wait(30)
    return holder


class Sink(SmtpSink):
    """Takes mails, and does `deed` as it takes the one of number `when`."""

    when: int
    deed: Callable[[], object]

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd
        answer = await super().handle_DATA(server, session, envelope)
        if len(self.received) == self.when:
            self.deed()
        return answer


@pytest.mark.parametrize("when", [0, 1, READERS], ids=["claiming", "next group", "last outcomes"])
def test_what_left_keeps_its_outcome_and_the_rest_leaves_afterwards(
    edition: Edition, settings: Settings, when: int
) -> None:
    sink = Sink()
    holders: list[threading.Thread] = []
    sink.when, sink.deed = when, lambda: holders.append(held_by_somebody_else())
    with sink:
        for name, value in sink.settings.items():
            setattr(settings, name, value)
        if not when:
            sink.deed()
        worker = loop.Worker(lambda: EIGHT)
        loop.run(worker)
        worker.close()
    for holder in holders:
        holder.join()
    assert len(holders) == 1
    got = Counter(recipient for mail in sink.received for recipient in mail.recipients)
    assert got == Counter(dict.fromkeys(Subscriber.objects.values_list("address", flat=True), 1))
    account = balance(edition)
    assert (account.accepted, account.unknown) == (READERS, 0), str(account)


def test_a_lease_that_cannot_be_renewed_costs_no_outcome(
    edition: Edition, smtp_sink: SmtpSink, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_args: object, **_options: object) -> None:
        raise OperationalError("the database is away")

    settings.LEASE_SECONDS = 1
    monkeypatch.setattr(loop, "RENEW_AFTER", 0.0)  # before each group
    monkeypatch.setattr(claiming, "renew", away)
    worker = loop.Worker(lambda: EIGHT)
    loop.run(worker)
    worker.close()
    assert len(smtp_sink.received) == READERS
    assert balance(edition).accepted == READERS
