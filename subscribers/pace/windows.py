"""The windows that mails are counted in, all workers together; and turns, where more wait than may go."""

import json
import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from django.conf import settings

from subscribers import warmup
from subscribers.pace import cache
from subscribers.rates import Rate

log = structlog.get_logger(__name__)

#: This much of every cap for all mail is left to the mails of the house: who signs up is answered at once.
RESERVE = 0.05
#: How many slots a window of so many seconds has: the more, the closer it may come to its cap.
_SLOTS = {1: 20, 60: 60, 3_600: 60, 86_400: 96}

#: Return how many mails left within [since, until), from rows; the outbox and `digest` add theirs.
Counter = Callable[[datetime, datetime], int]
counters: list[Counter] = []


def limited(at: datetime, groups: Sequence[str]) -> bool:
    """Say whether any rate limits messages to `groups` at `at`."""
    return bool(
        settings.SEND_RATE
        or settings.SEND_QUOTA
        or warmup.cap(at) is not None
        or any(group in settings.DOMAIN_RATES for group in groups)
    )


def take(groups: Sequence[str], at: datetime, *, house: bool) -> list[tuple[str, float]]:
    """Return (why not, seconds to wait) of a message to each of `groups`; those that may go are counted.

    Why not: "domain", "all", or nothing. Raises AwayError.
    """
    known = {group: settings.DOMAIN_RATES[group] for group in groups if group in settings.DOMAIN_RATES}
    names = {group: cache.name_of(group) for group in known}
    ask: dict[str, Any] = {
        "now": at.timestamp(),
        "reserve": 0.0 if house else RESERVE,
        "common": _common(at),
        "groups": {names[group]: [_window(names[group], rate) for rate in known[group]] for group in known},
        "messages": [names.get(group, "") for group in groups],
    }
    told = json.loads(cache.run("TAKE", [json.dumps(ask)]))
    if told["lost"]:
        for window in ask["common"]:
            if window["key"] in told["lost"]:
                _seed(window, at)
        told = json.loads(cache.run("TAKE", [json.dumps(ask)]))
    return [(why, float(wait)) for why, wait in told["answer"]]


def room_on(at: datetime) -> int | None:
    """Return how many digests may leave on the rest of the UTC day of `at`, by the warm-up; None: all."""
    cap = warmup.cap(at)
    if cap is None:
        return None
    # As the script has it.
    kept = max(int(cap * RESERVE + 0.5), 1)
    return max(cap - kept - _left(warmup.day_begins(at), at), 0)


def between(rates: Sequence[Rate]) -> float:
    """Return how many seconds lie between two turns under `rates`: a little more than the windows need."""
    return max(rate.seconds / rate.many * (1 + 1 / _SLOTS[rate.seconds]) * 1.03 for rate in rates)


def book(group: str, between: float, many: int, at: datetime) -> float:
    """Keep `many` turns of `group`, so many seconds apart; return in how many seconds the first one comes.

    A changed rate begins anew. Raises AwayError.
    """
    now = at.timestamp()
    return float(cache.run("BOOK", [f"{cache.name_of(group)} {between}", now, between, many])) - now


def _common(at: datetime) -> list[dict[str, Any]]:
    windows = [_window("all", rate) for rate in (*settings.SEND_RATE, *settings.SEND_QUOTA)]
    cap = warmup.cap(at)
    if cap is None:
        return windows
    day = {
        "key": f"day {warmup.day_begins(at):%Y-%m-%d}",
        "cap": cap,
        "width": 1e12,
        "slots": 0,
        "long": True,
        "ends": warmup.day_ends(at).timestamp(),
    }
    return [*windows, day]


def _window(name: str, rate: Rate) -> dict[str, Any]:
    slots = _SLOTS[rate.seconds]
    return {
        "key": f"{name} /{rate.seconds}",
        "cap": rate.many,
        "width": rate.seconds / slots,
        "slots": slots,
        # Those of a mailbox provider cannot be counted from rows, and begin full like the short ones.
        "long": rate.seconds >= 3_600 and name == "all",
    }


def _seed(window: dict[str, Any], at: datetime) -> None:
    """Count from rows what a long window that was lost held, slot by slot."""
    if window.get("ends"):
        counts = {0: _left(warmup.day_begins(at), at)}
    else:
        width, current = window["width"], math.floor(at.timestamp() / window["width"])
        slots = range(current - window["slots"], current + 1)
        begins = {slot: datetime.fromtimestamp(slot * width, UTC) for slot in slots}
        counts = {slot: _left(since, since + timedelta(seconds=width)) for slot, since in begins.items()}
    told = [part for slot, many in counts.items() if many for part in (slot, many)]
    cache.run("SEED", [window["key"], *told])
    log.warning("pace_counted_from_rows", window=window["key"], mails=sum(counts.values()))


def _left(since: datetime, until: datetime) -> int:
    return sum(count(since, until) for count in counters)
