"""What became of a delivery: outcomes from the wire, lapsed leases, expiry, cancellation."""

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import DateTimeField, Q, QuerySet, Value
from django.db.models.functions import Least

from digest.delivery import refusing
from digest.delivery.rows import write
from digest.delivery.sending import Prepared
from digest.models import Delivery, Edition
from subscribers import leasing
from subscribers.at_once import hold_readers
from subscribers.transport import Fate, Outcome

log = structlog.get_logger(__name__)

#: Seconds before the next try, by how many were made; the last one repeats until the delivery expires.
BACKOFF = (5, 30, 120, 600, 1800)
#: Rows that one transaction ends, and how long after its cancelling an edition may still have some.
PAGE = 2_000
ENDING_WITHIN = timedelta(days=7)
#: The detail of a delivery whose outcome was unknown until its provider told.
BY_EVIDENCE = "its outcome was unknown until the provider told"
#: States of a delivery that waits, or waited, for its first try or another.
_NOT_SENT_AGAIN = (*Delivery.WAITING, *Delivery.SKIPPED, Delivery.State.EXPIRED, Delivery.State.CANCELLED)
#: Outcomes that end a delivery. The others leave it waiting for its next try.
FINAL = {
    Fate.ACCEPTED: Delivery.State.ACCEPTED,
    Fate.REJECTED: Delivery.State.REJECTED,
    Fate.UNKNOWN: Delivery.State.UNKNOWN,
}


def settle(sent: Sequence[tuple[Prepared, Outcome]], *, at: datetime) -> None:
    """Write the outcomes of submitted deliveries, each fenced by its epoch, in one transaction."""
    # In the order of their keys, like whoever else holds several: then none waits for each other.
    sent = sorted(sent, key=lambda one: one[0].delivery.pk)
    final = [(item.delivery, outcome) for item, outcome in sent if outcome.fate in FINAL]
    with transaction.atomic():
        if bounced := [item.delivery.address_hash for item, outcome in sent if refusing.is_bounce(outcome)]:
            hold_readers(bounced)
        write(
            ("state", "settled_at", "lease_until", "detail", "provider_id"),
            ((delivery, _ending(outcome, at)) for delivery, outcome in final),
            # A sweep that came while the message was on a slow wire said unknown; its owner knows better.
            was=[Delivery.State.SUBMITTING, Delivery.State.UNKNOWN],
        )
        for item, outcome in sent:
            if outcome.fate not in FINAL:
                _put_off(item.delivery, outcome, at)
        refusing.state(sent, at=at)
    for item, outcome in sent:
        if outcome.fate is not Fate.ACCEPTED and outcome.offered:
            log.warning(
                "delivery_not_accepted",
                delivery=item.delivery.public_id,
                fate=str(outcome.fate),
                detail=outcome.detail,
            )


def _ending(outcome: Outcome, at: datetime) -> dict[str, object]:
    """Return what the row keeps of a final outcome."""
    return {
        "state": FINAL[outcome.fate],
        "settled_at": at,
        "lease_until": None,
        "detail": outcome.detail[:200],
        "provider_id": outcome.provider_id[:200],
    }


def _put_off(delivery: Delivery, outcome: Outcome, at: datetime) -> None:
    """Let a delivery that has definitely not left wait for its next try."""
    mine = Delivery.objects.filter(pk=delivery.pk, epoch=delivery.epoch, state=Delivery.State.SUBMITTING)
    attempts = delivery.attempts + outcome.offered
    wait = retry_delay(attempts, outcome.retry_after)
    ending = {"lease_until": None, "attempts": attempts, "detail": outcome.detail[:200]}
    deferred = {"state": Delivery.State.DEFERRED, "retry_at": at + wait}
    try:
        with transaction.atomic():
            mine.update(**ending, **deferred)
    except IntegrityError:
        # A newer edition has enrolled the reader meanwhile: until that one's hour this one is tried still.
        newer = Delivery.objects.waiting().filter(overdue=False, subscriber=delivery.subscriber_id)
        hour = newer.exclude(pk=delivery.pk).values_list("not_before", flat=True).first()
        if hour is None or hour <= at:
            mine.update(**ending, state=Delivery.State.EXPIRED, settled_at=at)
        else:
            mine.update(**ending, **deferred, overdue=True, expires_at=min(delivery.expires_at, hour))


def takes_evidence(delivery: Delivery) -> bool:
    """Say whether a provider's word may still decide how `delivery` ended: nothing else did.

    One that went on the wire before, and waits to go again or was ended while it waited, has arrived once
    the provider says so: it goes no second time, and its papers are not offered again.
    """
    return (
        delivery.state == Delivery.State.UNKNOWN
        or delivery.detail == BY_EVIDENCE
        or (
            delivery.state in _NOT_SENT_AGAIN
            and delivery.submitted_at is not None
            and delivery.delivered_at is not None
        )
    )


def settle_by_evidence(delivery: Delivery, state: Delivery.State, *, at: datetime) -> None:
    """End a delivery of unknown outcome as what the provider told of it proves; more may be told later.

    When it left stays as it is known: else late news of old mails would stop an edition that was let go on.
    """
    if delivery.state == state:
        return
    was = Q(state=Delivery.State.UNKNOWN) | Q(state__in=FINAL.values(), detail=BY_EVIDENCE)
    arrived = Q(state__in=_NOT_SENT_AGAIN, submitted_at__isnull=False, delivered_at__isnull=False)
    mine = Delivery.objects.filter(was | arrived, pk=delivery.pk, epoch=delivery.epoch)
    try:
        with transaction.atomic():
            moved = mine.update(
                state=state, settled_at=delivery.settled_at or at, lease_until=None, detail=BY_EVIDENCE
            )
    except IntegrityError:
        return  # the reader has another digest of that date by now, which stays the one that counts
    if moved:
        log.info("settled_by_evidence", delivery=delivery.public_id, state=str(state))


def retry_delay(attempts: int, retry_after: float | None) -> timedelta:
    """Return how long to wait after `attempts` tries: the server's Retry-After at least, jittered upwards."""
    base = float(BACKOFF[max(min(attempts, len(BACKOFF)), 1) - 1])
    jittered = base * random.uniform(1.0, 1.3)  # noqa: S311 - spreads load, guards nothing
    return timedelta(seconds=max(jittered, (retry_after or 0) * random.uniform(1.0, 1.1)))  # noqa: S311


def skip(delivery: Delivery, state: Delivery.State, *, at: datetime) -> None:
    """End a claimed delivery that has nothing to send in one of the counted `skipped_*` states."""
    Delivery.objects.filter(pk=delivery.pk, epoch=delivery.epoch, state=Delivery.State.CLAIMED).update(
        state=state, settled_at=at, lease_until=None
    )


def reject_unmailable(delivery: Delivery, reason: str, *, at: datetime) -> None:
    """End a claimed delivery whose message cannot be made; the others of its batch go on."""
    Delivery.objects.filter(pk=delivery.pk, epoch=delivery.epoch, state=Delivery.State.CLAIMED).update(
        state=Delivery.State.REJECTED, settled_at=at, lease_until=None, detail=reason[:200]
    )
    log.error("message_not_made", delivery=delivery.public_id, reason=reason)


def sweep(*, at: datetime) -> None:
    """End what time has ended, and some of what was cancelled.

    A `submitting` row whose lease is over had an owner that died between the commit and the outcome: nobody
    knows, and it is never silently sent again. What waits beyond its hour expires.
    """
    over = leasing.lapsed(at, timedelta(seconds=settings.LEASE_SECONDS))
    lapsed = Delivery.objects.filter(over, state=Delivery.State.SUBMITTING)
    # A page like the others: it waits for nobody, so that it can stand in nobody's way.
    if lost := _end_page(lapsed.order_by("lease_until"), _lost(at)):
        log.warning("swept", unknown=lost)
    end_expired(at=at)
    end_cancelled(at=at)


def end_expired(*, at: datetime, pages: int = 2) -> int:
    """Let what waits beyond its hour expire, `pages` short transactions at most; return how many."""
    over = Delivery.objects.waiting().filter(expires_at__lte=at).order_by("expires_at")
    ended = 0
    while pages > 0 and (page := _end_page(over, _expired(at))):
        ended += page
        pages -= 1
    if ended:
        log.warning("swept", expired=ended)
    return ended


def supersede(newer: Iterable[Delivery], edition: Edition, *, at: datetime) -> int:
    """Let what waits from older editions for the readers of `newer` expire: its papers come in `edition`.

    Not what is late only: its hour has come, a mail server is in trouble or workers were away, and it is its
    reader's digest of that date. It has until the newer one's hour, so that there is never a choice of two.
    """
    by_reader = {row.subscriber_id: row for row in newer if row.subscriber_id is not None}
    # What was late for an edition before has an end already; without it an index finds them by their readers.
    theirs = Delivery.objects.waiting().filter(overdue=False, subscriber__in=list(by_reader))
    # Called off, and not ended yet: it must not keep its reader from this one.
    theirs.filter(edition__state=Edition.State.CANCELLED).update(**_cancelled(at))
    older = theirs.filter(edition__day__lt=edition.day)
    late = _let_finish(older, by_reader, at)
    return older.exclude(pk__in=late).update(
        state=Delivery.State.EXPIRED, settled_at=at, lease_until=None, detail="a newer edition took its place"
    )


def _let_finish(older: QuerySet[Delivery], newer: Mapping[int, Delivery], at: datetime) -> list[int]:
    """Give the late ones of `older` until the hour of their reader's `newer` one; return their keys.

    Not where both are for one date: there the newer one is the date's.
    """
    late = older.filter(not_before__lte=at, expires_at__gt=at)
    until = defaultdict[datetime, list[int]](list)
    for key, reader, dated in late.values_list("pk", "subscriber_id", "local_date"):
        row = newer[reader or 0]
        if row.not_before > at and row.local_date != dated:
            until[row.not_before].append(key)
    for hour, keys in until.items():
        least = Least("expires_at", Value(hour, DateTimeField()))
        Delivery.objects.filter(pk__in=keys).update(overdue=True, expires_at=least)
    return [key for keys in until.values() for key in keys]


def end_missed(*, at: datetime) -> int:
    """Let what waits for editions that froze before `at` expire, in pages; return how many rows that were.

    Of a backup that was restored: its rows wait for mails that may have left.
    """
    theirs = Delivery.objects.waiting().filter(edition__frozen_at__lte=at)
    ended = 0
    while page := list(theirs.values_list("pk", flat=True)[:PAGE]):
        ended += Delivery.objects.filter(pk__in=page, state__in=Delivery.WAITING).update(
            state=Delivery.State.EXPIRED, settled_at=at, lease_until=None, detail="it may have left before"
        )
    return ended


def end_cancelled(*, at: datetime, pages: int = 2) -> int:
    """End what waits for editions that were cancelled, `pages` short transactions at most; return how many.

    Half a million rows in one transaction would hold whoever waits for any of them.
    """
    ended = 0
    # What is older expired long ago.
    called_off = Edition.objects.filter(state=Edition.State.CANCELLED, closed_at__gt=at - ENDING_WITHIN)
    for edition in called_off:
        waiting = Delivery.objects.waiting().filter(edition=edition)
        while pages > 0 and (page := _end_page(waiting, _cancelled(at))):
            ended += page
            pages -= 1
    if ended:
        log.info("cancelled_ended", deliveries=ended)
    return ended


def _end_page(rows: QuerySet[Delivery], ending: dict[str, Any]) -> int:
    with transaction.atomic():
        held = rows.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True)
        return Delivery.objects.filter(pk__in=list(held[:PAGE])).update(**ending)


def _lost(at: datetime) -> dict[str, Any]:
    return {
        "state": Delivery.State.UNKNOWN,
        "settled_at": at,
        "lease_until": None,
        "detail": "its worker died while sending",
    }


def _cancelled(at: datetime) -> dict[str, Any]:
    return {"state": Delivery.State.CANCELLED, "settled_at": at, "lease_until": None}


def _expired(at: datetime) -> dict[str, Any]:
    return {
        "state": Delivery.State.EXPIRED,
        "settled_at": at,
        "lease_until": None,
        "detail": "its hour was over",
    }
