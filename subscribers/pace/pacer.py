"""The pace as one worker sees it."""

import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from django.conf import settings

from subscribers.outcomes import Outcome, Slower
from subscribers.pace import cache, windows
from subscribers.pace.alone import Memory, share
from subscribers.rates import group_of

log = structlog.get_logger(__name__)

#: Nobody is held longer by one answer: a far side's clock may be wrong.
LONGEST_HOLD = 3_600.0
#: Waits without a Retry-After, doubling: the first, the longest, in seconds; from the how manieth answer on.
PROVIDER_WAITS, DOMAIN_WAITS = (5.0, 300.0, 1), (30.0, 900.0, 3)
#: A wait of all mail from so many seconds on is a quota used up; it is looked at again after so many.
CLOSED_FROM, CLOSED_FOR = 10.0, 60.0
#: What others have heard is asked for anew after this many seconds.
FRESH = 0.05
_EVERYBODY = "everybody"

_memory = Memory()


@dataclass(frozen=True, slots=True)
class Leave:
    """Which of some messages may `go` and which are `put_off`, for how many seconds: by their places.

    The others wait for all mail; more may go in `wait` seconds.
    """

    go: Sequence[int]
    put_off: dict[int, float] = field(default_factory=dict)
    wait: float = 0.0


class Pacer:
    """The pace by one worker's clock. Its threads may share it."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        """`clock` returns the moment (aware UTC)."""
        self._clock = clock
        self._asked_at = -math.inf

    def held(self) -> float:
        """Return for how many seconds nothing may be offered to anybody: the provider asked for that."""
        self._look()
        return max(_memory.holds.get(_EVERYBODY, 0.0) - self._clock().timestamp(), 0.0)

    def closed(self) -> float:
        """Return for how many seconds no digest may go: the provider asks for it, or a quota is used up."""
        return max(self.held(), _memory.closed_until - self._clock().timestamp())

    def resting(self, domain: str) -> float:
        """Return for how many seconds `domain` is left alone, as far as `held` has learned."""
        if not _memory.holds:
            return 0.0
        until = _memory.holds.get(cache.name_of(group_of(domain)), 0.0)
        return max(until - self._clock().timestamp(), 0.0)

    def leave(self, domains: Sequence[str], *, house: bool = False) -> Leave:
        """Say which of the messages to `domains` may go now, and count them; `house`: mails of the outbox."""
        if (held := self.held()) > 0:
            return Leave([], wait=held)
        put_off = {place: wait for place, domain in enumerate(domains) if (wait := self.resting(domain)) > 0}
        free = [place for place in range(len(domains)) if place not in put_off]
        groups, at = [group_of(domains[place]) for place in free], self._clock()
        if not windows.limited(at, groups):
            return Leave(free, put_off)
        try:
            told = windows.take(groups, at, house=house)
        except cache.AwayError:
            told = [share(_memory, group, at) for group in groups]
        crowds = _memory.crowded(
            (group, why == "domain") for group, (why, _) in zip(groups, told, strict=True)
        )
        for place, group, (why, wait) in zip(free, groups, told, strict=True):
            if why == "domain":
                spread = random.uniform(0.5, 1.5)  # noqa: S311 - spreads load, guards nothing
                put_off[place] = max(wait, crowds[group] * spread)
        wait = max((wait for why, wait in told if why == "all"), default=0.0)
        if wait > CLOSED_FROM and not house:
            # A quota is used up. Looked at again in a while: the operator may have raised it.
            _memory.closed_until = at.timestamp() + min(wait, CLOSED_FOR)
        go = [place for place, (why, _) in zip(free, told, strict=True) if not why]
        return Leave(go, put_off, wait)

    def turns(self, domains: Sequence[str]) -> list[float]:
        """Return in how many seconds each of `domains` has its turn, and keep that turn for it.

        Where more wait than a mailbox provider's rate lets go, each is put off once, to the moment that its
        place in the line says: nobody has to look again and again.
        """
        if not settings.DOMAIN_RATES and not _memory.holds:
            return [0.0] * len(domains)
        waits = [self.resting(domain) for domain in domains]
        lines: dict[str, list[int]] = {}
        for place, domain in enumerate(domains):
            if not waits[place] and (group := group_of(domain)) in settings.DOMAIN_RATES:
                lines.setdefault(group, []).append(place)
        for group, places in lines.items():
            between = windows.between(settings.DOMAIN_RATES[group])
            try:
                first = windows.book(group, between, len(places), self._clock())
            except cache.AwayError:
                continue  # they find no leave, and are put off then
            for number, place in enumerate(places):
                waits[place] = first + number * between
        return waits

    def heard(self, outcome: Outcome, domain: str) -> None:
        """Take in what the far side said of a message to `domain`: it may ask us to be slower."""
        if outcome.slower is None:
            return
        alone = outcome.slower is Slower.DOMAIN
        name = cache.name_of(group_of(domain)) if alone else _EVERYBODY
        spread = random.uniform(1.0, 1.05)  # noqa: S311 - spreads load, guards nothing
        asked = min(outcome.retry_after or 0.0, LONGEST_HOLD) * spread
        self._hold(name, asked, DOMAIN_WAITS if alone else PROVIDER_WAITS)

    def _hold(self, name: str, seconds: float, waits: tuple[float, float, int]) -> None:
        now, (base, most, first) = self._clock().timestamp(), waits
        with _memory.lock:
            here, known = seconds, _memory.holds.get(name, 0.0)
            if not seconds and known <= now:
                many = _memory.strikes[name] = _memory.strikes.get(name, 0) + 1
                here = min(most, base * 2 ** (many - first)) if many >= first else 0.0
            # At once: this process's threads look here before each message.
            _memory.holds[name] = max(known, now + here)
        try:
            until = float(cache.run("HOLD", [name, now, seconds, first, base, most]))
        except cache.AwayError:
            until = 0.0
        with _memory.lock:
            until = _memory.holds[name] = max(_memory.holds[name], until)
        if until > now:
            log.warning("asked_to_wait", seconds=round(until - now, 1), everybody=name == _EVERYBODY)

    def _look(self) -> None:
        """Learn which waits others have heard of, if that is not known freshly."""
        if time.monotonic() < self._asked_at + FRESH:
            return
        self._asked_at = time.monotonic()
        try:
            theirs = cache.holds()
        except cache.AwayError:
            theirs = {}
        now = self._clock().timestamp()
        with _memory.lock:
            known = [*_memory.holds.items(), *theirs.items()]
            _memory.holds = {
                name: max(until for each, until in known if each == name)
                for name, until in known
                if until > now
            }
