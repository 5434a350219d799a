"""What this app forgets, and when; the figures stand with all others in `subscribers.retention`."""

from datetime import datetime
from time import monotonic
from typing import Any

from django.db.models import QuerySet

from digest import verdicts
from digest.models import BounceVerdict, Click, ProviderEvent
from subscribers import retention

PAGE = 2_000


def forget(*, at: datetime, seconds: float = 50) -> int:
    """Delete clicks and providers' events that are too old, page by page, for at most `seconds`."""
    stop_at, gone = monotonic() + seconds, 0
    verdicts.give_up(at=at)
    for due in (
        Click.objects.filter(at__lte=at - retention.CLICKS).order_by("at"),
        ProviderEvent.objects.filter(received_at__lte=at - retention.PROVIDER_EVENTS).order_by("received_at"),
        BounceVerdict.objects.filter(at__lte=at - retention.PROVIDER_EVENTS).order_by("at"),
    ):
        while monotonic() < stop_at and (page := _delete(due)):
            gone += page
    return gone


def _delete(due: QuerySet[Any]) -> int:
    pks = list(due.values_list("pk", flat=True)[:PAGE])
    return due.model._default_manager.filter(pk__in=pks).delete()[0] if pks else 0
