"""The figures kept of readers and topics, so that no page counts large tables when it is looked at.

Rows decide what is to be counted: run twice, by two at once, or after a week without, it comes to the same.
"""

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta

from django.db.models import Count, Max

from digest.models import DailyFigures, PaperTopic, TopicFigures
from subscribers import movements
from subscribers.models import Subscriber, Topic
from subscribers.movements import Movement, Standing

#: How old a count may grow, and over how many days missed ones are reckoned afterwards.
EVERY = timedelta(hours=1)
DAYS = 90
#: Papers of a topic are counted over so long.
LATELY = timedelta(days=30)
#: Readers whose preferences one statement counts: a tenth of a second.
_PAGE = 50_000
_DAY = timedelta(days=1)


def due(*, at: datetime) -> bool:
    """Say whether the last count is older than an hour, or of another day, or never was."""
    row = DailyFigures.objects.filter(day=_day(at)).first()
    return row is None or abs(at - row.at) >= EVERY


def keep(*, at: datetime) -> None:
    """Count what is to be kept."""
    keep_days(at=at)
    keep_topics(at=at)


def keep_days(*, at: datetime) -> int:
    """Write today's row anew, close the days before, reckon those that were missed; return how many rows.

    A day is closed by the first count after it. Of days that nobody counted on, the consent log still tells
    who came and went; from that and today's readers follows how many there were.
    """
    today = _day(at)
    known = {row.day: row for row in DailyFigures.objects.filter(day__gt=today - DAYS * _DAY)}
    first = _first_open(known, today)
    moved = movements.by_day(first, today)
    now = movements.standing(at=at)
    rows, active = [], now.active
    for back in range((today - first).days + 1):
        day = today - back * _DAY
        row = known.get(day)
        if row is not None and _closed(row):
            active = row.active
        else:
            row = _row(day, active, moved.get(day, Movement()), now if day == today else row, at)
            rows.append(row)
        active = max(active - Movement(row.joined, row.left, row.suppressed).net, 0)
    DailyFigures.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["day"],
        update_fields=["active", "pending", "paused", "joined", "left", "suppressed", "at"],
    )
    return len(rows)


def keep_topics(*, at: datetime) -> None:
    """Count the active readers of each topic, and its papers of the last 30 days."""
    readers = _readers_by_topic()
    lately = PaperTopic.objects.filter(paper__stored_at__gte=at - LATELY, paper__stored_at__lte=at)
    papers = dict(lately.values_list("topic").order_by().annotate(count=Count("pk")))
    TopicFigures.objects.bulk_create(
        [
            TopicFigures(topic_id=topic, readers=readers[topic], papers=papers.get(topic, 0), at=at)
            for topic in Topic.objects.order_by("pk").values_list("pk", flat=True)
        ],
        update_conflicts=True,
        unique_fields=["topic"],
        update_fields=["readers", "papers", "at"],
    )


def _readers_by_topic() -> Counter[int]:
    """Return {topic id: active readers}, a page of readers at a time."""
    counted: Counter[int] = Counter()
    last = Subscriber.objects.aggregate(last=Max("pk"))["last"] or 0
    for first in range(0, last + 1, _PAGE):
        # The range is said of both tables: the planner does not carry it over, and would read one whole.
        page = Subscriber.objects.filter(
            status=Subscriber.Status.ACTIVE,
            pk__gt=first,
            pk__lte=first + _PAGE,
            preferences__subscriber_id__gt=first,
            preferences__subscriber_id__lte=first + _PAGE,
        )
        by_topic = page.values_list("preferences__topic").order_by()
        counted.update(dict(by_topic.annotate(count=Count("preferences__pk"))))
    return counted


def _first_open(known: dict[date, DailyFigures], today: date) -> date:
    """Return the first day that has to be written: one without a row, or with one that is not closed."""
    earliest = min(known, default=None) or movements.beginning() or today
    day = max(earliest, today - (DAYS - 1) * _DAY)
    while day < today and day in known and _closed(known[day]):
        day += _DAY
    return min(day, today)


def _closed(row: DailyFigures) -> bool:
    """Say whether `row` was counted after its day was over."""
    return row.at >= datetime.combine(row.day + _DAY, time(), UTC)


def _row(
    day: date, active: int, moved: Movement, stood: Standing | DailyFigures | None, at: datetime
) -> DailyFigures:
    return DailyFigures(
        day=day,
        active=active,
        pending=stood.pending if stood else None,
        paused=stood.paused if stood else None,
        joined=moved.joined,
        left=moved.left,
        suppressed=moved.suppressed,
        at=at,
    )


def _day(at: datetime) -> date:
    return at.astimezone(UTC).date()
