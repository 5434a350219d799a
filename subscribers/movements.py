"""How many readers there are, and how many came and went on each day: told from the rows, written nowhere.

Coming and going are read from the consent log, which stays when a reader's row is gone. Each question goes by
an index, and costs as much as its days hold events.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import TruncDate

from subscribers.consent import LIFTING, MOVING
from subscribers.models import ConsentEvent, ImportJob, Subscriber, Suppression

_Kind = ConsentEvent.Kind
_AGREED = (_Kind.CONFIRMED, _Kind.IMPORTED, _Kind.RESUMED)
_ENDED = (_Kind.WITHDRAWN, _Kind.ERASED)


@dataclass(frozen=True, slots=True)
class Standing:
    """How many readers stand where; the paused ones are among the active."""

    active: int
    pending: int
    paused: int


@dataclass(frozen=True, slots=True)
class Movement:
    """How many came and went on one day."""

    joined: int = 0
    left: int = 0
    suppressed: int = 0

    @property
    def net(self) -> int:
        """By how many the day changed the number of active readers."""
        return self.joined - self.left - self.suppressed


def standing(*, at: datetime) -> Standing:
    """Return how many stand where now; paused by the date (UTC) of `at`."""
    statuses = (Subscriber.Status.ACTIVE, Subscriber.Status.PENDING)
    counted = Subscriber.objects.filter(status__in=statuses).values_list("status").order_by()
    found = dict(counted.annotate(count=Count("pk")))
    paused = Subscriber.objects.filter(
        paused_until__gt=at.astimezone(UTC).date(), status=Subscriber.Status.ACTIVE
    )
    return Standing(
        active=found.get(Subscriber.Status.ACTIVE, 0),
        pending=found.get(Subscriber.Status.PENDING, 0),
        paused=paused.count(),
    )


def by_day(first: date, last: date) -> dict[date, Movement]:
    """Return who came and went on each day (UTC) from `first` to `last`; days without either are left out."""
    start = datetime.combine(first, time(), UTC)
    end = datetime.combine(last + timedelta(days=1), time(), UTC)
    joined = _joined(start, end) + _imported(start, end, running_on=last)
    left, resumed = _left(start, end), _resumed(start, end)
    suppressed = _suppressed(start, end)
    return {
        # Who took leaving back at once has not left.
        day: Movement(joined[day], max(left[day] - resumed[day], 0), suppressed[day])
        for day in sorted(joined.keys() | left.keys() | suppressed.keys())
    }


def beginning() -> date | None:
    """Return the day (UTC) that the consent log begins on, or None if nobody was ever here."""
    event = ConsentEvent.objects.select_related("import_job").order_by("pk").first()
    if event is None:
        return None
    # An imported reader's event bears the day they agreed elsewhere.
    moment = event.import_job.created_at if event.import_job else event.at
    return moment.astimezone(UTC).date()


def _joined(start: datetime, end: datetime) -> Counter[date]:
    events = ConsentEvent.objects.filter(
        kind__in=[_Kind.CONFIRMED, _Kind.IMPORTED], at__gte=start, at__lt=end, import_job=None
    )
    return _per_day(events.exclude(source=MOVING), "at")


def _imported(start: datetime, end: datetime, *, running_on: date) -> Counter[date]:
    """Count an import's readers on the day it ended: their events bear the days they agreed elsewhere."""
    counted: Counter[date] = Counter()
    ended = Q(finished_at__gte=start, finished_at__lt=end)
    jobs = ImportJob.objects.filter(ended | Q(finished_at=None, state=ImportJob.State.IMPORTING))
    for finished_at, counts in jobs.values_list("finished_at", "counts"):
        day = finished_at.astimezone(UTC).date() if finished_at else running_on
        counted[day] += int(_count_of(counts))
    return +counted


def _count_of(counts: Mapping[str, Any]) -> Any:  # noqa: ANN401 - what a JSON field holds
    return counts.get("new", 0)


def _left(start: datetime, end: datetime) -> Counter[date]:
    """Count who was a reader until then: not whoever never confirmed, or had gone already."""
    before = ConsentEvent.objects.filter(
        address_hash=OuterRef("address_hash"), pk__lt=OuterRef("pk"), kind__in=[*_AGREED, *_ENDED]
    )
    stopped = Suppression.objects.filter(address_hash=OuterRef("address_hash"), at__lt=OuterRef("at"))
    events = ConsentEvent.objects.filter(kind__in=_ENDED, at__gte=start, at__lt=end)
    gone = events.exclude(source__in=[MOVING, LIFTING]).filter(~Exists(stopped))
    last_word = gone.annotate(last_word=Subquery(before.order_by("-pk").values("kind")[:1]))
    return _per_day(last_word.filter(last_word__in=_AGREED), "at")


def _resumed(start: datetime, end: datetime) -> Counter[date]:
    return _per_day(ConsentEvent.objects.filter(kind=_Kind.RESUMED, at__gte=start, at__lt=end), "at")


def _suppressed(start: datetime, end: datetime) -> Counter[date]:
    """Count who was a reader: a mistyped address whose confirmation bounced never was one."""
    imported = ConsentEvent.objects.filter(address_hash=OuterRef("address_hash"), kind=_Kind.IMPORTED)
    stopped = Subscriber.objects.filter(
        status=Subscriber.Status.SUPPRESSED, status_at__gte=start, status_at__lt=end
    )
    return _per_day(stopped.filter(Q(confirmed_at__isnull=False) | Exists(imported)), "status_at")


def _per_day(rows: QuerySet[Any], moment: str) -> Counter[date]:
    days = rows.annotate(day=TruncDate(moment, tzinfo=UTC)).values_list("day").order_by()
    return Counter(dict(days.annotate(count=Count("pk"))))
