"""A reader's address changes while a digest is under way: it goes to the new one, whole, or waits."""

import re
from datetime import date, timedelta

import pytest
import time_machine
from django.test import Client, override_settings

from digest import enrolling
from digest.delivery import run as loop
from digest.delivery import sending
from digest.delivery.sending import Prepared
from digest.models import Delivery, Edition
from subscribers import address_changes, lifecycle
from subscribers.addresses import address_hash
from subscribers.consent import Trace
from subscribers.links import address_binding
from subscribers.models import Subscriber, Suppression
from tests.cast import NOON, a_frozen_edition, a_paper, a_reader
from tests.sinks.fault_smtp import FaultSMTP
from tests.sinks.smtp_sink import SmtpSink

pytestmark = pytest.mark.django_db

OLD, NEW = "ada@example.org", "ada@new.example.org"
WEDNESDAY = date(2026, 3, 4)
State = Delivery.State


@pytest.fixture
def reader() -> Subscriber:
    """A reader enrolled in the day's edition, due since the morning."""
    reader = a_reader(OLD)
    edition = a_frozen_edition(WEDNESDAY, a_paper(), state=Edition.State.SENDING, enrolled=1)
    Delivery.objects.create(
        edition=edition,
        subscriber=reader,
        address_hash=reader.address_hash,
        local_date=WEDNESDAY,
        not_before=NOON - timedelta(hours=1),
        expires_at=NOON + timedelta(hours=11),
    )
    return reader


def move(reader: Subscriber) -> None:
    trace, binding = Trace("test"), address_binding(address_hash(NEW))
    address_changes.ask(reader.public_id, NEW, at=NOON, trace=trace)
    assert address_changes.agree(reader.public_id, binding, at=NOON, trace=trace)


def deliver() -> None:
    worker = loop.Worker(lambda: NOON)
    loop.run(worker)
    worker.close()


def test_a_digest_enrolled_for_the_old_address_goes_to_the_new_one_and_says_so(
    reader: Subscriber, smtp_sink: SmtpSink
) -> None:
    move(reader)
    deliver()
    assert [each.recipients for each in smtp_sink.received] == [(NEW,)]
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.address_hash) == (State.ACCEPTED, address_hash(NEW))
    text = smtp_sink.messages[0].get_body(("plain",))
    assert text is not None
    assert f"because {NEW}" in text.get_content()


def test_a_move_after_the_message_was_made_has_it_made_anew(
    reader: Subscriber, smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = sending.submit
    looks: list[int] = []

    def as_the_reader_moves(prepared: list[Prepared], **options: object) -> list[Prepared]:
        if prepared and not looks:
            move(reader)
        looks.append(len(prepared))
        return real(prepared, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(loop, "submit", as_the_reader_moves)
    deliver()
    assert [each.recipients for each in smtp_sink.received] == [(NEW,)]
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.attempts) == (State.ACCEPTED, 1)
    assert delivery.address_hash == address_hash(NEW)


def test_a_new_address_suppressed_since_gets_nothing(reader: Subscriber, smtp_sink: SmtpSink) -> None:
    move(reader)
    lifecycle.suppress(address_hash(NEW), Suppression.Reason.COMPLAINT, "test", at=NOON)
    Subscriber.objects.update(status=Subscriber.Status.ACTIVE)  # the listing alone has to stop it
    deliver()
    assert (smtp_sink.received, Delivery.objects.get().state) == ([], State.SKIPPED_SUPPRESSED)


def test_an_old_address_suppressed_since_does_not_stop_the_new_one(
    reader: Subscriber, smtp_sink: SmtpSink
) -> None:
    move(reader)
    lifecycle.suppress(address_hash(OLD), Suppression.Reason.BOUNCE, "test", at=NOON)
    deliver()
    assert len(smtp_sink.to(NEW)) == 1


def test_a_bounce_of_the_new_address_suppresses_the_new_one(reader: Subscriber) -> None:
    move(reader)
    with FaultSMTP("rcpt 550") as server, override_settings(**server.settings):
        deliver()
    assert Delivery.objects.get().state == State.REJECTED
    assert [row.address_hash for row in Suppression.objects.all()] == [address_hash(NEW)]
    reader.refresh_from_db()
    assert reader.status == Subscriber.Status.SUPPRESSED


def test_a_digest_put_off_at_the_old_address_is_tried_at_the_new_one(
    reader: Subscriber, smtp_sink: SmtpSink
) -> None:
    with FaultSMTP("rcpt 450") as server, override_settings(**server.settings):
        deliver()
    assert Delivery.objects.get().state == State.DEFERRED
    move(reader)
    Delivery.objects.update(retry_at=NOON)
    deliver()
    assert len(smtp_sink.to(NEW)) == len(smtp_sink.received) == 1
    assert Delivery.objects.get().address_hash == address_hash(NEW)


def test_its_links_open_though_the_move_closed_those_of_the_first_try(
    reader: Subscriber, smtp_sink: SmtpSink, client: Client
) -> None:
    with FaultSMTP("rcpt 450") as server, override_settings(**server.settings):
        deliver()
    move(reader)
    Delivery.objects.update(retry_at=NOON)
    worker = loop.Worker(lambda: NOON + timedelta(minutes=10))
    loop.run(worker)
    worker.close()
    body = smtp_sink.to(NEW)[0].message.get_body(("plain",))
    assert body is not None
    (link,) = set(re.findall(r"/preferences/[^\s#]+", str(body.get_content())))
    with time_machine.travel(NOON + timedelta(hours=1)):
        assert client.get(link).status_code == 200


def test_whoever_moves_gets_one_digest_of_an_edition(reader: Subscriber, smtp_sink: SmtpSink) -> None:
    deliver()
    move(reader)
    Edition.objects.update(state=Edition.State.APPROVED)
    enrolling.enroll(Edition.objects.get(), at=NOON)
    deliver()
    assert [each.recipients for each in smtp_sink.received] == [(OLD,)]
