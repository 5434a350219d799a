"""Days that go by: a clock that is set from event to event, editions, enrolment, a worker, real mails.

Nothing here decides anything: at each event it does what beat and one worker would do in that minute.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings

from digest import advancing, editions
from digest.delivery import run as loop
from digest.models import Delivery, IngestRun
from digest.schedule import local_date
from subscribers.models import Subscriber
from tests.cast import a_paper, a_reader, appeared

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
State = Delivery.State


def asked(at: datetime, *, papers: int = 1) -> None:
    """Let the sources answer at `at`, with new papers of the edition's day."""
    day = editions.edition_day(at)
    for _ in range(papers):
        appeared(a_paper(), day)
    for source in settings.SOURCES:
        IngestRun.objects.create(
            source=source, day=day, state=IngestRun.State.COMPLETE, started_at=at, finished_at=at
        )


def tick(at: datetime, worker: loop.Worker | None = None) -> None:
    """Do what one minute brings: beat's task, then a worker until nothing is due."""
    advancing.advance(at=at)
    mine = worker or loop.Worker(lambda: at)
    try:
        loop.run(mine)
    finally:
        if worker is None:
            mine.close()


def live(
    since: datetime, until: datetime, *, up: Callable[[datetime], bool] = lambda _at: True, papers: int = 1
) -> int:
    """Let the time from `since` to `until` go by; return how many minutes had something to do.

    The sources are asked an hour before each freeze. Where `up` says no, nothing at all happens.
    """
    ticks = 0
    freezes = _freezes(since, until)
    asking = [frozen - HOUR for frozen in freezes]
    moments = [*freezes, *asking]
    at = since
    while at < until:
        if up(at):
            if at in asking:
                asked(at, papers=papers)
            tick(at)
            ticks += 1
        at = _next(at, moments, until)
    return ticks


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


def left_on(reader: Subscriber) -> dict[date, int]:
    """Return on which dates, on the reader's wall, a digest left."""
    found: dict[date, int] = defaultdict(int)
    mine = Delivery.objects.filter(subscriber=reader, state=State.ACCEPTED)
    for at in mine.values_list("settled_at", flat=True):
        assert at is not None
        found[local_date(at, reader.time_zone)] += 1
    return dict(found)


def dates(first: date, last: date) -> Iterator[date]:
    """Yield each date from `first` to `last`."""
    for n in range((last - first).days + 1):
        yield first + n * DAY
