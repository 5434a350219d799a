"""Two deeds about the same reader at the same moment: neither fails, and no outcome is lost."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import date, timedelta

import psycopg
import pytest
from django.core.mail import EmailMessage
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from digest import curation, enrolling
from digest.delivery import resending, settling
from digest.delivery.balance import balance
from digest.delivery.persisting import persist
from digest.delivery.sending import Prepared
from digest.events import applying
from digest.models import Delivery, Edition, ProviderEvent
from subscribers import lifecycle
from subscribers.consent import Trace
from subscribers.models import Subscriber, Suppression
from subscribers.transport import Fate, Outcome
from tests.cast import NOON, a_frozen_edition, a_paper, a_reader
from tests.faults.postgres_wire import Wire, wired
from tests.processes import wait_until
from tests.subscribers.test_at_once import at_once

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

DAY, TRACE = date(2026, 3, 4), Trace("test")
ROUNDS, READERS = 6, 6
State = Delivery.State


@pytest.fixture(autouse=True)
def _deadlocks_found_at_once() -> Iterator[None]:
    """PostgreSQL waits a second before it looks for one."""
    options = connection.settings_dict["OPTIONS"]
    connection.close()
    connection.settings_dict["OPTIONS"] = {**options, "options": "-c deadlock_timeout=20ms"}
    yield
    connection.close()
    connection.settings_dict["OPTIONS"] = options


@pytest.fixture
def wire() -> Iterator[Wire]:
    with wired() as between:
        yield between


def enrolling_a_page(text: bytes) -> bool:
    return b'INSERT INTO "digest_delivery"' in text


def erase(reader: Subscriber) -> None:
    lifecycle.erase(reader.public_id, at=NOON, trace=TRACE)


def somebody_waits_for_a_lock(there: BaseDatabaseWrapper) -> bool:
    told = there.get_connection_params()
    with psycopg.connect(
        host=told["host"], port=told["port"], user=told["user"], dbname=told["dbname"]
    ) as own:
        row = own.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone()
    return row is not None and row[0] > 0


def deadlocks() -> int:
    """Return how many PostgreSQL has ended so far; a connection that closes has told of its own."""
    connection.close()
    with connection.cursor() as cursor:
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        (many,) = cursor.fetchone()
    return int(many)


def test_a_reader_is_erased_while_the_page_that_enrolls_them_commits(wire: Wire) -> None:
    readers = [a_reader() for _ in range(3)]
    older = a_frozen_edition(DAY - timedelta(days=1), a_paper(), approved_at=NOON)
    enrolling.enroll(older, at=NOON)
    edition = a_frozen_edition(DAY, a_paper(), approved_at=NOON)
    results: list[object] = []
    erasing = threading.Thread(target=lambda: results.extend(at_once(lambda: erase(readers[1]))))

    def begin_erasing() -> None:
        # Holds the reader and waits for their older delivery, which the page has just let expire.
        erasing.start()
        assert wait_until(lambda: somebody_waits_for_a_lock(connection), 30)

    wire.before_commit(enrolling_a_page, begin_erasing)
    enrolling.enroll(edition, at=NOON)
    erasing.join(30)
    assert results == [None]
    assert wire.cut == 1
    edition.refresh_from_db()
    assert edition.state == Edition.State.SENDING
    assert balance(edition).exact
    assert set(Delivery.objects.filter(edition=edition).values_list("subscriber", flat=True)) >= {
        readers[0].pk,
        readers[2].pk,
    }
    assert not Subscriber.objects.filter(pk=readers[1].pk).exists()


def test_a_reader_who_is_gone_before_the_page_commits_costs_no_other_reader_the_edition(wire: Wire) -> None:
    readers = [a_reader() for _ in range(3)]
    edition = a_frozen_edition(DAY, a_paper(), approved_at=NOON)
    results: list[object] = []
    wire.before_commit(enrolling_a_page, lambda: results.extend(at_once(lambda: erase(readers[1]))))
    assert enrolling.enroll(edition, at=NOON) == 2
    assert results == [None]
    assert set(Delivery.objects.values_list("subscriber", flat=True)) == {readers[0].pk, readers[2].pk}


def on_the_wire() -> tuple[Edition, list[Delivery]]:
    """Return an edition and its deliveries, all of them `submitting` and of a lease that is over."""
    number = Edition.objects.count()
    edition = a_frozen_edition(DAY + timedelta(days=number), a_paper(), state=Edition.State.SENDING)
    rows = [
        Delivery.objects.create(
            edition=edition,
            subscriber=reader,
            address_hash=reader.address_hash,
            local_date=edition.day,
            not_before=NOON,
            expires_at=NOON + timedelta(days=1),
            submitted_at=NOON,
            state=State.SUBMITTING,
            lease_until=NOON - timedelta(minutes=1),
            epoch=1,
        )
        for reader in (a_reader() for _ in range(READERS))
    ]
    Edition.objects.filter(pk=edition.pk).update(enrolled=READERS)
    return edition, rows


def settle_as_dead_mailboxes(rows: Sequence[Delivery]) -> None:
    """Write as the loop does."""
    dead = Outcome(Fate.REJECTED, "no such mailbox", address_is_bad=True)
    sent = [(Prepared(row, [], EmailMessage(), NOON), dead) for row in rows]
    persist(lambda: settling.settle(sent, at=NOON))


def leave_by_link(rows: Sequence[Delivery]) -> None:
    for row in reversed(rows):
        assert row.subscriber is not None
        lifecycle.unsubscribe(row.subscriber.public_id, at=NOON, trace=TRACE, mail=row.public_id)


def erase_all(rows: Sequence[Delivery]) -> None:
    for row in reversed(rows):
        assert row.subscriber is not None
        erase(row.subscriber)


def suppress_all(rows: Sequence[Delivery]) -> None:
    for row in reversed(rows):
        lifecycle.suppress(row.address_hash, Suppression.Reason.COMPLAINT, "test", at=NOON)


def apply_what_came(rows: Sequence[Delivery]) -> None:
    for number, row in enumerate(reversed(rows)):
        ProviderEvent.objects.create(
            provider="postmark",
            key=f"{row.pk}-{number}",
            kind=ProviderEvent.Kind.COMPLAINED,
            recipient_hash=row.address_hash,
            delivery=row,
            at=NOON,
            received_at=NOON,
        )
    applying.apply_waiting(at=NOON)


def sweep(_rows: Sequence[Delivery]) -> None:
    settling.sweep(at=NOON)


def cancel(rows: Sequence[Delivery]) -> None:
    curation.cancel(rows[0].edition, at=NOON)
    settling.end_cancelled(at=NOON)


def resend(rows: Sequence[Delivery]) -> None:
    many = len(resending.outlook(rows[0].edition, at=NOON).again)
    with suppress(resending.ResendError):  # another number than a moment ago
        resending.resend(rows[0].edition, expected=many, at=NOON)


Deed = Callable[[Sequence[Delivery]], None]


@pytest.mark.parametrize(
    "other", [leave_by_link, erase_all, suppress_all, apply_what_came, sweep, cancel, resend]
)
def test_outcomes_are_written_whatever_else_happens_to_their_readers(other: Deed) -> None:
    before = deadlocks()
    for _ in range(ROUNDS):
        edition, rows = on_the_wire()
        backwards = rows[::-1]
        assert at_once(lambda: settle_as_dead_mailboxes(backwards), lambda: other(rows)) == [None, None]  # noqa: B023
        assert set(Delivery.objects.filter(edition=edition).values_list("state", flat=True)) <= {
            State.REJECTED,
            *((State.READY,) if other is resend else ()),
        }
        assert balance(edition).exact
    assert deadlocks() == before


@pytest.mark.parametrize("other", [leave_by_link, erase_all, suppress_all])
def test_what_a_provider_told_is_applied_whatever_its_readers_do(other: Deed) -> None:
    before = deadlocks()
    for _ in range(ROUNDS):
        _edition, rows = on_the_wire()
        settling.sweep(at=NOON)
        assert at_once(lambda: apply_what_came(rows), lambda: other(rows)) == [None, None]  # noqa: B023
    assert deadlocks() == before
    assert Suppression.objects.count() == ROUNDS * READERS
    assert not ProviderEvent.objects.filter(applied_at=None).exists()
