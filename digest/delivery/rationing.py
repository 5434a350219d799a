"""Who gets a digest on a day that cannot take all: whoever has gone without one for longest.

While a new sending domain warms up, a day takes fewer mails than there are readers. In the order of their
keys, or of their hours, the same ones would be left out day by day. So an edition is rationed once, before
any of it leaves: those that are too many for their day are put off to the next, where they go first. Whose
hour is over by then expires, is first in the next edition's order, and finds the papers there.
"""

from datetime import datetime, timedelta

import structlog
from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from digest.models import Delivery, Edition
from subscribers import pace, warmup

log = structlog.get_logger(__name__)

#: Days (UTC) that the readers' hours of one edition lie on, at most.
DAYS = 3
PUT_OFF = "waits for another day: a new sending domain may send only so many a day"
_PAGE = 2_000


def ration(edition: Edition, *, at: datetime) -> int:
    """Put off the deliveries of `edition` that are too many for their day; return how many.

    Call it in the transaction that lets the edition's digests leave.
    """
    put_off = 0
    for number in range(DAYS):
        moment = at if not number else warmup.day_begins(at) + timedelta(days=number)
        room = pace.room_on(moment)
        if room is None:
            break
        keys = list(_of_day(edition, moment, first=not number).values_list("pk", flat=True)[room:])
        for start in range(0, len(keys), _PAGE):
            Delivery.objects.filter(pk__in=keys[start : start + _PAGE]).update(
                state=Delivery.State.DEFERRED, retry_at=warmup.day_ends(moment), detail=PUT_OFF
            )
        put_off += len(keys)
    if put_off:
        log.warning("edition_rationed", day=str(edition.day), put_off=put_off)
    return put_off


def _of_day(edition: Edition, moment: datetime, *, first: bool) -> QuerySet[Delivery]:
    """Return what becomes due on the UTC day of `moment`, or by then, the longest without a digest first."""
    waiting = Delivery.objects.filter(
        edition=edition, state=Delivery.State.READY, not_before__lt=warmup.day_ends(moment)
    )
    if not first:
        waiting = waiting.filter(not_before__gte=warmup.day_begins(moment))
    had = Delivery.objects.filter(subscriber=OuterRef("subscriber"), state=Delivery.State.ACCEPTED)
    last = had.order_by("-settled_at").values("settled_at")[:1]
    since = Coalesce(Subquery(last), "subscriber__confirmed_at", "subscriber__created_at")
    # Among equals by lot: the public id says nothing of when somebody came.
    return waiting.annotate(since=since).order_by("since", "public_id")
