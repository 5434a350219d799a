"""Days that go by: a clock that is set from event to event, editions, enrolment, a worker, real mails.

Nothing here decides anything: at each event it does what beat and one worker would do in that minute.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from digest import advancing, editions, ingestion
from digest.delivery import run as loop
from digest.models import Delivery, IngestRun, Paper
from subscribers.models import Subscriber
from tests.cast import a_paper, a_reader, appeared

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
State = Delivery.State


@dataclass
class World:
    """What is at the source: each UTC day two papers, one from four o'clock on, one from noon on."""

    first: date
    papers: dict[tuple[date, int], Paper] = field(default_factory=dict)

    def ask(self, at: datetime) -> None:
        """Take in what is due to be asked at `at`, and leave the receipts."""
        for source, window in ingestion.due(at):
            for day in window.days():
                for hour in (4, 12):
                    self._take(day, hour, at)
                IngestRun.objects.create(
                    source=source, day=day, state=IngestRun.State.COMPLETE, started_at=at, finished_at=at
                )

    def _take(self, day: date, hour: int, at: datetime) -> None:
        there = datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
        if self.first <= day and there <= at and (day, hour) not in self.papers:
            self.papers[day, hour] = a_paper(f"Paper of {day} at {hour}")
            appeared(self.papers[day, hour], day)


def tick(at: datetime) -> None:
    """Do what one minute brings: beat's task, then a worker until nothing is due."""
    advancing.advance(at=at)
    worker = loop.Worker(lambda: at)
    try:
        loop.run(worker)
    finally:
        worker.close()


def live(
    since: datetime,
    until: datetime,
    *,
    world: World | None = None,
    up: Callable[[datetime], bool] = lambda _at: True,
    each: Callable[[datetime], object] = lambda _at: None,
) -> None:
    """Let the time from `since` to `until` go by, calling `each` before every minute with something to do.

    The source is asked an hour before each freeze, and whenever else something happens and it is due. Where
    `up` says no, nothing at all happens.
    """
    world = world or World((since - DAY).date())
    freezes = _freezes(since, until)
    moments = [*freezes, *(frozen - HOUR for frozen in freezes)]
    at = since
    while at < until:
        each(at)
        if up(at):
            world.ask(at)
            tick(at)
        at = _next(at, moments, until) if up(at) else at + 10 * MINUTE


def _freezes(since: datetime, until: datetime) -> list[datetime]:
    days = range(-1, (until - since).days + 3)
    found = [editions.freeze_moment(editions.edition_day(since) + n * DAY) for n in days]
    return [moment for moment in found if since - DAY <= moment <= until + DAY]


def _next(at: datetime, moments: Iterable[datetime], until: datetime) -> datetime:
    """Return the next minute at which anything can happen: a freeze, a reader's hour, a retry."""
    waiting = Delivery.objects.waiting()
    hour = waiting.filter(not_before__gt=at).order_by("not_before").values_list("not_before", flat=True)
    retry = waiting.filter(retry_at__gt=at).order_by("retry_at").values_list("retry_at", flat=True)
    soon = min(filter(None, (*(m for m in moments if m > at), hour.first(), retry.first(), until)))
    return max(_up_to_the_minute(soon), at + MINUTE)


def _up_to_the_minute(at: datetime) -> datetime:
    whole = at.replace(second=0, microsecond=0)
    return whole if whole == at else whole + MINUTE


def readers_of(zone: str, minutes: Iterable[int], **fields: Any) -> list[Subscriber]:
    """Return one reader of `zone` for each of `minutes`."""
    return [a_reader(time_zone=zone, send_minute=minute, **fields) for minute in minutes]


def dates_of(reader: Subscriber) -> Counter[date]:
    """Return for which local dates `reader` got a digest, by the rows, and how many."""
    mine = Delivery.objects.filter(subscriber=reader, state=State.ACCEPTED)
    return Counter(mine.values_list("local_date", flat=True))


def papers_of(reader: Subscriber) -> Counter[int]:
    """Return which papers `reader` got, by their keys, and how often."""
    mine = Delivery.objects.filter(subscriber=reader, state=State.ACCEPTED)
    return Counter(paper for picks in mine.values_list("picks", flat=True) for paper, _reason in picks)


def dates(first: date, last: date) -> Iterator[date]:
    """Yield each date from `first` to `last`."""
    for n in range((last - first).days + 1):
        yield first + n * DAY
