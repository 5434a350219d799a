"""When: the freeze of a day's edition and each reader's local hour. Pure."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAY = timedelta(days=1)
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
    minutes = int((first - earlier) / timedelta(minutes=1))
    before = earlier.astimezone(here).utcoffset()
    low, high = 0, minutes
    while low < high:
        middle = (low + high) // 2
        if (earlier + timedelta(minutes=middle)).astimezone(here).utcoffset() == before:
            low = middle + 1
        else:
            high = middle
    return earlier + timedelta(minutes=low)


def local_date(at: datetime, zone: str) -> date:
    """Return the date on the wall in `zone` at `at`."""
    return at.astimezone(clock(zone)).date()


def first_send(after: datetime, minute: int, zone: str) -> tuple[date, datetime]:
    """Return (local date, UTC moment) of the first local `minute` in `zone` at or after `after`."""
    day = local_date(after, zone) - DAY
    while (at := moment(day, minute, zone)) < after:
        day += DAY
    return day, at


def is_due_on(day: date, frequency: str, weekday: int) -> bool:
    """Say whether a reader with `frequency` (weekly ones on `weekday`, 0 is Monday) is due on `day`."""
    if frequency == "weekly":
        return day.weekday() == weekday
    return frequency == "daily" or day.weekday() < 5
