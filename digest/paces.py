"""Readers of the settings that say how fast mail may go."""

from collections.abc import Callable
from datetime import date
from typing import TypeVar

from digest.configuration import refuse
from subscribers import rates
from subscribers.rates import Rate

T = TypeVar("T")


def send_rates(name: str, value: str) -> tuple[Rate, ...]:
    """Return the rates in `value`, such as "14/s" or "50000/day"; empty for none."""
    return _told(name, rates.rates, value)


def domain_rates(name: str, value: str) -> dict[str, tuple[Rate, ...]]:
    """Return {mailbox provider: rates} of `value`, such as "gmail.com=20/s, outlook.com=5/s"."""
    return _told(name, rates.by_domain, value)


def first_day(name: str, value: str) -> date | None:
    """Return the day in `value`, or None for none."""
    return _told(name, date.fromisoformat, value) if value else None


def _told(name: str, read: Callable[[str], T], value: str) -> T:
    try:
        return read(value)
    except ValueError as error:
        hint = "" if read is not date.fromisoformat else " Write the day as 2026-12-01."
        raise refuse(name, f"{error}{hint}") from error
