"""The last look before the wire, and the commit that makes a delivery the wire's."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.core.mail import EmailMessage
from django.db import transaction

from digest import schedule
from digest.delivery.claiming import lease_end
from digest.delivery.rows import write
from digest.models import Delivery, Edition
from digest.ranking import Pick
from subscribers.models import Subscriber, Suppression


@dataclass(frozen=True, slots=True)
class Prepared:
    """A claimed delivery with its papers and its message, ready for the wire."""

    delivery: Delivery
    picks: Sequence[Pick]
    message: EmailMessage
    #: The moment the message was made for; a retry is made for the same one.
    moment: datetime


def submit(prepared: Sequence[Prepared], *, at: datetime) -> list[Prepared]:
    """Move to `submitting` those that still may go and return them; the caller commits before the first byte.

    Whoever unsubscribed, was suppressed or paused meanwhile, and what expired or was cancelled, ends here
    in its own counted state. A row that another owner took over (another epoch) is left alone.
    """
    if not prepared:
        return []
    with transaction.atomic():
        return _submit({item.delivery.pk: item for item in prepared}, at)


def _submit(prepared: dict[int, Prepared], at: datetime) -> list[Prepared]:
    # The locked rows only: a join with nullable sides cannot be locked on PostgreSQL.
    rows = list(
        Delivery.objects.select_for_update(of=("self",))
        .filter(pk__in=prepared, state=Delivery.State.CLAIMED, lease_until__gt=at)
        .select_related("subscriber", "edition")
        .order_by("pk")
    )
    rows = [row for row in rows if row.epoch == prepared[row.pk].delivery.epoch]
    suppressed = set(
        Suppression.objects.filter(address_hash__in=[row.address_hash for row in rows]).values_list(
            "address_hash", flat=True
        )
    )
    verdicts = {row.pk: _verdict(row, prepared[row.pk].delivery, suppressed, at) for row in rows}
    for row in rows:
        if verdicts[row.pk] != Delivery.State.SUBMITTING:
            ended = None if verdicts[row.pk] in Delivery.WAITING else at
            Delivery.objects.filter(pk=row.pk).update(
                state=verdicts[row.pk], settled_at=ended, lease_until=None
            )
    going = [row for row in rows if verdicts[row.pk] == Delivery.State.SUBMITTING]
    write(
        ("state", "attempts", "picks", "subject", "submitted_at", "lease_until", "retry_at"),
        ((row, _submission(row, prepared[row.pk], at)) for row in going),
        was=[Delivery.State.CLAIMED],
    )
    keys = {row.pk for row in going}
    return [item for key, item in prepared.items() if key in keys]


def _submission(row: Delivery, item: Prepared, at: datetime) -> dict[str, object]:
    """Return what the row keeps of a message that goes on the wire."""
    return {
        "state": Delivery.State.SUBMITTING,
        "attempts": row.attempts + 1,
        "picks": [[pick.paper_id, pick.reason] for pick in item.picks],
        "subject": str(item.message.subject)[:200],
        "submitted_at": item.moment,
        "lease_until": lease_end(at),
        "retry_at": None,
    }


def _verdict(row: Delivery, prepared: Delivery, suppressed: set[str], at: datetime) -> Delivery.State:
    """Return the state that the last look gives a claimed delivery, `prepared` when it was claimed."""
    reader = row.subscriber
    sendable = row.edition.state in Edition.SENDABLE
    looks = [
        (row.edition.state == Edition.State.CANCELLED, Delivery.State.CANCELLED),
        (not sendable, Delivery.State.READY),  # paused: it waits, and nobody holds it
        # A curator decided otherwise since the papers were chosen: choose again.
        (row.edition.revision != prepared.edition.revision, Delivery.State.READY),
        (row.expires_at <= at, Delivery.State.EXPIRED),
        (row.address_hash in suppressed, Delivery.State.SKIPPED_SUPPRESSED),
        (reader is None or reader.status != Subscriber.Status.ACTIVE, Delivery.State.SKIPPED_UNSUBSCRIBED),
        (reader is not None and _on_pause(reader, at), Delivery.State.SKIPPED_PAUSED),
    ]
    return next((state for seen, state in looks if seen), Delivery.State.SUBMITTING)


def _on_pause(reader: Subscriber, at: datetime) -> bool:
    until = reader.paused_until
    return until is not None and schedule.local_date(at, reader.time_zone) < until
