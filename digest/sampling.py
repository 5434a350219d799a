"""A sample of the readers who are due to get an edition, and about how many they are: cheap at a million.

Nobody counts or sorts the table. The keys are taken as a circle; windows of one width lie on it at equal
distances, turned by a random angle. So every reader is in the sample with the same chance, whatever the gaps
between keys, and how many are due in all is how many were found, times the part of the circle looked at. The
same seed gives the same windows: what differs between two samples of one edition is the readers.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from random import Random

from django.db.models import Max, Min

from digest import enrolling
from subscribers.models import Subscriber

#: Readers in a sample.
MOST = 5_000
WINDOWS = 200
#: Readers looked at until a sample that is too small has to do: on a Sunday few of them may be due.
_MOST_LOOKED_AT = 5 * MOST
#: A sample may be so much smaller than MOST.
_ENOUGH = 0.8
#: What ranking and the reader's hour need; no address is read.
FIELDS = ("time_zone", "send_minute", "frequency", "weekday", "paused_until", "size")


@dataclass(frozen=True, slots=True)
class Sample:
    """Readers, in the order of their keys; `due`: about how many there are in all, `exact` where counted."""

    readers: list[Subscriber]
    due: int
    exact: bool


def due_readers(day: date, *, seed: int) -> Sample:
    """Return up to MOST of the readers who are due to get the edition of `day`."""
    active = Subscriber.objects.filter(status=Subscriber.Status.ACTIVE)
    if len(active.values_list("pk")[: MOST + 1]) <= MOST:
        readers = [reader for reader in _reachable(0, 2**63 - 1) if enrolling.due(day, reader)]
        return Sample(readers, len(readers), exact=True)
    span = active.aggregate(first=Min("pk"), last=Max("pk"))
    found, part = _widening(day, span["first"], span["last"] + 1, seed)
    due = round(len(found) / part)
    if len(found) > MOST:
        chosen = Random(seed).sample(range(len(found)), MOST)  # noqa: S311 - chance, not a secret
        found = [found[place] for place in sorted(chosen)]
    return Sample(found, due, exact=part == 1)


def _widening(day: date, first: int, last: int, seed: int) -> tuple[list[Subscriber], float]:
    """Return the due readers of windows wide enough, and what part of all keys those hold."""
    share = MOST / (last - first)
    while True:
        ranges, part = windows(first, last, share, seed)
        looked_at, found = 0, []
        for low, high in ranges:
            for reader in _reachable(low, high):
                looked_at += 1
                if enrolling.due(day, reader):
                    found.append(reader)
        if len(found) >= _ENOUGH * MOST or looked_at >= _MOST_LOOKED_AT or part == 1:
            return found, part
        # Not more at once than four times as many: what lies beyond may be denser.
        share = part * min(MOST / max(len(found), 1), 4.0)


def windows(first: int, last: int, share: float, seed: int) -> tuple[list[tuple[int, int]], float]:
    """Return ranges of keys (low, and high that is not in it) within [first, last), and their exact share.

    Each key is in one of them with the same chance.
    """
    step = -(-(last - first) // WINDOWS)
    width = min(max(round(step * share), 1), step)
    if width == step:
        return [(first, last)], 1.0
    turn = Random(seed).randrange(step)  # noqa: S311 - chance, not a secret
    found = []
    for place in range(WINDOWS):
        low = first + place * step + turn
        high = low + width
        end = first + WINDOWS * step
        found += [(low, high)] if high <= end else [(low, end), (first, first + high - end)]
    return sorted(found), width / step


def _reachable(low: int, high: int) -> Iterator[Subscriber]:
    found = Subscriber.objects.reachable().filter(pk__gte=low, pk__lt=high)
    yield from found.only(*FIELDS).order_by("pk").iterator()
