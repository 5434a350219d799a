"""How much a new sending domain may send a day: little at first, more each day, then no limit.

Mailbox providers judge a domain by how much it sends and how that is received; one that nobody knows and that
sends to a whole list at once is taken for a spammer's.
"""

from datetime import UTC, date, datetime, timedelta

from django.conf import settings

#: The most on each day (UTC) from WARMUP_START on; the day after the last has no limit. The steps follow the
#: schedule that Twilio SendGrid recommends for a new dedicated address ("Warming Up an IP Address").
RAMP = (50, 100, 500, 1_000, 5_000, 10_000, 20_000, 40_000, 70_000, 100_000, 150_000, 250_000)


def cap(at: datetime) -> int | None:
    """Return how many mails may leave on the UTC day of `at`; None: as many as there are.

    Before WARMUP_START the first day's figure holds.
    """
    start: date | None = settings.WARMUP_START
    if start is None:
        return None
    step = max((at.astimezone(UTC).date() - start).days, 0)
    return RAMP[step] if step < len(RAMP) else None


def day_ends(at: datetime) -> datetime:
    """Return when the UTC day of `at` ends."""
    return day_begins(at) + timedelta(days=1)


def day_begins(at: datetime) -> datetime:
    """Return when the UTC day of `at` began."""
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
