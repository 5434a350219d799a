"""Do a deed of the database until it is done: what was sent must not lose its outcome to an outage."""

from collections.abc import Callable
from time import monotonic, sleep
from typing import TypeVar

import structlog
from django.db import DatabaseError, InterfaceError, OperationalError, connection

log = structlog.get_logger(__name__)
T = TypeVar("T")

#: Whatever the database may raise, and what tells of its state, not of what it was asked: away, locked, full,
#: a deadlock.
FAULTS = (DatabaseError, InterfaceError)
OUTAGES = (OperationalError, InterfaceError)
#: Seconds between tries; the last one repeats. A fault that is no outage gets only these.
WAITS = (0.2, 1.0, 5.0)
#: For so long, in seconds, an outage is waited out: a restart takes seconds, a failover a minute or two. It
#: stays below what Celery lets a task take.
PATIENCE = 300.0


def persist(deed: Callable[[], T], *, seconds: float = PATIENCE) -> T:
    """Return what `deed` does, trying again on a fresh connection for `seconds` while the database is away.

    `deed` may have happened although it failed, when the answer to its commit was lost: it must be one that
    changes nothing when it is done twice. Raises the last fault.
    """
    stop_at, tries = monotonic() + seconds, 0
    while True:
        try:
            return deed()
        except FAULTS as fault:
            if connection.in_atomic_block or monotonic() >= stop_at:
                raise
            if tries >= len(WAITS) and not isinstance(fault, OUTAGES):
                raise
            log.warning("database_tried_again", fault=type(fault).__name__, tries=tries + 1)
            connection.close()
            sleep(WAITS[min(tries, len(WAITS) - 1)])
            tries += 1
