"""Every time zone there is, by how its clocks move in four years; a reader's digests around the changes."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from digest.schedule import Freeze, digest_of, local_date, moment

YEARS = (2025, 2026, 2027, 2028)
#: 00:15, 01:30, 02:30, 07:00, 23:45
HOURS = (15, 90, 150, 420, 1425)
DAY = timedelta(days=1)
#: An ordinary week, for zones whose clocks never move.
ORDINARY = date(2026, 6, 10)
#: Days looked at on each side of a change.
AROUND = 3
DEFAULT = Freeze(6 * 60, "UTC")
#: Nobody's clocks move further than Troll's, plus those of the zone in which editions freeze.
LATEST = timedelta(hours=3)


@cache
def changes(zone: str) -> tuple[date, ...]:
    """Return the days of YEARS between whose noon and the noon before the clocks of `zone` moved."""
    here = ZoneInfo(zone)
    first = date(YEARS[0], 1, 1)
    days = [first + n * DAY for n in range((date(YEARS[-1] + 1, 1, 1) - first).days)]
    offsets = [datetime.combine(day, time(12), here).utcoffset() for day in days]
    return tuple(
        day for day, now, before in zip(days[1:], offsets[1:], offsets, strict=False) if now != before
    )


@cache
def patterns() -> dict[tuple[object, ...], list[str]]:
    """Return {how the clocks stand and move: the zones that do so}."""
    found: dict[tuple[object, ...], list[str]] = defaultdict(list)
    for zone in sorted(available_timezones()):
        here = ZoneInfo(zone)
        days = (date(YEARS[0], 1, 1), *changes(zone))
        key = [(day, datetime.combine(day, time(12), here).utcoffset()) for day in days]
        # To the minute of the change: at midnight it is something else than at three.
        hours = [datetime.combine(day, time(hour), here).utcoffset() for day in days for hour in (0, 1, 2, 3)]
        found[(*key, *hours)].append(zone)
    return found


def spans(zone: str, home: str = "UTC") -> list[tuple[date, date]]:
    """Return the first and last day of each span of editions to look at: around changes, and New Year's."""
    days = {*changes(zone), *changes(home), *(date(year, 1, 1) for year in YEARS[1:])} or {ORDINARY}
    return [(day - AROUND * DAY, day + AROUND * DAY) for day in sorted(days)]


@dataclass
class Findings:
    """What a walk found; `faults` should be empty."""

    dates: int = 0
    faults: list[str] = field(default_factory=list)
    late: Counter[timedelta] = field(default_factory=Counter)
    #: The mail of a date that leaves after its midnight, since its edition freezes there.
    past_midnight: Counter[str] = field(default_factory=Counter)


def walk(freeze: Freeze, zones: Iterable[str], hours: Sequence[int] = HOURS) -> Findings:
    """Follow one reader per zone and hour through all spans, as enrolling and claiming would."""
    found = Findings()
    for zone in zones:
        for first, last in spans(zone, freeze.zone):
            for minute in hours:
                _follow(found, freeze, zone, minute, first, last)
    return found


def _follow(found: Findings, freeze: Freeze, zone: str, minute: int, first: date, last: date) -> None:
    got: Counter[date] = Counter()
    for day, frozen, following in _freezes(freeze, first, last):
        dated, leaves = digest_of(day, freeze, minute, zone)
        where = f"{zone} {minute // 60:02}:{minute % 60:02}, edition of {day}"
        if not frozen <= leaves < following:
            found.faults.append(f"{where}: leaves {leaves}, not between its freeze and the next one's")
            continue  # the next edition would take its place before it left
        got[dated] += 1
        late = leaves - moment(dated, minute, zone)
        if not timedelta(0) <= late < LATEST:
            found.faults.append(f"{where}: {late} after the reader's hour")
        found.late[late] += 1
        if local_date(leaves, zone) != dated:
            found.past_midnight[zone] += 1
    wanted = {min(got) + n * DAY for n in range(len(got))} if got else set()
    if set(got) != wanted or any(many != 1 for many in got.values()) or len(got) != (last - first).days + 1:
        found.faults.append(f"{zone} {minute}: {sorted(got.items())}")
    found.dates += len(got)


@cache
def _freezes(freeze: Freeze, first: date, last: date) -> list[tuple[date, datetime, datetime]]:
    days = [first + n * DAY for n in range((last - first).days + 2)]
    moments = [freeze.of(day) for day in days]
    return list(zip(days, moments, moments[1:], strict=False))


def rules() -> Iterator[Freeze]:
    """Yield hours and zones to freeze in: the default, and ones whose own clocks move under the freeze."""
    yield DEFAULT
    for hour, zone in (
        (0, "Pacific/Kiritimati"),
        (23, "Pacific/Kiritimati"),
        (0, "America/Los_Angeles"),
        (23, "America/Los_Angeles"),
        (2, "America/Los_Angeles"),
        (2, "Europe/Paris"),
        (0, "America/Santiago"),
        (0, "Asia/Beirut"),
        (2, "Australia/Lord_Howe"),
        (1, "Antarctica/Troll"),
        (2, "Africa/Casablanca"),
        (7, "Asia/Jerusalem"),
        (5, "Australia/Sydney"),
    ):
        yield Freeze(hour * 60, zone)
