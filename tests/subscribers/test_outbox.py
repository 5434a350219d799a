"""The outbox: every mail that is due, at least once, and an end for every row."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
from pytest_django import Settings

from subscribers import lifecycle, outbox
from subscribers.addresses import address_hash
from subscribers.consent import Trace
from subscribers.links import Purpose, read
from subscribers.models import AddressChange, Subscriber, Suppression, SystemMail
from subscribers.tasks import send_outbox
from tests.cast import NOON, a_reader
from tests.sinks.fault_smtp import FaultSMTP
from tests.sinks.smtp_sink import SmtpSink

pytestmark = pytest.mark.django_db

State, Kind = SystemMail.State, SystemMail.Kind
MINUTE = timedelta(minutes=1)


@pytest.fixture
def sink(settings: Settings) -> Iterator[SmtpSink]:
    with SmtpSink() as sink:
        for name, value in sink.settings.items():
            setattr(settings, name, value)
        yield sink


@contextmanager
def broken(settings: Settings, mode: str) -> Iterator[None]:
    with FaultSMTP(mode) as server:
        for name, value in server.settings.items():
            setattr(settings, name, value)
        yield


def ask(address: str = "ada@example.org", at: datetime = NOON) -> SystemMail:
    lifecycle.sign_up(address, [], at=at, trace=Trace("test"))
    return SystemMail.objects.latest("pk")


def fresh(mail: SystemMail) -> SystemMail:
    return SystemMail.objects.get(pk=mail.pk)


def test_a_due_mail_is_sent_once(sink: SmtpSink) -> None:
    mail = ask()
    assert outbox.deliver_due(at=NOON) == 1
    assert outbox.deliver_due(at=NOON + timedelta(days=9)) == 0
    (received,) = sink.to("ada@example.org")
    assert received.message["Subject"] == "Confirm your subscription to Daily Papers"
    assert (fresh(mail).state, fresh(mail).attempts, fresh(mail).owner) == (State.SENT, 1, "")
    assert fresh(mail).sent_at is not None


def test_a_mail_before_its_time_waits(sink: SmtpSink) -> None:
    mail = ask()
    SystemMail.objects.update(not_before=NOON + MINUTE)
    assert outbox.deliver_due(at=NOON) == 0
    assert (fresh(mail).state, sink.received) == (State.WAITING, [])


def test_the_longest_waiting_goes_first_and_the_limit_holds(sink: SmtpSink) -> None:
    ask("second@example.org", NOON + MINUTE)
    ask("third@example.org", NOON + 2 * MINUTE)
    ask("first@example.org", NOON)
    assert outbox.deliver_due(at=NOON + 5 * MINUTE, limit=2) == 2
    assert [r.recipients[0] for r in sink.received] == ["first@example.org", "second@example.org"]


def test_the_task_sends_what_is_due(sink: SmtpSink) -> None:
    ask()
    assert send_outbox() == 1
    assert len(sink.received) == 1


@pytest.mark.parametrize("status", sorted(set(Subscriber.Status) - {Subscriber.Status.PENDING}))
def test_a_confirmation_nobody_waits_for_is_not_sent(sink: SmtpSink, status: Subscriber.Status) -> None:
    mail = ask()
    Subscriber.objects.update(status=status)
    assert outbox.deliver_due(at=NOON) == 0
    assert (fresh(mail).state, fresh(mail).detail, sink.received) == (State.FAILED, "no longer wanted", [])


@pytest.mark.parametrize("status", sorted(Subscriber.Status))
@pytest.mark.parametrize("kind", sorted(Kind))
def test_each_kind_is_sent_to_those_alone_who_have_a_use_for_it(
    sink: SmtpSink, kind: SystemMail.Kind, status: Subscriber.Status
) -> None:
    pending, active, left, suppressed = Subscriber.Status
    wanted = {
        Kind.CONFIRM: {pending},
        Kind.ALREADY_SUBSCRIBED: {active},
        Kind.ACCOUNT: {pending, active, left},
        Kind.NEW_ADDRESS: {active},
        Kind.ADDRESS_CHANGED: {pending, active, left, suppressed},
    }
    reader = a_reader("ada@example.org", status=status)
    to = "ben@example.org" if kind in {Kind.NEW_ADDRESS, Kind.ADDRESS_CHANGED} else ""
    if kind == Kind.NEW_ADDRESS:
        AddressChange.objects.create(
            subscriber=reader, address=to, address_key=to, address_hash=address_hash(to), asked_at=NOON
        )
    outbox.post(reader, kind, at=NOON, to=to)
    assert outbox.deliver_due(at=NOON) == (status in wanted[kind])
    assert [each.recipients for each in sink.received] == [(to or "ada@example.org",)] * len(sink.received)


@pytest.mark.parametrize(("listed", "sent"), [("ada@example.org", 1), ("ben@example.org", 0)])
def test_what_counts_is_whether_the_address_it_goes_to_is_suppressed(
    sink: SmtpSink, listed: str, sent: int
) -> None:
    reader = a_reader("ada@example.org")
    outbox.post(reader, Kind.ADDRESS_CHANGED, at=NOON, to="ben@example.org")
    Suppression.objects.create(address_hash=address_hash(listed), reason="complaint", source="test", at=NOON)
    assert outbox.deliver_due(at=NOON) == len(sink.to("ben@example.org")) == sent


def test_an_address_suppressed_meanwhile_gets_nothing(sink: SmtpSink) -> None:
    a_reader("ada@example.org")
    mail = ask()
    assert mail.kind == Kind.ALREADY_SUBSCRIBED
    Suppression.objects.create(
        address_hash=address_hash("ada@example.org"), reason="complaint", source="test", at=NOON
    )
    assert outbox.deliver_due(at=NOON) == 0
    assert (fresh(mail).state, sink.received) == (State.FAILED, [])


def test_a_refusal_for_now_is_tried_again_later_and_later_and_then_given_up(settings: Settings) -> None:
    waits = []
    moment = NOON
    with broken(settings, "rcpt 450"):
        mail = ask()
        for attempt in range(1, outbox.MOST_ATTEMPTS + 1):
            assert outbox.deliver_due(at=moment) == 0
            assert fresh(mail).attempts == attempt
            waits.append(round((fresh(mail).not_before - moment) / MINUTE))
            assert outbox.deliver_due(at=fresh(mail).not_before - timedelta(seconds=30)) == 0
            assert fresh(mail).attempts == attempt, "tried before its time"
            moment = fresh(mail).not_before
    assert waits[:-1] == [1, 5, 30, 120, 360]
    assert fresh(mail).state == State.FAILED
    assert "450" in fresh(mail).detail
    assert "ada" not in fresh(mail).detail


def test_a_refusal_for_good_ends_it(settings: Settings) -> None:
    with broken(settings, "rcpt 550"):
        mail = ask()
        assert outbox.deliver_due(at=NOON) == 0
    assert (fresh(mail).state, fresh(mail).attempts) == (State.FAILED, 1)


def test_a_lost_answer_counts_as_an_attempt_and_is_tried_again(settings: Settings) -> None:
    with broken(settings, "close after dot"):
        mail = ask()
        assert outbox.deliver_due(at=NOON) == 0
    assert (fresh(mail).state, fresh(mail).attempts) == (State.WAITING, 1)


def test_a_server_that_cannot_be_reached_ends_the_run_and_loses_nothing(settings: Settings) -> None:
    with broken(settings, "close before banner"):
        first, second = ask("first@example.org"), ask("second@example.org", NOON + MINUTE)
        assert outbox.deliver_due(at=NOON + MINUTE) == 0
    assert (fresh(first).state, fresh(first).attempts) == (State.WAITING, 1)
    assert (fresh(second).state, fresh(second).attempts) == (State.WAITING, 0)


@pytest.mark.usefixtures("sink")
def test_what_a_killed_worker_held_is_taken_up_after_its_lease() -> None:
    mail = ask()
    SystemMail.objects.update(state=State.CLAIMED, owner="killed", lease_until=NOON + MINUTE, attempts=1)
    assert outbox.deliver_due(at=NOON) == 0
    assert outbox.deliver_due(at=NOON + 2 * MINUTE) == 1
    assert (fresh(mail).state, fresh(mail).attempts) == (State.SENT, 2)


def test_a_mail_that_kills_its_workers_comes_to_an_end(sink: SmtpSink) -> None:
    mail = ask()
    SystemMail.objects.update(
        state=State.CLAIMED, owner="killed", lease_until=NOON, attempts=outbox.MOST_ATTEMPTS
    )
    assert outbox.deliver_due(at=NOON + MINUTE) == 0
    assert (fresh(mail).state, sink.received) == (State.FAILED, [])


def test_one_mail_that_cannot_be_composed_holds_up_no_other(sink: SmtpSink) -> None:
    poison, good = ask("poison@example.org"), ask("good@example.org", NOON + MINUTE)
    # Past every check of ours: the composer refuses a line break in a header (RFC 5322 section 2.2).
    Subscriber.objects.filter(system_mails=poison).update(
        address="poison@example.org\r\nBcc: eve@example.org"
    )
    assert outbox.deliver_due(at=NOON + MINUTE) == 1
    assert (fresh(poison).state, fresh(poison).detail) == (State.WAITING, "cannot be composed")
    assert fresh(good).state == State.SENT
    assert [r.recipients for r in sink.received] == [("good@example.org",)]


@pytest.mark.usefixtures("sink")
def test_an_owner_that_comes_back_after_its_lease_changes_nothing() -> None:
    mail = ask()
    stale = SystemMail.objects.get(pk=mail.pk)
    assert outbox.deliver_due(at=NOON) == 1
    SystemMail.objects.update(state=State.CLAIMED)  # another owner holds it, one epoch later
    outbox._settle(stale, state=State.FAILED, detail="too late")
    assert fresh(mail).state == State.CLAIMED
    assert fresh(mail).detail != "too late"


def test_a_confirm_link_is_good_from_the_sending_on_not_from_the_asking(sink: SmtpSink) -> None:
    ask()
    late = NOON + timedelta(days=5)
    outbox.deliver_due(at=late)
    text = sink.messages[0].get_body(("plain",))
    assert text is not None
    token = next(line for line in text.get_content().split() if "/confirm/" in line).rpartition("/")[2]
    assert read(token, Purpose.CONFIRM, late + timedelta(hours=71)).subject
