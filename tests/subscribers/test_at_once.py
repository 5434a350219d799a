"""The same deed done by several at the same moment, on real connections."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection, connections, transaction
from pytest_django import Settings

from subscribers import lifecycle, outbox
from subscribers.consent import Trace, binding_of
from subscribers.models import ConsentEvent, Subscriber, SystemMail
from tests.cast import NOON, the_wording
from tests.sinks.smtp_sink import SmtpSink

pytestmark = pytest.mark.django_db(transaction=True)

TRACE = Trace("test")


def at_once(*deeds: Callable[[], object]) -> list[object]:
    """Run `deeds` in threads that start together; return what they returned or raised."""
    barrier = threading.Barrier(len(deeds))
    results: list[object] = []

    def run(deed: Callable[[], object]) -> None:
        barrier.wait()
        try:
            results.append(deed())
        except Exception as error:  # noqa: BLE001 - shown by the test that meets it
            results.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(deed,)) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


def test_one_address_entered_in_several_windows_is_one_reader_and_one_mail_a_day() -> None:
    the_wording()
    spellings = ("ada@example.org", "ADA@example.org", "Ada@EXAMPLE.org", "ada@example.org")
    for days in (0, 1, 2):
        moment = NOON + timedelta(days=days)
        deeds = [partial(lifecycle.sign_up, each, [], at=moment, trace=TRACE) for each in spellings]
        assert at_once(*deeds) == [None] * 4
        assert Subscriber.objects.count() == 1
        assert SystemMail.objects.count() == ConsentEvent.objects.count() == days + 1


@pytest.mark.postgres
def test_who_signs_up_while_their_old_row_is_being_deleted_is_taken_in_anew() -> None:
    the_wording()
    lifecycle.sign_up("ada@example.org", [], at=NOON, trace=TRACE)
    later = NOON + timedelta(days=8)
    results: list[object] = []
    deed = partial(lifecycle.sign_up, "ada@example.org", [], at=later, trace=TRACE)
    again = threading.Thread(target=lambda: results.extend(at_once(deed)))
    with transaction.atomic():
        old = Subscriber.objects.select_for_update().get()
        old_id = old.public_id
        old.delete()
        again.start()
        _wait_until_somebody_waits_for_a_lock()
    again.join(30)
    assert results == [None]
    assert Subscriber.objects.get().public_id != old_id
    assert ConsentEvent.objects.filter(subscriber__isnull=False).get().at == later


def _wait_until_somebody_waits_for_a_lock() -> None:
    until = time.monotonic() + 20
    with connection.cursor() as cursor:
        while time.monotonic() < until:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone() != (0,):
                return
    pytest.fail("nobody waits")


def test_a_confirm_button_pressed_twice_at_once_confirms_once() -> None:
    the_wording()
    lifecycle.sign_up("ada@example.org", [], at=NOON, trace=TRACE)
    reader = Subscriber.objects.get()
    binding = binding_of(reader)
    deeds = [lambda: lifecycle.confirm(reader.public_id, binding, at=NOON, trace=TRACE)] * 3
    assert at_once(*deeds) == [True] * 3
    assert ConsentEvent.objects.filter(kind=ConsentEvent.Kind.CONFIRMED).count() == 1


def test_several_workers_share_the_outbox_and_no_mail_goes_twice(settings: Settings) -> None:
    the_wording()
    addresses = [f"reader{number}@example.org" for number in range(12)]
    for address in addresses:
        lifecycle.sign_up(address, [], at=NOON, trace=TRACE)
    with SmtpSink() as sink:
        for name, value in sink.settings.items():
            setattr(settings, name, value)
        sent = at_once(*[lambda: outbox.deliver_due(at=NOON)] * 3)
        assert sum(count for count in sent if isinstance(count, int)) == 12, sent
        assert sorted(received.recipients[0] for received in sink.received) == sorted(addresses)
    assert set(SystemMail.objects.values_list("state", "attempts")) == {(SystemMail.State.SENT, 1)}
