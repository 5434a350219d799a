"""Moments and spans in words, in the zone that editions are made in."""

from datetime import datetime, timedelta

from django.conf import settings

from digest import schedule

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def clock_time(at: datetime, *, now: datetime) -> str:
    """Return the time of day of `at` with its zone, and its date where that is not the date of `now`."""
    here, today = (moment.astimezone(schedule.clock(settings.EDITION_ZONE)) for moment in (at, now))
    day = "" if here.date() == today.date() else f"{here.day} {here:%b}, "
    return f"{day}{here:%H:%M} {settings.EDITION_ZONE}"


def span(length: timedelta) -> str:
    """Return `length` in the two units that tell most: "2 h 10 min"."""
    seconds = int(abs(length.total_seconds()))
    if seconds < _MINUTE:
        return "less than a minute"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE} min"
    if seconds < _DAY:
        hours, rest = divmod(seconds, _HOUR)
        return f"{hours} h {rest // _MINUTE} min" if rest >= _MINUTE else f"{hours} h"
    days, rest = divmod(seconds, _DAY)
    named = "day" if days == 1 else "days"
    return f"{days} {named} {rest // _HOUR} h" if rest >= _HOUR else f"{days} {named}"
