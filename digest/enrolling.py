"""Who gets an edition and when: one Delivery for each reader who is due."""

from collections.abc import Container
from datetime import date, datetime, timedelta
from functools import lru_cache

import structlog
from django.db import reset_queries, transaction
from django.db.models import F

from digest import editions, guarding, schedule
from digest.delivery import rationing, settling
from digest.models import Delivery, Edition
from subscribers.at_once import once_more
from subscribers.models import Subscriber

log = structlog.get_logger(__name__)

PAGE = 2_000
#: How long after confirming a new reader still gets the newest edition as a welcome.
WELCOME_WITHIN = timedelta(hours=24)


def enroll(edition: Edition, *, at: datetime) -> int:
    """Make the deliveries of an approved edition and return how many there are.

    One transaction per page of readers; a crash leaves whole pages, and the next call goes on after the last
    one. Several processes at once take turns. The edition is sending once every reader was looked at and the
    rows, counted again, equal the count kept. Raises EditionError where it is not approved (any more).
    """
    if edition.state != Edition.State.APPROVED:
        raise editions.EditionError(
            f"The edition of {edition.day} is {edition.state}; only an approved edition can be enrolled."
        )
    while _enroll_page(edition, at):
        reset_queries()  # under DEBUG Django keeps the text of every statement
    return Edition.objects.values_list("enrolled", flat=True).get(pk=edition.pk)


@once_more
def _enroll_page(edition: Edition, at: datetime) -> bool:
    """Enroll the next page of reachable readers, or finish; say whether there may be another page."""
    with transaction.atomic():
        edition = editions.locked(edition)
        if edition.state in {Edition.State.SENDING, Edition.State.SENT}:
            return False  # another process was quicker
        page = list(Subscriber.objects.reachable().filter(pk__gt=edition.enrolled_upto).order_by("pk")[:PAGE])
        if not page:
            _finish(edition, at)
            return False
        rows = [_delivery(edition, reader) for reader in page]
        _write(edition, [row for row in rows if row is not None], at=at, allowed=[Edition.State.APPROVED])
        Edition.objects.filter(pk=edition.pk).update(enrolled_upto=page[-1].pk)
    return True


#: Kept, since readers share few hours and zones.
_digest_of = lru_cache(maxsize=4096)(schedule.digest_of)


def due(day: date, reader: Subscriber) -> tuple[date, datetime] | None:
    """Return (local date, moment) of the reader's digest of the edition of `day`.

    None: they are not due on that date.
    """
    local_date, moment = _digest_of(day, editions.freeze_rule(), reader.send_minute, reader.time_zone)
    if not schedule.is_due_on(local_date, reader.frequency, reader.weekday):
        return None
    if reader.paused_until is not None and local_date < reader.paused_until:
        return None
    return local_date, moment


def _finish(edition: Edition, at: datetime) -> None:
    """Move a locked edition to sending, if what was made is what was counted."""
    counted = Delivery.objects.filter(edition=edition).count()
    if counted != edition.enrolled:
        raise editions.EditionError(
            f"The edition of {edition.day} has {counted} deliveries but counted {edition.enrolled}. "
            "Nothing more is sent until an operator has looked."
        )
    rationing.ration(edition, at=at)
    editions.move(edition, Edition.State.SENDING, allowed=[Edition.State.APPROVED], enrolled_at=at)


def expiry(edition: Edition, not_before: datetime) -> datetime:
    """Return until when a digest due at `not_before` may leave.

    Twelve hours after the reader's hour. Only an edition approved after its whole window was over (a back
    issue that an operator makes on purpose) counts from its approval instead.
    """
    approved = edition.approved_at
    if approved is not None and approved >= editions.freeze_moment(edition.day) + editions.WINDOW:
        return approved + schedule.LATEST
    return not_before + schedule.LATEST


def _delivery(edition: Edition, reader: Subscriber) -> Delivery | None:
    """Return the reader's delivery, or None if they are not due."""
    hour = due(edition.day, reader)
    if hour is None:
        return None
    local_date, not_before = hour
    return Delivery(
        edition=edition,
        subscriber=reader,
        address_hash=reader.address_hash,
        local_date=local_date,
        not_before=not_before,
        expires_at=expiry(edition, not_before),
    )


@once_more
def _write(edition: Edition, rows: list[Delivery], *, at: datetime, allowed: Container[str]) -> int:
    """Write one page of deliveries and the edition's count in one transaction; return how many are new.

    Raises EditionError where the edition's state, looked at under its lock, is not `allowed`.

    A reader has at most one delivery that waits for its hour: what waits from an older edition expires here
    (its papers come in this one), unless its hour has come: it may leave still, until this one's. Rows that
    would be a second one for the edition or for the local date are left out by the table's own constraints.
    """
    readers = [row.subscriber_id for row in rows if row.subscriber_id is not None]
    mine = Delivery.objects.filter(edition=edition, subscriber__in=readers)
    with transaction.atomic():
        state = editions.locked(edition).state
        if state not in allowed:
            raise editions.EditionError(f"The edition of {edition.day} is {state} now; nobody is enrolled.")
        expired = settling.supersede(rows, edition, at=at)
        before = mine.count()
        Delivery.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)
        added = mine.count() - before
        Edition.objects.filter(pk=edition.pk).update(enrolled=F("enrolled") + added)
    log.info("readers_enrolled", day=str(edition.day), added=added, expired=expired)
    return added


def welcome(*, at: datetime) -> int:
    """Give each reader who has just confirmed the newest sendable edition, due now; return how many.

    It is that day's digest: its local date is the reader's today, so the day's own edition does not come too.
    """
    newest = Edition.objects.sendable().order_by("-day").first()
    if newest is None or at - editions.freeze_moment(newest.day) > editions.REACH_DAYS * schedule.DAY:
        return 0
    # Who confirmed before a restored backup was armed may have had theirs: no row would know.
    since = max(filter(None, (at - WELCOME_WITHIN, guarding.guard().armed_at)))
    fresh = (
        Subscriber.objects.reachable()
        .filter(confirmed_at__gt=since, confirmed_at__lte=at)
        .exclude(deliveries__isnull=False)
    )
    rows = [
        Delivery(
            edition=newest,
            subscriber=reader,
            address_hash=reader.address_hash,
            local_date=schedule.local_date(at, reader.time_zone),
            not_before=at,
            expires_at=at + schedule.LATEST,
        )
        for reader in fresh[:PAGE]
    ]
    return _write(newest, rows, at=at, allowed=Edition.SENDABLE) if rows else 0
