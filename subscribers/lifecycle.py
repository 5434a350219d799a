"""A reader's way through the house: sign up, confirm, change, pause, leave.

Sole writer of `Subscriber.status`. Each operation is one transaction that holds the change, its consent event
and the mail it causes. Nothing here sends or enqueues; `outbox.deliver_due` finds the rows.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction

from subscribers import outbox
from subscribers.addresses import address_hash, address_key, normalise
from subscribers.consent import Trace, binding_of, current_consent_text, record, text_asked_with
from subscribers.models import (
    ConsentEvent,
    Interest,
    Preference,
    Subscriber,
    Suppression,
    SystemMail,
    Topic,
)

#: No mailbox gets two confirmation mails, or two "you are already subscribed", within this time.
BETWEEN_SYSTEM_MAILS = timedelta(hours=24)


class NotSubscribedError(LookupError):
    """There is no active reader to act on."""


@dataclass(frozen=True, slots=True)
class Choices:
    """All that a reader can choose: `weights` is {topic id: Preference.Weight}, texts are one entry each."""

    weights: Mapping[int, int]
    words: tuple[str, ...]
    authors: tuple[str, ...]
    excluded: tuple[str, ...]
    frequency: str
    weekday: int
    send_minute: int
    time_zone: str
    size: int


def sign_up(
    address: str, topics: Iterable[Topic], words: Iterable[str] = (), *, at: datetime, trace: Trace
) -> None:
    """Take the wish to subscribe. What follows depends on the address, and the caller never learns which.

    New, pending or unsubscribed: pending, and a confirmation mail. Active: a mail with the way to the
    preferences. Suppressed: nothing. The mails go to the stored address, never to another spelling of it,
    and at most once a day. Raises AddressError.
    """
    address = normalise(address)
    hashed = address_hash(address)
    with transaction.atomic():
        if Suppression.objects.filter(address_hash=hashed).exists():
            return
        reader, _ = Subscriber.objects.get_or_create(
            address_key=address_key(address),
            defaults={"address": address, "address_hash": hashed, "status_at": at, "created_at": at},
        )
        reader = Subscriber.objects.select_for_update().get(pk=reader.pk)
        if reader.status == Subscriber.Status.ACTIVE:
            if _quiet(reader, SystemMail.Kind.ALREADY_SUBSCRIBED, at):
                outbox.post(reader, SystemMail.Kind.ALREADY_SUBSCRIBED, at=at)
            return
        if reader.status == Subscriber.Status.SUPPRESSED:
            return
        # Only the reader can have left, so a stranger cannot turn "left and back again" into a flood.
        ask = reader.status == Subscriber.Status.UNSUBSCRIBED or _quiet(reader, SystemMail.Kind.CONFIRM, at)
        if reader.status == Subscriber.Status.UNSUBSCRIBED:
            _move(reader, Subscriber.Status.PENDING, at)
        _follow(reader, {topic.pk: Preference.Weight.NORMAL for topic in topics})
        _write_interests(reader, Interest.Kind.WORDS, words)
        if ask:
            record(reader, ConsentEvent.Kind.REQUESTED, trace, at=at, text=current_consent_text())
            outbox.post(reader, SystemMail.Kind.CONFIRM, at=at)


def confirm(public_id: str, binding: str, *, at: datetime, trace: Trace) -> bool:
    """Make a pending reader active, once; return whether they are active now.

    `binding` is what the link carried: another address or wording than the last one asked with is no
    confirmation, nor is a link used again after its reader left.
    """
    with transaction.atomic():
        reader = _locked(public_id)
        if reader is None or reader.status == Subscriber.Status.ACTIVE:
            return reader is not None
        if reader.status != Subscriber.Status.PENDING or binding_of(reader) != binding:
            return False
        reader.confirmed_at = at
        reader.paused_until = None  # a pause of an earlier subscription
        reader.save(update_fields=["confirmed_at", "paused_until"])
        _move(reader, Subscriber.Status.ACTIVE, at)
        record(reader, ConsentEvent.Kind.CONFIRMED, trace, at=at, text=text_asked_with(reader))
        return True


def change_preferences(public_id: str, choices: Choices, *, at: datetime, trace: Trace) -> None:
    """Replace all choices of an active reader. Topics out of use stay.

    Raises NotSubscribedError."""
    with transaction.atomic():
        reader = _active(public_id)
        for field in ("frequency", "weekday", "send_minute", "time_zone", "size"):
            setattr(reader, field, getattr(choices, field))
        reader.save(update_fields=["frequency", "weekday", "send_minute", "time_zone", "size"])
        _follow(reader, choices.weights)
        _write_interests(reader, Interest.Kind.WORDS, choices.words)
        _write_interests(reader, Interest.Kind.AUTHOR, choices.authors)
        _write_interests(reader, Interest.Kind.EXCLUDE, choices.excluded)
        record(reader, ConsentEvent.Kind.CHANGED, trace, at=at)


def pause(public_id: str, until: date | None, *, at: datetime, trace: Trace) -> None:
    """Send nothing before `until`, a date in the reader's zone; None ends a pause.

    Raises NotSubscribedError."""
    with transaction.atomic():
        reader = _active(public_id)
        if reader.paused_until == until:
            return
        reader.paused_until = until
        reader.save(update_fields=["paused_until"])
        record(reader, ConsentEvent.Kind.CHANGED, trace, at=at)


def unsubscribe(public_id: str, *, at: datetime, trace: Trace) -> None:
    """End the subscription. Done twice, or for a reader erased since, it changes nothing and is no error."""
    with transaction.atomic():
        reader = _locked(public_id)
        if reader is None or reader.status == Subscriber.Status.UNSUBSCRIBED:
            return
        # A suppressed reader may leave too: the suppression list goes on holding the address.
        _move(reader, Subscriber.Status.UNSUBSCRIBED, at)
        record(reader, ConsentEvent.Kind.WITHDRAWN, trace, at=at)


def suppress(hashed: str, reason: Suppression.Reason, source: str, *, at: datetime) -> None:
    """Never mail the address with hash `hashed` again; a complaint outweighs an earlier bounce."""
    with transaction.atomic():
        row, new = Suppression.objects.get_or_create(
            address_hash=hashed, defaults={"reason": reason, "source": source[:80], "at": at}
        )
        if not new and reason == Suppression.Reason.COMPLAINT != row.reason:
            Suppression.objects.filter(pk=row.pk).update(reason=reason, source=source[:80], at=at)
        Subscriber.objects.filter(
            address_hash=hashed, status__in=[Subscriber.Status.PENDING, Subscriber.Status.ACTIVE]
        ).update(status=Subscriber.Status.SUPPRESSED, status_at=at)


def erase(public_id: str, *, at: datetime, trace: Trace) -> None:
    """Delete the reader. The proof of consent stays without them, and so does a suppression."""
    with transaction.atomic():
        reader = _locked(public_id)
        if reader is not None:
            record(reader, ConsentEvent.Kind.ERASED, trace, at=at)
            reader.delete()


def _locked(public_id: str) -> Subscriber | None:
    return Subscriber.objects.select_for_update().filter(public_id=public_id).first()


def _active(public_id: str) -> Subscriber:
    reader = _locked(public_id)
    if reader is None or reader.status != Subscriber.Status.ACTIVE:
        raise NotSubscribedError(public_id)
    return reader


def _move(reader: Subscriber, status: Subscriber.Status, at: datetime) -> None:
    reader.status = status
    reader.status_at = at
    reader.save(update_fields=["status", "status_at"])


def _quiet(reader: Subscriber, kind: SystemMail.Kind, at: datetime) -> bool:
    """Say whether no mail of this kind was written lately."""
    return not reader.system_mails.filter(kind=kind, created_at__gt=at - BETWEEN_SYSTEM_MAILS).exists()


def _follow(reader: Subscriber, weights: Mapping[int, int]) -> None:
    reader.preferences.filter(topic__active=True).delete()
    Preference.objects.bulk_create(
        Preference(subscriber=reader, topic_id=topic, weight=weight)
        for topic, weight in sorted(weights.items())
    )


def _write_interests(reader: Subscriber, kind: Interest.Kind, texts: Iterable[str]) -> None:
    reader.interests.filter(kind=kind).delete()
    Interest.objects.bulk_create(
        Interest(subscriber=reader, kind=kind, text=text) for text in dict.fromkeys(texts)
    )
