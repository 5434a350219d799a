"""Moving to another address: both ends agree, nobody is told about anybody, and nobody is bombed."""

from datetime import timedelta

import pytest

from subscribers import address_changes, lifecycle, outbox
from subscribers.address_changes import SameAddressError
from subscribers.addresses import AddressError, address_hash, address_key
from subscribers.consent import Trace, binding_of
from subscribers.lifecycle import NotSubscribedError
from subscribers.links import address_binding
from subscribers.models import AddressChange, ConsentEvent, Subscriber, Suppression, SystemMail
from tests.cast import NOON, a_reader, a_topic
from tests.sinks.smtp_sink import SmtpSink
from tests.subscribers.importing.files import here, imported, plain

pytestmark = pytest.mark.django_db

PAGE = Trace(source="address change", network="192.0.2.7", user_agent="Browser/1.0")
OLD, NEW = "ada@example.org", "ada@new.example.org"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
Kind, Status = SystemMail.Kind, Subscriber.Status


def ask(reader: Subscriber, address: str = NEW, at: timedelta = timedelta()) -> None:
    address_changes.ask(reader.public_id, address, at=NOON + at, trace=PAGE)


def agree(reader: Subscriber, address: str = NEW, at: timedelta = HOUR) -> bool:
    binding = address_binding(address_hash(address))
    return address_changes.agree(reader.public_id, binding, at=NOON + at, trace=PAGE)


def asked(address: str = NEW) -> int:
    return SystemMail.objects.filter(kind=Kind.NEW_ADDRESS, to=address).count()


def test_asking_changes_nothing_but_writes_the_wish_its_proof_and_its_mail() -> None:
    reader = a_reader(OLD)
    ask(reader, "Ada@New.Example.org")
    reader.refresh_from_db()
    assert (reader.address, reader.status) == (OLD, Status.ACTIVE)
    wish = AddressChange.objects.get()
    assert (wish.subscriber, wish.address, wish.asked_at) == (reader, "Ada@new.example.org", NOON)
    mail = SystemMail.objects.get()
    assert (mail.kind, mail.to, mail.subscriber) == (Kind.NEW_ADDRESS, "Ada@new.example.org", reader)
    event = ConsentEvent.objects.get()
    assert (event.kind, event.address_hash) == (ConsentEvent.Kind.REQUESTED, address_hash(NEW))
    assert (event.source, event.network, event.at) == ("address change", "192.0.2.7", NOON)


def test_the_owners_press_moves_address_key_and_hash_together_and_tells_the_old_address() -> None:
    vision = a_topic("vision")
    reader = a_reader(OLD, vision, size=17)
    ask(reader, "Ada@New.Example.org")
    assert agree(reader)
    reader.refresh_from_db()
    assert reader.address == "Ada@new.example.org"
    assert (reader.address_key, reader.address_hash) == (address_key(NEW), address_hash(NEW))
    assert (reader.status, reader.size, list(reader.topics.all())) == (Status.ACTIVE, 17, [vision])
    assert reader.status_at == NOON - 10 * DAY, "moving is no step of the subscription"
    notice = SystemMail.objects.get(kind=Kind.ADDRESS_CHANGED)
    assert (notice.to, notice.created_at) == (OLD, NOON + HOUR)
    for kind, address in ((ConsentEvent.Kind.WITHDRAWN, OLD), (ConsentEvent.Kind.CONFIRMED, NEW)):
        event = reader.consent_events.get(kind=kind)
        assert (event.address_hash, event.source) == (address_hash(address), "address change")
    assert not AddressChange.objects.exists()


def test_a_second_press_says_the_same_and_does_nothing_more() -> None:
    reader = a_reader(OLD)
    ask(reader)
    assert agree(reader)
    assert agree(reader, at=2 * HOUR)
    assert SystemMail.objects.filter(kind=Kind.ADDRESS_CHANGED).count() == 1
    assert reader.consent_events.filter(kind=ConsentEvent.Kind.CONFIRMED).count() == 1


def test_the_newest_wish_counts() -> None:
    reader = a_reader(OLD)
    ask(reader)
    ask(reader, "ada@other.example.org", HOUR)
    assert not agree(reader, at=2 * HOUR)
    assert agree(reader, "ada@other.example.org", 2 * HOUR)


def test_a_link_of_a_move_taken_back_since_moves_nobody() -> None:
    reader = a_reader(OLD)
    ask(reader)
    agree(reader)
    ask(reader, OLD, 2 * HOUR)
    agree(reader, OLD, 3 * HOUR)
    assert not agree(reader, at=4 * HOUR)
    reader.refresh_from_db()
    assert reader.address == OLD


def test_an_address_nobody_asked_for_is_agreed_to_in_vain() -> None:
    reader, other = a_reader(OLD), a_reader("ben@example.org")
    ask(reader)
    assert not agree(reader, "eve@example.org")
    assert not agree(other)
    assert not address_changes.agree("nobody", address_binding(address_hash(NEW)), at=NOON, trace=PAGE)


@pytest.mark.parametrize("status", list(Status))
def test_an_address_that_is_another_readers_gets_no_mail_and_is_not_taken(status: Subscriber.Status) -> None:
    reader, other = a_reader(OLD), a_reader(NEW, status=status)
    ask(reader, "ADA@new.example.org")
    assert AddressChange.objects.exists(), "what shows on the page must not tell the difference"
    assert not SystemMail.objects.exists()
    assert not ConsentEvent.objects.filter(address_hash=other.address_hash).exists()
    assert not agree(reader)


def test_a_suppressed_address_gets_no_mail_and_is_not_moved_to() -> None:
    reader = a_reader(OLD)
    lifecycle.suppress(address_hash(NEW), Suppression.Reason.COMPLAINT, "test", at=NOON)
    ask(reader)
    assert not SystemMail.objects.exists()
    assert not agree(reader)


def test_an_address_taken_or_suppressed_since_is_not_moved_to() -> None:
    reader, other = a_reader(OLD), a_reader("ben@example.org")
    ask(reader)
    ask(other, "ben@new.example.org")
    a_reader(NEW)
    lifecycle.suppress(address_hash("ben@new.example.org"), Suppression.Reason.BOUNCE, "test", at=NOON)
    assert not agree(reader)
    assert not agree(other, "ben@new.example.org")
    reader.refresh_from_db()
    assert reader.address == OLD


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.ACTIVE}))
def test_only_an_active_reader_moves(status: Subscriber.Status) -> None:
    reader = a_reader(OLD)
    ask(reader)
    Subscriber.objects.update(status=status)
    with pytest.raises(NotSubscribedError):
        ask(reader, "ada@other.example.org")
    assert not agree(reader)


def test_ones_own_address_in_any_spelling_and_no_address_at_all_are_refused_with_a_sentence() -> None:
    reader = a_reader(OLD)
    with pytest.raises(SameAddressError, match="already"):
        ask(reader, "ADA@EXAMPLE.org")
    with pytest.raises(AddressError):
        ask(reader, "ada")
    assert not AddressChange.objects.exists()


def test_an_address_is_asked_once_a_day_and_three_times_a_year_by_whomever() -> None:
    readers = [a_reader(f"reader{n}@example.org") for n in range(6)]
    for reader in readers[:4]:
        ask(reader)
    assert asked() == 1
    ask(readers[4], at=2 * DAY)
    ask(readers[0], at=4 * DAY)
    assert asked() == 3
    ask(readers[5], at=6 * DAY)
    ask(readers[5], at=300 * DAY)
    assert asked() == 3
    ask(readers[5], at=366 * DAY)
    assert asked() == 4


def test_asking_a_new_address_and_asking_to_confirm_share_one_count() -> None:
    reader = a_reader(OLD)
    ask(reader)
    lifecycle.sign_up(NEW, [], at=NOON + HOUR, trace=Trace("signup form"))
    assert SystemMail.objects.filter(kind=Kind.CONFIRM).count() == 0
    lifecycle.sign_up("ben@example.org", [], at=NOON, trace=Trace("signup form"))
    Subscriber.objects.filter(address="ben@example.org").delete()
    ask(reader, "ben@example.org", HOUR)
    assert asked("ben@example.org") == 0


def test_one_reader_has_three_addresses_a_day_asked_however_many_they_write() -> None:
    reader = a_reader(OLD)
    for number in range(30):
        ask(reader, f"victim{number}@example.org", at=number * timedelta(minutes=1))
    assert SystemMail.objects.count() == address_changes.MOST_ASKED_A_DAY
    ask(reader, "later@example.org", at=DAY + HOUR)
    assert asked("later@example.org") == 1


def test_asking_does_not_spoil_what_a_confirmation_is_bound_to() -> None:
    lifecycle.sign_up(OLD, [], at=NOON - DAY, trace=PAGE)
    reader = Subscriber.objects.get()
    lifecycle.confirm(reader.public_id, binding_of(reader), at=NOON - DAY, trace=PAGE)
    before = binding_of(reader)
    ask(reader)
    assert binding_of(reader) == before


def test_a_mail_for_a_wish_replaced_meanwhile_is_not_sent(smtp_sink: SmtpSink) -> None:
    reader = a_reader(OLD)
    ask(reader)
    ask(reader, "ada@other.example.org")
    outbox.deliver_due(at=NOON)
    assert [each.recipients for each in smtp_sink.received] == [("ada@other.example.org",)]


def test_a_new_address_suppressed_meanwhile_gets_no_mail_whatever_the_old_one_may_get(
    smtp_sink: SmtpSink,
) -> None:
    reader = a_reader(OLD)
    ask(reader)
    lifecycle.suppress(address_hash(NEW), Suppression.Reason.COMPLAINT, "test", at=NOON)
    assert outbox.deliver_due(at=NOON) == 0
    assert smtp_sink.received == []


def test_the_notice_is_the_last_mail_to_the_old_address(smtp_sink: SmtpSink) -> None:
    reader = a_reader(OLD)
    ask(reader)
    agree(reader)
    outbox.deliver_due(at=NOON + HOUR)
    assert [each.recipients for each in smtp_sink.received] == [(OLD,)], "nobody needs to be asked any more"


def test_a_refusal_ends_the_wish_and_nothing_else() -> None:
    reader = a_reader(OLD)
    ask(reader)
    binding = address_binding(address_hash(NEW))
    assert address_changes.is_only_asked(reader.public_id, binding)
    address_changes.refuse(reader.public_id, binding)
    address_changes.refuse(reader.public_id, binding)
    reader.refresh_from_db()
    assert (reader.status, AddressChange.objects.count()) == (Status.ACTIVE, 0)
    assert not agree(reader)


def test_an_unsubscribe_link_is_the_readers_own_when_it_names_a_delivery_or_their_address() -> None:
    reader = a_reader(OLD)
    for extra in ("", "d" * 22, address_binding(reader.address_hash)):
        assert not address_changes.is_only_asked(reader.public_id, extra)
    assert not address_changes.is_only_asked("nobody", address_binding(address_hash(NEW)))


@pytest.mark.parametrize("end", ["stay", "leave", "erase"])
def test_no_import_brings_back_the_address_that_a_reader_moved_from(end: str) -> None:
    imported(plain(OLD))
    reader = Subscriber.objects.get()
    ask(reader)
    assert agree(reader)
    if end == "leave":
        lifecycle.unsubscribe(reader.public_id, at=NOON + 2 * HOUR, trace=PAGE)
    if end == "erase":
        lifecycle.erase(reader.public_id, at=NOON + 2 * HOUR, trace=PAGE)
    imported(plain(OLD, NEW))
    assert here() == ({NEW} if end == "stay" else set())


def test_the_owner_may_return_to_the_old_address_by_signing_up_or_by_moving_as_often_as_they_agree() -> None:
    reader = a_reader(OLD)
    for days in range(8):
        there = OLD if days % 2 else NEW
        ask(reader, there, days * 2 * DAY)
        assert agree(reader, there, days * 2 * DAY + HOUR)
    ask(reader, NEW, 17 * DAY)
    assert agree(reader, NEW, 17 * DAY + HOUR)
    lifecycle.sign_up(OLD, [], at=NOON + 18 * DAY, trace=PAGE)
    assert SystemMail.objects.filter(kind=Kind.CONFIRM).count() == 1
