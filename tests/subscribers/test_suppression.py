"""The suppression list outlives the reader's row, and holds against whoever asks anew."""

from datetime import timedelta

import pytest

from subscribers import lifecycle, outbox, retention
from subscribers.addresses import address_hash
from subscribers.consent import Trace, binding_of
from subscribers.models import ConsentEvent, Subscriber, Suppression, SystemMail
from tests.cast import NOON, a_reader, the_wording
from tests.sinks.smtp_sink import SmtpSink

pytestmark = pytest.mark.django_db

ADDRESS = "ada@example.org"
FORM = Trace("signup form")
Status, Reason = Subscriber.Status, Suppression.Reason


def ask(after: timedelta, address: str = ADDRESS) -> None:
    the_wording()
    lifecycle.sign_up(address, [], at=NOON + after, trace=FORM)


@pytest.mark.parametrize("reason", [Reason.COMPLAINT, Reason.BOUNCE, Reason.REQUEST])
def test_erased_or_forgotten_an_address_on_the_list_gets_no_mail_when_it_signs_up_again(
    smtp_sink: SmtpSink, reason: Suppression.Reason
) -> None:
    for number, forget in enumerate((True, False)):
        reader = a_reader(f"ada{number}@example.org")
        lifecycle.suppress(reader.address_hash, reason, "webhook", at=NOON)
        if forget:
            retention.tidy(at=NOON + retention.AFTER_LEAVING)
        else:
            lifecycle.erase(reader.public_id, at=NOON, trace=Trace("account page"))
        assert not Subscriber.objects.exists()
        ask(timedelta(days=91), f"ADA{number}@example.org")
    assert not Subscriber.objects.exists()
    assert not SystemMail.objects.exists()
    assert outbox.deliver_due(at=NOON + timedelta(days=91)) == 0
    assert smtp_sink.messages == []
    assert Suppression.objects.filter(reason=reason).count() == 2


def test_nothing_that_waits_in_the_outbox_reaches_an_address_that_was_suppressed_meanwhile(
    smtp_sink: SmtpSink,
) -> None:
    ask(timedelta())
    lifecycle.suppress(address_hash(ADDRESS), Reason.COMPLAINT, "webhook", at=NOON)
    assert outbox.deliver_due(at=NOON) == 0
    assert smtp_sink.messages == []


def test_an_address_taken_off_the_list_may_sign_up_again_and_is_asked_first() -> None:
    reader = a_reader(ADDRESS)
    lifecycle.suppress(reader.address_hash, Reason.BOUNCE, "webhook", at=NOON)
    lifecycle.lift(reader.address_hash, at=NOON + timedelta(days=1))
    reader.refresh_from_db()
    assert (reader.status, reader.status_at) == (Status.UNSUBSCRIBED, NOON + timedelta(days=1))
    assert not Subscriber.objects.reachable().exists(), "taking off the list mails nobody"
    ask(timedelta(days=2))
    reader.refresh_from_db()
    assert reader.status == Status.PENDING
    assert lifecycle.confirm(reader.public_id, binding_of(reader), at=NOON + timedelta(days=2), trace=FORM)


def test_taking_off_the_list_changes_no_other_address_and_no_reader_who_was_not_stopped() -> None:
    active, other = a_reader(ADDRESS), a_reader("eve@example.org")
    lifecycle.suppress(other.address_hash, Reason.BOUNCE, "webhook", at=NOON)
    lifecycle.lift(active.address_hash, at=NOON)
    active.refresh_from_db()
    other.refresh_from_db()
    assert (active.status, other.status) == (Status.ACTIVE, Status.SUPPRESSED)
    assert Suppression.objects.get().address_hash == other.address_hash


def test_lifting_is_written_into_the_log_that_imports_go_by_and_hinders_no_sign_up() -> None:
    hashed = address_hash(ADDRESS)
    lifecycle.suppress(hashed, Suppression.Reason.COMPLAINT, "webhook", at=NOON)
    lifecycle.lift(hashed, at=NOON)
    event = ConsentEvent.objects.get()
    assert (event.kind, event.address_hash, event.subscriber) == ("withdrawn", hashed, None)
    ask(timedelta(days=1))
    assert Subscriber.objects.get().status == Status.PENDING
