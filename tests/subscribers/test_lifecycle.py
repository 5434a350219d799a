"""A reader's way through the house, and what the log keeps of it."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError

from subscribers import lifecycle
from subscribers.addresses import AddressError, address_hash
from subscribers.consent import Trace, binding_of, current_consent_text
from subscribers.lifecycle import Choices, NotSubscribedError
from subscribers.models import (
    ConsentEvent,
    ConsentText,
    Interest,
    Preference,
    Subscriber,
    Suppression,
    SystemMail,
    Topic,
)
from tests.cast import NOON, a_reader, a_topic

pytestmark = pytest.mark.django_db

FORM = Trace(source="signup form", network="192.0.2.7", user_agent="Browser/1.0")
ADDRESS = "ada@example.org"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
Status, Kind = Subscriber.Status, SystemMail.Kind


def ask(
    address: str = ADDRESS, *topics: Topic, words: tuple[str, ...] = (), at: timedelta = timedelta()
) -> None:
    lifecycle.sign_up(address, topics, words, at=NOON + at, trace=FORM)


def ada() -> Subscriber:
    return Subscriber.objects.get(address_key=ADDRESS)


def an_asking_reader() -> Subscriber:
    ask()
    return ada()


def events(reader: Subscriber) -> list[str]:
    return list(reader.consent_events.order_by("pk").values_list("kind", flat=True))


def posted() -> list[str]:
    return list(SystemMail.objects.order_by("pk").values_list("kind", flat=True))


def some_choices(*topics: Topic, **changes: object) -> Choices:
    given = {
        "weights": {topic.pk: 1 for topic in topics},
        "words": (),
        "authors": (),
        "excluded": (),
        "frequency": "daily",
        "weekday": 0,
        "send_minute": 420,
        "time_zone": "UTC",
        "size": 10,
    }
    return Choices(**{**given, **changes})  # type: ignore[arg-type]


def test_signing_up_writes_the_wish_its_proof_and_its_mail() -> None:
    vision = a_topic("vision")
    ask("Ada@EXAMPLE.org", vision, words=("proof assistants", "proof assistants"))
    reader = ada()
    assert (reader.address, reader.status) == ("Ada@example.org", Status.PENDING)
    assert reader.status_at == reader.created_at == NOON
    assert [(p.topic, p.weight) for p in reader.preferences.all()] == [(vision, Preference.Weight.NORMAL)]
    assert list(reader.interests.values_list("kind", "text")) == [(Interest.Kind.WORDS, "proof assistants")]
    event = reader.consent_events.get()
    assert (event.kind, event.text, event.at) == (ConsentEvent.Kind.REQUESTED, current_consent_text(), NOON)
    assert (event.source, event.network, event.user_agent) == ("signup form", "192.0.2.7", "Browser/1.0")
    assert event.address_hash == address_hash(ADDRESS)
    mail = SystemMail.objects.get()
    assert (mail.kind, mail.state, mail.not_before) == (Kind.CONFIRM, SystemMail.State.WAITING, NOON)


def test_what_is_no_address_leaves_nothing_behind() -> None:
    with pytest.raises(AddressError):
        ask("ada")
    assert not Subscriber.objects.exists()


def test_a_failed_sign_up_leaves_no_half_of_itself() -> None:
    ConsentText._base_manager.all().delete()
    with pytest.raises(ConsentText.DoesNotExist):
        ask()
    assert not Subscriber.objects.exists()
    assert not SystemMail.objects.exists()


def test_asking_again_the_same_day_sends_one_mail_and_keeps_the_newer_choices() -> None:
    vision, audio = a_topic("vision"), a_topic("audio")
    ask(ADDRESS, vision, words=("old words",))
    ask("ADA@example.org", audio, words=("new words",), at=23 * HOUR)
    assert posted() == [Kind.CONFIRM]
    assert events(ada()) == ["requested"]
    assert [p.topic for p in ada().preferences.all()] == [audio]
    assert [i.text for i in ada().interests.all()] == ["new words"]


def test_asking_again_the_next_day_sends_another_mail() -> None:
    ask()
    ask(at=DAY)
    assert posted() == [Kind.CONFIRM, Kind.CONFIRM]
    assert events(ada()) == ["requested", "requested"]


def test_an_active_reader_is_told_once_a_day_and_keeps_their_choices() -> None:
    vision, audio = a_topic("vision"), a_topic("audio")
    reader = a_reader(ADDRESS, vision)
    for hours in (0, 1, 23):
        ask(ADDRESS, audio, at=hours * HOUR)
    assert posted() == [Kind.ALREADY_SUBSCRIBED]
    ask(at=DAY)
    assert posted() == [Kind.ALREADY_SUBSCRIBED] * 2
    assert [p.topic for p in reader.preferences.all()] == [vision]
    assert ada().status == Status.ACTIVE
    assert events(reader) == []


@pytest.mark.parametrize("known", [True, False])
def test_a_suppressed_address_gets_nothing_and_no_row(known: bool) -> None:
    if known:
        a_reader(ADDRESS)
    lifecycle.suppress(address_hash(ADDRESS), Suppression.Reason.BOUNCE, "test", at=NOON)
    ask("ADA@example.org")
    assert posted() == []
    assert list(Subscriber.objects.values_list("status", flat=True)) == ([Status.SUPPRESSED] if known else [])


def test_a_suppressed_reader_whose_listing_was_lifted_is_not_written_to_by_a_form() -> None:
    a_reader(ADDRESS, status=Status.SUPPRESSED)
    ask()
    assert posted() == []
    assert ada().status == Status.SUPPRESSED


def test_a_reader_who_left_may_come_back_at_once_by_confirming_again() -> None:
    reader = an_asking_reader()
    lifecycle.confirm(reader.public_id, binding_of(reader), at=NOON, trace=FORM)
    lifecycle.pause(reader.public_id, date(2026, 5, 1), at=NOON, trace=FORM)
    lifecycle.unsubscribe(reader.public_id, at=NOON + HOUR, trace=FORM)
    ask(at=2 * HOUR)
    assert (ada().status, ada().status_at) == (Status.PENDING, NOON + 2 * HOUR)
    assert posted() == [Kind.CONFIRM, Kind.CONFIRM]
    assert lifecycle.confirm(reader.public_id, binding_of(reader), at=NOON + 3 * HOUR, trace=FORM)
    assert ada().paused_until is None
    assert events(reader) == ["requested", "confirmed", "changed", "withdrawn", "requested", "confirmed"]


def test_confirming_makes_active_once() -> None:
    reader = an_asking_reader()
    for hours in (1, 2):
        assert lifecycle.confirm(reader.public_id, binding_of(reader), at=NOON + hours * HOUR, trace=FORM)
    assert (ada().status, ada().status_at, ada().confirmed_at) == (Status.ACTIVE, NOON + HOUR, NOON + HOUR)
    assert events(reader) == ["requested", "confirmed"]
    confirmed = reader.consent_events.get(kind=ConsentEvent.Kind.CONFIRMED)
    assert confirmed.text == current_consent_text()


def test_a_confirmation_bound_to_something_else_confirms_nothing() -> None:
    reader = an_asking_reader()
    assert not lifecycle.confirm(reader.public_id, "0" * 32, at=NOON, trace=FORM)
    assert ada().status == Status.PENDING


def test_a_confirmation_goes_stale_when_a_newer_wording_was_agreed_to() -> None:
    reader = an_asking_reader()
    stale = binding_of(reader)
    newer = ConsentText.objects.create(version="2027-01-1", wording="I would like other mails.")
    assert binding_of(reader) == stale, "the wording asked with counts, not the one of today"
    ask(at=DAY)
    assert not lifecycle.confirm(reader.public_id, stale, at=NOON + DAY, trace=FORM)
    assert lifecycle.confirm(reader.public_id, binding_of(reader), at=NOON + DAY, trace=FORM)
    assert reader.consent_events.get(kind=ConsentEvent.Kind.CONFIRMED).text == newer


@pytest.mark.parametrize("status", [Status.UNSUBSCRIBED, Status.SUPPRESSED])
def test_a_used_confirmation_brings_nobody_back(status: Subscriber.Status) -> None:
    reader = an_asking_reader()
    Subscriber.objects.update(status=status)
    assert not lifecycle.confirm(reader.public_id, binding_of(reader), at=NOON, trace=FORM)
    assert ada().status == status


def test_confirming_for_nobody_is_no_error() -> None:
    assert not lifecycle.confirm("nobody", "", at=NOON, trace=FORM)


def test_choices_are_replaced_as_a_whole() -> None:
    vision, audio, retired = a_topic("vision"), a_topic("audio"), a_topic("retired", active=False)
    reader = a_reader(ADDRESS, vision, retired)
    Interest.objects.create(subscriber=reader, kind=Interest.Kind.EXCLUDE, text="old")
    chosen = some_choices(
        weights={audio.pk: 2},
        words=("b words", "a words"),
        authors=("Ada Example",),
        frequency="weekly",
        weekday=4,
        send_minute=1439,
        time_zone="Europe/Paris",
        size=25,
    )
    lifecycle.change_preferences(reader.public_id, chosen, at=NOON, trace=FORM)
    reader.refresh_from_db()
    assert {p.topic: p.weight for p in reader.preferences.all()} == {audio: 2, retired: 1}
    kept = list(reader.interests.order_by("pk").values_list("kind", "text"))
    assert kept == [("words", "b words"), ("words", "a words"), ("author", "Ada Example")]
    assert (reader.frequency, reader.weekday, reader.send_minute) == ("weekly", 4, 1439)
    assert (reader.time_zone, reader.size) == ("Europe/Paris", 25)
    assert events(reader) == ["changed"]


def test_choices_that_the_database_refuses_leave_all_the_old_ones() -> None:
    vision = a_topic("vision")
    reader = a_reader(ADDRESS, vision)
    with pytest.raises(IntegrityError):
        lifecycle.change_preferences(
            reader.public_id, some_choices(weights={vision.pk: -1}, size=25), at=NOON, trace=FORM
        )
    assert ada().size == 10
    assert ada().preferences.get().weight == Preference.Weight.NORMAL
    assert events(reader) == []


def test_a_pause_is_kept_ended_and_logged_once_a_change() -> None:
    reader = a_reader(ADDRESS)
    for until in (date(2026, 3, 20), date(2026, 3, 20), None):
        lifecycle.pause(reader.public_id, until, at=NOON, trace=FORM)
        assert ada().paused_until == until
    assert events(reader) == ["changed", "changed"]


@pytest.mark.parametrize("status", [Status.PENDING, Status.UNSUBSCRIBED, Status.SUPPRESSED])
def test_only_an_active_reader_has_choices(status: Subscriber.Status) -> None:
    reader = a_reader(ADDRESS, status=status)
    with pytest.raises(NotSubscribedError):
        lifecycle.pause(reader.public_id, None, at=NOON, trace=FORM)
    with pytest.raises(NotSubscribedError):
        lifecycle.change_preferences(reader.public_id, some_choices(), at=NOON, trace=FORM)


@pytest.mark.parametrize("status", [Status.PENDING, Status.ACTIVE, Status.SUPPRESSED])
def test_leaving_works_from_everywhere_and_twice_is_once(status: Subscriber.Status) -> None:
    reader = a_reader(ADDRESS, status=status)
    for hours in (1, 2):
        lifecycle.unsubscribe(reader.public_id, at=NOON + hours * HOUR, trace=Trace("one-click"))
    assert (ada().status, ada().status_at) == (Status.UNSUBSCRIBED, NOON + HOUR)
    assert [(e.kind, e.source) for e in reader.consent_events.all()] == [("withdrawn", "one-click")]


def test_leaving_twice_or_after_erasure_is_no_error() -> None:
    lifecycle.unsubscribe("nobody", at=NOON, trace=FORM)
    assert not ConsentEvent.objects.exists()


def test_a_complaint_outweighs_a_bounce_and_not_the_other_way() -> None:
    hashed = address_hash(ADDRESS)
    for reason in (Suppression.Reason.BOUNCE, Suppression.Reason.COMPLAINT, Suppression.Reason.BOUNCE):
        lifecycle.suppress(hashed, reason, f"event of {reason}", at=NOON)
    row = Suppression.objects.get()
    assert (row.reason, row.source) == ("complaint", "event of complaint")


def test_suppressing_touches_that_address_alone_and_not_who_left() -> None:
    reader, other = a_reader(ADDRESS), a_reader("eve@example.org")
    gone = a_reader("gone@example.org", status=Status.UNSUBSCRIBED)
    for each in (reader, gone):
        lifecycle.suppress(each.address_hash, Suppression.Reason.BOUNCE, "test", at=NOON)
    statuses = {each.pk: Subscriber.objects.get(pk=each.pk).status for each in (reader, other, gone)}
    assert list(statuses.values()) == [Status.SUPPRESSED, Status.ACTIVE, Status.UNSUBSCRIBED]


def test_erasing_keeps_the_proof_and_the_suppression_without_the_reader() -> None:
    reader = an_asking_reader()
    Interest.objects.create(subscriber=reader, kind=Interest.Kind.WORDS, text="secret hobby")
    lifecycle.suppress(reader.address_hash, Suppression.Reason.REQUEST, "test", at=NOON)
    lifecycle.erase(reader.public_id, at=NOON + HOUR, trace=FORM)
    assert not Subscriber.objects.exists()
    assert not Interest.objects.exists()
    assert not SystemMail.objects.exists()
    proofs = ConsentEvent.objects.order_by("pk")
    assert [(e.kind, e.subscriber) for e in proofs] == [("requested", None), ("erased", None)]
    assert {e.address_hash for e in proofs} == {address_hash(ADDRESS)}
    assert Suppression.objects.exists()
    lifecycle.erase(reader.public_id, at=NOON + HOUR, trace=FORM)
    assert ConsentEvent.objects.count() == 2
