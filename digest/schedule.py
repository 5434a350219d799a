"""When: the freeze of a day's edition and each reader's local hour. Pure."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
MINUTES_A_DAY = 1440
#: How far clocks are looked at for where a freeze falls on them. The same years for every edition: what
#: follows from them never changes, or a date would be left out on the day it does. So FIRST stays.
FIRST, LAST = date(2025, 1, 1), date(2046, 1, 1)
#: How long after a reader's hour their digest may still leave.
LATEST = timedelta(hours=12)


@lru_cache(maxsize=1024)
def clock(zone: str) -> ZoneInfo:
    """Return the zone's clock, or UTC's for a name this machine's database does not know.

    Zones are checked when they are chosen; one that a host lacks must not stop everybody's edition.
    """
    try:
        return ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def moment(day: date, minute: int, zone: str) -> datetime:
    """Return the UTC moment of `minute` (0 to 1439, after local midnight) on local date `day` in `zone`.

    A local time that the clocks jump over: the first valid minute after. One that comes twice: the first.
    """
    here = clock(zone)
    local = datetime.combine(day, time(*divmod(minute, 60)), here)
    first = local.astimezone(UTC)
    if first.astimezone(here).replace(tzinfo=None) == local.replace(tzinfo=None):
        return first
    # In the gap `first` was reckoned with the offset before it: the jump is at most the gap's width earlier.
    earlier = local.replace(fold=1).astimezone(UTC)
    minutes = int((first - earlier) / MINUTE)
    before = earlier.astimezone(here).utcoffset()
    low, high = 0, minutes
    while low < high:
        middle = (low + high) // 2
        if (earlier + middle * MINUTE).astimezone(here).utcoffset() == before:
            low = middle + 1
        else:
            high = middle
    return earlier + low * MINUTE


def local_date(at: datetime, zone: str) -> date:
    """Return the date on the wall in `zone` at `at`."""
    return at.astimezone(clock(zone)).date()


@dataclass(frozen=True, slots=True)
class Freeze:
    """When editions freeze: at `minute` after midnight in `zone`, every day."""

    minute: int
    zone: str

    def of(self, day: date) -> datetime:
        """Return the UTC moment at which the edition of `day` freezes."""
        return moment(day, self.minute, self.zone)


def digest_of(day: date, freeze: Freeze, minute: int, zone: str) -> tuple[date, datetime]:
    """Return (local date, UTC moment) of the digest of the edition of `day` at `minute` in `zone`.

    One edition a day and one date a day: from the edition's day to the date it is as many days all year
    round, so that no date is left out and none comes twice. It is the first `minute` after the freeze;
    but where the clocks move that minute across the freeze and back, the digest leaves at the freeze while
    the minute lies before it: as late as the clocks move, an hour (in Antarctica/Troll two).
    """
    earliest = _earliest_freeze(freeze, zone)
    local = day - DAY * ((minute - earliest) // MINUTES_A_DAY)
    return local, max(freeze.of(day), moment(local, minute, zone))


@lru_cache(maxsize=4096)
def _earliest_freeze(freeze: Freeze, zone: str) -> int:
    """Return the earliest that `freeze` ever comes on the clock of `zone`.

    In minutes after the midnight that begins the edition's day (below 0: on the day before).
    """
    here = clock(zone)
    days = {FIRST, *_changes(zone), *_changes(freeze.zone)}
    return min(
        (freeze.of(near).astimezone(here).replace(tzinfo=None) - datetime.combine(near, time())) // MINUTE
        for day in days
        for near in (day - DAY, day, day + DAY)
    )


@lru_cache(maxsize=1024)
def _changes(zone: str) -> tuple[date, ...]:
    """Return the days from FIRST to LAST by whose noon (UTC) the clocks of `zone` had moved in a day."""
    here, found = clock(zone), list[date]()
    noon = datetime.combine(FIRST, time(12), UTC)
    before = _offset(here, noon)
    while noon.date() < LAST:
        noon += 7 * DAY
        if (now := _offset(here, noon)) != before:  # wherever clocks move, they stay for weeks
            days = [noon - back * DAY for back in range(7)]
            found += [day.date() for day in days if _offset(here, day) != _offset(here, day - DAY)]
        before = now
    return tuple(found)


def _offset(here: ZoneInfo, at: datetime) -> timedelta | None:
    return at.astimezone(here).utcoffset()


def is_due_on(day: date, frequency: str, weekday: int) -> bool:
    """Say whether a reader with `frequency` (weekly ones on `weekday`, 0 is Monday) is due on `day`."""
    if frequency == "weekly":
        return day.weekday() == weekday
    return frequency == "daily" or day.weekday() < 5
