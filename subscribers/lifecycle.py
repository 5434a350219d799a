"""A reader's way through the house: sign up, confirm, change, pause, leave.

Sole writer of `Subscriber.status`. Each operation is one transaction that holds the change, its consent event
and the mail it causes. Nothing here sends or enqueues; `outbox.deliver_due` finds the rows.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction

from subscribers import outbox, zones
from subscribers.addresses import address_hash, address_key, normalise
from subscribers.asking import hold, may_ask
from subscribers.at_once import hold_readers, once_more
from subscribers.consent import LIFTING, Trace, binding_of, current_consent_text, record, text_asked_with
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
from subscribers.signals import left_by_link

#: No mailbox gets two "you are already subscribed" within this time.
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


@once_more
def sign_up(
    address: str,
    topics: Iterable[Topic],
    words: Iterable[str] = (),
    *,
    at: datetime,
    trace: Trace,
    time_zone: str = "",
    text: ConsentText | None = None,
) -> None:
    """Take the wish to subscribe, made at `at`; what follows depends on the address.

    New, pending or unsubscribed: pending, and a confirmation mail as often as `asking.may_ask` allows.
    Active: a mail with the way to the preferences, once a day. Suppressed: nothing. Mails go to the stored
    address, never to another spelling of it. A `time_zone` that is none is ignored; `text` is the wording
    agreed to, by default the one of today. Raises AddressError.
    """
    address = normalise(address)
    hashed = address_hash(address)
    with transaction.atomic():
        hold(hashed)
        if Suppression.objects.filter(address_hash=hashed).exists():
            return
        # Locked as it is found: retention may be deleting the row, and then it is not there.
        reader, new = Subscriber.objects.select_for_update().get_or_create(
            address_key=address_key(address),
            defaults={"address": address, "address_hash": hashed, "status_at": at, "created_at": at},
        )
        if reader.status == Subscriber.Status.ACTIVE and _quiet(reader, at):
            outbox.post(reader, SystemMail.Kind.ALREADY_SUBSCRIBED, at=at)
        if reader.status in {Subscriber.Status.ACTIVE, Subscriber.Status.SUPPRESSED}:
            return
        # Looked up under the row's lock: of two wishes at once the second must see what the first recorded.
        ask = may_ask(hashed, at)
        if not ask and new:
            reader.delete()  # nobody who cannot be asked is kept
        elif ask or reader.status == Subscriber.Status.PENDING:
            _await(reader, time_zone, at)
            _follow(reader, {topic.pk: Preference.Weight.NORMAL for topic in topics})
            _write_interests(reader, Interest.Kind.WORDS, words)
        if ask:
            record(reader, ConsentEvent.Kind.REQUESTED, trace, at=at, text=text or current_consent_text())
            outbox.post(reader, SystemMail.Kind.CONFIRM, at=at)


@once_more
def confirm(public_id: str, binding: str, *, at: datetime, trace: Trace) -> bool:
    """Make a pending reader active, once; return whether they are active now.

    `binding` is what the link carried: another address or wording than the last one asked with is no
    confirmation, nor is a link used again after its reader left.
    """
    with transaction.atomic():
        reader = _locked(public_id)
        if reader is None or binding_of(reader) != binding:
            return False
        if reader.status != Subscriber.Status.PENDING:
            return reader.status == Subscriber.Status.ACTIVE
        reader.confirmed_at = at
        reader.paused_until, reader.paused_because = None, ""  # a pause of an earlier subscription
        reader.clicks_counted_since = None  # agreed to in an earlier subscription
        reader.save(update_fields=["confirmed_at", "paused_until", "paused_because", "clicks_counted_since"])
        _move(reader, Subscriber.Status.ACTIVE, at)
        record(reader, ConsentEvent.Kind.CONFIRMED, trace, at=at, text=text_asked_with(reader))
        return True


@once_more
def change_preferences(public_id: str, choices: Choices, *, at: datetime, trace: Trace) -> None:
    """Replace all choices of an active reader. Topics out of use stay.

    Raises NotSubscribedError."""
    with transaction.atomic():
        reader = active(public_id)
        for field in ("frequency", "weekday", "send_minute", "time_zone", "size"):
            setattr(reader, field, getattr(choices, field))
        reader.save(update_fields=["frequency", "weekday", "send_minute", "time_zone", "size"])
        _follow(reader, choices.weights)
        _write_interests(reader, Interest.Kind.WORDS, choices.words)
        _write_interests(reader, Interest.Kind.AUTHOR, choices.authors)
        _write_interests(reader, Interest.Kind.EXCLUDE, choices.excluded)
        record(reader, ConsentEvent.Kind.CHANGED, trace, at=at)


@once_more
def pause(public_id: str, until: date | None, *, at: datetime, trace: Trace, because: str = "") -> None:
    """Send nothing before `until`, a date in the reader's zone; None ends a pause.

    `because` is a Subscriber.PauseReason where it is not the reader's wish. Raises NotSubscribedError."""
    with transaction.atomic():
        reader = active(public_id)
        if (reader.paused_until, reader.paused_because) == (until, because):
            return
        reader.paused_until, reader.paused_because = until, because
        reader.save(update_fields=["paused_until", "paused_because"])
        record(reader, ConsentEvent.Kind.CHANGED, trace, at=at)


@once_more
def read_weekly(public_id: str, *, at: datetime, trace: Trace) -> None:
    """Send one digest a week, on the reader's weekday, in place of more.

    Raises NotSubscribedError."""
    with transaction.atomic():
        reader = active(public_id)
        if reader.frequency == Subscriber.Frequency.WEEKLY:
            return
        reader.frequency = Subscriber.Frequency.WEEKLY
        reader.save(update_fields=["frequency"])
        record(reader, ConsentEvent.Kind.CHANGED, trace, at=at)


@once_more
def unsubscribe(public_id: str, *, at: datetime, trace: Trace, mail: str = "") -> bool:
    """End the subscription; return whether it was an active one, so that `resume` could take it up again.

    Done twice, or for a reader erased since, it changes nothing and is no error. `mail` is what the link says
    of the mail it stood in.
    """
    with transaction.atomic():
        reader = _locked(public_id)
        if reader is None or reader.status == Subscriber.Status.UNSUBSCRIBED:
            return False
        was_active = reader.status == Subscriber.Status.ACTIVE
        # A suppressed reader may leave too: the suppression list goes on holding the address.
        _move(reader, Subscriber.Status.UNSUBSCRIBED, at)
        record(reader, ConsentEvent.Kind.WITHDRAWN, trace, at=at)
        if mail:
            with transaction.atomic():  # a savepoint: what fails at a listener is undone there, and alone
                left_by_link.send_robust(sender=Subscriber, reader=reader, mail=mail, at=at)
        return was_active


@once_more
def resume(public_id: str, *, left_at: datetime, at: datetime, trace: Trace) -> bool:
    """Take back that an active reader left at `left_at` (whole seconds); return whether they are active now.

    Only the last step can be taken back: whoever has signed up, left or been suppressed since is left alone.
    """
    with transaction.atomic():
        reader = _locked(public_id)
        if reader is None or reader.status == Subscriber.Status.ACTIVE:
            return reader is not None
        if not can_resume(reader, left_at):
            return False
        _move(reader, Subscriber.Status.ACTIVE, at)
        record(reader, ConsentEvent.Kind.RESUMED, trace, at=at, text=text_asked_with(reader))
        return True


def can_resume(reader: Subscriber, left_at: datetime) -> bool:
    """Say whether the reader's last step was to leave in the second `left_at`, and may be mailed still."""
    return (
        reader.status == Subscriber.Status.UNSUBSCRIBED
        and reader.status_at.replace(microsecond=0) == left_at
        and not Suppression.objects.filter(address_hash=reader.address_hash).exists()
    )


@once_more
def suppress(hashed: str, reason: Suppression.Reason, source: str, *, at: datetime) -> None:
    """Never mail the address with hash `hashed` again; a complaint outweighs an earlier bounce."""
    with transaction.atomic():
        hold_readers([hashed])
        row, new = Suppression.objects.get_or_create(
            address_hash=hashed, defaults={"reason": reason, "source": source[:80], "at": at}
        )
        if not new and reason == Suppression.Reason.COMPLAINT != row.reason:
            Suppression.objects.filter(pk=row.pk).update(reason=reason, source=source[:80], at=at)
        Subscriber.objects.filter(
            address_hash=hashed, status__in=[Subscriber.Status.PENDING, Subscriber.Status.ACTIVE]
        ).update(status=Subscriber.Status.SUPPRESSED, status_at=at)


@once_more
def lift(hashed: str, *, at: datetime) -> None:
    """Take the address with hash `hashed` off the suppression list.

    A reader it had stopped becomes one who left: they may sign up again, and nobody else can do it for them.
    The log says so too, since imports go by it when the reader's row is gone.
    """
    with transaction.atomic():
        Suppression.objects.filter(address_hash=hashed).delete()
        reader = Subscriber.objects.filter(address_hash=hashed).first()
        record(reader, ConsentEvent.Kind.WITHDRAWN, Trace(LIFTING), at=at, hashed=hashed)
        Subscriber.objects.filter(address_hash=hashed, status=Subscriber.Status.SUPPRESSED).update(
            status=Subscriber.Status.UNSUBSCRIBED, status_at=at
        )


@once_more
def erase(public_id: str, *, at: datetime, trace: Trace) -> None:
    """Delete the reader. The proof of consent stays without them, and so does a suppression."""
    with transaction.atomic():
        reader = _locked(public_id)
        if reader is not None:
            record(reader, ConsentEvent.Kind.ERASED, trace, at=at)
            reader.delete()


def _locked(public_id: str) -> Subscriber | None:
    return Subscriber.objects.select_for_update().filter(public_id=public_id).first()


def active(public_id: str) -> Subscriber:
    """Return the active reader, locked to the transaction's end. Raises NotSubscribedError."""
    reader = _locked(public_id)
    if reader is None or reader.status != Subscriber.Status.ACTIVE:
        raise NotSubscribedError(public_id)
    return reader


def _move(reader: Subscriber, status: Subscriber.Status, at: datetime) -> None:
    reader.status = status
    reader.status_at = at
    reader.save(update_fields=["status", "status_at"])


def _await(reader: Subscriber, time_zone: str, at: datetime) -> None:
    """Make `reader` one who is to confirm, in the zone their browser told of."""
    if reader.status == Subscriber.Status.UNSUBSCRIBED:
        _move(reader, Subscriber.Status.PENDING, at)
    if time_zone in zones.names():
        reader.time_zone = time_zone
        reader.save(update_fields=["time_zone"])


def _quiet(reader: Subscriber, at: datetime) -> bool:
    """Say whether `reader` was not told lately that they are subscribed."""
    told = reader.system_mails.filter(kind=SystemMail.Kind.ALREADY_SUBSCRIBED)
    return not told.filter(created_at__gt=at - BETWEEN_SYSTEM_MAILS).exists()


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
