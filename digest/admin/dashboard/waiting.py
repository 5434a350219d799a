"""Whether the machinery keeps up: how long the oldest due rows have waited, and when it last counted."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest

from digest import figures
from digest.admin import ways
from digest.admin.dashboard.moments import span
from digest.models import DailyFigures, Delivery, Edition
from subscribers.models import SystemMail

#: Rows at the front of the queue that are looked at: those of a paused edition stand in the way of none.
_FRONT = 500
#: The outbox is looked after every ten seconds, deliveries every minute: beyond this something is slow.
_SLOW, _STUCK = timedelta(minutes=5), timedelta(minutes=30)
_State = Delivery.State


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits, since when; `tone` is good, warn or bad."""

    label: str
    told: str
    tone: str
    url: str


def what_waits(request: HttpRequest, at: datetime) -> dict[str, Any]:
    """Return the oldest due digest and mail of the house, and whether the clock's work is done."""
    digests = oldest_digest(at)
    mails = oldest_mail(at)
    rows = [
        _waiting("Digests", digests, at, ways.rows(request, Delivery, state__exact=_State.READY)),
        _waiting("Mails of the house", mails, at, ways.rows(request, SystemMail, state__exact="waiting")),
    ]
    return {"rows": rows, "stands_still": _stands_still(at)}


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


def _waiting(label: str, since: datetime | None, at: datetime, url: str) -> Waiting:
    if since is None:
        return Waiting(label, "nothing waits", "good", "")
    age = at - since
    tone = "bad" if age >= _STUCK else "warn" if age >= _SLOW else "good"
    return Waiting(label, f"the oldest one due has waited {span(age)}", tone, url)


def _stands_still(at: datetime) -> str:
    """Return a sentence if the hourly count has been missed: then beat or workers are not there."""
    last = DailyFigures.objects.order_by("-day").values_list("at", flat=True).first()
    if last is not None and at - last >= 2 * figures.EVERY:
        return (
            f"The hourly count is {span(at - last)} old. It looks as if no worker or no beat is running: "
            "see to them, nothing else moves either."
        )
    return ""
