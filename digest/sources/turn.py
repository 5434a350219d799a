"""One at a time, with a pause between: a turn that all processes of the house share through the database."""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from digest.models import SourceTurn
from digest.sources.base import SourceError

#: arXiv's terms: one request in three seconds and a single connection, over API, feeds and OAI-PMH together.
PAUSE = timedelta(seconds=3)
#: Longer than the slowest answer is let to take; a process that dies in its turn holds the others up so long.
LEASE = timedelta(seconds=90)
MOST_WAITING = 600.0
_LOOK_AGAIN = 0.5


@contextmanager
def turn(
    source: str,
    *,
    pause: timedelta = PAUSE,
    lease: timedelta = LEASE,
    patience: float | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[None]:
    """Hold the turn of `source` (1-20 characters) for the length of the block; `pause` begins when it ends.

    The row is taken by one conditional UPDATE on the database's own clock, so hosts need not agree on the
    time. Call it outside a transaction: a row lock would hide the release. Raises SourceError after
    `patience` seconds of waiting, ten minutes by default.
    """
    owner = secrets.token_hex(8)
    SourceTurn.objects.get_or_create(source=source, defaults={"free_at": timezone.now() - pause})
    _take(source, owner, pause, lease, MOST_WAITING if patience is None else patience, sleep)
    try:
        yield
    finally:
        SourceTurn.objects.filter(source=source, owner=owner).update(owner="", free_at=Now() + pause)


def _take(
    source: str,
    owner: str,
    pause: timedelta,
    lease: timedelta,
    patience: float,
    sleep: Callable[[float], None],
) -> None:
    free = Q(free_at__lte=Now())
    # Further ahead than any turn reaches: the clock was set back, and nobody would come for a long time.
    nonsense = Q(free_at__gt=Now() + 2 * (lease + pause))
    gives_up = time.monotonic() + patience
    mine = SourceTurn.objects.filter(free | nonsense, source=source)
    while not mine.update(owner=owner, free_at=Now() + lease):
        if time.monotonic() >= gives_up:
            raise SourceError(
                f"Others kept asking {source} for {patience / 60:.0f} minutes.", unreachable=True
            )
        row = SourceTurn.objects.filter(source=source).first()
        left = (row.free_at - timezone.now()).total_seconds() if row else 0.0
        sleep(min(max(left, 0.02), _LOOK_AGAIN))
