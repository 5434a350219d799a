"""What a worker may claim, found by indexes: a claim touches its batch, whatever else waits.

One question over all that waits would walk a paused edition of a million readers, or an hour that has not
come, to find the two hundred rows behind it. So each question is of one edition and one state, in the order
of an index of just that.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from digest.models import Delivery, Edition
from subscribers import leasing, warmup

#: Who is due is counted up to here, so many or more: as many as the tasks of one tick are for.
MOST_COUNTED = 8_000
State = Delivery.State


def lines(
    at: datetime, *, any_hour: bool = False, edition: Edition | None = None
) -> Iterator[QuerySet[Delivery]]:
    """Yield what may be claimed at `at`, line by line, each longest waiting first.

    First what a dead worker held, then what was put off until now, then whose hour has come, by edition:
    the one with the longest waiting reader first. `any_hour` ignores the reader's hour (but no retry delay).
    """
    editions = Edition.objects.sendable()
    if warmup.cap(at) is not None:
        # Not before all its readers are known: who goes first is judged among all of them.
        editions = editions.exclude(state=Edition.State.APPROVED)
    if edition is not None:
        editions = editions.filter(pk=edition.pk)
    length = timedelta(seconds=settings.LEASE_SECONDS)
    # Two questions, each along the index.
    for lapsed in Q(lease_until__lt=at), Q(lease_until__gt=leasing.no_lease_after(at, length)):
        held = Delivery.objects.filter(lapsed, state=State.CLAIMED, edition__in=editions)
        yield held.order_by("lease_until", "id")
    found = list(_with_lines(editions, at, any_hour=any_hour))
    for pk, _first, put_off in found:
        if put_off:
            yield _put_off(at).filter(edition=pk).order_by("retry_at", "id")
    for pk, first, _put in found:
        if first is not None:
            yield _ready(at, any_hour=any_hour).filter(edition=pk).order_by("not_before", "id")


def count(at: datetime) -> int:
    """Return how many deliveries a worker could claim at `at`, counted up to MOST_COUNTED."""
    counted = 0
    for line in lines(at):
        counted += line.values("pk")[: MOST_COUNTED - counted].count()
        if counted >= MOST_COUNTED:
            break
    return counted


def _with_lines(
    editions: QuerySet[Edition], at: datetime, *, any_hour: bool
) -> QuerySet[Edition, tuple[int, datetime | None, bool]]:
    """Return (key, hour of the longest waiting reader, whether some were put off until now) of `editions`."""
    mine = Q(edition=OuterRef("pk"))
    ready = _ready(at, any_hour=any_hour).filter(mine).order_by("not_before", "id")
    return (
        editions.annotate(
            first=Subquery(ready.values("not_before")[:1]), put_off=Exists(_put_off(at).filter(mine))
        )
        .filter(Q(first__isnull=False) | Q(put_off=True))
        .order_by("first", "day")
        .values_list("pk", "first", "put_off")
    )


def _ready(at: datetime, *, any_hour: bool) -> QuerySet[Delivery]:
    ready = Delivery.objects.filter(state=State.READY)
    return ready if any_hour else ready.filter(not_before__lte=at)


def _put_off(at: datetime) -> QuerySet[Delivery]:
    return Delivery.objects.filter(state=State.DEFERRED, retry_at__lte=at)
