"""Pause who cannot be reached for now: three digests among a reader's last five that their mailbox refused.

The count is read from the deliveries each time, so that it comes out the same whatever was told first. One
that arrived ends it; there is one digest a day at most, and so one point. After thirty days the pause is
over, and the next digest is the one try: refused as well, it is the third of five again. (Mailman counts once
a day, Keila pauses at three of five, Discourse forgets after thirty days.)
"""

from collections.abc import Collection
from datetime import date, datetime, timedelta

import structlog
from django.db.models import Q

from digest import schedule
from digest.models import Delivery
from subscribers import lifecycle
from subscribers.consent import Trace
from subscribers.models import Subscriber

log = structlog.get_logger(__name__)

MOST, AMONG = 3, 5
REST = timedelta(days=30)
#: What the consent log says of it.
SOURCE = "soft bounces"
_BOUNCES = Subscriber.PauseReason.BOUNCES


def look(*, refused: Collection[int | None], reached: Collection[int | None], at: datetime) -> None:
    """Pause those readers of `refused` who were refused too often; let go on those of `reached` who were not.

    Call it in the transaction of what was heard of their digests.
    """
    if not refused and not reached:
        return
    # Of the many whom something reaches, only those on such a pause are looked at.
    concerned = Q(pk__in=set(refused) - {None}) | Q(pk__in=set(reached) - {None}, paused_because=_BOUNCES)
    readers = Subscriber.objects.filter(concerned, status=Subscriber.Status.ACTIVE)
    for reader in readers.order_by("pk"):
        until, ours = _until(reader), reader.paused_because == _BOUNCES
        if until is None and ours:
            lifecycle.pause(reader.public_id, None, at=at, trace=Trace(SOURCE))
            log.info("reader_goes_on", reader=reader.public_id)
        elif until is not None and reader.pk in refused and _is_news(reader, until, at):
            lifecycle.pause(reader.public_id, until, at=at, trace=Trace(SOURCE), because=_BOUNCES)
            log.info("reader_rests", reader=reader.public_id, until=str(until))


def _until(reader: Subscriber) -> date | None:
    """Return until when the reader's last deliveries are reason to pause, or None."""
    last = Delivery.objects.filter(subscriber=reader, submitted_at__isnull=False)
    refusals: list[date] = []
    told = last.order_by("-local_date", "-pk").values_list("local_date", "delivered_at", "soft_bounced_at")
    for local_date, delivered_at, soft_bounced_at in told[:AMONG]:
        if delivered_at is not None:
            break
        if soft_bounced_at is not None:
            refusals.append(local_date)
    if len(refusals) < MOST:
        return None
    return max(refusals) + REST


def _is_news(reader: Subscriber, until: date, at: datetime) -> bool:
    """Say whether a pause until then is one: not over already, nor within one of the reader's own."""
    today = schedule.local_date(at, reader.time_zone)
    return until > today and (reader.paused_until is None or until > reader.paused_until)
