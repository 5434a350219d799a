"""What the commands share: how they read a day, and what they say when there is no database to work on."""

import argparse
from datetime import date

from subscribers.management.base import DatabaseCommand, whats_wrong_with_the_database

__all__ = ["DatabaseCommand", "a_day", "whats_wrong_with_the_database"]

#: arXiv began in that year: no paper here is older.
FIRST_YEAR = 1991


def a_day(text: str) -> date:
    """Return the date `text`, written YYYY-MM-DD; a type for argparse."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.min
    if day.isoformat() != text or day.year < FIRST_YEAR:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date since {FIRST_YEAR}. Write it YYYY-MM-DD.")
    return day
