"""Take due deliveries for one worker, and give back what a dead worker held."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Case, Value, When

from digest.delivery import due
from digest.delivery.persisting import FAULTS
from digest.models import Delivery, Edition
from subscribers import leasing

log = structlog.get_logger(__name__)


def claim(
    *, owner: str, at: datetime, limit: int, any_hour: bool = False, edition: Edition | None = None
) -> list[Delivery]:
    """Return up to `limit` due deliveries, claimed for `owner` for one lease, longest waiting first.

    `any_hour` ignores the reader's local hour (but no retry delay); `edition` narrows to one edition.
    """
    keys: list[int] = []
    with transaction.atomic():  # one commit, however many lines
        for line in due.lines(at, any_hour=any_hour, edition=edition):
            keys += leasing.claim(line, owner=owner, until=lease_end(at), limit=limit - len(keys))
            if len(keys) >= limit:
                break
    mine = Delivery.objects.filter(owner=owner, state=Delivery.State.CLAIMED)
    rows = mine.select_related("subscriber").in_bulk(keys)
    # A batch is of one edition or two: each is read once, not with every row.
    editions = Edition.objects.in_bulk({row.edition_id for row in rows.values()})
    for row in rows.values():
        row.edition = editions[row.edition_id]
    return [rows[key] for key in keys if key in rows]


def lease_end(at: datetime) -> datetime:
    """Return until when a lease taken at `at` holds."""
    return at + timedelta(seconds=settings.LEASE_SECONDS)


def renew(deliveries: Sequence[Delivery], *, owner: str, at: datetime) -> None:
    """Hold claimed deliveries for another lease; what is lost already stays lost."""
    Delivery.objects.filter(
        pk__in=[delivery.pk for delivery in deliveries],
        owner=owner,
        state=Delivery.State.CLAIMED,
        lease_until__gt=at,
    ).update(lease_until=lease_end(at))


def hold(deliveries: Sequence[Delivery], *, owner: str, at: datetime) -> None:
    """Renew leases, if that can be done. Outcomes wait in memory meanwhile, so it is no fault to fail."""
    try:
        renew(deliveries, owner=owner, at=at)
    except FAULTS:
        log.exception("leases_not_renewed", deliveries=len(deliveries))


def release(deliveries: Sequence[Delivery]) -> None:
    """Give back claimed deliveries that were not sent, so that nobody waits for a lease to run out."""
    for delivery in deliveries:
        Delivery.objects.filter(pk=delivery.pk, epoch=delivery.epoch, state=Delivery.State.CLAIMED).update(
            state=Delivery.State.DEFERRED if delivery.retry_at else Delivery.State.READY, lease_until=None
        )


def let_rest(keys: Iterable[int], *, owner: str, until: datetime) -> int:
    """Put off those of `keys` that `owner` gave back as ready, no attempt counted; return how many."""
    mine = Delivery.objects.filter(pk__in=list(keys), owner=owner, state=Delivery.State.READY)
    return mine.update(state=Delivery.State.DEFERRED, retry_at=until)


def release_all(owner: str) -> None:
    """Give back everything that `owner` has claimed and not begun to send."""
    never_put_off = When(retry_at=None, then=Value(Delivery.State.READY.value))
    waiting_again = Case(never_put_off, default=Value(Delivery.State.DEFERRED.value))
    Delivery.objects.filter(owner=owner, state=Delivery.State.CLAIMED).update(
        state=waiting_again, lease_until=None
    )
