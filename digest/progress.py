"""How far an edition is: counted every few seconds while it moves, and kept, so that no page counts."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from time import monotonic

from django.db import transaction
from django.db.models import Q

from digest.delivery import balance
from digest.models import Delivery, Edition, EditionFigures

State = Delivery.State

#: An edition that moves is counted this often, one that is over ever more rarely, then no more.
EVERY = timedelta(seconds=5)
ONCE_OVER = (
    (timedelta(days=1), timedelta(minutes=1)),
    (timedelta(days=30), timedelta(hours=1)),
)
#: A count rests this many times as long as the last one took: a twentieth of one core at most.
REST = 20
MOVING = (Edition.State.APPROVED, Edition.State.SENDING, Edition.State.PAUSED)
#: States in which nothing but the clock or a curator ended a delivery: they say nothing of how fast it goes.
NOT_WORKED_OFF = (State.EXPIRED, State.CANCELLED)
#: Confirmations of delivery are many and in no index: they are counted again after this long.
DELIVERED_EVERY = timedelta(minutes=10)
#: Of the newest refusals, so many are looked at and so many groups kept.
LOOKED_AT, MOST_GROUPS = 300, 8
#: Who is due is counted up to here: so many, or more.
MOST_DUE = 20_000
_VARIES = re.compile(r"\S*\d\S{7,}|\S{7,}\d\S*")


def to_count(*, at: datetime) -> Iterator[Edition]:
    """Yield the editions whose count is out of date, the newest first."""
    alive = Q(state__in=MOVING) | Q(closed_at__gt=at - ONCE_OVER[-1][0], approved_at__isnull=False)
    for edition in Edition.objects.filter(alive).select_related("figures").order_by("-day"):
        if is_due(edition, at=at):
            yield edition


def is_due(edition: Edition, *, at: datetime) -> bool:
    """Say whether the kept figures of `edition` are to be counted anew."""
    kept = figures(edition)
    if kept is None:
        return True
    age = abs(at - kept.at)  # counted in the future: the clock has been set back since
    return age >= max(_interval(edition, kept, at), timedelta(seconds=REST * kept.took))


def figures(edition: Edition) -> EditionFigures | None:
    """Return what is kept of `edition`; None: it was never counted."""
    return getattr(edition, "figures", None)


def _interval(edition: Edition, kept: EditionFigures, at: datetime) -> timedelta:
    """Return how old the figures may get."""
    closed = edition.closed_at
    moves = edition.state in MOVING or balance.kept(kept).open > 0 or kept.enrolled != edition.enrolled
    if moves or closed is None or kept.at <= closed:
        return EVERY
    return next((every for span, every in ONCE_OVER if at - closed < span), ONCE_OVER[-1][1])


def keep(edition: Edition, *, at: datetime) -> EditionFigures:
    """Count where the deliveries of `edition` stand at `at`, keep it and return it."""
    begun = monotonic()
    before = EditionFigures.objects.filter(edition=edition).first()
    enrolled, states = balance.count(edition)
    counted = {
        "enrolled": enrolled,
        "states": states,
        "facts": _facts(edition, before, at),
        "rate": _rate(before, states, at),
        "refusals": _refusals(edition),
        "at": at,
        **_waiting(edition, before, at, enrolled),
    }
    counted["took"] = monotonic() - begun
    with transaction.atomic():
        # Locked, or who counted a moment ago would let a peak sink.
        row = EditionFigures.objects.select_for_update().filter(edition=edition).first()
        counted["peaks"] = _peaks(row, states)
        return EditionFigures.objects.update_or_create(edition=edition, defaults=counted)[0]


def _peaks(row: EditionFigures | None, states: dict[str, int]) -> dict[str, int]:
    """Return the highest count of each state there ever was: what monitors count must never sink."""
    before: dict[str, int] = (row.peaks or row.states) if row else {}
    return {state: max(before.get(state, 0), states.get(state, 0)) for state in {*before, *states}}


def _facts(edition: Edition, before: EditionFigures | None, at: datetime) -> dict[str, int]:
    """Return how many were heard of afterwards, by what was heard: each from an index of its own but one."""
    mine = Delivery.objects.filter(edition=edition)
    facts = {
        fact: mine.filter(**{f"{fact}_at__isnull": False}).count()
        for fact in ("bounced", "soft_bounced", "complained", "left")
    }
    # At the same moments whoever counts: when the clock's ten minutes are full.
    if before is not None and _slot(before.at) == _slot(at) and "delivered" in before.facts:
        facts["delivered"] = before.facts["delivered"]
    else:
        facts["delivered"] = mine.filter(delivered_at__isnull=False).count()
    return facts


def _slot(at: datetime) -> int:
    return int(at.timestamp() // DELIVERED_EVERY.total_seconds())


def _rate(before: EditionFigures | None, states: dict[str, int], at: datetime) -> float:
    """Return how many were worked off a second of late: half this count's, half what was said before."""
    if before is None:
        return 0.0
    seconds = (at - before.at).total_seconds()
    if seconds < 1:
        return before.rate
    new = max(_worked_off(states) - _worked_off(before.states), 0) / seconds
    return new if seconds > 60 or not before.rate else (before.rate + new) / 2


def _worked_off(states: dict[str, int]) -> int:
    rest = {*Delivery.WAITING, State.SUBMITTING, *NOT_WORKED_OFF}
    return sum(many for state, many in states.items() if state not in rest)


def _waiting(
    edition: Edition, before: EditionFigures | None, at: datetime, enrolled: int
) -> dict[str, object]:
    """Return who waits for what: a worker now, or the reader's hour."""
    mine = Delivery.objects.filter(edition=edition)
    # Each in an order and by a limit that keep to its index: a planner on its own walks all that waits.
    due = (
        mine.filter(state=State.READY, not_before__lte=at).order_by("not_before", "id"),
        mine.filter(state=State.DEFERRED, retry_at__lte=at).order_by("not_before"),
        mine.filter(state=State.CLAIMED, lease_until__lt=at).order_by("not_before"),
    )
    oldest = [rows.values_list("not_before", flat=True).first() for rows in due]
    waiting = Delivery.objects.waiting().filter(edition=edition)
    later = mine.filter(state=State.READY, not_before__gt=at)
    next_at = later.order_by("not_before", "id").values_list("not_before", flat=True).first()
    return {
        "due": min(sum(rows.values("pk")[:MOST_DUE].count() for rows in due), MOST_DUE),
        "oldest_due_at": min((since for since in oldest if since), default=None),
        "next_at": next_at,
        "next_count": _at_that_hour(edition, before, next_at, enrolled),
        "last_at": waiting.order_by("-not_before", "-id").values_list("not_before", flat=True).first(),
    }


def _at_that_hour(
    edition: Edition, before: EditionFigures | None, hour: datetime | None, enrolled: int
) -> int:
    if hour is None:
        return 0
    if before is not None and before.next_at == hour and before.enrolled == enrolled:
        return before.next_count  # they wait there still: counted once, unless more were enrolled since
    return Delivery.objects.filter(edition=edition, state=State.READY, not_before=hour).count()


def _refusals(edition: Edition) -> list[list[object]]:
    """Return [state, detail, how many, when the latest] of the newest that were refused or put off."""
    many: Counter[tuple[str, str]] = Counter()
    latest: dict[tuple[str, str], datetime | None] = {}
    for state in (State.REJECTED, State.DEFERRED):
        newest = Delivery.objects.filter(edition=edition, state=state).order_by("-pk")[:LOOKED_AT]
        for detail, settled, submitted in newest.values_list("detail", "settled_at", "submitted_at"):
            group = (str(state), _VARIES.sub("…", detail) or "no reason given")
            many[group] += 1
            when = settled or submitted
            if when and (latest.get(group) or when) <= when:
                latest[group] = when
    return [
        [*group, count, when.isoformat() if (when := latest.get(group)) else ""]
        for group, count in many.most_common(MOST_GROUPS)
    ]
