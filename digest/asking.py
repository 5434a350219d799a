"""What the clock should ask of the sources now, decided from the receipts alone."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from django.conf import settings

from digest.models import IngestRun
from digest.sources.announcements import EASTERN, eastern_date, has_announcement
from digest.sources.base import Window

_DAY = timedelta(days=1)
#: A run that began longer ago and never ended belongs to a process that is dead.
ASKED_WITHIN = timedelta(minutes=10)
RETRY_FAILED = timedelta(minutes=15)
HUGGINGFACE_EVERY = timedelta(minutes=30)
HUGGINGFACE_DAYS = 7  # votes settle over a week
#: So far back is asked for what nobody asked for in time, as far as an edition reaches.
MISSED_DAYS = 13
#: Feeds are built at Eastern midnight, sometimes late: an empty one on a working day is asked again hourly.
FEED_BUILT = time(0, 15)
FEED_EVERY = timedelta(hours=1)
#: From then on an empty feed is believed: the next announcement is going out.
FEED_FINAL = time(20, 5)
ARXIV_DAYS = 3  # missed ones are fetched from the API

_Key = tuple[str, str, date]
_SETTLED = (IngestRun.State.COMPLETE, IngestRun.State.QUIET)


def due(at: datetime) -> list[tuple[str, Window]]:
    """Return the sources to ask at `at`, each with the days, neighbouring days in one window.

    Hugging Face: today (UTC) every half hour, the seven days before once a day. arXiv: today's Eastern date
    until every category has its announcement, the three days before where they were missed. After a longer
    silence of our own: all days since, and the one in which it began. A failed run is tried again after a
    quarter of an hour; one under way is left alone.
    """
    runs = _runs(at)
    answer: list[tuple[str, Window]] = []
    for source, days, categories in _asked(at, runs):
        wanted = [day for day in days if any(_due(source, name, day, at, runs) for name in categories)]
        answer += [(source, window) for window in _windows(wanted)]
    return answer


def is_due(source: str, category: str, day: date, at: datetime) -> bool:
    """Say whether `due` would still name this one."""
    return _due(source, category, day, at, _runs(at))


def _asked(at: datetime, runs: dict[_Key, list[IngestRun]]) -> list[tuple[str, list[date], tuple[str, ...]]]:
    rows = (
        ("huggingface", at.astimezone(UTC).date(), HUGGINGFACE_DAYS, ("",)),
        ("arxiv", eastern_date(at), ARXIV_DAYS, tuple(settings.ARXIV_CATEGORIES)),
    )
    return [
        (source, [today - n * _DAY for n in range(_reach(source, today, most, runs), -1, -1)], categories)
        for source, today, most, categories in rows
        if source in settings.SOURCES
    ]


def _reach(source: str, today: date, usual: int, runs: dict[_Key, list[IngestRun]]) -> int:
    """Return how many days back to ask: to the first day known of, where the house was away for longer."""
    known = min((day for name, _category, day in runs if name == source), default=today)
    return max(usual, min((today - known).days, MISSED_DAYS))


def _runs(at: datetime) -> dict[_Key, list[IngestRun]]:
    """Return the receipts of the days that can be due, the newest first."""
    since = at.date() - (MISSED_DAYS + 2) * _DAY
    found: dict[_Key, list[IngestRun]] = defaultdict(list)
    # Not those of a time to come: the clock has been set back since, and they would forbid to ask.
    known = IngestRun.objects.filter(day__gte=since, started_at__lte=at + ASKED_WITHIN)
    for run in known.order_by("-started_at", "-pk"):
        found[run.source, run.category, run.day].append(run)
    return found


def _due(source: str, category: str, day: date, at: datetime, runs: dict[_Key, list[IngestRun]]) -> bool:
    mine = runs.get((source, category, day), [])
    if mine and mine[0].state == IngestRun.State.RUNNING:
        return at - mine[0].started_at >= ASKED_WITHIN
    if mine and mine[0].state == IngestRun.State.FAILED and at - mine[0].started_at < RETRY_FAILED:
        return False
    if source == "huggingface":
        return _huggingface_due(day, at, mine)
    if any(_settles(run, day) for run in mine):
        return False
    return day < eastern_date(at) or _feed_due(category, at, mine, runs)


def _huggingface_due(day: date, at: datetime, mine: Sequence[IngestRun]) -> bool:
    good = next((run.started_at for run in mine if run.state in _SETTLED), None)
    if good is None:
        return True
    today = at.astimezone(UTC).date()
    if day == today:
        return at - good >= HUGGINGFACE_EVERY
    # Within the week once a day; what is older once after it was over.
    return good.astimezone(UTC).date() < (today if today - day <= HUGGINGFACE_DAYS * _DAY else day + _DAY)


def _feed_due(
    category: str, at: datetime, mine: Sequence[IngestRun], runs: dict[_Key, list[IngestRun]]
) -> bool:
    if at.astimezone(EASTERN).time() < FEED_BUILT:
        return False
    # A feed still of an earlier date left its receipt there.
    stale = [
        run
        for (source, name, _day), found in runs.items()
        if (source, name) == ("arxiv", category)
        for run in found
    ]
    if any(timedelta(0) <= at - run.started_at < RETRY_FAILED for run in stale):
        return False
    return not mine or at - mine[0].started_at >= (
        FEED_EVERY if mine[0].state == IngestRun.State.QUIET else RETRY_FAILED
    )


def _settles(run: IngestRun, day: date) -> bool:
    """Say whether `run` is the last word on arXiv's `day`."""
    if run.state != IngestRun.State.QUIET:
        return run.state == IngestRun.State.COMPLETE
    final = datetime.combine(day, FEED_FINAL, tzinfo=EASTERN)
    return not has_announcement(day) or run.started_at >= final


def _windows(days: Sequence[date]) -> list[Window]:
    windows: list[Window] = []
    for day in days:
        if windows and windows[-1].last + _DAY == day:
            windows[-1] = Window(windows[-1].first, day)
        else:
            windows.append(Window(day, day))
    return windows
