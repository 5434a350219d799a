"""What is looked at every few seconds while editions go out: how far they are, and whether to stop."""

from collections.abc import Callable
from datetime import datetime
from time import monotonic

import structlog
from django.db import DatabaseError

from digest import halting, progress
from digest.delivery import settling
from digest.models import Edition

log = structlog.get_logger(__name__)

#: Pages of rows ended at a time (some seconds of work), and by a worker that has mails to send.
PAGES, PAGES_MEANWHILE = 20, 2


def watch(*, at: datetime, pages: int = PAGES) -> None:
    """End `pages` of what was cancelled or expired, pause what mailboxes refuse, count what moves."""
    try:
        settling.end_cancelled(at=at, pages=pages)
        settling.end_expired(at=at, pages=pages)
        for edition in Edition.objects.filter(state__in=halting.WATCHED):
            halting.look(edition, at=at)
        for edition in progress.to_count(at=at):
            progress.keep(edition, at=at)
    except DatabaseError:
        log.exception("watch_failed")


class Watch:
    """Looks, now and then, from within a worker: all workers may be busy sending when the clock calls."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        """`clock` returns the moment (aware UTC)."""
        self._clock = clock
        self._next = 0.0

    def __call__(self, _settled: int) -> None:
        """Look, if the last look is long enough ago. Whatever fails in it is told, and no more."""
        if monotonic() < self._next:
            return
        try:
            watch(at=self._clock(), pages=PAGES_MEANWHILE)
        except Exception:
            # The next group is `submitting` already: a worker that died of its look would leave it unknown.
            log.exception("watch_failed")
        self._next = monotonic() + progress.EVERY.total_seconds()
