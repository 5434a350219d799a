"""Whether the machinery keeps up: how long the oldest due rows have waited, and when it last counted."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest

from digest import figures
from digest.admin import ways
from digest.admin.dashboard.moments import span
from digest.models import DailyFigures, Delivery
from digest.queues import oldest_digest, oldest_mail
from subscribers.models import SystemMail

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
