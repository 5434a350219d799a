"""Since when what is due has waited, by an index each: for the desk, for monitors, for whoever is woken."""

from datetime import datetime

from digest.models import Delivery, Edition
from subscribers.models import SystemMail

#: Rows at the front of the queue that are looked at: those of a paused edition stand in the way of none.
_FRONT = 500
_State = Delivery.State


def oldest_digest(at: datetime) -> datetime | None:
    """Return since when the digest waits that a worker would take next, or None if none is due.

    One index gives the front of the queue. A digest waits for a worker since its hour, or since its edition
    was let go if that was later.
    """
    front = (
        Delivery.objects.waiting()
        .filter(not_before__lte=at)
        .order_by("not_before", "pk")
        .values_list("edition", "state", "not_before", "retry_at", "lease_until")[:_FRONT]
    )
    rows = list(front)
    sendable = Edition.objects.sendable().only("pk", "approved_at", "resumed_at")
    found = sendable.in_bulk({row[0] for row in rows})
    waits = []
    for edition, state, hour, retry, lease in rows:
        moment = retry if state == _State.DEFERRED else lease if state == _State.CLAIMED else hour
        if edition in found and moment is not None and moment <= at:
            let_go = (found[edition].approved_at, found[edition].resumed_at)
            waits.append(max([moment, *filter(None, let_go)]))
    return min(waits, default=None)


def oldest_mail(at: datetime) -> datetime | None:
    """Return since when the oldest due mail of the outbox waits, or None if none is due."""
    due = SystemMail.objects.due(at).order_by("not_before")
    return due.values_list("not_before", flat=True).first()
