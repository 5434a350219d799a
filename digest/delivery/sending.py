"""The last look before the wire, and the commit that makes a delivery the wire's."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from django.core.mail import EmailMessage
from django.db import IntegrityError, transaction

from digest import schedule
from digest.delivery.claiming import lease_end
from digest.delivery.rows import write
from digest.models import Delivery, Edition
from digest.ranking import Pick
from subscribers.addresses import domain_key, domain_of
from subscribers.models import Subscriber, Suppression


@dataclass(frozen=True, slots=True)
class Prepared:
    """A claimed delivery with its papers and its message, ready for the wire."""

    delivery: Delivery
    picks: Sequence[Pick]
    message: EmailMessage
    #: The moment the message was made for; a retry is made for the same one.
    moment: datetime


def submit(prepared: Sequence[Prepared], *, at: datetime, again: bool = False) -> list[Prepared]:
    """Move to `submitting` those that still may go and return them; the caller commits before the first byte.

    Whoever unsubscribed, was suppressed or paused meanwhile, and what expired or was cancelled, ends here
    in its own counted state. A row that another owner took over (another epoch) is left alone.

    `again`: the caller has tried before, sent nothing, and does not know whether that commit happened. Then
    rows that are `submitting` by it (the epoch is the caller's) are looked at like claimed ones.
    """
    if not prepared:
        return []
    was = [Delivery.State.CLAIMED, Delivery.State.SUBMITTING] if again else [Delivery.State.CLAIMED]
    with transaction.atomic():
        return _submit({item.delivery.pk: item for item in prepared}, at, was)


class _Look(NamedTuple):
    """What the last look reads of a delivery, its reader and its edition: plain values, being many."""

    pk: int
    epoch: int
    #: Of the reader's address now: it may have changed since enrolment. None: erased.
    address_hash: str | None
    expires_at: datetime
    edition_state: str
    revision: int
    status: str | None
    paused_until: date | None
    time_zone: str | None
    delivered_at: datetime | None


def _submit(prepared: dict[int, Prepared], at: datetime, was: Sequence[Delivery.State]) -> list[Prepared]:
    # The deliveries' rows only: a join with nullable sides cannot be locked on PostgreSQL.
    held = Delivery.objects.select_for_update(of=("self",)).filter(
        pk__in=prepared, state__in=was, lease_until__gt=at
    )
    looks = [
        _Look(*row)
        for row in held.order_by("pk").values_list(
            "pk",
            "epoch",
            "subscriber__address_hash",
            "expires_at",
            "edition__state",
            "edition__revision",
            "subscriber__status",
            "subscriber__paused_until",
            "subscriber__time_zone",
            "delivered_at",
        )
    ]
    hashes = [look.address_hash for look in looks]
    suppressed = set(
        Suppression.objects.filter(address_hash__in=hashes).values_list("address_hash", flat=True)
    )
    going = []
    for look in looks:
        item = prepared[look.pk]
        if look.epoch != item.delivery.epoch:
            continue
        state = _verdict(look, item.delivery, suppressed, at)
        if state == Delivery.State.SUBMITTING:
            going.append(item)
        else:
            _end(look.pk, state, at)
    write(
        (
            "state",
            "attempts",
            "picks",
            "subject",
            "submitted_at",
            "lease_until",
            "retry_at",
            "address_hash",
            "domain_key",
            "clicks_counted",
        ),
        ((item.delivery, _submission(item, at)) for item in going),
        was=was,
    )
    keys = {item.delivery.pk for item in going}
    return [item for key, item in prepared.items() if key in keys]


def _end(pk: int, state: Delivery.State, at: datetime) -> None:
    """Give a row that does not go the state `state`."""
    row = Delivery.objects.filter(pk=pk)
    ended = None if state in Delivery.WAITING else at
    try:
        with transaction.atomic():
            row.update(state=state, settled_at=ended, lease_until=None)
    except IntegrityError:
        # It was `submitting` when a newer edition enrolled its reader, and only one of the two may wait.
        row.update(state=Delivery.State.EXPIRED, settled_at=at, lease_until=None)


def _submission(item: Prepared, at: datetime) -> dict[str, object]:
    """Return what the row keeps of a message that goes on the wire."""
    reader = item.delivery.subscriber
    # A bounce speaks of the address that the message goes to, not of the one the reader had at enrolment.
    item.delivery.address_hash = _written_to(item.delivery) or item.delivery.address_hash
    item.delivery.domain_key = domain_key(domain_of(reader.address)) if reader else ""
    return {
        "address_hash": item.delivery.address_hash,
        "domain_key": item.delivery.domain_key,
        "state": Delivery.State.SUBMITTING,
        "attempts": item.delivery.attempts + 1,
        "picks": [[pick.paper_id, pick.reason] for pick in item.picks],
        "subject": str(item.message.subject)[:200],
        "submitted_at": item.moment,
        "lease_until": lease_end(at),
        "retry_at": None,
        "clicks_counted": reader is not None and reader.clicks_counted_since is not None,
    }


def _written_to(delivery: Delivery) -> str | None:
    """Return the hash of the address that the delivery's message was made for."""
    return delivery.subscriber.address_hash if delivery.subscriber else None


def _verdict(look: _Look, delivery: Delivery, suppressed: set[str], at: datetime) -> Delivery.State:
    """Return the state that the last look gives a claimed `delivery`, as it was when its message was made."""
    looks = [
        # Sent before with an unknown outcome, and the provider has said since that it arrived.
        (look.delivered_at is not None, Delivery.State.ACCEPTED),
        (look.edition_state == Edition.State.CANCELLED, Delivery.State.CANCELLED),
        # Paused: it waits, and nobody holds it.
        (look.edition_state not in Edition.SENDABLE, Delivery.State.READY),
        # A curator decided otherwise since the papers were chosen: choose again.
        (look.revision != delivery.edition.revision, Delivery.State.READY),
        (look.expires_at <= at, Delivery.State.EXPIRED),
        (look.address_hash in suppressed, Delivery.State.SKIPPED_SUPPRESSED),
        (look.status != Subscriber.Status.ACTIVE, Delivery.State.SKIPPED_UNSUBSCRIBED),  # or erased
        # The reader moved to another address since: make the message anew.
        (look.address_hash != _written_to(delivery), Delivery.State.READY),
        (_on_pause(look, at), Delivery.State.SKIPPED_PAUSED),
    ]
    return next((state for seen, state in looks if seen), Delivery.State.SUBMITTING)


def _on_pause(look: _Look, at: datetime) -> bool:
    until = look.paused_until
    return until is not None and schedule.local_date(at, look.time_zone or "UTC") < until


def moment_of(delivery: Delivery, at: datetime) -> datetime:
    """Return when the message counts as made: a retry is the same message, unless its reader has moved since.

    A move closes the links of earlier mails.
    """
    first, reader = delivery.submitted_at, delivery.subscriber
    if first is None or reader is None or (reader.address_changed_at and reader.address_changed_at >= first):
        return at
    return first
