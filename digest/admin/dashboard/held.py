"""Mailboxes said to be dead while their whole mail domain bounces: what an operator may have to decide."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest

from digest.admin import ways
from digest.models import BounceVerdict


def held_bounces(request: HttpRequest, _at: datetime) -> dict[str, Any]:
    """Return how many verdicts wait, of how many mail domains, and the way to them."""
    waiting = BounceVerdict.objects.filter(state=BounceVerdict.State.WAITING)
    many = waiting.count()
    domains = waiting.order_by().values("domain_key").distinct().count() if many else 0
    readers = "mailbox was" if many == 1 else "mailboxes were"
    at_once = "one mail domain" if domains == 1 else f"{domains} mail domains"
    return {
        "many": many,
        "told": f"{many:,} {readers} called dead while {at_once} bounced as a whole.",
        "url": ways.rows(request, BounceVerdict, state__exact=BounceVerdict.State.WAITING),
    }
